"""The heartbeat: as long as the monitor can see, a dead-man's switch outside hears from it.

While it is blind nothing is sent, so that somebody is told by others.  That it stops and goes on
is said once each; a switch that cannot be reached changes nothing else.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from monitor.errors import StoreError
from monitor.events import Trouble
from monitor.pipeline import sight
from monitor.pipeline.noted import PULSE, Pulse
from monitor.pipeline.shared import Shared
from monitor.pipeline.vigil import View
from monitor.settings import HeartbeatSettings, PollSettings

log = structlog.get_logger()

EVERY = timedelta(seconds=5)  # the configuration may change meanwhile
RECORDING = timedelta(seconds=5)  # a database that hangs is no reason to fall silent


class Switch(Protocol):
    """Who hears the heartbeat."""

    async def send(self, url: str, settings: PollSettings) -> str:
        """ "" if it has heard it, else why not."""


class Heartbeat:
    """*look* says whether the monitor can see."""

    def __init__(
        self,
        shared: Shared,
        *,
        switch: Switch,
        look: Callable[[], Awaitable[View]],
    ) -> None:
        self._in_force, self._store, self._clock = shared.in_force, shared.store, shared.clock
        self._report, self._switch, self._look = shared.report, switch, look
        self._pulse: Pulse | None = None
        self._last: tuple[HeartbeatSettings, datetime] | None = None

    async def tick(self) -> timedelta:
        """Beat if it is time; how long to wait for the next look."""
        wanted, now = self._in_force.config.heartbeat, self._clock()
        if wanted is None:
            self._last = None
            return EVERY
        if (
            self._last is None
            or self._last[0] != wanted
            or not _is_soon(self._last[1], wanted, now)
        ):
            self._last = wanted, now
            await self.beat(wanted)
        return min(EVERY, wanted.interval)

    async def beat(self, wanted: HeartbeatSettings) -> None:
        """Say that we live, if we do."""
        reasons, now = (await self._look()).reasons, self._clock()
        before = self._pulse or Pulse(at=now)
        if reasons:
            after = replace(before, at=now, why=sight.said(reasons))
            after = replace(after, stopped_since=before.stopped_since or now)
        else:
            after = await self._heard(wanted, replace(before, at=now, stopped_since=None))
        self._tell(before, after)
        self._pulse = after
        await self._note(after)

    async def _heard(self, wanted: HeartbeatSettings, pulse: Pulse) -> Pulse:
        wrong = await self._switch.send(wanted.url, self._in_force.config.poll)
        return replace(pulse, why=wrong, heard_at=pulse.heard_at if wrong else self._clock())

    def _tell(self, before: Pulse, after: Pulse) -> None:
        if after.stopped_since and not before.stopped_since:
            self._report(
                Trouble(what="the heartbeat stops: the monitor is blind", detail=after.why)
            )
        elif before.stopped_since and not after.stopped_since:
            log.info("the heartbeat goes on: the monitor can see again")
        if after.why and not after.stopped_since:
            self._report(Trouble(what="the heartbeat is not heard", detail=after.why))

    async def _note(self, pulse: Pulse) -> None:
        text = json.dumps(asdict(pulse), default=datetime.isoformat)
        with suppress(StoreError, TimeoutError):
            async with asyncio.timeout(RECORDING.total_seconds()):
                await self._store.call(lambda store: store.set_note(PULSE, text))


def _is_soon(last: datetime, wanted: HeartbeatSettings, now: datetime) -> bool:
    """Whether less than an interval has passed; a clock set back is no reason to wait."""
    return timedelta(0) <= now - last < wanted.interval
