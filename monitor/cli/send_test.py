"""``send-test CHANNEL``: the newest match, or a sample, really sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches

import click

from monitor import ids, logs
from monitor.alerts.bundle import Gathered
from monitor.alerts.layout import laid_out
from monitor.alerts.lines import local_time
from monitor.alerts.render import render
from monitor.alerts.sample import sample
from monitor.alerts.send import Sender
from monitor.alerts.telling import tellings
from monitor.alerts.templates import Renderer, as_problem
from monitor.cli.options import config_option, config_path
from monitor.confidential import secrets_of
from monitor.config import load
from monitor.errors import StoreRefused
from monitor.model import (
    Accepted,
    Alert,
    AlertKind,
    Delivery,
    DeliveryKind,
    Label,
    Message,
    SendResult,
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
    alert = _newest_match(config) or sample(utc_now())
    alert = replace(alert, labels=(*alert.labels, Label.TEST))
    sender = Sender(terminal=lambda text: click.echo(plain(text).plain))
    renderer = Renderer()
    try:
        templates = await _templates(renderer, config)
        results = []
        for target in channel.targets:
            message = _message(config, channel, target, alert)
            message = await _applied(renderer, message, alert, templates, config, channel)
            message = replace(message, subject=f"[TEST] {message.subject}")
            results.append(await _send_one(sender, message, target, channel))
    finally:
        await renderer.aclose()
        await sender.aclose()
    return 0 if all(results) else 1


async def _templates(renderer: Renderer, config: Config) -> Mapping[str, str]:
    """The templates that can be used; what is wrong with others is said."""
    found = await renderer.tried(config.templates, config.timezone, utc_now())
    for problem in found.problems:
        click.echo(plain(str(problem)).plain, err=True)
    return found.texts


def _message(config: Config, channel: Channel, target: Target, alert: Alert) -> Message:
    now = utc_now()
    return render(
        [(_delivery(alert, channel, target, now), alert)],
        channel=channel,
        timezone=config.timezone,
        now=now,
        message_id=ids.derive("test", target.name, now.isoformat()),
    )


async def _applied(
    renderer: Renderer,
    message: Message,
    alert: Alert,
    templates: Mapping[str, str],
    config: Config,
    channel: Channel,
) -> Message:
    """*message* as people's own templates set it; what they fail on is said."""
    zone = channel.timezone or config.timezone
    now = local_time(message.created_at, zone)
    layout = laid_out(tellings([alert], zone), Gathered.STORY, (), now)
    message, faults = await renderer.applied(message, layout, templates, kind=channel.kind, now=now)
    for fault in faults:
        click.echo(plain(str(as_problem(fault, config.templates))).plain, err=True)
    return message


async def _send_one(sender: Sender, message: Message, target: Target, channel: Channel) -> bool:
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
