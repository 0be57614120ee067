"""All values, in the order of the walk: feeds → rules → stories → alerts.

Frozen, keyword-only; change is ``dataclasses.replace``.  Datetimes are aware UTC.  What people
write into config.toml is in ``settings.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    LINK_AND_TITLE = "link+title"  # it has no guids, and has shown one link with different titles


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
    LOGIN = "login page"
    NOT_A_FEED = "not a feed"
    PARSER_KILLED = "parser killed"  # deadline or memory
    PARSER_RAISED = "parser raised"
    PROTOCOL = "protocol"  # the peer does not speak HTTP
    INTERNAL = "internal"  # a bug of ours, contained


class Oddity(StrEnum):
    """What is wrong with a document that can be read."""

    CUT_OFF = "cut off"
    EMPTIED = "emptied"  # hardly an entry is left
    GARBLED = "garbled"  # read or written in the wrong character set
    ANOTHER = "another feed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """What looks wrong, kept until it is over for good; and how the feed last looked right."""

    oddity: Oddity | None = None
    detail: str = ""  # one line for people
    title: str = ""
    entries: int = 0  # in its document


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a feed says of its own pace; hours are UTC, Monday is day 0."""

    ttl: timedelta | None = None  # may be kept so long before it is asked for again
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    update_every: timedelta | None = None  # sy:updatePeriod / sy:updateFrequency


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time between two entries of a feed."""

    ended_at: datetime
    length: timedelta
    expected: float  # entries that its rhythm would have brought meanwhile: its length "by hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """When a feed publishes, as learnt; ``feeds/rhythm.py`` reads it.

    Counts and hours fade with time.  Hours of the day are UTC, Monday is day 0.
    """

    began_at: datetime | None = None  # known from here …
    learnt_at: datetime | None = None  # … to here
    last_at: datetime | None = None  # the newest entry
    entries_by_hour: tuple[float, ...] = (0.0,) * 24
    watched_by_hour: tuple[float, ...] = (0.0,) * 24  # hours
    entries_by_day: tuple[float, ...] = (0.0,) * 7
    watched_by_day: tuple[float, ...] = (0.0,) * 7
    recent: float = 0.0  # entries of the last hours, and what was expected of them
    recent_expected: float = 0.0
    gaps: Sequence[Gap] = ()  # the latest, oldest first
    longest: Sequence[Gap] = ()  # each longer than all after it, oldest first
    listed: int = 0  # entries in its last document
    word: Word = Word()


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
    reported: bool = False  # the operators were told that it is broken, or looks wrong
    moved_to: str | None = None  # where 301s led, ``moved_count`` times in a row
    moved_count: int = 0
    suspicion: Suspicion = Suspicion()
    suspected_since: datetime | None = None  # None: it looks right
    quiet_since: datetime | None = None  # unusually silent since then, and people were told
    gap_from: datetime | None = None  # the last time entries may have rolled over unseen
    gap_until: datetime | None = None
    gap_told: bool = False
    paused: bool = False
    rhythm: Rhythm = Rhythm()


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
    links: tuple[tuple[str, str], ...] = ()  # Link headers: (relation, address as written)


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
    word: Word = Word()
    entries: tuple[RawEntry, ...] = ()
    left_out: int = 0  # further entries, which stand in the document as they did the last time
    complete: bool = True  # False: cut off, the unfinished entry is dropped
    older_url: str | None = None  # the page with the entries before these
    links: tuple[tuple[str, str], ...] = ()  # to its hubs and itself, as in ``Fetched``
    warnings: tuple[str, ...] = ()  # limits reached, ill-formed XML …

    @property
    def listed(self) -> int:
        """Entries in the document."""
        return len(self.entries) + self.left_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A feed's last document, as the next is compared with it: see ``feeds.listing``.  Empty: the
    next has nothing to be compared with."""

    context: bytes = b""  # hash of all that the meaning of an entry depends on
    head: bytes = b""  # hash of what the feed says of itself
    told: str = ""  # JSON: what that was
    entries: bytes = b""  # hash of each entry and hash of its key, in document order


