"""All values, in the order of the walk: feeds → rules → stories → alerts.

Frozen, keyword-only; change is ``dataclasses.replace``.  Datetimes are aware UTC.  What people
write into config.toml is in ``settings.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """How much a rule's alerts matter; ordered."""

    LOW = 1
    NORMAL = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        return self.name.lower()


# --- feeds: what comes in --------------------------------------------------------------------


class IdentityMode(StrEnum):
    """What tells two entries of a feed apart."""

    GUID = "guid"
    GUID_AND_LINK = "guid+link"  # this feed has shown one guid with different links


class FailureReason(StrEnum):
    """Why a poll brought nothing.  The words people read are in ``feeds/health.py``."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    BLOCKED_ADDRESS = "blocked address"
    BAD_URL = "bad url"
    REDIRECTS = "redirects"
    HTTP_CLIENT = "http 4xx"
    FORBIDDEN = "forbidden"  # 401, 403
    NOT_FOUND = "not found"  # 404
    GONE = "gone"  # 410
    THROTTLED = "throttled"  # 429, 503
    HTTP_SERVER = "http 5xx"
    TOO_LARGE = "too large"
    BAD_ENCODING = "bad encoding"  # content coding unknown, layered, or broken
    TRUNCATED = "truncated"  # the body stopped before its end
    EMPTY = "empty"
    HTML = "html instead of a feed"
    NOT_A_FEED = "not a feed"
    PARSER_KILLED = "parser killed"  # deadline or memory
    PARSER_RAISED = "parser raised"
    PROTOCOL = "protocol"  # the peer does not speak HTTP
    INTERNAL = "internal"  # a bug of ours, contained


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed and all that is remembered about polling it: one row of ``feeds``."""

    id: str  # survives a move of the URL
    url: str
    name: str
    tags: frozenset[str] = frozenset()
    partition: int = 0
    claim: int = 0  # fencing token: a commit with an older one is refused
    added_at: datetime
    next_poll_at: datetime
    polled_at: datetime | None = None  # last poll, whatever came of it
    succeeded_at: datetime | None = None  # last complete document or 304
    baseline_at: datetime | None = None  # first complete document; None: the next one is the first
    etag: str | None = None  # byte for byte as sent (latin-1)
    last_modified: str | None = None
    validators_at: datetime | None = None  # last unconditional success; refetched whole once a day
    body_hash: str | None = None
    identity: IdentityMode = IdentityMode.GUID
    failures: int = 0  # in a row
    failing_since: datetime | None = None
    failure: FailureReason | None = None
    failure_detail: str = ""
    reported: bool = False  # the operators were told that it is broken
    moved_to: str | None = None  # where 301s led, ``moved_count`` times in a row
    moved_count: int = 0
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A complete body, decompressed."""

    body: bytes
    final_url: str
    content_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    permanent_url: str | None = None  # where 301/308 led, when every hop was permanent
    max_age: timedelta | None = None  # Cache-Control


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """304 to our conditional request."""

    permanent_url: str | None = None
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFailed:
    """Nothing usable came back; ``detail`` is one line for people, without secrets."""

    reason: FailureReason
    detail: str
    status: int | None = None
    retry_after: timedelta | None = None  # capped at a day


FetchResult = Fetched | NotModified | FetchFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEntry:
    """An entry as the publisher wrote it, cleaned at the border; everything may be missing."""

    guid: str | None = None
    link: str | None = None  # resolved against the feed's final URL; may still be any scheme
    title: str | None = None  # plain text
    summary: str | None = None  # plain text
    content: str | None = None  # plain text
    author: str | None = None
    categories: tuple[str, ...] = ()
    language: str | None = None
    published: str | None = None  # date strings as written
    updated: str | None = None
    published_at: datetime | None = None  # what could be read of them, else None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """What a document holds; ``entries`` in document order."""

    version: str  # "rss20", "atom10", "json11" …
    title: str = ""
    language: str | None = None
    ttl: timedelta | None = None
    entries: tuple[RawEntry, ...] = ()
    complete: bool = True  # False: cut off, the unfinished entry is dropped
    warnings: tuple[str, ...] = ()  # limits reached, ill-formed XML …


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseFailed:
    """The body is not a feed, or reading it was stopped."""

    reason: FailureReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry as everything after the border may rely on it: no optional text."""

    id: str  # hash(feed id, first key); stored, never recomputed
    feed_id: str
    feed_name: str
    feed_tags: frozenset[str] = frozenset()
    keys: tuple[str, ...]  # the identities it is known by, the deciding one first
    url: str = ""  # http or https, or ""
    title: str = ""
    summary: str = ""
    content: str = ""
    author: str = ""
    categories: tuple[str, ...] = ()
    language: str = ""  # "de", "" unknown
    published_at: datetime | None = None  # the publisher's word, clamped; for display only
    first_seen_at: datetime  # the clock of this program
    fingerprint: str  # of the folded words: equal for trivial edits


# --- rules: what we look for -----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the rest of the house must know about a rule; its condition stays in ``rules``."""

    name: str  # its identity
    severity: Severity = Severity.NORMAL
    tags: frozenset[str] = frozenset()
    channels: tuple[str, ...] | None = None  # None: routes decide; (): nobody, on purpose
    owner: str = ""
    note: str = ""
    source: str = ""  # "fms.toml:12"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Hit:
    """Where a term was found: offsets into the entry's own, unchanged field text."""

    field: str  # "title" | "summary" | "content" | "feed" …: words or labels
    start: int
    end: int
    term: str  # as written in the rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Rule × entry, with the evidence."""

    rule: Rule
    entry_id: str
    hits: tuple[Hit, ...]


