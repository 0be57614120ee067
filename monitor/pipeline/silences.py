"""Silences that are over: closed once, and their owners told.

A clock that jumps must not end a silence for good: its end must have passed at two looks that are
half a minute apart on the monotonic clock.  The first look is noted in the store, so that a
restart, or ``once`` called by cron, counts as well.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from monitor.alerts.route import owner_notices
from monitor.alerts.silence import silence_over
from monitor.model import Silence
from monitor.pipeline.shared import Shared

NOTED = "silences-over"  # note: JSON, silence id → monotonic seconds of the first look
APART = 30.0  # seconds


class SilenceEnds:
    """Looks for silences whose end has passed."""

    def __init__(self, shared: Shared, *, steady: Callable[[], float] = time.monotonic) -> None:
        self._in_force = shared.in_force
        self._store = shared.store
        self._clock = shared.clock
        self._queued = shared.queued
        self._steady = steady

    async def sweep(self) -> None:
        """Close what was over at an earlier look and still is."""
        now, steady = self._clock(), self._steady()
        text = await self._store.call(lambda store: store.note(NOTED)) or "{}"
        noted: dict[str, float] = json.loads(text)
        silences = await self._store.call(lambda store: store.silences())
        over = [silence for silence in silences if silence.ends_at <= now]
        first = {silence.id: _first_look(noted.get(silence.id), steady) for silence in over}
        close = [silence for silence in over if steady - first[silence.id] >= APART]
        if close:
            await self._close(close)
        closed = {silence.id for silence in close}
        left = json.dumps({id_: at for id_, at in first.items() if id_ not in closed})
        if left != text:
            await self._store.call(lambda store: store.set_note(NOTED, left))

    async def _close(self, silences: list[Silence]) -> None:
        now, config = self._clock(), self._in_force.config
        told = [(silence, silence_over(silence, now)) for silence in silences]
        rows = [row for s, alert in told for row in owner_notices(s.owner, alert, config, now)]
        alerts = [alert for _, alert in told]
        names = [silence.id for silence in silences]
        await self._store.call(lambda store: store.close_silences(names, now, alerts, rows))
        self._queued()


def _first_look(noted: float | None, steady: float) -> float:
    """When it was first seen to be over; after a restart of the machine, now."""
    return steady if noted is None or noted > steady else noted
