"""What is done when the clock was set back, while the monitor ran or before it started.

Forward nothing is: what has become due is done, once each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from monitor.errors import StoreBusy
from monitor.events import Trouble
from monitor.pipeline.shared import Shared
from monitor.store import Store

BUSY_WAIT = timedelta(seconds=2)
NOTABLE = timedelta(seconds=2)  # a smaller step back delays nothing that matters


class Jumps:
    """Moves along what was planned by the old clock."""

    def __init__(self, shared: Shared) -> None:
        self._in_force = shared.in_force
        self._store = shared.store
        self._clock = shared.clock
        self._report = shared.report

    async def jumped(self, by: timedelta) -> None:
        """The clock shows *by* more, or less, than it should; waits for a busy store."""
        if by > -NOTABLE:
            return
        self._in_force.rules_since = not_later(self._in_force.rules_since, self._clock())
        while True:
            try:
                await self._store.call(lambda store: store.set_back(-by, self._clock()))
                return
            except StoreBusy as busy:
                self._report(Trouble(what="database busy", detail=str(busy)))
                await asyncio.sleep(BUSY_WAIT.total_seconds())


def set_back_since(store: Store, now: datetime) -> None:
    """At the start: what was done in the future shows how much the clock was set back at least."""
    by = (store.latest() or now) - now
    if by > NOTABLE:
        store.set_back(by, now)


def not_later(since: Mapping[str, datetime], now: datetime) -> dict[str, datetime]:
    """*since* without the future: a rule of the future would see nothing until then."""
    return {name: min(at, now) for name, at in since.items()}
