"""config.toml → Config.  Every problem at once, with file, line and what to write instead."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from monitor import tomlfile
from monitor.alerts.addresses import TERMINAL
from monitor.configchannels import ChannelReader
from monitor.configfeeds import FeedReader
from monitor.configfile import (
    ConfigTable,
    MonitorTable,
    OutputsTable,
    PollTable,
    RouteTable,
)
from monitor.configopml import referenced, resolved
from monitor.configpace import check_poll
from monitor.configsecrets import Findings, Where, shown
from monitor.configwatch import read_heartbeat, read_metrics
from monitor.configwebsub import read_websub
from monitor.errors import ConfigError, Problem
from monitor.settings import Channel, Config, FeedSettings, PollSettings, Route, Target

TERMINAL_CHANNEL = Channel(
    name=TERMINAL,
    kind=TERMINAL,
    targets=(Target(name=TERMINAL, url=f"{TERMINAL}://"),),
)

LastGood = Callable[[str, str], bytes | None]  # database, path of a list → its last good form


def load(
    path: Path,
    environment: Mapping[str, str] | None = None,
    *,
    need_secrets: bool = True,
    last_good: LastGood | None = None,
) -> Config:
    """The configuration in the file at *path*; raises ConfigError with all that is wrong.

    Without *need_secrets* a channel whose secret cannot be read has no targets: enough for
    whoever only looks.  With *last_good* a broken list of feeds_from stands in nobody's way.
    """
    return read(path, environment, need_secrets=need_secrets, last_good=last_good)[0]


def read(
    path: Path,
    environment: Mapping[str, str] | None = None,
    *,
    need_secrets: bool = True,
    text: bytes | None = None,
    last_good: LastGood | None = None,
) -> tuple[Config, tuple[Problem, ...]]:
    """The configuration, and warnings: what works, but is worth a look.

    *text* is taken for what stands in the file, to try an edit.
    """
    document = tomlfile.parse(shown(path), _bytes_of(path) if text is None else text)
    table = tomlfile.validate(document, ConfigTable)
    findings = Findings(document, [])
    chosen = os.environ if environment is None else environment
    channels = ChannelReader(path, chosen, findings, need_secrets)
    feeds = FeedReader(path, chosen, findings, need_secrets)
    config = _config(table, path, findings, channels, feeds, last_good or _none_kept)
    ordered = sorted(
        findings.problems, key=lambda each: (each.file != document.name, each.file, each.line or 0)
    )
    errors = [problem for problem in ordered if not problem.warning]
    if errors:
        raise ConfigError(errors)
    return config, tuple(ordered)


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(tomlfile.MAX_SIZE + 1)  # /dev/zero has no end
    except FileNotFoundError:
        raise _refusal(path, "there is no such file", "name yours with --config PATH") from None
    except OSError as error:
        raise _refusal(path, f"it cannot be read: {error.strerror}") from None


def _refusal(path: Path, what: str, remedy: str = "") -> ConfigError:
    return ConfigError([Problem(file=shown(path), what=what, remedy=remedy)])


def _none_kept(_: str, __: str) -> None:
    """A broken list is a mistake."""


def _config(
    table: ConfigTable,
    path: Path,
    findings: Findings,
    channel_reader: ChannelReader,
    feed_reader: FeedReader,
    last_good: LastGood,
) -> Config:
    monitor = table.monitor
    channels = _channels(table, findings, channel_reader)
    known = [channel.name for channel in channels]
    folder = path.resolve().parent
    database = _database(monitor, folder, findings)
    feeds_from = resolved(folder, monitor.feeds_from)
    own = _feeds(table, findings, feed_reader)
    feeds = (*own, *referenced(feeds_from, own, findings, partial(last_good, database)))
    _check_watched(findings, feeds)
    return Config(
        path=str(path.resolve()),
        database=database,
        rules=str(folder / Path(monitor.rules).expanduser()),
        templates=_templates(monitor, folder, findings),
        timezone=monitor.timezone,
        atom=_atom(table.outputs, folder, findings),
        contact=monitor.contact,
        keep_text=monitor.keep_text,
        allow_empty=monitor.allow_empty,
        monitor_reports_to=tuple(monitor.monitor_reports_to),
        default_channels=_optional(monitor.default_channels),
        poll=_poll(table.poll, findings),
        websub=read_websub(table.websub, findings, need_server=channel_reader.need_secrets),
        heartbeat=read_heartbeat(table.heartbeat, channel_reader),
        metrics=read_metrics(table.metrics, findings, need_server=channel_reader.need_secrets),
        feeds=feeds,
        feeds_from=feeds_from,
        channels=channels,
        routes=_routes(table, feeds, known, findings),
    )


def _database(table: MonitorTable, folder: Path, findings: Findings) -> str:
    """The path of the file, which need not be there."""
    path = str(folder / Path(table.database).expanduser())
    if _is_folder(path):
        what, remedy = f'"{table.database}" is a folder', 'such as "data/monitor.db"'
        findings.add(("monitor", "database"), what, f"name a file in it, {remedy}")
    return path


def _is_folder(path: str) -> bool:
    """False also where this user may not look: whoever opens it says so."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def _templates(table: MonitorTable, folder: Path, findings: Findings) -> str:
    """The folder of layouts; it may be absent, unless somebody wrote down where it is."""
    path = folder / Path(table.templates).expanduser()
    if "templates" in table.model_fields_set and not path.is_dir():
        what = f'there is no folder "{table.templates}": messages have the built-in layouts'
        findings.add(("monitor", "templates"), what, "make it, or correct its name", warning=True)
    return str(path)


