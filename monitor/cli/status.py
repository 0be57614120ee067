"""``status``: how old the news is, what waits to be sent, what went wrong last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from monitor.alerts.fate import when
from monitor.alerts.silence import described, in_force, why
from monitor.cli.feeds import state
from monitor.cli.options import config_option, json_option
from monitor.cli.reading import looked_up, reading
from monitor.cli.said import silence_as_plain
from monitor.cli.watchers import watchers_of
from monitor.feeds import gaps
from monitor.feeds.article_extra import INSTALL, can_read_pages
from monitor.feeds.condition import State, condition
from monitor.model import (
    GIVEN_UP,
    WAITING,
    ArticleState,
    ChannelState,
    DeliveryState,
    Feed,
    RuleSetRecord,
    Silence,
)
from monitor.pipeline.noted import ALIVE, not_live_note
from monitor.settings import Channel, Config, ContentMode
from monitor.store import Store
from monitor.store.care import LAST_NIGHT, Night, log_size
from monitor.store.opening import WAL_LIMIT
from monitor.terminal import age, counted, plain, print_json, print_table

ALIVE_FOR = timedelta(minutes=5)  # a running monitor writes every minute
GAPS_SHOWN = timedelta(days=7)
WATCHED = ("rules", "config", "templates")  # files that are taken over while the monitor runs


@click.command()
@config_option
@json_option
@click.option("--healthy", is_flag=True, help="Only whether it is alive: exit code 0 or 1.")
@click.pass_context
def status(ctx: click.Context, as_json: bool, healthy: bool) -> None:
    """Show the age of the last success of each feed and channel, queues, and the last errors.

    It reads the database and works while the monitor runs.
    """
    settings, now = looked_up(), datetime.now(UTC)
    if healthy:
        ctx.exit(_is_alive(settings, now))
    with reading(settings) as store:
        feeds, states = store.feeds(rhythms=False), store.channel_states()
        queue, rules = store.queue_lengths(), store.last_rule_set()
        articles = store.count_articles()
        silences = [each for each in store.silences() if in_force(each, now)]
        night = Night.from_note(store.note(LAST_NIGHT))
        unindexed = store.unindexed()
        not_live = {what: store.note(not_live_note(what)) or "" for what in WATCHED}
        watchers = watchers_of(settings, store)
        seen = _last_sign(store)
    stored = {feed.url: feed for feed in feeds}
    if as_json:
        told = _as_json(settings, stored, states, queue, rules, now)
        muting = [silence_as_plain(each) for each in silences]
        pages = {state.value: articles.get(state, 0) for state in ArticleState}
        told["articles"] = {"installed": can_read_pages(), **pages}
        told["watchers"] = watchers.as_plain()
        care = {"last_night": asdict(night) if night else None, "unsearchable": unindexed}
        life = {"alive": _lives(seen, now), "last_sign_of_life": seen}
        print_json({**told, **life, "silences": muting, "not_live": not_live, "database": care})
        return
    click.echo(f"Monitor: {_life(seen, now)}.")
    _print_feeds(settings, stored, now)
    click.echo()
    _print_channels(settings, states, now)
    click.echo()
    _print_queue(queue)
    _print_articles(settings, articles)
    _print_silences(silences, settings, now)
    _print_database(settings, night, unindexed, now)
    _print_files(rules, not_live, now)
    for line in watchers.lines(now):
        click.echo(plain(line).plain)


def _is_alive(settings: Config, now: datetime) -> int:
    """Whether a monitor has written to the database lately: 0, else 1."""
    with reading(settings) as store:
        seen = _last_sign(store)
    click.echo(_life(seen, now))
    return 0 if _lives(seen, now) else 1


def _last_sign(store: Store) -> datetime | None:
    note = store.note(ALIVE)
    return datetime.fromisoformat(note) if note else None


def _lives(seen: datetime | None, now: datetime) -> bool:
    return seen is not None and now - seen < ALIVE_FOR


def _life(seen: datetime | None, now: datetime) -> str:
    if _lives(seen, now):
        return f"alive, {age(seen, now)}"
    return f"no sign of life: {age(seen, now)}; it is not running, stuck, or cannot write"


def _print_feeds(settings: Config, stored: dict[str, Feed], now: datetime) -> None:
    watched = [feed for feed in settings.feeds if feed.enabled]
    said = {feed.url: state(feed, stored.get(feed.url), now) for feed in watched}
    healthy = sum(each.startswith(State.HEALTHY) for each in said.values())
    off = len(settings.feeds) - len(watched)
    newest = max((feed.succeeded_at for feed in stored.values() if feed.succeeded_at), default=None)
    click.echo(
        f"Feeds: {healthy} of {len(watched)} healthy, {off} switched off; "
        f"last success {age(newest, now)}."
    )
    rows = []
    for chosen in watched:
        feed = stored.get(chosen.url)
        if said[chosen.url] != State.HEALTHY:
            last = age(feed.succeeded_at if feed else None, now)
            rows.append((chosen.name, last, said[chosen.url]))
    if rows:
        print_table(("feed", "last success", "state"), rows)
    for feed in stored.values():
        if feed.gap_from and feed.gap_until and now - feed.gap_until < GAPS_SHOWN:
            gap = gaps.span(feed.gap_from, feed.gap_until)
            click.echo(plain(f"Possible gap in {feed.name} {gap} UTC.").plain)


def _print_channels(settings: Config, states: Sequence[ChannelState], now: datetime) -> None:
    known = {(each.channel, each.target): each for each in states}
    rows = []
    for channel in settings.channels:
        for target in _targets(channel):
            each = known.get((channel.name, target))
            rows.append((target, age(each.accepted_at if each else None, now), _fares(each)))
    click.echo("Channels:")
    print_table(("channel", "last accepted", "state"), rows)


def _targets(channel: Channel) -> list[str]:
    return [target.name for target in channel.targets] or [channel.name]


def _fares(each: ChannelState | None) -> str:
    if each is None:
        return "nothing sent yet"
    if each.stopped:
        return f"stopped: {each.last_error}"
    failed = counted(each.failures, "failure")
    return f"{failed}: {each.last_error}" if each.failures else "fine"


def _print_queue(queue: dict[str, int]) -> None:
    waiting = sum(queue.get(each.value, 0) for each in WAITING)
    lost = [each for each in sorted(GIVEN_UP) if queue.get(each.value)]
    given_up = sum(queue[each.value] for each in lost)
    told = counted(waiting, "delivery", "deliveries")
    click.echo(f"Waiting to be sent: {told}; given up: {given_up or 'none'}.")
    if lost:
        states = " ".join(f"--state {each}" for each in lost)
        click.echo(f"See what was given up with: deliveries list {states}")


def _print_articles(settings: Config, counts: dict[ArticleState, int]) -> None:
    asked = any(feed.enabled and feed.content is not ContentMode.FEED for feed in settings.feeds)
    if asked and not can_read_pages():
        click.echo(f"Articles are not read, only what feeds give; to have them: {INSTALL}")
    elif counts:
        waiting, done, failed = (counts.get(each, 0) for each in ArticleState)
        click.echo(f"Articles: {done} read, {waiting} waiting, {failed} not to be had.")


def _print_silences(silences: Sequence[Silence], settings: Config, now: datetime) -> None:
    for each in silences:
        until = when(each.ends_at, settings.timezone, now)
        so_far = f"{each.muted or 'none'} muted so far"
        line = f"Silence {each.id} until {until}: {described(each)} ({why(each)}), {so_far}."
        click.echo(plain(line).plain)


def _print_database(settings: Config, night: Night | None, unindexed: int, now: datetime) -> None:
    """How the file is, as far as the last night's work has found."""
    if night is None:
        click.echo("Database: not checked yet; that is done every night.")
    elif night.damage:
        found = plain(f"{age(night.at, now)}: {night.damage}").plain
        click.echo(f"Database: DAMAGED, found {found}. Restore a backup: restore PATH")
    else:
        click.echo(f"Database: whole, checked {age(night.at, now)}.")
    if night is not None and night.texts:
        click.echo(f"Texts older than keep_text: {night.texts}.")
    size = log_size(settings.database)
    if size > WAL_LIMIT or (night is not None and not night.log_folded):
        what = f"{size >> 20} MB and cannot be shortened: another program reads the database"
        click.echo(f"The database's log (-wal) is {what}.")
    if unindexed:
        entries = counted(unindexed, "entry", "entries")
        click.echo(f"Still to be made searchable: {entries} of an older program.")