NOTHING_LISTED = Listing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The hub that a document names, and what the hub calls the feed; no hub: ""."""

    hub: str = ""
    topic: str = ""


class HubState(StrEnum):
    """How a feed stands with its hub; ``feeds/websub.py`` moves from one to the next."""

    APART = "apart"  # not subscribed, or a renewal failed: asked at ``due_at``
    JOINING = "joining"  # asked; the hub is to ask back until ``due_at``
    JOINED = "joined"  # renewed at ``due_at``
    LEAVING = "leaving"  # asked to forget us; forgotten anyhow at ``due_at``


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A feed whose document names a hub, and what has come of that: a row of ``subscriptions``."""

    feed_id: str
    hub: str
    topic: str
    callback: str = field(default="", repr=False)  # whole address, unguessable; "" never asked
    secret: str = field(default="", repr=False)  # signs the pushes
    state: HubState = HubState.APART
    due_at: datetime
    until: datetime | None = None  # end of the lease
    failures: int = 0  # in a row
    detail: str = ""  # of the last failure, one line for people
    pushed_at: datetime | None = None  # last push with a good signature
    ignored: int = 0  # pushes without one
    # of the feed, read with it:
    feed_url: str = ""
    watched: bool = True


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


class ArticleState(StrEnum):
    QUEUED = "queued"  # due at ``due_at``; also after a failed try
    DONE = "done"  # the entry's content is the page's text
    FAILED = "failed"  # for good: the feed's own text stays


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """The page that an entry links to: to be read, or what became of it."""

    entry_id: str
    host: str
    state: ArticleState = ArticleState.QUEUED
    due_at: datetime  # once settled: when that was
    attempts: int = 0
    detail: str = ""  # why it failed last, or what is to be known of its text


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """The text of a web page, without what stands around it."""

    text: str
    for_subscribers: bool = False  # its publisher says so: this may be only the beginning


