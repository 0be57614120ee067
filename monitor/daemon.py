"""When things happen: APScheduler ticks, signals, a clock that jumps.  Decides nothing else.

Each tick is a one-shot job that arms itself again: interval jobs stop when the clock is set back
and pile up when it is set forward.  A watcher on the monotonic clock arms all ticks anew when the
wall clock has jumped.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = structlog.get_logger()

DRIFT = timedelta(seconds=2)
DRIFT_EVERY = timedelta(seconds=1)
AFTER_TROUBLE = timedelta(seconds=5)
MANY = 1_000_000


@dataclass(frozen=True, slots=True)
class Tick:
    """Something done again and again: ``act`` returns how long to wait for the next time."""

    name: str
    act: Callable[[], Awaitable[timedelta]]


class Daemon:
    """Runs *ticks* until it is told to stop."""

    def __init__(
        self,
        ticks: list[Tick],
        *,
        on_hangup: Callable[[], None],
        on_jump: Callable[[timedelta], Awaitable[None]],
    ) -> None:
        """*on_jump* is told by how much the wall clock has jumped, before the ticks come."""
        self._ticks = {tick.name: tick for tick in ticks}
        self._on_hangup = on_hangup
        self._on_jump = on_jump
        self._stop = asyncio.Event()
        self._because: Exception | None = None
        self._running: set[str] = set()
        self._apart = time.time() - time.monotonic()
        self._comes: dict[str, float] = {}  # when each is armed for, by the monotonic clock
        self._wished: dict[str, float] = {}  # when a running one is to come again, at the latest
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            # Many instances: a run that has ended, or not begun, counts until it is booked, and
            # what is beyond the limit APScheduler skips for good.  They never overlap: a run that
            # comes while another goes on leaves the work to that one (``_run_tick``).
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": MANY},
        )

    async def run(self) -> None:
        """Until SIGTERM, SIGINT or ``stop``; what is still going on is the caller's to end."""
        self._take_signals()
        for name in self._ticks:
            self._arm(name, timedelta(0))
        self._scheduler.start()
        watcher = asyncio.create_task(self._watch_clock(), name="clock watcher")
        try:
            await self._stop.wait()
        finally:
            self._scheduler.pause()
            watcher.cancel()
            self._scheduler.shutdown(wait=False)
        if self._because is not None:
            raise self._because

    def stop(self, because: Exception | None = None) -> None:
        """End in order; ``run`` raises what it is stopped for."""
        self._because = self._because or because
        self._stop.set()

    def wake(self, name: str, within: timedelta = timedelta(0)) -> None:
        """Let a tick come *within* that time; if it is just running, once more after that."""
        at = time.monotonic() + within.total_seconds()
        if name in self._running:
            self._wished[name] = min(at, self._wished.get(name, at))
        elif self._scheduler.running and (not within or at < self._comes[name]):
            self._arm(name, within)

    def _take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._on_hangup)

    def _arm(self, name: str, wait: timedelta) -> None:
        self._comes[name] = time.monotonic() + wait.total_seconds()
        self._scheduler.add_job(
            self._run_tick,
            "date",
            run_date=datetime.now(UTC) + wait,
            args=[name],
            id=name,
            replace_existing=True,
        )

    async def _run_tick(self, name: str) -> None:
        if name in self._running:
            self._wished[name] = time.monotonic()
            return
        self._running.add(name)
        try:
            await self._mind_clock()
            wait = await self._ticks[name].act()
        except asyncio.CancelledError:  # we are told to stop; APScheduler would log an error
            return
        except Exception:  # a bug in one tick must not end the others, nor itself
            log.exception("tick failed", tick=name)
            wait = AFTER_TROUBLE
        finally:
            self._running.discard(name)
        wished = self._wished.pop(name, None)
        if wished is not None:
            wait = min(wait, timedelta(seconds=max(0.0, wished - time.monotonic())))
        if not self._stop.is_set():
            self._arm(name, wait)

    async def _watch_clock(self) -> None:
        while True:
            await asyncio.sleep(DRIFT_EVERY.total_seconds())
            await self._mind_clock()

    async def _mind_clock(self) -> None:
        """Arm every tick anew when wall and monotonic clock have come apart since the last look.

        Ticks look, too: a clock that goes forth and back between two looks of the watcher would
        leave what they planned meanwhile for the time it had shown.
        """
        before, self._apart = self._apart, time.time() - time.monotonic()
        drift = timedelta(seconds=self._apart - before)
        if abs(drift) > DRIFT:
            log.warning("the clock jumped", seconds=round(drift.total_seconds()))
            try:
                await self._on_jump(drift)
            except Exception:  # a bug must not end the watcher, nor keep the ticks from coming
                log.exception("following the clock failed")
            for name in self._ticks:
                self.wake(name)
