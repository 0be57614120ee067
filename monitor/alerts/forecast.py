"""What would become of an alert at a time: who would get it, when, or why not.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from monitor import ids
from monitor.alerts.fallback import takes_nothing
from monitor.alerts.hold import Hold, hold
from monitor.alerts.lines import local_time, one_line
from monitor.alerts.route import deliveries
from monitor.alerts.silence import described, in_force, muting, why
from monitor.model import Alert, AlertKind, ChannelState, Delivery, QueuedDelivery, Rule, Silence
from monitor.settings import Channel, Config, FeedSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """One target, and what would become of the alert there."""

    target: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the database knows: silences, and the health of targets by name."""

    silences: Sequence[Silence] = ()
    states: Mapping[str, ChannelState] = field(default_factory=dict)


def forecast(
    rule: Rule, feed: FeedSettings | None, config: Config, known: Known, at: datetime
) -> tuple[Forecast, ...]:
    """Who would get an alert of *rule* about an entry of *feed* found *at*; () for nobody."""
    alert = _imagined(rule, feed, at)
    tags = feed.tags if feed is not None else frozenset()
    channels = {channel.name: channel for channel in config.channels}
    rows = deliveries([alert], {rule.name: rule}, tags, config, at)
    return tuple(
        Forecast(
            target=row.target, what=_what(row, alert, channels.get(row.channel), config, known, at)
        )
        for row in rows
    )


def unsure(known: Known, at: datetime) -> tuple[str, ...]:
    """Silences that may or may not mute it: they are about words or stories."""
    return tuple(
        f"{described(each)}, until {each.ends_at:%Y-%m-%d %H:%M} UTC ({why(each)})"
        for each in known.silences
        if in_force(each, at) and (each.texts or each.stories)
    )


def _imagined(rule: Rule, feed: FeedSettings | None, at: datetime) -> Alert:
    subject = ids.story_subject("forecast", rule.name)
    return Alert(
        id=ids.alert_id(subject),
        kind=AlertKind.STORY,
        subject=subject,
        severity=rule.severity,
        title="",
        created_at=at,
        story_id="forecast",
        rule_name=rule.name,
        outlet=feed.name if feed is not None else "",
    )


def _what(
    row: Delivery,
    alert: Alert,
    channel: Channel | None,
    config: Config,
    known: Known,
    at: datetime,
) -> str:
    if channel is None:
        return "config.toml has no such channel any more"
    silence = muting(alert, None, known.silences, at)
    if silence is not None:
        end = local_time(silence.ends_at, config.timezone)
        return f"silenced until {end} by {described(silence)} ({why(silence)})"
    held = hold(QueuedDelivery(delivery=row, alert=alert), channel, config.timezone, at)
    return f"{_when(held, channel, config)}{_health(known.states.get(row.target), channel, at)}"


def _when(held: Hold, channel: Channel, config: Config) -> str:
    if held.until is None:
        return "sent at once"
    until = local_time(held.until.replace(second=0), channel.timezone or config.timezone)
    if held.quiet:
        return f"waiting until {until} (quiet hours{', then with the digest' * held.digest})"
    return f"waiting until {until} (digest)"


def _health(state: ChannelState | None, channel: Channel, at: datetime) -> str:
    if state is None or not (state.stopped or state.failures):
        return ""
    trouble = "stopped" if state.stopped else "failing"
    instead = ""
    if channel.fallback and takes_nothing(state, at):
        instead = f"; sent to {channel.fallback} meanwhile"
    return f", but the channel is {trouble}: {one_line(state.last_error)}{instead}"