def _print_files(rules: RuleSetRecord | None, not_live: Mapping[str, str], now: datetime) -> None:
    """The rules in force, and what is wrong with files that are not."""
    if rules is not None:
        click.echo(f"Rules in force since {age(rules.loaded_at, now)}.")
    for what, problems in not_live.items():
        if problems:
            click.echo(f"NOT live, so that what was good before is in force ({what}):")
            click.echo(plain(problems).plain)


def _as_json(
    settings: Config,
    stored: dict[str, Feed],
    states: Sequence[ChannelState],
    queue: dict[str, int],
    rules: RuleSetRecord | None,
    now: datetime,
) -> dict[str, Any]:
    return {
        "at": now,
        "feeds": [_feed(feed.name, feed.enabled, stored.get(feed.url)) for feed in settings.feeds],
        "channels": [
            {
                "channel": each.channel,
                "target": each.target,
                "accepted_at": each.accepted_at,
                "failures": each.failures,
                "failing_since": each.failing_since,
                "last_error": each.last_error,
                "stopped": each.stopped,
            }
            for each in states
        ],
        "deliveries": {each.value: queue.get(each.value, 0) for each in DeliveryState},
        "rules": {"version": rules.version, "loaded_at": rules.loaded_at} if rules else None,
    }


def _feed(name: str, enabled: bool, feed: Feed | None) -> dict[str, Any]:
    return {
        "name": name,
        "enabled": enabled,
        "state": condition(feed).state if feed else State.NEW,
        "polled_at": feed.polled_at if feed else None,
        "succeeded_at": feed.succeeded_at if feed else None,
        "next_poll_at": feed.next_poll_at if feed else None,
        "failures": feed.failures if feed else 0,
        "failing_since": feed.failing_since if feed else None,
        "last_error": feed.failure_detail if feed else "",
    }
