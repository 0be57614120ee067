"""The values of config.toml once it was read: what people chose.  ``config.py`` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from zoneinfo import ZoneInfo

from monitor.model import Severity
from monitor.timetable import Hours, Timetable

Network = IPv4Network | IPv6Network


class FirstPoll(StrEnum):
    """What becomes of the entries a feed already holds when it is first seen."""

    NO_ALERTS = "no-alerts"
    ALERT = "alert"


class ContentMode(StrEnum):
    """Where the text of an entry comes from."""

    FEED = "feed"
    ARTICLE = "article"
    AUTO = "auto"


BACKFILL_AUTO, BACKFILL_OFF = "auto", "off"


class Transport(StrEnum):
    """What carries requests to feeds, pages and hubs."""

    OWN = "own"  # monitor.feeds.transport; through a proxy httpx's all the same
    HTTPX = "httpx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a feed is asked for, where that is not as for all others."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # of its own origin only
    user_agent: str = ""
    proxy: str = field(default="", repr=False)  # its address may hold a password
    allow_private: tuple[Network, ...] = ()  # beside those of [poll]
    ca: str = ""  # PEM: authorities trusted beside the usual ones
    encoding: str = ""  # what its bytes are, whatever it says
    secrets: tuple[str, ...] = field(default=(), repr=False)  # to be shown nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSettings:
    interval: timedelta = timedelta(minutes=15)
    min_interval: timedelta = timedelta(minutes=2)
    max_interval: timedelta = timedelta(hours=24)
    per_host_gap: timedelta = timedelta(seconds=1)
    concurrency: int = 32
    timeout: timedelta = timedelta(seconds=30)  # the whole exchange
    first_poll: FirstPoll = FirstPoll.NO_ALERTS
    allow_private: tuple[Network, ...] = ()
    transport: Transport = Transport.OWN


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    url: str
    name: str
    tags: frozenset[str] = frozenset()
    enabled: bool = True
    reason: str = ""  # why it is not enabled
    interval: timedelta | None = None  # None: its pace is learnt
    min_interval: timedelta | None = None  # None: as in [poll]
    max_interval: timedelta | None = None
    access: Access = Access()
    content: ContentMode = ContentMode.AUTO
    backfill: str = BACKFILL_AUTO  # or BACKFILL_OFF, or the address of a news sitemap
    source: str = ""  # "config.toml:31"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One recipient of a channel."""

    name: str  # "desk-slack", or "morning-mail/anna@example.org"
    url: str = field(repr=False)  # apprise address: a secret


class Updates(StrEnum):
    """What a channel hears of a story it was told of."""

    THREAD = "thread"  # at once, in the thread of the first message where the channel has threads
    DIGEST = "digest"  # with the channel's next digest
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How fast messages may follow each other: a bucket of *burst* that fills by *a_second*."""

    a_second: float
    burst: int = 10  # above it, what else is due goes as one digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where alerts go.  ``targets`` is empty when its secret could not be read."""

    name: str
    targets: tuple[Target, ...] = ()
    kind: str = ""  # apprise scheme: "mailtos", "slack", "json" …, or one of ours: see addresses
    secret: str = field(default="", repr=False)  # of a webhook: signs what is sent
    updates: Updates = Updates.THREAD
    timezone: ZoneInfo | None = None  # None: that of the monitor
    digest: Timetable | None = None
    empty_digest: bool = True  # sent also when nothing matched
    quiet_hours: tuple[Hours, ...] = ()
    at_once: frozenset[Severity] = frozenset()  # past the digest; critical also past quiet hours
    rate: Rate = Rate(a_second=1.0)
    fallback: str = ""  # channel told instead while this one takes nothing
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Chooses channels for rules that name none; empty conditions fit everything."""

    severity: frozenset[Severity] = frozenset()
    rules: frozenset[str] = frozenset()
    rule_tags: frozenset[str] = frozenset()
    feed_tags: frozenset[str] = frozenset()
    channels: tuple[str, ...] = ()
    continue_: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSubSettings:
    """Where hubs reach us, and where we listen for them."""

    callback: str  # public address, without a "/" at its end
    host: str  # an address
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatSettings:
    """Who outside learns that the monitor lives, and how often."""

    url: str = field(repr=False)  # a secret: who knows it can imitate us; "": it cannot be read
    interval: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """Where the monitor can be asked how it is."""

    host: str  # an address
    port: int
    hosts: tuple[str, ...] = ()  # names it may be asked by beside those of this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole of config.toml.  Paths are absolute strings."""

    path: str
    database: str
    rules: str
    timezone: ZoneInfo
    templates: str = ""  # folder of people's own layouts; need not exist
    feeds_from: tuple[str, ...] = ()  # OPML files whose feeds are watched, too
    atom: str = ""  # file for the newest alerts as an Atom feed; "" for none
    contact: str = ""
    keep_text: timedelta | None = timedelta(days=400)  # None: for ever
    allow_empty: bool = False  # zero rules are meant
    monitor_reports_to: tuple[str, ...] = ()
    default_channels: tuple[str, ...] | None = None  # None: all channels
    poll: PollSettings = PollSettings()
    websub: WebSubSettings | None = None  # None: nothing listens, nothing is subscribed
    heartbeat: HeartbeatSettings | None = None  # None: nobody outside is told
    metrics: MetricsSettings | None = None  # None: nobody can ask
    feeds: tuple[FeedSettings, ...] = ()
    channels: tuple[Channel, ...] = ()
    routes: tuple[Route, ...] = ()

    _feeds_by_url: Mapping[str, FeedSettings] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_url = {feed.url: feed for feed in reversed(self.feeds)}  # the first of two counts
        object.__setattr__(self, "_feeds_by_url", by_url)

    def feed_at(self, url: str) -> FeedSettings | None:
        """What was chosen for the feed at *url*; None once it has left the configuration."""
        return self._feeds_by_url.get(url)
