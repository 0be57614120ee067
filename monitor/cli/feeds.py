"""``feeds list|show``: what is watched, and how it fares."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import click

from monitor.cli.groups import Guessing
from monitor.cli.hubs import stands
from monitor.cli.options import config_option, json_option
from monitor.cli.reading import local, looked_up, reading, without_login
from monitor.feeds import condition
from monitor.feeds.condition import State
from monitor.feeds.gaps import span
from monitor.model import Entry, Feed, Subscription
from monitor.settings import Config, FeedSettings
from monitor.store.opening import looks_usable
from monitor.terminal import age, counted, duration, plain, print_json, print_table

NEW, OFF = "new", "off"
FARES = (*(each.value for each in State if each not in (State.NEW, State.PAUSED)), NEW, OFF)


# Those that edit config.toml: name → (module, attribute).
EDITS = {
    "add": ("monitor.cli.feed_add", "add"),
    "remove": ("monitor.cli.feed_switch", "remove"),
    "pause": ("monitor.cli.feed_switch", "pause"),
    "resume": ("monitor.cli.feed_switch", "resume"),
    "accept-move": ("monitor.cli.feed_switch", "accept_move"),
    "import": ("monitor.cli.feed_lists", "import_feeds"),
    "export": ("monitor.cli.feed_lists", "export_feeds"),
}


class _Feeds(Guessing):
    """Imports what edits when it is called: `status` needs only ``state``, and should be quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *EDITS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in EDITS:
            return super().get_command(ctx, cmd_name)
        module, attribute = EDITS[cmd_name]
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Feeds)
@config_option
def feeds() -> None:
    """What is watched, and how it fares; and what else should be.

    All of these work while the monitor runs. config.toml stays the truth: what is changed here is
    written there, every remark kept, and taken over within seconds.
    """


@feeds.command("list")
@config_option
@json_option
@click.option("--tag", "tags", multiple=True, help="Only feeds with this label; may be repeated.")
@click.option("--state", "states", multiple=True, type=click.Choice(FARES))
def list_feeds(as_json: bool, tags: tuple[str, ...], states: tuple[str, ...]) -> None:
    """List the feeds of the configuration, with their last success."""
    settings = looked_up()
    with reading(settings) as store:
        stored = {feed.url: feed for feed in store.feeds(rhythms=False)}
    now = datetime.now(UTC)
    shown = [
        feed
        for feed in settings.feeds
        if feed.tags.issuperset(tags)
        and (not states or fares(feed, stored.get(feed.url)) in states)
    ]
    if as_json:
        print_json([_as_json(feed, stored.get(feed.url), now) for feed in shown])
        return
    print_table(
        ("feed", "last success", "state", "tags"),
        [
            (
                feed.name,
                _last_success(stored.get(feed.url), now),
                state(feed, stored.get(feed.url), now),
                ", ".join(sorted(feed.tags)),
            )
            for feed in shown
        ],
    )


@feeds.command("show")
@config_option
@json_option
@click.argument("name")
def show(as_json: bool, name: str) -> None:
    """All that is known of one feed, and the rules that rely on it."""
    from monitor.cli.named import named_feeds
    from monitor.cli.rewrite import rules_in_files

    settings = looked_up()
    named_feeds(settings, [name])
    chosen = next(feed for feed in settings.feeds if feed.name == name)
    rules = rules_in_files(settings)
    relying = rules.relying_on(chosen.name, chosen.tags) if rules is not None else ()
    feed, count, newest, hub = _stored(settings, chosen)
    if as_json:
        websub = stands(hub, settings, datetime.now(UTC))
        known = {"source": chosen.source, "entries": count, "rules": relying, "websub": websub}
        print_json(_as_json(chosen, feed, datetime.now(UTC)) | known)
        return
    for line in _described(chosen, feed, settings, hub):
        click.echo(plain(line).plain)
    click.echo(f"Entries       {count or 'none'} so far")
    if newest is not None:
        told = f"Newest        {age(newest.first_seen_at, datetime.now(UTC))}: {newest.title}"
        click.echo(plain(told).plain)
    said = ", ".join(dict.fromkeys(relying)) or "none asks for this feed or its tags"
    click.echo(plain(f"Rules         {said}").plain)


