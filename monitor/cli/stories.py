"""``stories list|show|split|join``: which entries were told as one, why, and how to correct it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click

from monitor.alerts.company import joined_because
from monitor.cli.groups import Guessing
from monitor.cli.options import config_option, json_option
from monitor.cli.reading import Span, local, looked_up, reading, since, writing
from monitor.errors import MonitorError, StoryChanged
from monitor.ingest.correction import Whole, join, split
from monitor.language import detector
from monitor.model import Correction, DeliveryState, Member, Story
from monitor.rules.load import load, read_folder
from monitor.settings import Config
from monitor.store import Store
from monitor.terminal import counted, plain, print_json, print_table

ALL = 1_000_000
TRIES = 5


@click.group(cls=Guessing)
@config_option
def stories() -> None:
    """Entries of several outlets that tell the same event, and why they count as one."""


@stories.command("list")
@config_option
@json_option
@click.option("--since", "span", type=Span(), help="Only those told in the last 24h, 7d …")
@click.option("--alerted", is_flag=True, help="Only those that a rule has matched.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1))
def list_stories(as_json: bool, span: timedelta | None, alerted: bool, limit: int) -> None:
    """List stories, the last told first."""
    settings = looked_up()
    with reading(settings) as store:
        found = store.stories(since=since(span), alerted=alerted, limit=limit)
    if as_json:
        print_json([asdict(story) for story in found])
        return
    print_table(
        ("last told", "entries", "outlets", "title", "id"),
        [
            (
                local(story.last_entry_at, settings),
                str(story.entries),
                str(len(story.outlets)),
                story.title,
                story.id,
            )
            for story in found
        ],
    )


@stories.command("show")
@config_option
@json_option
@click.argument("name", metavar="ID")
def show_story(as_json: bool, name: str) -> None:
    """Show a story: its entries, why each is in it, and the alerts it raised.

    ID is that of a story or of an entry in it; its beginning is enough.
    """
    settings = looked_up()
    with reading(settings) as store:
        story = _found(store, name)
        members = store.members(story.id, ALL)
        alerts, updates = store.alerts_of(story.id), store.updates_of(story.id)
    if as_json:
        more = {
            "members": [asdict(each) for each in members],
            "alerts": [asdict(each) for each in alerts],
            "updates": [asdict(each) for each in updates],
        }
        print_json(asdict(story) | more)
        return
    _say(story.title)
    _say(f"Story {story.id}, first seen {local(story.opened_at, settings)}")
    click.echo()
    for member in members:
        _say(_line(member, settings))
    click.echo()
    for alert in alerts:
        at = local(alert.created_at, settings)
        _say(f"{at}  alert {alert.id}: rule {alert.rule_name} ({alert.severity.label})")
    for update in updates:
        _say(f"{local(update.created_at, settings)}  update: {update.reason}, {update.outlet}")
    if not alerts:
        click.echo("No rule has alerted for it.")


@stories.command("split")
@config_option
@click.argument("name", metavar="STORY")
@click.argument("entry_ids", metavar="ENTRY...", nargs=-1, required=True)
def split_story(name: str, entry_ids: tuple[str, ...]) -> None:
    """Make the ENTRIES of STORY a story of their own.

    What a rule finds in the part nobody was told of is alerted now. New entries follow the part
    they resemble; no entry is ever moved back. Works while the monitor runs.
    """
    settings = looked_up()
    matcher = load(read_folder(settings.rules), detect=detector()).matcher

    def decide(store: Store) -> Correction:
        whole = _whole(store, _found(store, name))
        chosen = frozenset(_entry_in(whole, entry_id) for entry_id in entry_ids)
        if len(chosen) == len(whole.entries):
            raise MonitorError(
                f"These are all {len(chosen)} entries of the story; name those that do not belong."
            )
        matches = {entry.id: matcher.match(entry) for entry in whole.entries}
        return split(whole, chosen, matches, settings, datetime.now(UTC))

    done = _corrected(settings, decide)
    for story in done.stories:
        _say(f"Story {story.id}: {counted(story.entries, 'entry', 'entries')}, {story.title}")
    for alert in done.alerts:
        _say(
            f"Alert {alert.id} is raised, it had been hidden: rule {alert.rule_name}, {alert.title}"
        )


@stories.command("join")
@config_option
@click.argument("names", metavar="STORY STORY...", nargs=-1, required=True)
def join_stories(names: tuple[str, ...]) -> None:
    """Make several STORIES one: the oldest of them.

    Where a rule has alerted for more than one, what still waits to be sent twice is not sent. New
    entries join the whole; no entry is ever moved back. Works while the monitor runs.
    """
    settings = looked_up()

    def decide(store: Store) -> Correction:
        found = {story.id: story for story in (_found(store, name) for name in names)}
        if len(found) < 2:
            raise MonitorError("Name at least two stories; these are one and the same.")
        return join([_whole(store, story) for story in found.values()], datetime.now(UTC))

    done = _corrected(settings, decide)
    for story in done.stories:
        _say(f"Story {story.id}: {counted(story.entries, 'entry', 'entries')}, {story.title}")


def _corrected(settings: Config, decide: Callable[[Store], Correction]) -> Correction:
    """What was decided and stored; decided again if the monitor added to the stories meanwhile."""
    with writing(settings) as store:
        for _ in range(TRIES):
            correction = decide(store)
            try:
                store.correct(correction)
            except StoryChanged:
                continue
            return correction
    raise MonitorError("The story changes too quickly just now; nothing was changed. Try again.")


def _found(store: Store, name: str) -> Story:
    story = store.story(name)
    if story is None:
        raise MonitorError(f'There is no story "{name}". `stories list` shows ids.')
    return story


def _whole(store: Store, story: Story) -> Whole:
    members = store.members(story.id, ALL)
    alerts = store.alerts_of(story.id)
    return Whole(
        story=story,
        entries=tuple(e for m in members if (e := store.entry(m.entry_id)) is not None),
        alerts=tuple(alerts),
        sent=frozenset(
            alert.id
            for alert in alerts
            for delivery in store.deliveries_of(alert.id)
            if delivery.state is DeliveryState.ACCEPTED
        ),
    )


def _entry_in(whole: Whole, name: str) -> str:
    """The id of the entry of *whole* that *name* is, or begins."""
    found: Sequence[str] = [e.id for e in whole.entries if e.id.startswith(name) or e.url == name]
    if len(found) != 1:
        which = "several entries" if found else "no entry"
        raise MonitorError(
            f'"{name}" is {which} of this story. `stories show {whole.story.id}` lists them.'
        )
    return found[0]


def _line(member: Member, settings: Config) -> str:
    why = joined_because(member)
    return (
        f"{local(member.seen_at, settings)}  {member.entry_id}  {member.outlet}: {member.title}"
        f"{f'  ({why})' if why else ''}"
    )


def _say(text: str) -> None:
    click.echo(plain(text).plain)
