"""What the daemon does again and again, and how long each waits for its next time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from monitor.daemon import Tick
from monitor.errors import StoreBusy
from monitor.pipeline.session import Session
from monitor.pipeline.shared import utc_now
from monitor.supervisor import Progress

RELOAD_EVERY = timedelta(seconds=0.7)
LONGEST_WAIT = timedelta(seconds=5)  # commands beside us may queue, or free a channel
SHORTEST_WAIT = timedelta(milliseconds=200)
BUSY_WAIT = timedelta(seconds=2)

log = structlog.get_logger()


def ticks(session: Session) -> list[Tick]:
    """All of a running monitor."""

    async def poll() -> timedelta:
        await session.poller.start_due()
        return _until(await session.store.call(lambda store: store.next_poll_at(0)))

    async def articles() -> timedelta:
        await session.articles.start_due()
        return _until(await session.articles.next_due_at())

    async def deliver() -> timedelta:
        await session.deliverer.start_due()
        channels = [channel.name for channel in session.in_force.config.channels]
        due = await session.store.call(lambda store: store.next_due_at(channels))
        return _until(min(filter(None, (due, session.deliverer.next_digest_at())), default=None))

    async def reload() -> timedelta:
        await session.reloader.check()
        return RELOAD_EVERY

    async def websub() -> timedelta:
        return await session.websub.tick()

    async def heartbeat() -> timedelta:
        return await session.heartbeat.tick()

    async def health_door() -> timedelta:
        return await session.health_door.tick()

    async def upkeep() -> timedelta:
        await session.distress.look()
        return await session.upkeep.tick()

    async def housekeeping() -> timedelta:
        return await session.housekeeping.tick()

    watching = (heartbeat, health_door)
    every = (poll, articles, deliver, reload, websub, *watching, upkeep, housekeeping)
    return [Tick(act.__name__, _patient(act.__name__, act)) for act in every]


def noted(tick: Tick, progress: Progress) -> Tick:
    """*tick*, whose end counts as progress."""

    async def act() -> timedelta:
        wait = await tick.act()
        progress.made(tick.name)
        return wait

    return Tick(tick.name, act)


def _patient(
    name: str, act: Callable[[], Awaitable[timedelta]]
) -> Callable[[], Awaitable[timedelta]]:
    """*act*, tried again later when the database is busy: that passes by itself."""

    async def tried() -> timedelta:
        try:
            return await act()
        except StoreBusy as busy:
            log.warning("database busy", tick=name, detail=str(busy))
            return BUSY_WAIT

    return tried


def _until(at: datetime | None) -> timedelta:
    wait = LONGEST_WAIT if at is None else at - utc_now()
    return min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)
