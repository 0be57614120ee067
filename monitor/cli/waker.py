"""Wakes the ticks of a running daemon when something happens that concerns them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from monitor.cli.ticks import LONGEST_WAIT, SHORTEST_WAIT
from monitor.daemon import Daemon
from monitor.errors import StoreBusy, StoreDamaged
from monitor.events import ArticleRead, Event, Polled, Reloaded
from monitor.model import Feed
from monitor.pipeline.session import Session
from monitor.pipeline.shared import utc_now
from monitor.supervisor import Progress

log = structlog.get_logger()


class Waker:
    """Wakes ticks of the daemon and knows which are stuck, once there is one."""

    daemon: Daemon | None = None
    progress: Progress | None = None
    _despairing: asyncio.Task[None] | None = None

    def __init__(self) -> None:
        self._reloading: set[asyncio.Task[None]] = set()

    def wake(self, tick: str, within: timedelta = timedelta(0)) -> None:
        if self.daemon is not None:
            self.daemon.wake(tick, within)

    def told(self, event: Event) -> None:
        """Wake what *event* concerns."""
        if isinstance(event, Polled):
            self._polled(event.feed)
        if isinstance(event, ArticleRead) or (isinstance(event, Polled) and event.new):
            self.wake("articles")  # there is room for another page, or a new one
        if isinstance(event, Reloaded):
            self.wake("poll")  # there may be a new feed
            self.wake("deliver")  # a channel may take messages again
        if isinstance(event, Reloaded) or (isinstance(event, Polled) and event.baseline):
            self.wake("websub")  # hubs may be wanted, or one has been named

    def _polled(self, feed: Feed) -> None:
        """While it was visited nobody knew when it is due again."""
        within = feed.next_poll_at - utc_now()
        if within < LONGEST_WAIT:
            self.wake("poll", max(within, SHORTEST_WAIT))

    def queued(self) -> None:
        self.wake("deliver")

    def hinted(self) -> None:
        self.wake("poll")

    def stuck(self) -> list[str]:
        return self.progress.stuck() if self.progress is not None else []

    def hang_up(self, session: Session) -> None:
        """A busy database is no end of it: what could not be taken over is noticed again."""

        async def reload() -> None:
            try:
                await session.reloader.reload()
            except StoreBusy as busy:
                log.warning("database busy", tick="reload", detail=str(busy))

        reloading = asyncio.create_task(reload(), name="hang-up")
        self._reloading.add(reloading)
        reloading.add_done_callback(self._reloading.discard)

    def despair(self, session: Session, damage: StoreDamaged) -> None:
        """Tell of it, then end: waiting mends nothing."""

        async def tell_and_stop() -> None:
            try:
                await session.distress.despair(damage)
            finally:
                assert self.daemon is not None
                self.daemon.stop(damage)

        self._despairing = self._despairing or asyncio.create_task(tell_and_stop())
