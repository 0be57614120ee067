"""``routes test``: where an alert of a rule would go at a time, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from monitor.alerts.forecast import Forecast, Known, forecast, unsure
from monitor.alerts.lines import local_time
from monitor.cli.groups import Guessing
from monitor.cli.named import named_feeds, named_rules
from monitor.cli.options import config_option, json_option
from monitor.cli.reading import looked_up, reading
from monitor.language import detector
from monitor.model import Rule
from monitor.rules.load import load, read_folder
from monitor.settings import Config, FeedSettings
from monitor.terminal import plain, print_json
from monitor.timetable import read_moment


@click.group(cls=Guessing)
@config_option
def routes() -> None:
    """Which channels a rule's alerts go to, and when."""


@routes.command("test")
@click.argument("rule")
@config_option
@json_option
@click.option("--at", "time", metavar="TIME", help='"23:00", the next one, or "2026-11-27 23:00".')
@click.option("--feed", metavar="NAME", help="A feed it comes from: routes may ask for its tags.")
def test_route(rule: str, as_json: bool, time: str | None, feed: str | None) -> None:
    """What would happen if RULE matched now, or at TIME: sent, held until, silenced by.

    It reads the rule files and config.toml as they are, and what the database knows of silences
    and of the health of channels.
    """
    settings, now = looked_up(), datetime.now(UTC)
    try:
        at = now if time is None else read_moment(time, now, settings.timezone)
    except ValueError as error:
        raise click.UsageError(f"--at: {error}") from None
    (loaded,) = named_rules(load(read_folder(settings.rules), detect=detector()), [rule])
    named_feeds(settings, [feed] if feed is not None else [])
    source = next((each for each in settings.feeds if each.name == feed), None)
    known = _known(settings)
    found = forecast(loaded.rule, source, settings, known, at)
    doubts = unsure(known, at)
    if as_json:
        print_json({"rule": rule, "at": at, "targets": list(map(_plain, found)), "unsure": doubts})
        return
    _print(loaded.rule, source, settings, found, at)
    for doubt in doubts:
        click.echo(plain(f"Unless it fits a silence of words or stories: {doubt}").plain)
    if not loaded.enabled:
        click.echo("The rule is switched off (enabled = false): it matches nothing.")


def _known(settings: Config) -> Known:
    if not Path(settings.database).exists():
        return Known()
    with reading(settings) as store:
        states = {state.target: state for state in store.channel_states()}
        return Known(silences=store.silences(), states=states)


def _plain(each: Forecast) -> dict[str, str]:
    return {"target": each.target, "what": each.what}


def _print(
    rule: Rule,
    source: FeedSettings | None,
    settings: Config,
    found: tuple[Forecast, ...],
    at: datetime,
) -> None:
    place = f" in {source.name}" if source is not None else ""
    when = local_time(at, settings.timezone)
    click.echo(plain(f"{rule.name}, severity {rule.severity.label}, found{place} {when}:").plain)
    width = max((len(each.target) for each in found), default=0)
    for each in found:
        click.echo(plain(f"  {each.target:{width}}  {each.what}").plain)
    if not found:
        click.echo("  nobody is told: the rule has channels = []")
