"""The shape of config.toml: which keys there are and what their values look like.

What the values mean together (known channels, readable secrets, no feed twice) is in
``config.py``.
"""

from __future__ import annotations

import codecs
import re
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from monitor.alerts.addresses import Security
from monitor.model import Severity
from monitor.settings import BACKFILL_AUTO, ContentMode, FirstPoll, Network, Transport, Updates
from monitor.timetable import Hours, Timetable, read_hours, read_slot

_NO_ENCODINGS = ("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7")
FOREVER = "forever"
SHORTEST_KEPT = timedelta(days=30)  # what waits, digests and new rules look back at less
LONGEST_KEPT = timedelta(days=36_500)  # the calendar does not go back for ever
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,6})\s*([smhd])")
_RATE = re.compile(r"(\d{1,4})\s*/\s*([smh])")


def read_duration(value: Any) -> timedelta:
    """The length of ``"15m"``; raises ValueError with what to write instead."""
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('write a duration as a number and a unit: "30s", "15m", "24h" or "7d"')
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def _network(value: Any) -> Network:
    try:
        return ip_network(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError('write a network as "127.0.0.0/8" or one address as "::1/128"') from None


def _timezone(value: Any) -> ZoneInfo:
    try:
        return ZoneInfo(value if isinstance(value, str) else "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('write a time zone as "Europe/Brussels" or "UTC"') from None


def _one_of(kind: type[StrEnum]) -> BeforeValidator:
    """A word of *kind*, as people write it."""

    def read(value: Any) -> StrEnum:
        try:
            return kind(value)
        except ValueError:
            words = ", ".join(f'"{word.value}"' for word in kind)
            raise ValueError(f"write one of {words}") from None

    return BeforeValidator(read)


def _severity(value: Any) -> Severity:
    names = {severity.label: severity for severity in Severity}
    if not isinstance(value, str) or value not in names:
        raise ValueError("write one of " + ", ".join(f'"{name}"' for name in names))
    return names[value]


def _severities(value: Any) -> frozenset[Severity]:
    if not isinstance(value, list):
        raise ValueError('write a list: at_once = ["high", "critical"]')
    known = [severity.label for severity in Severity]
    for each in value:
        if each not in known:
            near = get_close_matches(str(each), known, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(known)}"
            raise ValueError(f'"{each}" is no severity; {hint}')
    return frozenset(map(_severity, value))


def _texts(value: Any, one: str) -> list[str]:
    """*value* as a list: people may write one text without brackets."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
        raise ValueError(f'write one text or a list of texts, such as "{one}"')
    return texts


def _timetable(value: Any) -> Timetable:
    return Timetable(tuple(read_slot(text) for text in _texts(value, "07:30")))


def _hours(value: Any) -> tuple[Hours, ...]:
    return tuple(read_hours(text) for text in _texts(value, "22:00-07:00"))


def _rate(value: Any) -> float:
    """Messages a second of ``"1/s"``, ``"10/m"``, ``"100/h"``."""
    found = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or not int(found[1]):
        raise ValueError('write a rate as a number of messages and a unit: "1/s", "20/m" or "60/h"')
    return int(found[1]) / _UNITS[found[2]]


def _keep_text(value: Any) -> timedelta | None:
    """How long texts are kept; None: for ever."""
    if value == FOREVER:
        return None
    try:
        length = read_duration(value)
    except ValueError:
        raise ValueError(f'write how long in days, such as "400d", or "{FOREVER}"') from None
    if length < SHORTEST_KEPT:
        days = SHORTEST_KEPT.days
        raise ValueError(f'stories need their texts for {days} days; write "{days}d" or more')
    if length > LONGEST_KEPT:
        raise ValueError(f'that is over a hundred years; write "{FOREVER}"')
    return length


def _encoding(value: str) -> str:
    """The name of an encoding of text.  Left out: those that run for ever, or are no texts."""
    try:
        name = codecs.lookup(value).name
        b"a".decode(name, "replace")  # refuses "hex", "zlib" and the like, which make no texts
    except (LookupError, UnicodeError, ValueError):
        name = ""
    if not name or name in _NO_ENCODINGS:
        raise ValueError('write the name of an encoding, such as "windows-1252" or "utf-8"')
    return name


def _feed_file(value: Any) -> str:
    """A name that cannot be, by a slip, that of a file of ours: it is overwritten."""
    if not isinstance(value, str) or not value.endswith((".xml", ".atom")):
        raise ValueError('name a file that ends in .xml or .atom, such as "alerts.xml"')
    return value


Duration = Annotated[timedelta, BeforeValidator(read_duration)]
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Words = list[Name]
Networks = list[Annotated[Network, BeforeValidator(_network)]]
# A number is taken as text: an error would print it.
Secret = Annotated[str, BeforeValidator(lambda value: str(value))]


class Table(BaseModel):
    """Unknown keys are errors: a misspelt key must not be silently without effect."""

    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)


class MonitorTable(Table):
    database: str = "data/monitor.db"
    rules: str = "rules"
    feeds_from: list[str] = []
    templates: str = "templates"
    timezone: Annotated[ZoneInfo, BeforeValidator(_timezone)] = ZoneInfo("UTC")
    contact: Annotated[str, Field(max_length=200, pattern=r"^[\x20-\x7e]*$")] = ""
    keep_text: Annotated[timedelta | None, BeforeValidator(_keep_text)] = timedelta(days=400)
    allow_empty: bool = False
    monitor_reports_to: Words = []
    default_channels: Words | None = None


class PollTable(Table):
    interval: Duration = timedelta(minutes=15)
    min_interval: Duration = timedelta(minutes=2)
    max_interval: Duration = timedelta(hours=24)
    per_host_gap: Duration = timedelta(seconds=1)
    concurrency: Annotated[int, Field(ge=1, le=256)] = 32
    first_poll: Annotated[FirstPoll, _one_of(FirstPoll)] = FirstPoll.NO_ALERTS
    allow_private: Networks = []
    transport: Annotated[Transport, _one_of(Transport)] = Transport.OWN


class FeedTable(Table):
    url: str
    name: Name
    tags: Words = []
    enabled: bool = True
    reason: str = ""
    interval: Duration | None = None
    backfill: str = BACKFILL_AUTO
    min_interval: Duration | None = None
    max_interval: Duration | None = None
    headers: dict[str, Secret] = {}
    user_agent: Annotated[str, Field(max_length=200, pattern=r"^[\x20-\x7e]*$")] = ""
    user: str = ""
    password: Secret | None = None
    password_file: str | None = None
    token: Secret | None = None
    token_file: str | None = None
    proxy: str | None = None
    allow_private: Networks = []
    ca_file: str | None = None
    encoding: Annotated[str, AfterValidator(_encoding)] = ""
    content: Annotated[ContentMode, _one_of(ContentMode)] = ContentMode.AUTO


class MailTable(Table):
    server: Name
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Annotated[Security, _one_of(Security)] | None = None
    user: str = ""
    password: Secret | None = None
    password_file: str | None = None
    sender: str = Field(alias="from")
    to: Annotated[list[str], Field(min_length=1)]


class WebhookTable(Table):
    url: str
    secret: Secret | None = None
    secret_file: str | None = None


class ChannelTable(Table):
    name: Name
    url: str | None = None
    url_file: str | None = None
    mail: MailTable | None = None
    webhook: WebhookTable | None = None
    updates: Annotated[Updates, _one_of(Updates)] = Updates.THREAD
    timezone: Annotated[ZoneInfo | None, BeforeValidator(_timezone)] = None
    digest: Annotated[Timetable | None, BeforeValidator(_timetable)] = None
    empty_digest: bool | None = None
    quiet_hours: Annotated[tuple[Hours, ...], BeforeValidator(_hours)] = ()
    at_once: Annotated[frozenset[Severity], BeforeValidator(_severities)] = frozenset()
    rate: Annotated[float | None, BeforeValidator(_rate)] = None
    burst: Annotated[int, Field(ge=1, le=1000)] = 10
    fallback: Name | None = None


class RouteTable(Table):
    severity: list[Annotated[Severity, BeforeValidator(_severity)]] = []
    rules: Words = []
    rule_tags: Words = []
    feed_tags: Words = []
    channels: Words
    proceed: bool = Field(default=False, alias="continue")


class OutputsTable(Table):
    atom: Annotated[str | None, BeforeValidator(_feed_file)] = None


class WebSubTable(Table):
    callback: str
    listen: str = "127.0.0.1:8480"


class HeartbeatTable(Table):
    url: Secret | None = None
    url_file: str | None = None
    interval: Duration = timedelta(minutes=5)


class MetricsTable(Table):
    listen: str = "127.0.0.1:9464"
    hosts: Words = []


class ConfigTable(Table):
    """The whole file."""

    monitor: MonitorTable = MonitorTable()
    outputs: OutputsTable = OutputsTable()
    poll: PollTable = PollTable()
    websub: WebSubTable | None = None
    heartbeat: HeartbeatTable | None = None
    metrics: MetricsTable | None = None
    feeds: list[FeedTable] = []
    channels: list[ChannelTable] = []
    routes: list[RouteTable] = []
