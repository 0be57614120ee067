"""``silence add|list|end``: alerts that nobody should get for a while, with a reason and an end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import click

from monitor import ids
from monitor.alerts.lines import local_time
from monitor.alerts.silence import described, in_force, muting, names_rule, why
from monitor.cli.groups import Guessing
from monitor.cli.login import login
from monitor.cli.named import named_feeds, named_rules
from monitor.cli.options import config_option, json_option
from monitor.cli.reading import Span, local, looked_up, reading, writing
from monitor.cli.said import silence_as_plain
from monitor.errors import MonitorError
from monitor.language import detector
from monitor.model import AlertKind, Severity, Silence
from monitor.rules.load import RuleSet, load, read_folder
from monitor.settings import Config
from monitor.store import Store
from monitor.terminal import counted, plain, print_json, print_table
from monitor.text import words
from monitor.timetable import read_moment

LONGEST = timedelta(days=90)
LOOK_BACK = timedelta(days=7)
ALL = 1_000_000
SEVERITIES = {severity.label: severity for severity in Severity}


@click.group(cls=Guessing)
@config_option
def silence() -> None:
    """Alerts that nobody should get for a while: with a reason, and never without an end.

    What is muted is recorded; it can be read, and sent later. Works while the monitor runs.
    """


@silence.command("add")
@config_option
@click.option("--rule", "rules", multiple=True, help='A rule\'s name; "fms-*": all that begin so.')
@click.option("--story", "stories", multiple=True, metavar="ID", help="A story, by its id.")
@click.option("--feed", "feeds", multiple=True, metavar="NAME", help="A feed, by its name.")
@click.option("--severity", "severities", multiple=True, type=click.Choice(list(SEVERITIES)))
@click.option("--text", "texts", multiple=True, help="Words in the headline or the sentences.")
@click.option("--everything", is_flag=True, help="All alerts; without this, name something.")
@click.option("--for", "span", type=Span(), help="How long: 4h, 7d.")
@click.option("--until", metavar="TIME", help='"2026-11-27 07:00", or "07:00" for the next one.')
@click.option("--reason", required=True, help="Why; it is shown wherever the silence is.")
@click.option("--owner", metavar="NAME", help="A channel that is told of its end, or your name.")
def add_silence(
    rules: tuple[str, ...],
    stories: tuple[str, ...],
    feeds: tuple[str, ...],
    severities: tuple[str, ...],
    texts: tuple[str, ...],
    everything: bool,
    span: timedelta | None,
    until: str | None,
    reason: str,
    owner: str | None,
) -> None:
    """Mute alerts that fit: one of the rules named, one of the feeds, and so on, all at once.

    Name something more than once to mean either of them. What the monitor says about itself is
    never muted.
    """
    if everything == any((rules, stories, feeds, severities, texts)):
        raise click.UsageError(
            "name what to mute with --rule, --story, --feed, --severity or --text;"
            " --everything, alone, mutes all alerts"
        )
    settings, now = looked_up(), datetime.now(UTC)
    fits = Silence(
        id="",
        rules=frozenset(rules),
        feeds=frozenset(named_feeds(settings, feeds)),
        severities=frozenset(SEVERITIES[each] for each in severities),
        texts=tuple(map(_text, texts)),
        created_at=now,
        ends_at=_end(span, until, settings, now),
        reason=_said("--reason", reason),
        owner=_said("--owner", owner if owner is not None else login()),
    )
    with writing(settings) as store:
        new = _completed(fits, stories, store, settings)
        store.add_silence(new)
        _print_added(new, store, settings)


def _completed(fits: Silence, stories: Sequence[str], store: Store, settings: Config) -> Silence:
    """*fits*, once what it names is known, with its stories and an id."""
    _check_rules(sorted(fits.rules), _in_force(store, settings))
    found = frozenset(_story_id(store, name) for name in stories)
    name = ids.derive("silence", fits.created_at.isoformat(), fits.owner, fits.reason)
    return replace(fits, id=name, stories=found)


def _in_force(store: Store, settings: Config) -> RuleSet:
    record = store.last_rule_set()
    if record is None:
        return load(read_folder(settings.rules), detect=detector())
    return load({name: text.encode() for name, text in record.files.items()}, detect=detector())


def _check_rules(patterns: Sequence[str], rules: RuleSet) -> None:
    """NoSuchName if one of *patterns* is the name of no rule."""
    names = [each.rule.name for each in rules.rules]
    unknown = [each for each in patterns if not any(names_rule(each, name) for name in names)]
    if unknown:
        named_rules(rules, unknown)


def _story_id(store: Store, name: str) -> str:
    story = store.story(name)
    if story is None:
        raise MonitorError(f'There is no story "{name}". `stories list` shows ids.')
    return story.id


def _text(text: str) -> str:
    if not words(text):
        raise click.UsageError(f'--text "{text}": there is no word in it')
    return text


def _said(option: str, text: str) -> str:
    if not text.strip():
        raise click.UsageError(f"{option}: write something that others will understand")
    return text.strip()


def _end(span: timedelta | None, until: str | None, settings: Config, now: datetime) -> datetime:
    if (span is None) == (until is None):
        raise click.UsageError('say how long: --for 4h, or --until "07:00"; one of the two')
    try:
        end = now + span if span is not None else read_moment(until or "", now, settings.timezone)
    except (ValueError, OverflowError) as error:
        raise click.UsageError(f"--until: {error}") from None
    if end <= now:
        raise click.UsageError(f"{local(end, settings)} is over already; take a later time")
    if end - now > LONGEST:
        raise click.UsageError(
            f"a silence lasts {LONGEST.days} days at most, so that nothing is forgotten;"
            f" take --for {LONGEST.days}d, and add it again when it is over"
        )
    return end


def _print_added(new: Silence, store: Store, settings: Config) -> None:
    recent = store.alerts(since=new.created_at - LOOK_BACK, limit=ALL)
    alerts = [alert for alert in recent if alert.kind is AlertKind.STORY]
    muted = sum(muting(alert, None, [new], new.created_at) is not None for alert in alerts)
    _say(f"Silence {new.id} mutes {described(new)}")
    _say(f"until {local_time(new.ends_at, settings.timezone)} ({why(new)}).")
    of = counted(len(alerts), "alert")
    _say(f"Of {of} in the last {LOOK_BACK.days} days it would have muted {muted or 'none'}.")
    _say(f"End it sooner with: silence end {new.id}")


@silence.command("list")
@config_option
@json_option
@click.option("--all", "ended", is_flag=True, help="Also those that are over.")
def list_silences(as_json: bool, ended: bool) -> None:
    """List silences, the newest first, and how many alerts each has muted so far."""
    settings, now = looked_up(), datetime.now(UTC)
    with reading(settings) as store:
        found = [each for each in store.silences(ended=ended) if ended or each.ends_at > now]
    if as_json:
        print_json([silence_as_plain(each) for each in found])
        return
    print_table(
        ("until", "what", "owner", "reason", "muted", "id"),
        [
            (
                f"{'' if in_force(each, now) else 'over: '}{local(each.ends_at, settings)}",
                described(each),
                each.owner,
                each.reason,
                str(each.muted),
                each.id,
            )
            for each in found
        ],
    )


@silence.command("end")
@config_option
@click.argument("silence_id", metavar="ID")
def end_silence(silence_id: str) -> None:
    """End a silence now. What it has muted stays muted, and can be listed and sent."""
    settings = looked_up()
    with writing(settings) as store:
        found = store.silence(silence_id)
        if found is None:
            raise MonitorError(
                f'There is no silence "{silence_id}". `silence list --all` shows ids.'
            )
        if not store.end_silence(found.id, datetime.now(UTC)):
            raise MonitorError(f"It was over already, since {local(found.ends_at, settings)}.")
    _say(f"Silence {found.id} is over: {described(found)} ({why(found)}).")
    _say(f"It has muted {counted(found.muted, 'alert')}.")
    if found.muted:
        _say(f"Read them with: deliveries list --state silenced --silence {found.id}")


def _say(text: str) -> None:
    click.echo(plain(text).plain)
