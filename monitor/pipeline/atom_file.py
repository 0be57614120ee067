"""Keeps the Atom feed of the newest alerts in its file: written whole, when something changed.

A file that cannot be written is told once for each reason and tried again; nothing waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path

import structlog

from monitor import ids
from monitor.alerts.atom import NEWEST, document
from monitor.errors import StoreBusy
from monitor.events import Trouble
from monitor.model import AlertKind
from monitor.pipeline.shared import Shared
from monitor.wholefile import replace_file

AT_MOST_EVERY = timedelta(seconds=1)
AT_LEAST_EVERY = timedelta(minutes=1)  # alerts that go to nobody, another path in config.toml

log = structlog.get_logger()


class AtomFile:
    """The file that ``[outputs] atom`` names; without one, nothing is done."""

    def __init__(self, shared: Shared) -> None:
        self._in_force = shared.in_force
        self._store = shared.store
        self._report = shared.report
        self._wanted = asyncio.Event()
        self._ending = asyncio.Event()
        self._trouble = ""
        self._task: asyncio.Task[None] | None = None

    def alerts_came(self) -> None:
        """There are alerts that the file does not have yet."""
        self._wanted.set()

    async def start(self) -> None:
        """Write what there is, then whatever comes, until ``aclose``."""
        await self.write()
        self._task = asyncio.create_task(self._run(), name="atom file")

    async def aclose(self) -> None:
        """Write what came last."""
        self._ending.set()
        self._wanted.set()
        if self._task is not None:  # not cancelled: a write in its thread would go on beside ours
            await self._task
        await self.write()

    async def _run(self) -> None:
        while not self._ending.is_set():
            await _until(self._wanted, AT_LEAST_EVERY)
            self._wanted.clear()
            await self.write()
            await _until(self._ending, AT_MOST_EVERY)

    async def write(self) -> None:
        """Bring the file up to date.  Never raises."""
        config = self._in_force.config
        if not config.atom:
            return
        try:
            alerts = await self._store.call(
                lambda store: store.alerts(kind=AlertKind.STORY, limit=NEWEST)
            )
            name = ids.derive("atom", config.path)
            text = document(alerts, name=name, timezone=config.timezone)
            await asyncio.to_thread(replace_file, Path(config.atom), text)
        except StoreBusy:
            self._wanted.set()
        except OSError as error:
            self._fail(f"{config.atom}: {(error.strerror or str(error)).lower()}")
        except Exception:  # a mistake of ours must not end the task
            log.exception("the Atom feed was not written")
        else:
            self._trouble = ""

    def _fail(self, why: str) -> None:
        if why != self._trouble:
            detail = f"{why}; it is tried again with the next alert, and each minute"
            self._report(Trouble(what="the Atom feed cannot be written", detail=detail))
        self._trouble = why


async def _until(event: asyncio.Event, longest: timedelta) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(longest.total_seconds()):
            await event.wait()
