"""What is done at night, in portions and beside the others: prove the file, empty old texts.

Also, at any hour: makes entries of an older program searchable, and says when something keeps the
database's log from being folded in.  Reading all of the file happens on a connection of its own,
which only reads; the writer is asked for short things only.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, time, timedelta
from functools import partial
from typing import TypeVar

import structlog

from monitor.alerts.route import deliveries
from monitor.alerts.storage import damaged, log_held
from monitor.clocktrust import Verdict
from monitor.errors import StoreBusy, StoreRefused
from monitor.events import Trouble
from monitor.model import Alert
from monitor.pipeline.shared import Shared
from monitor.pipeline.trust import Trust, ticked
from monitor.store.care import LAST_NIGHT, Night, log_size
from monitor.store.opening import WAL_LIMIT
from monitor.store.retention import KEPT_FROM
from monitor.store.sqlite import SqliteStore
from monitor.timetable import Slot, Timetable

NIGHT = Timetable((Slot(at=time(3, 30)),))
EVERY = timedelta(minutes=1)
PORTION = 200  # rows a transaction: a tenth of a second
PAUSE = timedelta(milliseconds=100)  # between two of them
TIDY_STEPS = 200  # transactions a night, 50 MB
AT_A_TIME = 100_000  # old texts looked up at once

_DAMAGED_SINCE = "database-damaged-since"

T = TypeVar("T")
log = structlog.get_logger()


class Housekeeping:
    """Looks after the database file."""

    def __init__(
        self,
        shared: Shared,
        *,
        ticks: Callable[[], timedelta] = ticked,
        pause: timedelta = PAUSE,
        log_limit: int = WAL_LIMIT,
    ) -> None:
        self._in_force = shared.in_force
        self._store = shared.store
        self._clock = shared.clock
        self._report = shared.report
        self._queued = shared.queued
        self._trust = Trust(shared, ticks=ticks)
        self._pause = pause
        self._log_limit = log_limit
        self._log_held_since: datetime | None = None
        self._begun = False
        self._work: asyncio.Task[None] | None = None
        self._ended = threading.Event()

    async def tick(self) -> timedelta:
        """Begin what is due, unless it is going on; when to come again."""
        await self._watch_log()
        if not self._begun:  # a start has more urgent things to do
            self._begun = True
        elif self._work is None:
            self._work = asyncio.create_task(self._catching(self._make_searchable))
        elif self._work.done() and await self._is_due():
            self._work = asyncio.create_task(self._catching(self.night))
        return EVERY

    async def round(self) -> None:
        """What is due, to its end: for ``once``."""
        await self._catching(self._make_searchable)
        if await self._is_due():
            await self._catching(self.night)

    async def aclose(self) -> None:
        """Break off what is going on; it is done again later."""
        self._ended.set()
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def night(self) -> None:
        """All that is done once a night."""
        await self._store.call(lambda store: store.refresh_statistics())
        damage = await self._proved()
        await self._tell_damage(damage)
        texts = await self._forget_texts()
        folded = await self._store.call(lambda store: store.fold_log())
        night = Night(at=self._clock(), damage=damage, texts=texts, log_folded=folded)
        await self._note(LAST_NIGHT, night.to_note())
        log.info("housekeeping", damage=damage or "none", texts=texts, log_folded=folded)

    async def _proved(self) -> str:
        """What is wrong with the file; "" for nothing."""
        try:
            return await self._reading(lambda store: store.damage())
        except StoreRefused as refused:  # too much is wrong even to list it
            return str(refused)

    async def _is_due(self) -> bool:
        """Whether no night's work was done since the last time it should have been."""
        last = Night.from_note(await self._store.call(lambda store: store.note(LAST_NIGHT)))
        now = self._clock()
        if last is None or last.at > now:  # the clock was set back
            return True
        return NIGHT.latest(now, self._in_force.config.timezone) > last.at

    async def _catching(self, act: Callable[[], object]) -> None:
        """*act*; what goes wrong in it passes, or is a bug that must not end the others."""
        try:
            await act()  # type: ignore[misc]
        except StoreBusy as busy:
            self._report(Trouble(what="housekeeping was put off", detail=str(busy)))
        except Exception:
            log.exception("housekeeping failed")

    async def _reading(self, ask: Callable[[SqliteStore], T]) -> T:
        """What *ask* answers, in a thread and on a connection of its own."""
        path, ended = self._in_force.config.database, self._ended

        def asked() -> T:
            with closing(SqliteStore.looking(path)) as reader:
                reader.give_up_when(ended.is_set)
                return ask(reader)

        return await _in_thread(asked)

    # --- the index for ``search``

    async def _make_searchable(self) -> None:
        while await self._store.call(lambda store: store.index_older(PORTION)):
            await self._rest()

    # --- old texts

    async def _forget_texts(self) -> str:
        """Empty what is older than the configuration keeps; what came of it, in words."""
        keep = self._in_force.config.keep_text
        if keep is None:
            return ""
        emptied = 0
        while True:
            verdict = await self._trust.verdict()
            if verdict is not Verdict.SURE:
                return f"kept, though some may be old: {verdict}"
            before = self._trust.judged_at - keep  # of another look at the clock nothing is known
            texts = await self._reading(lambda store: store.old_texts(before, AT_A_TIME))  # noqa: B023
            for start in range(0, len(texts), PORTION):
                if await self._trust.verdict() is not Verdict.SURE:
                    break
                some = texts[start : start + PORTION]
                await self._store.call(lambda store: store.empty_texts(some, before))  # noqa: B023
                emptied += len(some)
                await self._rest()
            else:
                if len(texts) < AT_A_TIME:
                    await self._note(KEPT_FROM, before.isoformat())
                    await self._tidy_index(emptied)
                    return f"{emptied} emptied"

    async def _tidy_index(self, emptied: int) -> None:
        """Free the room of words that were taken out of the index, some of it each night."""
        steps = min(emptied, TIDY_STEPS)
        for step in range(steps):
            if not await self._store.call(lambda store: store.tidy_index(begin=step == 0)):  # noqa: B023
                break
            await self._rest()

    async def _rest(self) -> None:
        await asyncio.sleep(self._pause.total_seconds())

    # --- what people must know

    async def _tell_damage(self, damage: str) -> None:
        """Once, from the first check that finds it to the first that finds nothing."""
        now = self._clock()
        since = await self._store.call(lambda store: store.note(_DAMAGED_SINCE))
        if not damage:
            if since is not None:
                await self._note(_DAMAGED_SINCE, None)
            return
        since = since or now.isoformat()
        await self._note(_DAMAGED_SINCE, since)
        await self._raise(damaged(damage, datetime.fromisoformat(since), now))

    async def _watch_log(self) -> None:
        """Once for each time that the log grows beyond its limit."""
        now, path = self._clock(), self._in_force.config.database
        if log_size(path) <= self._log_limit:
            self._log_held_since = None
            return
        if await self._store.call(lambda store: store.fold_log()):
            self._log_held_since = None
            return
        self._log_held_since = self._log_held_since or now
        await self._raise(log_held(log_size(path), self._log_held_since, now))

    async def _raise(self, alert: Alert) -> None:
        """An alert that is known by its id is not queued again."""
        self._report(Trouble(what=alert.title))
        rows = deliveries([alert], {}, (), self._in_force.config, self._clock())
        await self._store.call(lambda store: store.raise_alerts([alert], rows))
        self._queued()

    async def _note(self, name: str, value: str | None) -> None:
        await self._store.call(lambda store: store.set_note(name, value))


async def _in_thread(call: Callable[[], T]) -> T:
    """What *call* answers; nobody waits for its thread at the end, as for those of a pool."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(set_: Callable[[], None]) -> None:
        if not future.done():
            set_()

    def work() -> None:
        set_: Callable[[], None]
        try:
            set_ = partial(future.set_result, call())
        except Exception as error:
            set_ = partial(future.set_exception, error)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, set_)

    threading.Thread(target=work, name="housekeeping", daemon=True).start()
    return await future
