"""Opens everything that a run needs, in order, and closes it in reverse.

lock → database → rules (the last good set if the files are broken) → feeds → loops
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from monitor.alerts.send import Sender
from monitor.events import Event, Report
from monitor.feeds.article_extra import can_read_pages
from monitor.feeds.beat import Beats
from monitor.feeds.fetch import Fetcher
from monitor.feeds.hubs import Hubs
from monitor.feeds.page import PageReader
from monitor.pipeline import rule_sets
from monitor.pipeline.articles import Articles, page_settings
from monitor.pipeline.atom_file import AtomFile
from monitor.pipeline.deliver import Deliverer
from monitor.pipeline.distress import Distress
from monitor.pipeline.health_door import HealthDoor
from monitor.pipeline.heartbeat import Heartbeat
from monitor.pipeline.housekeeping import Housekeeping
from monitor.pipeline.in_force import InForce
from monitor.pipeline.jumps import Jumps, set_back_since
from monitor.pipeline.measures import Measures, TimedParser, TimedWriter
from monitor.pipeline.memory import Memory
from monitor.pipeline.poll import Poller
from monitor.pipeline.reload import Reloader
from monitor.pipeline.shared import Shared, nobody, utc_now
from monitor.pipeline.templating import Templating
from monitor.pipeline.upkeep import Upkeep
from monitor.pipeline.vigil import Vigil
from monitor.pipeline.websub import WebSub
from monitor.settings import Config
from monitor.store import Store
from monitor.store.lock import Lock
from monitor.store.opening import looks_usable
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer

GRACE = timedelta(seconds=5)  # what is under way at the end may take this long


class _Closes(Protocol):
    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The open monitor."""

    in_force: InForce
    store: Writer
    clock: Callable[[], datetime]
    poller: Poller
    articles: Articles
    deliverer: Deliverer
    upkeep: Upkeep
    reloader: Reloader
    distress: Distress
    jumps: Jumps
    websub: WebSub
    housekeeping: Housekeeping
    heartbeat: Heartbeat
    health_door: HealthDoor


@asynccontextmanager
async def opened(
    config: Config,
    *,
    report: Report,
    terminal: Callable[[str], object],
    clock: Callable[[], datetime] = utc_now,
    queued: Callable[[], None] = nobody,
    hinted: Callable[[], None] = nobody,
    stuck: Callable[[], list[str]] = list,
) -> AsyncIterator[Session]:
    """The monitor of *config*, ready to poll.

    *terminal* shows messages of the terminal channel; *queued* is called when deliveries wait,
    *hinted* when feeds have become due before their time; *stuck* names the parts of the daemon
    that have got nothing done for too long.
    Raises AlreadyRunning, StoreRefused, ConfigError (no usable rules, now or earlier).
    """
    if not looks_usable(config.database):  # a start that cannot be leaves nothing behind
        await asyncio.to_thread(rule_sets.usable, config)
    async with AsyncExitStack() as stack:
        stack.enter_context(Lock(config.database))
        measures = Measures(clock)
        store = TimedWriter(lambda: SqliteStore.open(config.database), measures)
        stack.push_async_callback(store.aclose)
        await store.call(lambda each: _begun(each, clock()))
        in_force, problems = await rule_sets.at_start(config, store, clock())
        await store.call(lambda each: each.sync_feeds(config.feeds, clock()))
        shared = Shared(
            in_force=in_force,
            store=store,
            report=_each(measures.note, report),
            clock=clock,
            queued=queued,
            hinted=hinted,
            reads_pages=can_read_pages(),
        )
        session = await _assembled(stack, shared, terminal, measures, stuck)
        await session.reloader.started(problems)
        yield session


def _begun(store: Store, now: datetime) -> None:
    """Nothing of an earlier run goes on: what it had claimed is free, by the clock of today."""
    store.clear_claims()
    set_back_since(store, now)
    store.resume()


async def _assembled(
    stack: AsyncExitStack,
    shared: Shared,
    terminal: Callable[[str], object],
    measures: Measures,
    stuck: Callable[[], list[str]],
) -> Session:
    config = shared.in_force.config
    if config.metrics is not None:
        measures.switch_on()
    fetcher = Fetcher(config.poll, contact=config.contact, feeds=config.feeds)
    pages = Fetcher(page_settings(config.poll), contact=config.contact)
    parser, reader, sender = TimedParser(measures), PageReader(), Sender(terminal=terminal)
    atom = AtomFile(shared)
    _closed_at_the_end(stack, fetcher, pages, parser, reader, sender, atom)
    shared = replace(shared, queued=_both(atom.alerts_came, shared.queued))
    memory = Memory(shared.store)
    await memory.load(shared.clock())
    stack.push_async_callback(memory.save)
    poller = Poller(shared, fetcher=fetcher, parser=parser, memory=memory)
    articles = Articles(shared, pages=pages, reader=reader)
    upkeep = Upkeep(shared, memory=memory)
    templating = Templating(shared, tell=upkeep.tell_operators)
    _closed_at_the_end(stack, templating)
    deliverer = Deliverer(shared, sender=sender, templating=templating)
    reloader = Reloader(shared, upkeep=upkeep, fetcher=fetcher, templating=templating)
    websub = WebSub(shared, hubs=Hubs(page_settings(config.poll), contact=config.contact))
    stack.push_async_callback(_wind_down, shared.store, poller, articles, deliverer)
    housekeeping, distress = Housekeeping(shared), Distress(shared, sender=sender)
    _closed_at_the_end(stack, websub, housekeeping)
    vigil = Vigil(shared, distress=distress, stuck=stuck)
    heartbeat, health_door = _watched(stack, shared, vigil, measures)
    await atom.start()
    return Session(
        in_force=shared.in_force,
        store=shared.store,
        clock=shared.clock,
        poller=poller,
        articles=articles,
        deliverer=deliverer,
        upkeep=upkeep,
        reloader=reloader,
        distress=distress,
        jumps=Jumps(shared),
        websub=websub,
        housekeeping=housekeeping,
        heartbeat=heartbeat,
        health_door=health_door,
    )


def _watched(
    stack: AsyncExitStack, shared: Shared, vigil: Vigil, measures: Measures
) -> tuple[Heartbeat, HealthDoor]:
    """What tells others how it is."""
    switch, health_door = Beats(), HealthDoor(shared, vigil=vigil, measures=measures)
    _closed_at_the_end(stack, switch, health_door)
    return Heartbeat(shared, switch=switch, look=vigil.look), health_door


def _closed_at_the_end(stack: AsyncExitStack, *each: _Closes) -> None:
    """In reverse order."""
    for one in each:
        stack.push_async_callback(one.aclose)


def _each(first: Report, second: Report) -> Report:
    def report(event: Event) -> None:
        first(event)
        second(event)

    return report


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        first()
        second()

    return call


async def _wind_down(
    store: Writer, poller: Poller, articles: Articles, deliverer: Deliverer
) -> None:
    late = asyncio.get_running_loop().call_later(GRACE.total_seconds(), store.hurry)
    await asyncio.gather(poller.aclose(GRACE), articles.aclose(GRACE), deliverer.aclose(GRACE))
    late.cancel()
    store.hurry()
