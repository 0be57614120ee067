"""``feeds add``: an address becomes a feed in config.toml, after a look at what it brings."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.options import config_option
from monitor.cli.reading import Span, looked_up, without_login
from monitor.configedit import add_feeds
from monitor.errors import MonitorError, NotWritten
from monitor.feeds.address import as_typed, host_of, place, wrong_with
from monitor.feeds.clean import one_line
from monitor.feeds.opml import MAX_NAME
from monitor.feeds.refusals import advice
from monitor.model import FailureReason
from monitor.settings import Config, FeedSettings, FirstPoll
from monitor.terminal import age, counted, plain, print_table

if TYPE_CHECKING:  # the network is imported when it is used
    from monitor.pipeline.arrival import FoundFeed, NoFeed


# Where no scheme was typed, these mean that the site may know http alone.
NO_TLS = (FailureReason.CONNECT, FailureReason.TLS, FailureReason.TIMEOUT)


class NoFeedThere(MonitorError):
    """Nothing there that could be watched, now."""


@click.command("add")
@config_option
@click.argument("url", metavar="URL")
@click.option("--name", help="What to call it; without this, the feed's own title.")
@click.option("--tag", "tags", multiple=True, help="A label for rules and routes; may be repeated.")
@click.option("--interval", type=Span(), help="How often to look: 15m, 2h.")
@click.option("--pick", type=click.IntRange(1), metavar="N", help="Which one, if there are more.")
@click.option("--yes", is_flag=True, help="Write it without asking.")
@click.option("--anyway", is_flag=True, help="Write it although it does not answer now.")
def add(
    url: str,
    name: str | None,
    tags: tuple[str, ...],
    interval: timedelta | None,
    pick: int | None,
    yes: bool,
    anyway: bool,
) -> None:
    """Watch the feed at URL, or one of the feeds of a site.

    Looks for the feeds of a web page, shows what one brings and what your rules would have
    matched, and writes it into config.toml. Works while the monitor runs.
    """
    from monitor.pipeline.arrival import NoFeed, look

    settings, typed = looked_up(), as_typed(url)
    wanted = FeedSettings(url=typed, name=name or "", tags=frozenset(tags), interval=interval)
    _check(wanted, settings)
    found = asyncio.run(look(typed, settings))
    if isinstance(found, NoFeed) and typed != url and found.reason in NO_TLS:
        plain_http = typed.replace("https://", "http://", 1)
        other = asyncio.run(look(plain_http, settings))
        found = found if isinstance(other, NoFeed) else other
    if isinstance(found, NoFeed):
        if not anyway:
            raise NoFeedThere(_refusal(typed, found))
        _say(f"No feed is seen there now: {found.detail}.")
        wanted = replace(wanted, name=wanted.name or host_of(typed))
    else:
        feed = _picked(found, pick)
        wanted = replace(wanted, url=feed.url, name=wanted.name or _name(feed))
        _check(wanted, settings)
        _show(wanted, feed, settings)
    if not yes and not _agreed(f'Add it to config.toml as "{wanted.name}"?', "--yes"):
        return
    _write(wanted, tags, settings)


# --- what is refused


def _check(wanted: FeedSettings, settings: Config) -> None:
    """Raises NotWritten if it is no address, or what is watched already, or called the same."""
    wrong = wrong_with(wanted.url)
    if wrong:
        raise NotWritten(f"{wrong}; write it as https://example.org/feed")
    if wanted.interval is not None and wanted.interval < settings.poll.min_interval:
        least = _written(settings.poll.min_interval)
        raise NotWritten(f"--interval is shorter than min_interval under [poll], which is {least}")
    for feed in settings.feeds:
        if place(feed.url) == place(wanted.url):
            raise NotWritten(_known(feed))
        if feed.name.casefold() == wanted.name.casefold():
            raise NotWritten(
                f'There is a feed "{feed.name}" already ({feed.source}): '
                f"{without_login(feed.url)}. Give the new one another name with --name."
            )


def _known(feed: FeedSettings) -> str:
    said = f'This address is in {feed.source} already, as "{feed.name}".'
    if feed.enabled:
        return f'{said} See how it fares with: feeds show "{feed.name}"'
    why = f" ({feed.reason})" if feed.reason else ""
    return f'{said} It is switched off{why}. Switch it on with: feeds resume "{feed.name}"'


def _refusal(url: str, found: NoFeed) -> str:
    """What was seen, what it means, what to do."""
    means, remedy = advice(found.reason)
    tried = f"\nTried:   {counted(found.tried, 'address', 'addresses')} more" if found.tried else ""
    address = without_login(url)
    asked = found.reason not in (FailureReason.BLOCKED_ADDRESS, FailureReason.BAD_URL)
    said = f"There is no feed at {address}" if asked else f"{address} was not asked"
    return (
        f"{said}; nothing was changed.\n"
        f"Seen:    {found.detail}{tried}\n"
        f"Meaning: {means}\n"
        f"To do:   {remedy}"
    )


# --- which of several


def _picked(found: Sequence[FoundFeed], pick: int | None) -> FoundFeed:
    if pick is not None and pick > len(found):
        raise NotWritten(f"--pick {pick}: only {counted(len(found), 'feed')} found there")
    if len(found) == 1 or pick is not None:
        return found[(pick or 1) - 1]
    now = datetime.now(UTC)
    click.echo(f"{len(found)} feeds are there:")
    rows = [(str(number), *_row(feed, now)) for number, feed in enumerate(found, 1)]
    print_table(("", "title", "entries", "newest", "address"), rows)
    if not sys.stdin.isatty():
        raise NotWritten("Choose one with --pick N.")
    chosen: int = click.prompt("Which one?", type=click.IntRange(1, len(found)), default=1)
    return found[chosen - 1]


def _row(feed: FoundFeed, now: datetime) -> tuple[str, ...]:
    dates = [entry.published_at for entry in feed.parsed.entries if entry.published_at]
    entries = counted(len(feed.parsed.entries), "entry", "entries")
    newest = age(max(dates), now) if dates else "no dates"
    return feed.parsed.title, entries, newest, without_login(feed.url)


def _name(feed: FoundFeed) -> str:
    return one_line(feed.parsed.title)[:MAX_NAME].strip() or host_of(feed.url)


# --- what it brings, and the writing


def _show(wanted: FeedSettings, feed: FoundFeed, settings: Config) -> None:
    from monitor.cli.preview import lines, preview
    from monitor.cli.rewrite import rules_in_files

    _say(f"Address   {without_login(feed.url)}{f' ({feed.how.value})' if feed.how else ''}")
    if feed.moved_from:
        _say(f"          {without_login(feed.moved_from)} has moved there for good")
    now = datetime.now(UTC)
    for line in lines(preview(feed.parsed, wanted, rules_in_files(settings), now), now):
        _say(line)


def _agreed(question: str, option: str) -> bool:
    if not sys.stdin.isatty():
        raise NotWritten(f"Nothing was written: add {option} to write it without being asked.")
    return click.confirm(question, default=True)


def _write(wanted: FeedSettings, tags: Sequence[str], settings: Config) -> None:
    from monitor.cli.rewrite import LIVE, rewrite

    table: dict[str, Any] = {"name": wanted.name, "url": wanted.url}
    if tags:
        table["tags"] = list(dict.fromkeys(tags))
    if wanted.interval is not None:
        table["interval"] = _written(wanted.interval)
    warnings = rewrite(Path(settings.path), partial(add_feeds, tables=[table]))
    for problem in warnings:
        _say(str(problem))
    added = next(feed for feed in looked_up().feeds if feed.name == wanted.name)
    _say(f'"{wanted.name}" is in {added.source} now. {LIVE}')
    if settings.poll.first_poll is FirstPoll.NO_ALERTS:
        _say("What it holds today is stored, not sent; what comes later alerts.")


def _written(interval: timedelta) -> str:
    """As config.toml has it: "15m"."""
    seconds = int(interval.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _say(text: str) -> None:
    click.echo(plain(text).plain)
