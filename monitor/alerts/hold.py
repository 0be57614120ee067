"""Whether a delivery goes out now or waits, for the channel's digest or the end of its quiet hours.

Pure, and asked as late as possible: each time the delivery is due.  Checking feeds never waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.model import (
    Alert,
    AlertKind,
    Delivery,
    DeliveryKind,
    QueuedDelivery,
    Severity,
    Update,
    UpdateReason,
)
from monitor.settings import Channel, Updates
from monitor.timetable import quiet_until

# A digest leaves this much later than its time: what was decided just before is stored by then.
SETTLE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """*until*: when to ask again; None: it goes now.  What was held goes with others, as one."""

    until: datetime | None = None
    digest: bool = False  # it is one for the channel's digest
    quiet: bool = False  # it came in quiet hours, or would go out in them


def hold(queued: QueuedDelivery, channel: Channel, monitor_zone: ZoneInfo, now: datetime) -> Hold:
    """What becomes of a delivery of *channel* that is due at *now*."""
    row, zone = queued.delivery, channel.timezone or monitor_zone
    at_once = is_at_once(queued.alert, queued.update, channel)
    digest = queued.alert.kind is AlertKind.DIGEST or _for_digest(row, queued, channel, at_once)
    slot = (
        _slot(row, channel, zone) if digest and queued.alert.kind is not AlertKind.DIGEST else None
    )
    if slot is not None and now < slot:
        return Hold(until=slot, digest=True)
    if at_once and severity_of(queued.alert, queued.update) is Severity.CRITICAL:
        return Hold(digest=digest)
    quiet = quiet_until(channel.quiet_hours, now, zone)
    if quiet is not None:
        return Hold(until=quiet, digest=digest, quiet=True)
    came_quiet = quiet_until(channel.quiet_hours, row.created_at, zone) is not None
    return Hold(digest=digest, quiet=came_quiet)


def is_at_once(alert: Alert, update: Update | None, channel: Channel) -> bool:
    """Whether its severity is one that does not wait for the digest of *channel*."""
    if update is not None and channel.updates is Updates.DIGEST:
        return False
    return severity_of(alert, update) in channel.at_once


def severity_of(alert: Alert, update: Update | None) -> Severity:
    """A notice that is only published again is mild, however severe it was when it was news."""
    again = update is not None and update.reason is UpdateReason.PUBLISHED_AGAIN
    return Severity.LOW if again else alert.severity


def _for_digest(row: Delivery, queued: QueuedDelivery, channel: Channel, at_once: bool) -> bool:
    """What the monitor says about itself does not wait; nor what has been tried already."""
    tried = queued.message is not None
    return (
        channel.digest is not None
        and row.kind is not DeliveryKind.NOTICE
        and not at_once
        and not tried
    )


def _slot(row: Delivery, channel: Channel, zone: ZoneInfo) -> datetime | None:
    """When the first digest after *row* was made leaves."""
    return channel.digest.after(row.created_at, zone) + SETTLE if channel.digest else None
