"""``send-test CHANNEL``: the newest match, or a sample, really sent."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches

import click

from monitor import ids, logs
from monitor.alerts.render import render
from monitor.alerts.send import Sender
from monitor.cli.options import config_option, config_path
from monitor.config import load, secrets_of
from monitor.errors import StoreRefused
from monitor.model import (
    Accepted,
    Alert,
    AlertKind,
    Delivery,
    DeliveryKind,
    Excerpt,
    Label,
    SendResult,
    Severity,
)
from monitor.pipeline.shared import utc_now
from monitor.settings import Channel, Config, Target
from monitor.store.sqlite import SqliteStore
from monitor.terminal import plain


@click.command(name="send-test")
@click.argument("channel")
@config_option
@click.pass_context
def send_test(ctx: click.Context, channel: str) -> None:
    """Send the newest match to CHANNEL, or a sample if there is none yet, marked as a test.

    Exit code 0: it was taken; 1: it was not, with the reason.
    """
    config = load(config_path())
    logs.set_up(terminal=True)
    logs.register_secrets(secrets_of(config))
    ctx.exit(asyncio.run(_send(config, _channel(config, channel))))


def _channel(config: Config, name: str) -> Channel:
    known = {channel.name: channel for channel in config.channels}
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"channels are: {', '.join(known)}"
    raise click.UsageError(f'config.toml has no channel "{name}"; {hint}')


async def _send(config: Config, channel: Channel) -> int:
    now = utc_now()
    alert = _newest_match(config) or sample(now)
    alert = replace(alert, labels=(*alert.labels, Label.TEST))
    sender = Sender(terminal=lambda text: click.echo(plain(text).plain))
    try:
        results = [
            await _send_one(sender, config, channel, target, alert) for target in channel.targets
        ]
    finally:
        await sender.aclose()
    return 0 if all(results) else 1


async def _send_one(
    sender: Sender, config: Config, channel: Channel, target: Target, alert: Alert
) -> bool:
    now = utc_now()
    message = render(
        [(_delivery(alert, channel, target, now), alert)],
        channel=channel,
        timezone=config.timezone,
        now=now,
        message_id=ids.derive("test", target.name, now.isoformat()),
    )
    message = replace(message, subject=f"[TEST] {message.subject}")
    result: SendResult = await sender.send(message, target, channel)
    if isinstance(result, Accepted):
        click.echo(f"{target.name} took it: {plain(message.subject).plain}")
        return True
    click.echo(f"{target.name} did not take it: {result.detail}", err=True)
    return False


def _delivery(alert: Alert, channel: Channel, target: Target, now: datetime) -> Delivery:
    return Delivery(
        id=ids.delivery_id(alert.id, target.name, "test", 0),
        alert_id=alert.id,
        channel=channel.name,
        target=target.name,
        kind=DeliveryKind.FIRST,
        due_at=now,
        created_at=now,
    )


def _newest_match(config: Config) -> Alert | None:
    with suppress(StoreRefused):
        store = SqliteStore.read_only(config.database)
        try:
            stories = [each for each in store.alerts(limit=50) if each.kind is AlertKind.STORY]
        finally:
            store.close()
        return stories[0] if stories else None
    return None


def sample(now: datetime) -> Alert:
    """What an alert looks like, before there is a real one."""
    sentence = "The Pentagon approved a possible Foreign Military Sale to a NATO ally on Thursday."
    hit = sentence.index("Foreign Military Sale")
    return Alert(
        id=ids.alert_id("sample"),
        kind=AlertKind.STORY,
        subject="sample",
        severity=Severity.NORMAL,
        title="A sample alert: this is how a story will look",
        created_at=now,
        rule_name="sample",
        url="https://example.org/sample",
        outlet="The Example Times",
        published_at=now,
        excerpts=(
            Excerpt(
                field="summary",
                text=sentence,
                marks=((hit, hit + len("Foreign Military Sale")),),
            ),
        ),
        terms=("Foreign Military Sale",),
    )
