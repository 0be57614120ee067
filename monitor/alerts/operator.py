"""What the monitor tells of its channels: hello, stopped, failing, well again.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from monitor import ids
from monitor.alerts.lines import counted, lasting
from monitor.alerts.times import times_of
from monitor.events import Welcomed
from monitor.model import (
    Accepted,
    Alert,
    ChannelState,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Refused,
    Scope,
    SendResult,
    Severity,
)
from monitor.settings import Channel

FAILING_AFTER = timedelta(minutes=30)
FAILING_TRIES = 3
WELCOME_SHOWS = 10

_DEAD = re.compile(r"operator:channel:(?:stopped|failing):(?P<name>.*):[^:]*", re.DOTALL)
_REASONS = {
    DeliveryState.PARKED: "tried five times, then set aside",
    DeliveryState.EXPIRED: "could not be sent for 14 days",
    DeliveryState.REFUSED: "refused",
}


def welcome(channel: Channel, welcomed: Welcomed, now: datetime) -> Alert:
    """The first message of a channel: what is watched, and what it would have sent last week."""
    lines = list(_already_there(welcomed))
    if welcomed.failing:
        failing = counted(welcomed.failing, "feed does", "feeds do")
        lines.append(f"{failing} not answer yet: python3 run_monitor.py status says why.")
    lines.append(f"New stories come here: {times_of(channel)}.")
    watched = counted(welcomed.feeds, "feed")
    return ids.operator_alert(
        f"welcome:{channel.name}",
        ids.occurrence(now),
        title=f"Watching {watched} with {counted(welcomed.rules, 'rule')}",
        text="\n".join(lines),
        now=now,
        severity=Severity.NORMAL,
    )


def _already_there(welcomed: Welcomed) -> Iterator[str]:
    """What the feeds held when they were first seen."""
    stories = welcomed.stories
    if welcomed.sent:
        yield 'What they held already and matched is on its way (first_poll = "alert").'
        return
    if not stories:
        yield "Nothing of the last 7 days would have alerted."
        return
    yield f"{counted(len(stories), 'story', 'stories')} of the last 7 days would have alerted:"
    for story in stories[:WELCOME_SHOWS]:
        yield f"· {story[0].title} ({story[0].outlet}; {_rules(story)})"
    if stories[WELCOME_SHOWS:]:
        yield f"· and {len(stories) - WELCOME_SHOWS} more"
    yield "They were there before you came and are not sent again."


def _rules(story: Sequence[Alert]) -> str:
    names = [alert.rule_name for alert in story]
    return f"{'rule' if len(names) == 1 else 'rules'} {', '.join(names)}"


def channel_stopped(refused: Refused, state: ChannelState, now: datetime) -> Alert:
    """The channel, or one recipient of it, refuses for good."""
    name = state.channel if refused.scope is Scope.CHANNEL else state.target
    return ids.operator_alert(
        f"channel:stopped:{name}",
        ids.occurrence(now),
        title=f"{name} refuses our messages; nothing more is sent there",
        text=f"Why: {refused.detail}.\n"
        "What it means: its alerts wait, this one too, up to 14 days, until the"
        " settings of the channel change.\n"
        "What to do: correct its address, user or password in config.toml (the change is taken over"
        f" at once), then try: python3 run_monitor.py send-test {state.channel}",
        now=now,
        severity=Severity.CRITICAL,
    )


def channel_failing(state: ChannelState, now: datetime) -> Alert | None:
    """The target has taken nothing for half an hour; the same alert until it works again."""
    since = state.failing_since
    if since is None or state.stopped:
        return None
    if state.failures < FAILING_TRIES or now - since < FAILING_AFTER:
        return None
    return ids.operator_alert(
        f"channel:failing:{state.target}",
        ids.occurrence(since),
        title=f"{state.target} has taken no message for {lasting(now - since)}",
        text=f"Why: {state.last_error}.\n"
        "What it means: its alerts are late, not lost; they are tried every 15 minutes or sooner"
        " for 14 days.\n"
        "What to do: nothing, if its service has an outage; else check its settings with"
        f" python3 run_monitor.py send-test {state.channel}",
        now=now,
    )


def channel_recovered(before: ChannelState, now: datetime) -> Alert | None:
    """The target works again, if it was reported as failing or stopped *before*."""
    if not before.stopped and channel_failing(before, now) is None:
        return None
    since = before.failing_since or now
    return ids.operator_alert(
        f"channel:recovered:{before.target}",
        ids.occurrence(since),
        title=f"{before.target} takes messages again after {lasting(now - since)}",
        text="Alerts that waited for it are being sent now, late.",
        now=now,
        severity=Severity.NORMAL,
    )


def undelivered(rows: Sequence[Delivery], now: datetime) -> Alert | None:
    """Those of *rows* that were given up together: parked, expired or refused; None for none.

    Of what the monitor says about itself nothing is said: a target that refuses every text would
    refuse this one too, and have the next one written, for ever.
    """
    rows = [row for row in rows if row.state in _REASONS and row.kind is not DeliveryKind.NOTICE]
    if not rows:
        return None
    alerts = sorted({row.alert_id for row in rows})
    targets = ", ".join(sorted({row.target for row in rows}))
    some = ", ".join(alerts[:10]) + (f" and {len(alerts) - 10} more" if len(alerts) > 10 else "")
    return ids.operator_alert(
        "undelivered",
        ids.derive("rows", *sorted(row.id for row in rows)),
        title=f"{counted(len(alerts), 'alert')} for {targets} will not be delivered",
        text=f"Why: {_reason(rows[0])}.\n"
        f"Which: {some}\n"
        f"What to do: read them with python3 run_monitor.py alerts show {alerts[0]}",
        now=now,
    )


def _reason(row: Delivery) -> str:
    error = f"; the last answer: {row.last_error}" if row.last_error else ""
    return _REASONS.get(row.state, "they were given up") + error


def raised_by(
    rows: Sequence[Delivery],
    result: SendResult,
    before: ChannelState,
    after: ChannelState,
    now: datetime,
) -> tuple[Alert, ...]:
    """What a hand-over gives cause to tell: *rows* and the target's health, as they are *after* it.

    A lasting trouble is told with the same alert id each time, which the store knows by then.
    """
    if isinstance(result, Accepted):
        told = [channel_recovered(before, now)]
    elif after.stopped:
        told = [channel_stopped(result, after, now)]
    else:
        told = [channel_failing(after, now), undelivered(rows, now)]
    return tuple(alert for alert in told if alert is not None)


def dead_channel(alert: Alert) -> str:
    """The channel or target whose trouble *alert* tells, so that others are told; "" if none."""
    found = _DEAD.match(alert.subject)
    return found["name"] if found else ""
