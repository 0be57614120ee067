"""The frames of digests: raised when a channel's time has come, once for each."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from monitor import ids
from monitor.alerts.digest import Coverage, digest_alert
from monitor.alerts.hold import SETTLE
from monitor.feeds import health
from monitor.model import Alert, Delivery, DeliveryKind
from monitor.pipeline.shared import Shared
from monitor.settings import Channel, Config
from monitor.store import Store

# A channel that had no digest for so long begins anew; so does one whose clock was so far ahead.
FORGOTTEN = timedelta(days=15)


class Digests:
    """Looks whether a channel's digest is due, just before its deliveries are claimed."""

    def __init__(self, shared: Shared) -> None:
        self._in_force = shared.in_force
        self._store = shared.store
        self._clock = shared.clock

    async def raise_due(self, channel: Channel) -> None:
        """Queue the frame of the digest of *channel*, if its time has come since the last one."""
        if channel.digest is None:
            return
        config = self._in_force.config
        zone = channel.timezone or config.timezone
        slot = channel.digest.latest(self._clock() - SETTLE, zone)
        await self._store.call(partial(_raise, channel, slot, config))

    def next_at(self) -> datetime | None:
        """When the next digest of any channel is due."""
        config, now = self._in_force.config, self._clock()
        return min(
            (
                channel.digest.after(now - SETTLE, channel.timezone or config.timezone) + SETTLE
                for channel in config.channels
                if channel.digest is not None
            ),
            default=None,
        )


def _raise(channel: Channel, slot: datetime, config: Config, store: Store) -> None:
    """In the thread of the store: the note of the last digest decides, also after a restart."""
    name = f"digest:{channel.name}"
    noted = store.note(name)
    begins = datetime.fromisoformat(noted) if noted else None
    if begins is None or abs(slot - begins) > FORGOTTEN:  # new: its first digest is the next one
        store.set_note(name, slot.isoformat())
        return
    if begins >= slot:
        return
    targets = [target.name for target in channel.targets]
    if not channel.empty_digest:
        waiting = store.waiting_targets(channel.name, slot)
        targets = [name for name in targets if name in waiting]
    alert = _frame(channel, begins, slot, config, store)
    rows = [_row(alert, channel, target) for target in targets]
    store.raise_alerts([alert] if rows else [], rows, notes={name: slot.isoformat()})


def _frame(
    channel: Channel, begins: datetime, slot: datetime, config: Config, store: Store
) -> Alert:
    since = store.since_digest(channel.name, begins)
    feeds = [feed for feed in store.feeds(rhythms=False) if not feed.paused]
    dead = [state.target for state in store.channel_states() if state.stopped or state.failures]
    coverage = Coverage(
        watched=len(feeds),
        ailing=[feed for feed in feeds if health.is_ailing(feed)],
        suspicious=[feed for feed in feeds if health.is_suspicious(feed)],
        quiet=[feed for feed in feeds if feed.quiet_since and not feed.failures],
        gaps=[feed for feed in feeds if feed.gap_until and feed.gap_until >= begins],
        unseen=sum(feed.polled_at is None for feed in feeds),
        channels=dead,
    )
    zone = channel.timezone or config.timezone
    return digest_alert(channel.name, begins, slot, since, coverage, zone)


def _row(alert: Alert, channel: Channel, target: str) -> Delivery:
    return Delivery(
        id=ids.delivery_id(alert.id, target, DeliveryKind.NOTICE, 0),
        alert_id=alert.id,
        channel=channel.name,
        target=target,
        kind=DeliveryKind.NOTICE,
        due_at=alert.created_at,
        created_at=alert.created_at,
    )