def _stored(
    settings: Config, chosen: FeedSettings
) -> tuple[Feed | None, int, Entry | None, Subscription | None]:
    """What polls have left: the feed, how many entries it has brought, the newest, and its hub."""
    if not looks_usable(settings.database):
        return None, 0, None, None
    with reading(settings) as store:
        feed = next((each for each in store.feeds(rhythms=False) if each.url == chosen.url), None)
        if feed is None:
            return None, 0, None, None
        newest = store.entries(feed=feed.id, limit=1)
        count, hub = store.count_entries(feed.id), store.subscription(feed.id)
        return feed, count, newest[0] if newest else None, hub


def _described(
    chosen: FeedSettings, feed: Feed | None, settings: Config, hub: Subscription | None
) -> Iterator[str]:
    now = datetime.now(UTC)
    yield f"{chosen.name}  ({without_login(chosen.url)})"
    yield f"State         {state(chosen, feed, now)}"
    yield f"Tags          {', '.join(sorted(chosen.tags)) or 'none'}"
    yield f"From          {chosen.source}"
    if chosen.interval is not None:
        yield f"Interval      {duration(chosen.interval)}"
    if feed is None:
        return
    yield f"Last success  {age(feed.succeeded_at, now)}"
    yield f"Last poll     {age(feed.polled_at, now)}"
    if chosen.enabled:
        yield f"Next poll     {local(feed.next_poll_at, settings)}"
    if (websub := stands(hub, settings, now)) and chosen.enabled:
        yield f"WebSub        {websub}"
    if feed.failures:
        since = local(feed.failing_since, settings)
        yield f"Failures      {counted(feed.failures, 'failure')} in a row, since {since}"
    if feed.gap_from and feed.gap_until:
        yield f"Possible gap  {span(feed.gap_from, feed.gap_until)} UTC"
    if feed.moved_to:
        yield f"Moved to      {feed.moved_to} (said {counted(feed.moved_count, 'time')} in a row)"
    yield f"Watched since {local(feed.added_at, settings)}"


def fares(chosen: FeedSettings, feed: Feed | None) -> str:
    """One of FARES."""
    if not chosen.enabled:
        return OFF
    found = condition.condition(feed).state if feed else State.NEW
    return NEW if found is State.NEW else found


def state(chosen: FeedSettings, feed: Feed | None, now: datetime) -> str:
    """How a feed fares, since when, why, and what to do."""
    if not chosen.enabled:
        return f"switched off: {chosen.reason}" if chosen.reason else "switched off"
    return str(State.NEW) if feed is None else condition.explain(feed, now)


def _last_success(feed: Feed | None, now: datetime) -> str:
    return age(feed.succeeded_at, now) if feed else "never"


def _as_json(chosen: FeedSettings, feed: Feed | None, now: datetime) -> dict[str, Any]:
    fares = condition.condition(feed) if feed else condition.Condition(state=State.NEW)
    return {
        "name": chosen.name,
        "url": without_login(chosen.url),
        "tags": sorted(chosen.tags),
        "enabled": chosen.enabled,
        "reason": chosen.reason,
        "id": feed.id if feed else None,
        "state": fares.state if chosen.enabled else "switched off",
        "since": fares.since,
        "told": state(chosen, feed, now),
        "moved_to": feed.moved_to if feed and condition.has_moved(feed) else None,
        "gap_from": feed.gap_from if feed else None,
        "gap_until": feed.gap_until if feed else None,
        "polled_at": feed.polled_at if feed else None,
        "succeeded_at": feed.succeeded_at if feed else None,
        "next_poll_at": feed.next_poll_at if feed else None,
        "failures": feed.failures if feed else 0,
        "failing_since": feed.failing_since if feed else None,
    }
