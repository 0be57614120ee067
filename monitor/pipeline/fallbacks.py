"""Moves what waits for a dead channel to its fallback as well."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import structlog

from monitor.alerts.fallback import instead, takes_nothing
from monitor.model import Delivery
from monitor.pipeline.shared import Shared
from monitor.settings import Channel, Config
from monitor.store import Store

AT_ONCE = 500  # deliveries looked at in one go
SOON = timedelta(hours=1)  # due by then: it waits for another try, not for a digest

log = structlog.get_logger()


class Fallbacks:
    """Looks from time to time which channels take nothing."""

    def __init__(self, shared: Shared) -> None:
        self._in_force = shared.in_force
        self._store = shared.store
        self._clock = shared.clock
        self._queued = shared.queued

    async def sweep(self) -> None:
        """Queue what waits for dead targets for their fallbacks, each delivery once."""
        config, now = self._in_force.config, self._clock()
        replaced = {each.name: each for each in config.channels if each.fallback}
        if not replaced:
            return
        for state in await self._store.call(lambda store: store.channel_states()):
            if state.channel in replaced and takes_nothing(state, now):
                await self._replace(replaced[state.channel], state.target)

    async def _replace(self, channel: Channel, target: str) -> None:
        config, now = self._in_force.config, self._clock()
        while rows := await self._store.call(partial(_to_fallback, channel, target, config, now)):
            log.info("sent to the fallback", target=target, deliveries=len(rows))
            self._queued()


def _to_fallback(
    channel: Channel, target: str, config: Config, now: datetime, store: Store
) -> tuple[Delivery, ...]:
    """In the thread of the store: a part of what waits for *target*, queued for others as well."""
    waiting = store.waiting_for(target, now + SOON, not_for=channel.fallback, limit=AT_ONCE)
    rows = instead(waiting, channel, config, now)
    if rows:
        store.raise_alerts((), rows)
    return rows