# --- stories ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Entries that tell the same event; its id is its founding entry's."""

    id: str
    title: str
    opened_at: datetime
    last_entry_at: datetime
    language: str = ""


# --- alerts: what goes out -------------------------------------------------------------------


class AlertKind(StrEnum):
    STORY = "story"
    OPERATOR = "operator"  # what the monitor says about itself


class Label(StrEnum):
    """Why an alert comes at an unusual moment; shown in the message."""

    LATE = "late"  # published before the feed was watched, found after
    EDITED = "edited"  # the entry matched only after its publisher changed it
    BACKFILL = "backfill"  # a new rule was asked to look back


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A sentence with the hits in it: ``marks`` are (start, end) in ``text``."""

    field: str
    text: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One subject for people: (story, rule), or (operator condition, occurrence)."""

    id: str  # hash of the subject
    kind: AlertKind
    subject: str  # story id and rule name, or condition and occurrence
    severity: Severity
    title: str
    created_at: datetime
    # kind STORY
    story_id: str = ""
    entry_id: str = ""
    rule_name: str = ""
    rule_note: str = ""
    url: str = ""
    outlet: str = ""
    published_at: datetime | None = None
    excerpts: tuple[Excerpt, ...] = ()
    terms: tuple[str, ...] = ()  # the terms that hit, as written in the rule
    labels: tuple[Label, ...] = ()
    # kind OPERATOR
    text: str = ""  # what it means for the reader and what to do


class DeliveryKind(StrEnum):
    FIRST = "first"
    UPDATE = "update"
    NOTICE = "notice"


class DeliveryState(StrEnum):
    QUEUED = "queued"  # due at ``due_at``; also after a failed try
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    REFUSED = "refused"  # for good: the channel or target says no
    PARKED = "parked"  # five ambiguous or poisoned tries
    EXPIRED = "expired"  # 14 days old
    DISCARDED = "discarded"  # by a person
    SILENCED = "silenced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Alert × target × kind × sequence: one row of the outbox."""

    id: str  # hash of the four
    alert_id: str
    channel: str
    target: str  # one recipient of the channel; see settings.Target
    kind: DeliveryKind = DeliveryKind.FIRST
    sequence: int = 0
    state: DeliveryState = DeliveryState.QUEUED
    due_at: datetime
    created_at: datetime
    attempts: int = 0
    ambiguous: int = 0  # attempts that ended without an answer
    message_id: str | None = None  # set by the first claim; retries send the same message
    claim: int = 0
    last_error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What goes to one target at once, frozen by its first claim."""

    id: str
    channel: str
    target: str
    subject: str  # one line
    text: str
    html: str = ""  # mail
    alert_ids: tuple[str, ...]
    delivery_ids: tuple[str, ...]
    headers: tuple[tuple[str, str], ...] = ()  # mail: References, X-Monitor-Alert
    created_at: datetime
    attempts: int = 0
    ambiguous: int = 0


class Scope(StrEnum):
    """What a refusal stops."""

    MESSAGE = "message"
    TARGET = "target"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The first hop has taken the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The first hop has not, or did not say so."""

    detail: str  # one line, no secrets
    retryable: bool = True
    ambiguous: bool = False  # no answer: it may have arrived
    scope: Scope = Scope.MESSAGE
    retry_after: timedelta | None = None


SendResult = Accepted | Refused


# --- what one poll changes, committed as one transaction --------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store remembers of an entry under one key."""

    entry_id: str
    story_id: str
    fingerprint: str
    first_seen_at: datetime
    rules: frozenset[str] = frozenset()  # rules that matched it, or alerted for its story


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A changed entry: the new text; the store keeps the old one with ``changed_at``."""

    entry: Entry  # with the stored id and first_seen_at
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that one poll changes.  ``feed`` carries the claim that fences it."""

    feed: Feed
    entries: tuple[Entry, ...] = ()  # new ones
    revisions: tuple[Revision, ...] = ()
    stories: tuple[Story, ...] = ()  # new or advanced
    membership: tuple[tuple[str, str], ...] = ()  # (entry id, story id) of the new entries
    matches: tuple[Match, ...] = ()
    alerts: tuple[Alert, ...] = ()
    deliveries: tuple[Delivery, ...] = ()


# --- what the store hands out and takes back ----------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedDelivery:
    """A claimed delivery with its alert, and its message when an earlier claim froze one."""

    delivery: Delivery
    alert: Alert
    message: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """Health of a target, for ``status`` and for holding back."""

    channel: str
    target: str
    accepted_at: datetime | None = None
    failures: int = 0  # in a row
    failing_since: datetime | None = None
    last_error: str = ""
    stopped: bool = False  # refused for good; nothing is tried until the channel's settings change
    not_before: datetime | None = None  # Retry-After


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What became of the deliveries of one message: the caller has decided, the store records."""

    deliveries: tuple[Delivery, ...]  # with their new state, due_at, attempts, last_error
    result: SendResult | None = None  # None: nothing was tried (held, silenced)
    state: ChannelState | None = None  # the target's health after it, recorded as it stands
    at: datetime
    alerts: tuple[Alert, ...] = ()  # operator alerts this raised, with their deliveries
    raised: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSetRecord:
    """A set of rule files as it was loaded: what a restart falls back on."""

    version: str  # hash of the files
    files: Mapping[str, str]  # name → text
    loaded_at: datetime
