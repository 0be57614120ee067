"""``deliveries list|show``: what is sent to whom, what waits, what was given up."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import click

from monitor.cli.groups import Guessing
from monitor.cli.named import named_channel, spelt_right
from monitor.cli.options import config_option, json_option
from monitor.cli.reading import Span, local, looked_up, reading, since
from monitor.cli.requeue import channel_option, discard, retry, state_option
from monitor.cli.said import Fates, delivery_as_plain, nothing, title
from monitor.cli.said import rule as rule_of
from monitor.errors import MonitorError
from monitor.model import DeliveryState
from monitor.store import Store
from monitor.terminal import counted, plain, print_json, print_table


@click.group(cls=Guessing)
@config_option
def deliveries() -> None:
    """What is sent to whom, what waits, what was given up. Works while the monitor runs."""


deliveries.add_command(retry)
deliveries.add_command(discard)


@deliveries.command("list")
@config_option
@json_option
@state_option(DeliveryState, "Only those in this state; may be given more than once.")
@channel_option
@click.option("--rule", help="Only those of the rule with this name.")
@click.option("--silence", "silence_id", metavar="ID", help="Only those that it muted.")
@click.option("--since", "span", type=Span(), help="Only those queued in the last 24h, 7d …")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1))
def list_deliveries(
    as_json: bool,
    states: tuple[str, ...],
    channel: str | None,
    rule: str | None,
    silence_id: str | None,
    span: timedelta | None,
    limit: int,
) -> None:
    """List deliveries, the newest first, and what became of each."""
    settings = looked_up()
    with reading(settings) as store:
        found = store.deliveries(
            states=tuple(map(DeliveryState, states)),
            channel=named_channel(settings, channel),
            rule=rule,
            silence=_silence_id(store, silence_id),
            since=since(span),
            limit=limit,
        )
        fates = Fates(store, settings)
        if not found:
            spelt_right(settings, store, rule=rule)
    if as_json:
        print_json([delivery_as_plain(each, fates.of(each.delivery)) for each in found])
        return
    print_table(
        ("queued", "to", "rule", "what became of it", "title", "id"),
        [
            (
                local(each.delivery.created_at, settings),
                each.delivery.target,
                rule_of(each),
                fates.of(each.delivery),
                title(each),
                each.delivery.id,
            )
            for each in found
        ],
    )


@deliveries.command("show")
@config_option
@json_option
@click.argument("delivery_id", metavar="ID")
def show_delivery(as_json: bool, delivery_id: str) -> None:
    """Show one delivery: what became of it, and the message it goes out in."""
    settings = looked_up()
    with reading(settings) as store:
        found = store.delivery(delivery_id)
        if found is None:
            raise MonitorError(nothing(delivery_id))
        fates = Fates(store, settings)
    message = found.message
    if as_json:
        print_json(
            delivery_as_plain(found, fates.of(found.delivery))
            | {"message": message and asdict(message)}
        )
        return
    delivery = found.delivery
    _say(title(found))
    _say(
        f"Delivery {delivery.id} ({delivery.kind}) to {delivery.target}: {fates.of(found.delivery)}"
    )
    _say(f"Alert {found.alert.id}: rule {rule_of(found)} ({found.alert.severity.label})")
    tries = counted(delivery.attempts, "try", "tries")
    _say(f"Queued {local(delivery.created_at, settings)}, {tries}.")
    if message is None:
        click.echo("Its message is written when it is sent.")
        return
    together = len(message.delivery_ids)
    _say(f"Message {message.id}, {counted(together, 'delivery', 'deliveries')} in it:")
    click.echo()
    _say(f"{message.subject}\n\n{message.text}")


def _silence_id(store: Store, name: str | None) -> str | None:
    if name is None:
        return None
    silence = store.silence(name)
    if silence is None:
        raise MonitorError(f'There is no silence "{name}". `silence list --all` shows ids.')
    return silence.id


def _say(text: str) -> None:
    click.echo(plain(text).plain)
