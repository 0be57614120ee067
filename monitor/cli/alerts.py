"""``alerts list|show``: what matched a rule, and where it was sent."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import click

from monitor.alerts.company import StoryNews
from monitor.alerts.plain import terminal_lines
from monitor.cli.groups import Guessing
from monitor.cli.named import spelt_right
from monitor.cli.options import config_option, json_option
from monitor.cli.reading import Span, local, looked_up, reading, since
from monitor.cli.said import Fates, alert_as_plain
from monitor.cli.verdicts import irrelevant
from monitor.errors import MonitorError
from monitor.model import AlertKind
from monitor.terminal import plain, print_json, print_table


@click.group(cls=Guessing)
@config_option
def alerts() -> None:
    """What matched a rule, and what the monitor said about itself."""


alerts.add_command(irrelevant)


@alerts.command("list")
@config_option
@json_option
@click.option("--since", "span", type=Span(), help="Only those of the last 24h, 7d …")
@click.option("--rule", help="Only those of the rule with this name.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1))
def list_alerts(as_json: bool, span: timedelta | None, rule: str | None, limit: int) -> None:
    """List alerts, the newest first."""
    settings = looked_up()
    with reading(settings) as store:
        found = store.alerts(since=since(span), rule=rule, limit=limit)
        if not found:
            spelt_right(settings, store, rule=rule)
    if as_json:
        print_json([alert_as_plain(alert) for alert in found])
        return
    print_table(
        ("at", "severity", "rule", "outlet", "title", "id"),
        [
            (
                local(alert.created_at, settings),
                alert.severity.label,
                alert.rule_name if alert.kind is AlertKind.STORY else "(monitor)",
                alert.outlet,
                alert.title,
                alert.id,
            )
            for alert in found
        ],
    )


@alerts.command("show")
@config_option
@json_option
@click.argument("alert_id", metavar="ID")
def show_alert(as_json: bool, alert_id: str) -> None:
    """Show one alert as it looks in a message, and what became of it."""
    settings = looked_up()
    with reading(settings) as store:
        alert = store.alert(alert_id)
        deliveries = store.deliveries_of(alert.id) if alert else []
        members = store.members(alert.story_id) if alert else ()
        fates = Fates(store, settings)
    if alert is None:
        raise MonitorError(f'There is no alert "{alert_id}". `alerts list` shows ids.')
    if as_json:
        print_json(alert_as_plain(alert) | {"deliveries": [asdict(each) for each in deliveries]})
        return
    stories = {alert.story_id: StoryNews(members=members)}
    for line in terminal_lines([alert], settings.timezone, stories):
        click.echo(plain(line).plain)
    click.echo()
    if not deliveries:
        click.echo("Sent to nobody: it was there before you came, or its rule names no channel.")
    for delivery in deliveries:
        click.echo(plain(f"{delivery.target}: {fates.of(delivery)}").plain)
