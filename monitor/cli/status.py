"""``status``: how old the news is, what waits to be sent, what went wrong last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from monitor.alerts.fate import when
from monitor.alerts.silence import described, why
from monitor.cli.feeds import state
from monitor.cli.options import config_option, json_option
from monitor.cli.reading import looked_up, reading
from monitor.cli.standing import Standing, last_sign, life, lives, standing
from monitor.feeds import gaps
from monitor.feeds.article_extra import INSTALL, can_read_pages
from monitor.feeds.condition import State
from monitor.model import GIVEN_UP, WAITING, ArticleState, ChannelState
from monitor.settings import Channel, Config, ContentMode
from monitor.store.care import log_size
from monitor.store.opening import WAL_LIMIT
from monitor.terminal import age, counted, plain, print_json, print_table

GAPS_SHOWN = timedelta(days=7)


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
        found = standing(settings, store, now)
    if as_json:
        print_json(found.as_plain())
    else:
        _print(found)


def _is_alive(settings: Config, now: datetime) -> int:
    """Whether a monitor has written to the database lately: 0, else 1."""
    with reading(settings) as store:
        seen = last_sign(store)
    click.echo(life(seen, now))
    return 0 if lives(seen, now) else 1


def _print(found: Standing) -> None:
    click.echo(f"Monitor: {life(found.last_sign, found.now)}.")
    _print_feeds(found)
    _print_gaps(found)
    click.echo()
    _print_channels(found)
    click.echo()
    _print_queue(found)
    _print_articles(found)
    _print_silences(found)
    _print_database(found)
    _print_files(found)
    for line in found.watchers.lines(found.now):
        click.echo(plain(line).plain)


def _print_feeds(found: Standing) -> None:
    now = found.now
    watched = [(chosen, feed) for chosen, feed in found.feeds() if chosen.enabled]
    said = [state(chosen, feed, now) for chosen, feed in watched]
    healthy = sum(each.startswith(State.HEALTHY) for each in said)
    off = len(found.settings.feeds) - len(watched)
    newest = max((f.succeeded_at for f in found.stored.values() if f.succeeded_at), default=None)
    click.echo(
        f"Feeds: {healthy} of {len(watched)} healthy, {off} switched off; "
        f"last success {age(newest, now)}."
    )
    rows = [
        (chosen.name, age(feed.succeeded_at if feed else None, now), each)
        for (chosen, feed), each in zip(watched, said, strict=True)
        if each != State.HEALTHY
    ]
    if rows:
        print_table(("feed", "last success", "state"), rows)


def _print_gaps(found: Standing) -> None:
    for feed in found.stored.values():
        if feed.gap_from and feed.gap_until and found.now - feed.gap_until < GAPS_SHOWN:
            gap = gaps.span(feed.gap_from, feed.gap_until)
            click.echo(plain(f"Possible gap in {feed.name} {gap} UTC.").plain)


def _print_channels(found: Standing) -> None:
    known = {(each.channel, each.target): each for each in found.channels}
    rows = []
    for channel in found.settings.channels:
        for target in _targets(channel):
            each = known.get((channel.name, target))
            rows.append((target, age(each.accepted_at if each else None, found.now), _fares(each)))
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


def _print_queue(found: Standing) -> None:
    queue = found.queue
    waiting = sum(queue.get(each.value, 0) for each in WAITING)
    lost = [each for each in sorted(GIVEN_UP) if queue.get(each.value)]
    given_up = sum(queue[each.value] for each in lost)
    told = counted(waiting, "delivery", "deliveries")
    click.echo(f"Waiting to be sent: {told}; given up: {given_up or 'none'}.")
    if lost:
        states = " ".join(f"--state {each}" for each in lost)
        click.echo(f"See what was given up with: deliveries list {states}")


def _print_articles(found: Standing) -> None:
    counts, feeds = found.articles, found.settings.feeds
    asked = any(feed.enabled and feed.content is not ContentMode.FEED for feed in feeds)
    if asked and not can_read_pages():
        click.echo(f"Articles are not read, only what feeds give; to have them: {INSTALL}")
    elif counts:
        waiting, done, failed = (counts.get(each, 0) for each in ArticleState)
        click.echo(f"Articles: {done} read, {waiting} waiting, {failed} not to be had.")


def _print_silences(found: Standing) -> None:
    for each in found.silences:
        until = when(each.ends_at, found.settings.timezone, found.now)
        so_far = f"{each.muted or 'none'} muted so far"
        line = f"Silence {each.id} until {until}: {described(each)} ({why(each)}), {so_far}."
        click.echo(plain(line).plain)


def _print_database(found: Standing) -> None:
    """How the file is, as far as the last night's work has found."""
    night, now = found.night, found.now
    if night is None:
        click.echo("Database: not checked yet; that is done every night.")
    elif night.damage:
        damage = plain(f"{age(night.at, now)}: {night.damage}").plain
        click.echo(f"Database: DAMAGED, found {damage}. Restore a backup: restore PATH")
    else:
        click.echo(f"Database: whole, checked {age(night.at, now)}.")
    if night is not None and night.texts:
        click.echo(f"Texts older than keep_text: {night.texts}.")
    size = log_size(found.settings.database)
    if size > WAL_LIMIT or (night is not None and not night.log_folded):
        what = f"{size >> 20} MB and cannot be shortened: another program reads the database"
        click.echo(f"The database's log (-wal) is {what}.")
    if found.unindexed:
        entries = counted(found.unindexed, "entry", "entries")
        click.echo(f"Still to be made searchable: {entries} of an older program.")


def _print_files(found: Standing) -> None:
    """The rules in force, and what is wrong with files that are not."""
    if found.rules is not None:
        click.echo(f"Rules in force since {age(found.rules.loaded_at, found.now)}.")
    for what, problems in found.not_live.items():
        if problems:
            click.echo(f"NOT live, so that what was good before is in force ({what}):")
            click.echo(plain(problems).plain)