# --- stories ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Entries that tell the same event; its id is its founding entry's, or made by a split.

    ``outlets`` are hosts, in the order in which they came, at most ``OUTLETS_KEPT``.
    """

    id: str
    title: str
    opened_at: datetime
    last_entry_at: datetime
    language: str = ""
    entries: int = 1
    outlets: tuple[str, ...] = ()


OUTLETS_KEPT = 50

HashPair = tuple[int, int]  # 32 bits each: one alone would be wrong for one entry in 40,000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An entry and the story it is in, as later entries are compared with it."""

    entry_id: str
    story_id: str
    feed_id: str
    outlet: str  # host of its address
    seen_at: datetime
    features: bytes  # see stories.features; b"": it finds nothing, and nothing finds it
    sketch: tuple[int, ...]  # see stories.sketch
    series: HashPair | None = None  # of outlet and the opening of the headline
    page: HashPair | None = None  # of the canonical address
    copy_of: str = ""  # entry id of the first with this text; copies have no vote
    near: int | None = None  # number in the index of the entry it is like; not stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a new entry belongs, and why: for people in ``because``, for the index in ``told``."""

    told: Told
    because: tuple[str, ...] = ()  # what it shares with its story, strongest first
    gap: timedelta = timedelta(0)  # since the story had last been told
    containment: float = 0.0  # of a copy: share of the shorter text that stands in the longer
    references: tuple[str, ...] = ()  # numbers of the notice it publishes: "transmittal 25-07"

    @property
    def joined(self) -> bool:
        """Whether somebody else founded its story."""
        return self.told.story_id != self.told.entry_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An entry of a story, as people are told of it."""

    entry_id: str
    title: str
    url: str
    outlet: str  # name of its feed
    seen_at: datetime
    because: tuple[str, ...] = ()
    gap: timedelta = timedelta(0)
    copy_of: str = ""
    containment: float = 0.0
    by_hand: bool = False  # a person put it there


# --- alerts: what goes out -------------------------------------------------------------------


class AlertKind(StrEnum):
    STORY = "story"
    OPERATOR = "operator"  # what the monitor says about itself
    DIGEST = "digest"  # what a digest says beside its stories: one for each channel and moment


class Label(StrEnum):
    """Why an alert comes at an unusual moment; shown in the message."""

    LATE = "late"  # published before the feed was watched, found after
    GAP = "gap"  # it came and went between two visits, and was found on an older page
    ARTICLE = "article"  # the entry matched only with the text of the page it links to
    EDITED = "edited"  # the entry matched only after its publisher changed it
    BACKFILL = "backfill"  # a new rule was asked to look back
    SPLIT = "split"  # a person parted it from a story that had been told already
    TEST = "test"  # a person asked for it with send-test


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
    facts: tuple[str, ...] = ()  # of an arms-sale notice: country, amount
    first_alerted_at: datetime | None = None  # of a notice that was told months ago
    # kinds OPERATOR and DIGEST
    text: str = ""  # what it means for the reader and what to do; lines, "· " begins an item


class UpdateReason(StrEnum):
    """Why people hear again of a story they know."""

    OUTLETS = "outlets"  # many tell it by now
    OFFICIAL = "official"  # an institution itself tells it
    NEW_TERMS = "new terms"  # a rule finds words in it that the story had not had
    PUBLISHED_AGAIN = "published again"  # the same notice elsewhere, perhaps months later


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What a joining entry adds to a story that was alerted."""

    number: int  # derived; the ``sequence`` of its deliveries
    story_id: str
    reason: UpdateReason
    entry_id: str
    created_at: datetime
    title: str
    url: str
    outlet: str
    published_at: datetime | None = None
    rule_name: str = ""  # NEW_TERMS: whose terms
    terms: tuple[str, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    outlets: int = 0  # that tell the story, this one included
    first_alerted_at: datetime | None = None  # PUBLISHED_AGAIN: when people heard of it


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


WAITING = frozenset({DeliveryState.QUEUED, DeliveryState.CLAIMED})
GIVEN_UP = frozenset({DeliveryState.REFUSED, DeliveryState.PARKED, DeliveryState.EXPIRED})


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
    silence_id: str | None = None  # of what muted it
    instead_of: str = ""  # channel that takes nothing, whose fallback this one is
    settled_at: datetime | None = None  # when it was sent, given up, discarded or muted


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
    payload: str = ""  # JSON: what a webhook of ours is sent, or the blocks of a Slack bot
    story_id: str = ""  # the one it is about; "" for digests and what the monitor says of itself
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

    thread: str = ""  # what later messages of the story are answers to, where channels have that


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The first hop has not, or did not say so."""

    detail: str  # one line, no secrets
    retryable: bool = True
    ambiguous: bool = False  # no answer: it may have arrived
    scope: Scope = Scope.MESSAGE
    retry_after: timedelta | None = None


SendResult = Accepted | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Alerts that nobody should get until ``ends_at``: those that fit all that is named.

    Of several rules, stories … one is enough; what is empty fits everything.
    """

    id: str
    rules: frozenset[str] = frozenset()
    stories: frozenset[str] = frozenset()  # ids
    feeds: frozenset[str] = frozenset()  # names
    severities: frozenset[Severity] = frozenset()
    texts: tuple[str, ...] = ()  # words that stand in the headline or the sentences
    created_at: datetime
    ends_at: datetime
    reason: str
    owner: str
    ended_at: datetime | None = None  # it is over, and its owner was told
    muted: int = 0  # alerts it has kept back


# --- what one poll changes, committed as one transaction --------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store remembers of an entry under one key."""

    entry_id: str
    story_id: str
    title: str = ""
    fingerprint: str
    first_seen_at: datetime
    rules: frozenset[str] = frozenset()  # rules that matched it, or alerted for its story
    article: str = ""  # its content, where that is the text of the page it links to


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A changed entry: the new text; the store keeps the old one with ``changed_at``."""

    entry: Entry  # with the stored id and first_seen_at
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An entry that somebody searched for: its headline and its text, with the hits in them."""

    entry: Entry
    headline: Excerpt
    excerpt: Excerpt | None  # None: the hits are in the headline only


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierText:
    """What an entry said until it was changed, or its article was read."""

    changed_at: datetime
    title: str
    summary: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingAlert:
    """An alert of a story that more entries may join."""

    id: str
    severity: Severity
    terms: frozenset[str]  # told so far, as written in the rule
    targets: tuple[tuple[str, str], ...] = ()  # (channel, target) it goes to


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A story before the next entry joins it: what was told of it, and to whom."""

    story: Story
    feeds: frozenset[str] = frozenset()  # ids of the feeds that told it, if it was alerted
    alerts: Mapping[str, StandingAlert] = field(default_factory=dict)  # by rule
    outlets_told: bool = False  # the update that counts outlets was among them
    first_alerted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that one poll changes.  ``feed`` carries the claim that fences it."""

    feed: Feed
    entries: tuple[Entry, ...] = ()  # new ones
    revisions: tuple[Revision, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()  # (entry id, key) it is known by from now on
    stories: tuple[Story, ...] = ()  # new or advanced
    placements: tuple[Placement, ...] = ()  # of the new entries
    matches: tuple[Match, ...] = ()
    alerts: tuple[Alert, ...] = ()
    updates: tuple[Update, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    articles: tuple[Article, ...] = ()  # of the new entries: pages to read
    offer: Offer | None = None  # of a document that was read; None: none was, or not to its end
    learnt: bool = True  # False: the feed's rhythm is as it was, and need not be stored again
    listing: Listing | None = None  # of a document that was read; None: none was, or the same
    corrections_seen: int | None = None  # fences it against what people do to stories; None: not

    @property
    def only_the_feed(self) -> bool:
        """Whether nothing changed but the state of the feed, as after most visits."""
        return not (
            self.entries or self.revisions or self.renamed or self.alerts or self.deliveries
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Stories split or joined by a person: stored as one, never undone by the machine."""

    what: str  # "split" | "join"
    at: datetime
    expects: Mapping[str, int]  # story id → its number of entries when this was decided
    stories: tuple[Story, ...]  # as they are afterwards
    retired: Mapping[str, str]  # story id that is no more → the one to look at instead
    moved: tuple[tuple[str, str], ...]  # (entry id, story id)
    by_hand: tuple[str, ...] = ()  # those of them the person named
    alerts_moved: tuple[tuple[str, str, str], ...] = ()  # (alert id, story id, subject)
    discarded: tuple[str, ...] = ()  # alert ids: what waits of them is not sent
    alerts: tuple[Alert, ...] = ()  # of what had been hidden
    deliveries: tuple[Delivery, ...] = ()


# --- what the store hands out and takes back ----------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedDelivery:
    """A delivery with its alert, and its message when a claim has frozen one."""

    delivery: Delivery
    alert: Alert
    message: Message | None = None
    update: Update | None = None  # of an UPDATE
    members: tuple[Member, ...] = ()  # of the alert's story, in the order they came; the first ones


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedEntry:
    """An entry that joined a story people had been told of, without a message."""

    title: str
    outlet: str
    seen_at: datetime
    story: str  # headline of the story


@dataclass(frozen=True, slots=True, kw_only=True)
class SinceDigest:
    """What happened on a channel since its last digest."""

    at_once: tuple[Alert, ...] = ()  # sent by themselves
    joined: tuple[JoinedEntry, ...] = ()
    muted: int = 0  # alerts that silences kept back


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
    outage_from: datetime | None = None  # the last time it took nothing, once that was over
    outage_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What became of the deliveries of one message: the caller has decided, the store records."""

    deliveries: tuple[Delivery, ...]  # with their new state, due_at, attempts, last_error
    result: SendResult | None = None  # None: nothing was tried (held, silenced)
    state: ChannelState | None = None  # the target's health after it, recorded as it stands
    at: datetime
    alerts: tuple[Alert, ...] = ()  # operator alerts this raised, with their deliveries
    raised: tuple[Delivery, ...] = ()
    story_id: str = ""  # of the message: the thread that the result names is this story's


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSetRecord:
    """A set of rule files as it was loaded: what a restart falls back on."""

    version: str  # hash of the files
    files: Mapping[str, str]  # name → text
    loaded_at: datetime
