"""A feed, what is remembered of it, and what fetching it brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


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
    STARVED = "starved"  # this machine has no memory, process or handle left
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


NOTHING_SAID = Word()


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
    word: Word = NOTHING_SAID


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
    packed_hash: str | None = None  # of the same document as it was sent, if it was packed
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
    packed_hash: str | None = None  # of the body as it was sent, if it was packed
    seconds: float = field(default=0.0, compare=False)  # the exchange took, without waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """304 to our conditional request."""

    permanent_url: str | None = None
    max_age: timedelta | None = None
    seconds: float = field(default=0.0, compare=False)  # the exchange took, without waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class SameBytes:
    """The document of last time, packed to the very bytes of last time; it was not unpacked."""

    etag: str | None = None
    last_modified: str | None = None
    permanent_url: str | None = None
    max_age: timedelta | None = None
    seconds: float = field(default=0.0, compare=False)  # the exchange took, without waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFailed:
    """Nothing usable came back; ``detail`` is one line for people, without secrets."""

    reason: FailureReason
    detail: str
    status: int | None = None
    retry_after: timedelta | None = None  # capped at a day
    seconds: float = field(default=0.0, compare=False)  # the exchange took, without waiting


Unchanged = NotModified | SameBytes
FetchResult = Fetched | Unchanged | FetchFailed