def _atom(table: OutputsTable, folder: Path, findings: Findings) -> str:
    """The file for the Atom feed.  That it cannot be written is told, but stops nobody."""
    if table.atom is None:
        return ""
    path, where = folder / Path(table.atom).expanduser(), ("outputs", "atom")
    if not path.parent.is_dir():
        what = f"there is no folder {shown(path.parent)}: the Atom feed cannot be written"
        findings.add(where, what, f"mkdir -p {shown(path.parent)}", warning=True)
    elif path.is_dir() or not os.access(path.parent, os.W_OK):
        what = f"{shown(path)} cannot be written"
        findings.add(where, what, "name a file in a folder that is yours", warning=True)
    return str(path)


def _optional(words: list[str] | None) -> tuple[str, ...] | None:
    return None if words is None else tuple(words)


def _poll(table: PollTable, findings: Findings) -> PollSettings:
    check_poll(table, findings)
    return PollSettings(
        interval=table.interval,
        min_interval=table.min_interval,
        max_interval=table.max_interval,
        per_host_gap=table.per_host_gap,
        concurrency=table.concurrency,
        first_poll=table.first_poll,
        allow_private=tuple(table.allow_private),
        transport=table.transport,
    )


# --- channels and feeds


def _channels(table: ConfigTable, findings: Findings, reader: ChannelReader) -> tuple[Channel, ...]:
    """Those of the file, or the terminal; what names them names them right."""
    read = tuple(reader.channel(*each) for each in enumerate(table.channels))
    channels = read or (TERMINAL_CHANNEL,)
    known = [channel.name for channel in channels]
    _check_unique(findings, "channels", "name", [channel.name for channel in table.channels])
    for key in ("monitor_reports_to", "default_channels"):
        _check_channels(findings, ("monitor", key), getattr(table.monitor, key) or (), known)
    _check_fallbacks(findings, channels, known)
    return channels


def _feeds(table: ConfigTable, findings: Findings, reader: FeedReader) -> tuple[FeedSettings, ...]:
    _check_unique(findings, "feeds", "name", [feed.name for feed in table.feeds])
    _check_unique(findings, "feeds", "url", [feed.url.strip() for feed in table.feeds])
    return tuple(reader.feed(number, feed, table.poll) for number, feed in enumerate(table.feeds))


def _check_watched(findings: Findings, feeds: Sequence[FeedSettings]) -> None:
    if not any(feed.enabled for feed in feeds):
        findings.add(("feeds",), "no feed is watched", "add a [[feeds]] table", warning=True)


# --- routes and names


def _routes(
    table: ConfigTable, feeds: Sequence[FeedSettings], channels: list[str], findings: Findings
) -> tuple[Route, ...]:
    tags = sorted({tag for feed in feeds for tag in feed.tags})
    own = findings.document.name
    unread = any(each.file != own and not each.warning for each in findings.problems)
    for number, route in enumerate(table.routes):
        _check_channels(findings, ("routes", number, "channels"), route.channels, channels)
        for tag in route.feed_tags:
            if tag not in tags and not unread:  # a list of feeds that is broken may have it
                where = ("routes", number, "feed_tags")
                findings.add(where, f'no feed has the tag "{tag}"', _near(tag, tags))
    places = (findings.place(("routes", number)) for number in range(len(table.routes)))
    return tuple(map(_route, table.routes, places))


def _route(table: RouteTable, source: str) -> Route:
    return Route(
        severity=frozenset(table.severity),
        rules=frozenset(table.rules),
        rule_tags=frozenset(table.rule_tags),
        feed_tags=frozenset(table.feed_tags),
        channels=tuple(table.channels),
        continue_=table.proceed,
        source=source,
    )


def _check_channels(
    findings: Findings, where: Where, names: Iterable[str], known: list[str]
) -> None:
    for name in names:
        if name not in known:
            findings.add(where, f'no channel "{name}"', _near(name, known))


def _check_fallbacks(findings: Findings, channels: Sequence[Channel], known: list[str]) -> None:
    for number, channel in enumerate(channels):
        where = ("channels", number, "fallback")
        if channel.fallback == channel.name:
            findings.add(where, f'channel "{channel.name}": its fallback is itself')
        elif channel.fallback:
            _check_channels(findings, where, [channel.fallback], known)


def _check_unique(findings: Findings, section: str, key: str, values: list[str]) -> None:
    first: dict[str, int] = {}
    for number, value in enumerate(values):
        earlier = first.setdefault(value.casefold() if key == "name" else value, number)
        if earlier != number:
            line = findings.document.line(section, earlier, key)
            findings.add((section, number, key), f'{key} "{value}" is in line {line} already')


def _near(word: str, known: list[str]) -> str:
    """The remedy for a name that does not exist."""
    found = get_close_matches(word, known, n=1)
    if found:
        return f'did you mean "{found[0]}"?'
    return f"there is: {', '.join(known[:8])}" if known else ""
