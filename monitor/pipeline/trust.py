"""Reads both clocks, and asks the store what publishers say the date is: see ``clocktrust``."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from monitor.clocktrust import Reading, Verdict, judge
from monitor.pipeline.shared import Shared


def ticked() -> timedelta:
    """Since the machine started, its sleep included; no setting of the clock changes it."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS counts sleep in neither
    return timedelta(seconds=time.clock_gettime(clock))


class Trust:
    """Whether the clock may be believed by what destroys things for their age."""

    def __init__(self, shared: Shared, *, ticks: Callable[[], timedelta] = ticked) -> None:
        self._store = shared.store
        self._clock = shared.clock
        self._ticks = ticks
        self._before = Reading(shared.clock(), ticks())
        self.judged_at = self._before.wall  # the time that the last verdict is about

    async def verdict(self) -> Verdict:
        """Of this moment."""
        published = await self._store.call(lambda store: store.newest_date())
        now = Reading(self._clock(), self._ticks())
        self.judged_at = now.wall
        verdict, self._before = judge(self._before, now, published)
        return verdict
