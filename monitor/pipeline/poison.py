"""Deliveries that trip us must not hold up what is behind them.

They are told without layout if that is possible, else set aside, and people hear of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from monitor.alerts.bundle import Bundle
from monitor.alerts.operator import undelivered
from monitor.alerts.plan import Circumstances, Plan, plan
from monitor.alerts.route import deliveries
from monitor.model import Delivery, DeliveryState, Finished, Message, QueuedDelivery
from monitor.settings import Channel, Config

log = structlog.get_logger()


def planned(
    claimed: Sequence[QueuedDelivery], channel: Channel, given: Circumstances, now: datetime
) -> tuple[Plan, list[Delivery]]:
    """The plan for all of *claimed*, and what must be left out of it."""
    try:
        return plan(claimed, channel, given, now), []
    except Exception:
        log.exception("planning failed", channel=channel.name)
    bad = [each for each in claimed if _trips(each, channel, given, now)]
    good = [each for each in claimed if each not in bad]
    return (plan(good, channel, given, now) if good else Plan()), [each.delivery for each in bad]


def _trips(each: QueuedDelivery, channel: Channel, given: Circumstances, now: datetime) -> bool:
    try:
        plan([each], channel, given, now)
    except Exception:
        return True
    return False


def set_aside(rows: Sequence[Delivery], config: Config, now: datetime) -> Finished:
    """*rows* are given up, and the operators told of it."""
    error = "a mistake of the monitor: it cannot be made into a message"
    parked = tuple(replace(r, state=DeliveryState.PARKED, last_error=error) for r in rows)
    alert = undelivered(parked, now)
    alerts = (alert,) if alert else ()
    raised = deliveries(alerts, {}, (), config, now)
    return Finished(deliveries=parked, at=now, alerts=alerts, raised=raised)


def bare(bundle: Bundle, channel: Channel, name: str, now: datetime) -> Message:
    """A message of headline, link and ids alone; *name* is its id."""
    alerts = [queued.alert for queued in bundle.queued]
    first = alerts[0]
    text = "\n".join([first.title or "An alert", first.url, *(f"Alert {a.id}" for a in alerts)])
    return Message(
        id=name,
        channel=channel.name,
        target=bundle.target,
        subject=" ".join(f"[{first.severity.name}] {first.title}".split())[:150],
        text=text,
        alert_ids=tuple(alert.id for alert in alerts),
        delivery_ids=tuple(queued.delivery.id for queued in bundle.queued),
        created_at=now,
    )
