"""The async face of the store: one thread that owns the write connection.

Outcomes that wait while the thread is busy are committed together, in one transaction: fast when
idle, cheap under load.  Those nobody is waiting for gather for a moment first.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import structlog

from monitor.errors import StoreBusy, StoreDamaged
from monitor.model import Outcome
from monitor.store import Store

T = TypeVar("T")
log = structlog.get_logger()

GATHERING = 0.1  # seconds
FEW = 8  # answers handed over before the event loop gets its turn
QUIET = 0.2  # seconds without work: then is the time for what nobody waits for

Future = asyncio.Future[Any]
Job = tuple[Callable[[Store], Any] | Outcome, Future]


class Writer:
    """Runs calls on the store one after the other, in the order they were made."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        """*open_store* is called in the thread, at the first call, which raises what it raises."""
        self._open = open_store
        self._jobs: SimpleQueue[list[Job] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._store: Store | None = None  # the thread's, once it is open
        self.on_damage: Callable[[StoreDamaged], None] = lambda damage: None  # in the event loop
        self._gathered: list[Job] = []

    async def call(self, method: Callable[[Store], T]) -> T:
        """``method(store)``, in the store's thread."""
        result: T = await self._submit(method)
        return result

    async def commit(self, outcome: Outcome, *, in_company: bool = False) -> bool:
        """Store *outcome*; False: its feed was claimed again since.  Raises StoreBusy.

        *in_company*: others will come soon, with which it may be stored.
        """
        return bool(await self._submit(outcome, gather=in_company))

    def hurry(self) -> None:
        """What waits for the lock of another program waits no longer: this one is to end."""
        if self._store is not None:
            self._store.hurry()

    async def aclose(self) -> None:
        """Finish what is queued and close the database; later calls raise RuntimeError."""
        self._closed = True
        self._send_gathered()
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    async def _submit(self, job: Callable[[Store], T] | Outcome, *, gather: bool = False) -> Any:
        if self._closed:  # no thread would ever answer
            raise RuntimeError("the store is closed")
        self._loop = asyncio.get_running_loop()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="store", daemon=True)
            self._thread.start()
        future: Future = self._loop.create_future()
        if gather:
            self._gather((job, future))
        else:
            self._jobs.put([(job, future)])
        return await future  # a cancelled caller does not undo the write: the job stays

    def _gather(self, job: Job) -> None:
        assert self._loop is not None
        if not self._gathered:
            self._loop.call_later(GATHERING, self._send_gathered)
        self._gathered.append(job)

    def _send_gathered(self) -> None:
        if self._gathered:
            self._jobs.put(self._gathered)
            self._gathered = []

    # --- in the thread

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                self._store = self._store or self._open()
            except Exception as error:
                self._settle([(future, error) for _, future in batch])
            else:
                self._work(self._store, batch)
        if self._store is not None:
            self._catch_up()
            self._store.close()

    def _next_batch(self) -> list[Job]:
        """Everything that waits, at least one job; empty: it is time to end."""
        batch: list[Job] = []
        while not batch or not self._jobs.empty():
            jobs = self._next_jobs()
            if jobs is None:
                self._jobs.put(None)  # seen again once this batch is done
                break
            batch += jobs
        return batch

    def _next_jobs(self) -> list[Job] | None:
        try:
            return self._jobs.get(timeout=QUIET)
        except Empty:
            self._catch_up()
            return self._jobs.get()

    def _catch_up(self) -> None:
        """Make searchable what was stored; if that cannot be now, it will be later.

        Whatever happens: without this thread nothing would ever be stored again.
        """
        if self._store is not None:
            try:
                self._store.index_new()
            except (StoreBusy, StoreDamaged):
                pass  # whoever stores something is told
            except Exception:
                log.exception("what was stored is not searchable yet")

    def _work(self, store: Store, batch: list[Job]) -> None:
        """The jobs of *batch* in order, neighbouring outcomes together."""
        outcomes: list[tuple[Outcome, Future]] = []
        for job, future in batch:
            if isinstance(job, Outcome):
                outcomes.append((job, future))
                continue
            self._commit(store, outcomes)
            outcomes = []
            try:
                self._settle([(future, job(store))])
            except Exception as error:
                self._settle([(future, error)])
        self._commit(store, outcomes)

    def _commit(self, store: Store, waiting: list[tuple[Outcome, Future]]) -> None:
        """All at once; if that fails for a reason of one of them, each alone."""
        if not waiting:
            return
        futures = [future for _, future in waiting]
        try:
            accepted = store.commit([outcome for outcome, _ in waiting])
        except StoreBusy as busy:
            self._settle([(future, busy) for future in futures])
        except Exception as error:
            if len(waiting) == 1:
                self._settle([(futures[0], error)])
                return
            for one in waiting:
                self._commit(store, [one])
        else:
            self._settle(list(zip(futures, accepted, strict=True)))

    def _settle(self, results: list[tuple[Future, Any]]) -> None:
        """Hand over what the calls returned, or the exceptions they raised."""
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._hand_over, results)

    # --- in the event loop

    def _hand_over(self, results: list[tuple[Future, Any]]) -> None:
        """A few at a time: what each wakes has its turn before the next are woken."""
        if len(results) > FEW:
            assert self._loop is not None
            self._loop.call_soon(self._hand_over, results[FEW:])
        for future, result in results[:FEW]:
            if isinstance(result, StoreDamaged):
                self.on_damage(result)
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
