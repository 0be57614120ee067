"""Who is told instead while a target takes nothing.  Pure.

What waits for it stays: it goes out late when the target is well again, or is reported as
undelivered.  A channel that is a fallback itself is not replaced in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from monitor import ids
from monitor.alerts.operator import FAILING_AFTER, FAILING_TRIES
from monitor.model import Alert, ChannelState, Delivery, DeliveryState
from monitor.settings import Channel, Config


def takes_nothing(state: ChannelState, now: datetime) -> bool:
    """Whether the target is stopped, or fails since so long that people are told."""
    if state.stopped:
        return True
    since = state.failing_since
    return since is not None and state.failures >= FAILING_TRIES and now - since >= FAILING_AFTER


def instead(
    waiting: Sequence[Delivery], channel: Channel, config: Config, now: datetime
) -> tuple[Delivery, ...]:
    """Deliveries of what waits for a target of *channel*, to all targets of its fallback."""
    fallback = next((each for each in config.channels if each.name == channel.fallback), None)
    if fallback is None:
        return ()
    targets = [target.name for target in fallback.targets] or [fallback.name]
    return tuple(_rows(waiting, channel, fallback, targets, now))


def _rows(
    waiting: Sequence[Delivery],
    channel: Channel,
    fallback: Channel,
    targets: Sequence[str],
    now: datetime,
) -> Iterator[Delivery]:
    for row in waiting:
        for target in targets:
            yield replace(
                row,
                id=ids.delivery_id(row.alert_id, target, row.kind, row.sequence),
                channel=fallback.name,
                target=target,
                state=DeliveryState.QUEUED,
                due_at=now,
                created_at=now,
                attempts=0,
                ambiguous=0,
                message_id=None,
                claim=0,
                last_error="",
                instead_of=channel.name,
            )


def mentioned(alert: Alert, channel: Channel) -> Alert:
    """*alert* about the trouble of *channel*, with who is told instead."""
    if not channel.fallback:
        return alert
    return replace(alert, text=f"{alert.text}\nMeanwhile its alerts go to {channel.fallback}.")
