"""Tells people that nothing can be stored, past the outbox, which needs the database too.

A best effort, once for each trouble; when the database can be written again, that is queued and
told like everything else.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from monitor import ids
from monitor.alerts import storage
from monitor.alerts.render import render
from monitor.alerts.route import deliveries
from monitor.errors import StoreBusy, StoreDamaged
from monitor.events import Handed, Trouble
from monitor.model import Alert, Delivery
from monitor.pipeline.deliver import Sends
from monitor.pipeline.noted import ALIVE
from monitor.pipeline.shared import Shared
from monitor.settings import Config

PATIENCE = timedelta(minutes=1)  # a lock that passes is nobody's business
LONGEST = timedelta(minutes=1)  # that it may take to tell: longer than one hand-over

log = structlog.get_logger()


class Distress:
    """Tries to write from time to time."""

    def __init__(self, shared: Shared, *, sender: Sends) -> None:
        self._in_force = shared.in_force
        self._store = shared.store
        self._clock = shared.clock
        self._report = shared.report
        self._queued = shared.queued
        self._sender = sender
        self._since: datetime | None = None
        self._told = False
        self._told_moved = False

    @property
    def since(self) -> datetime | None:
        """Since when it cannot be written; None: it can."""
        return self._since

    async def look(self) -> None:
        """Try to write; tell of it when that has been in vain for a minute, or works again."""
        now = self._clock()
        try:
            await self._store.call(lambda store: store.set_note(ALIVE, now.isoformat()))
        except StoreBusy as busy:
            self._since = self._since or now
            self._report(Trouble(what="the database cannot be written", detail=str(busy)))
            if not self._told and now - self._since >= PATIENCE:
                self._told = True
                await self._cry(storage.stuck(str(busy), self._since, now))
            return
        if self._told and self._since is not None:
            await self._queue(storage.mended(self._since, now))
        self._since, self._told = None, False
        await self._look_for_the_file(now)

    async def _look_for_the_file(self, now: datetime) -> None:
        """Tell once when what is written is no longer the file at its path."""
        in_place = await self._store.call(lambda store: store.is_in_place())
        if not in_place and not self._told_moved:
            self._report(Trouble(what="the database was moved away or replaced"))
            await self._queue(storage.moved(self._in_force.config.database, now))
        self._told_moved = not in_place

    async def despair(self, damage: StoreDamaged) -> None:
        """Tell that the monitor ends, because a person must look at its database."""
        self._report(Trouble(what="the database is damaged", detail=str(damage)))
        await self._cry(storage.ended_by_damage(str(damage), self._clock()))

    async def _cry(self, alert: Alert) -> None:
        """Hand *alert* to the operators' channels without storing anything.

        To all of them at once, and not for ever: none that hangs, or trips us, keeps the others
        from hearing of it.
        """
        config = self._in_force.config
        rows = deliveries([alert], {}, (), config, self._clock())
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST.total_seconds()):
                await asyncio.gather(*(self._told_by(alert, row, config) for row in rows))

    async def _told_by(self, alert: Alert, row: Delivery, config: Config) -> None:
        try:
            await self._hand_over(alert, row, config)
        except Exception:
            log.exception("telling past the outbox failed", target=row.target)

    async def _hand_over(self, alert: Alert, row: Delivery, config: Config) -> None:
        channel = next(each for each in config.channels if each.name == row.channel)
        target = next((each for each in channel.targets if each.name == row.target), None)
        if target is None:
            return
        message = render(
            [(row, alert)],
            channel=channel,
            timezone=config.timezone,
            now=self._clock(),
            message_id=ids.derive("message", row.id),
        )
        result = await self._sender.send(message, target, channel)
        self._report(Handed(message=message, result=result))

    async def _queue(self, alert: Alert) -> None:
        rows = deliveries([alert], {}, (), self._in_force.config, self._clock())
        await self._store.call(lambda store: store.raise_alerts([alert], rows))
        self._queued()
