"""Deliveries that trip us must not hold up what is behind them.

They are told without layout if that is possible, else set aside, and people hear of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from monitor.alerts.bundle import Bundle
from monitor.alerts.operator import undelivered
from monitor.alerts.plan import Circumstances, Plan, plan
from monitor.alerts.route import deliveries
from monitor.model import Delivery, DeliveryState, Finished, Message, QueuedDelivery
from monitor.settings import Channel, Config

log = structlog.get_logger()

ALONE_AFTER = timedelta(seconds=2)  # what trips in company is due again

Rows = tuple[QueuedDelivery, ...]


def planned(
    claimed: Sequence[QueuedDelivery], channel: Channel, given: Circumstances, now: datetime
) -> tuple[Plan, list[Delivery]]:
    """The plan for all of *claimed*, and what must be left out of it.

    What trips only together with others waits until they are gone.
    """

    def fits(rows: Sequence[QueuedDelivery]) -> bool:
        try:
            plan(rows, channel, given, now)
        except Exception:
            return False
        return True

    try:
        return plan(claimed, channel, given, now), []
    except Exception:
        log.exception("planning failed", channel=channel.name)
    parts = _parts(claimed)
    good = _fitting((), parts, fits)
    left = [part for part in parts if part[0] not in good]
    bad = [each.delivery for part in left if not fits(part) for each in part]
    later = [each.delivery for part in left if fits(part) for each in part]
    made = plan(good, channel, given, now) if good else Plan()
    return replace(made, rows=(*made.rows, *_queued(later, now + ALONE_AFTER))), bad


def _queued(rows: Sequence[Delivery], at: datetime) -> tuple[Delivery, ...]:
    return tuple(replace(row, state=DeliveryState.QUEUED, due_at=at) for row in rows)


def _parts(claimed: Sequence[QueuedDelivery]) -> list[Rows]:
    """What cannot be parted: the rows of a frozen message, else each row."""
    parts: dict[str, list[QueuedDelivery]] = {}
    for each in claimed:
        name = each.message.id if each.message else each.delivery.id
        parts.setdefault(name, []).append(each)
    return [tuple(part) for part in parts.values()]


def _fitting(company: Rows, parts: Sequence[Rows], fits: Callable[[Rows], bool]) -> Rows:
    """*company* with as many of *parts* as fit: by halves, for mostly few do not."""
    together = (*company, *(each for part in parts for each in part))
    if fits(together):
        return together
    if len(parts) == 1:
        return company
    half = len(parts) // 2
    return _fitting(_fitting(company, parts[:half], fits), parts[half:], fits)


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
