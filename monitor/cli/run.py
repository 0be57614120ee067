"""``run`` and ``once``: the daemon, and one round of it for cron."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import pyexpat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

import click
import structlog

from monitor import expat, logs
from monitor.cli.options import config_option, config_path
from monitor.config import read, secrets_of
from monitor.daemon import Daemon, Tick
from monitor.errors import Problem, StoreBusy, StoreDamaged
from monitor.events import ArticleRead, Event, Handed, Polled, PollKind, Reloaded, Trouble
from monitor.feeds import health
from monitor.heaps import bound_heaps
from monitor.model import Feed, Refused
from monitor.pipeline.last_list import last_good
from monitor.pipeline.session import Session, opened
from monitor.pipeline.shared import utc_now
from monitor.rules.load import RuleSet
from monitor.settings import Config
from monitor.supervisor import Progress, Supervisor
from monitor.terminal import console

RELOAD_EVERY = timedelta(seconds=0.7)
LONGEST_WAIT = timedelta(seconds=5)  # commands beside us may queue, or free a channel
SHORTEST_WAIT = timedelta(milliseconds=200)

log = structlog.get_logger()


class Shows(Protocol):
    """What is done with events: printed on a terminal, or logged as JSON lines."""

    def start(self, config: Config, rules: RuleSet, feeds: list[Feed]) -> None: ...

    def __call__(self, event: Event) -> None: ...

    def message(self, text: str) -> None: ...

    def stop(self) -> None: ...


log_level_option = click.option(
    "--log-level",
    type=click.Choice(("debug", "info", "warning", "error")),
    default="info",
    help="What is logged; info by default. warning leaves out what went well.",
)


@click.command()
@config_option
@log_level_option
def run(log_level: str) -> None:
    """Watch the feeds and alert until stopped (Ctrl-C or SIGTERM).

    On a terminal it prints a line for every event; without one, JSON lines on stderr. Rules and
    config.toml may be edited while it runs: a good edit is in force within two seconds, a bad one
    changes nothing and is reported.
    """
    try:
        asyncio.run(_run(config_path(), log_level))
    finally:
        logs.close()
    sys.stdout.flush()
    os._exit(0)  # what a slow name server still holds up must not hold up the end


@click.command()
@config_option
@log_level_option
@click.pass_context
def once(ctx: click.Context, log_level: str) -> None:
    """Visit every due feed once, deliver what waits, and exit: for cron.

    Exit code 0: all went well; 1: some feed or channel failed and is tried again next time.
    """
    try:
        code = asyncio.run(_once(config_path(), log_level))
    finally:
        logs.close()
    ctx.exit(code)


async def _run(path: Path, log_level: str) -> None:
    async with _session(path, log_level) as (session, shows, waker):
        ticks = _ticks(session)
        progress, supervisor = Progress([tick.name for tick in ticks]), Supervisor()
        waker.progress = progress
        daemon = Daemon(
            [_noted(tick, progress) for tick in ticks],
            on_hangup=lambda: waker.hang_up(session),
            on_jump=session.jumps.jumped,
        )
        waker.daemon = daemon
        session.store.on_damage = partial(waker.despair, session)
        shows.start(session.in_force.config, session.in_force.rules, await _feeds(session))
        supervisor.tell("READY=1", f"MAINPID={os.getpid()}")
        watching = asyncio.create_task(supervisor.watch(progress, partial(_how_it_is, session)))
        await daemon.run()
        supervisor.tell("STOPPING=1")
        watching.cancel()
        shows.stop()


async def _once(path: Path, log_level: str) -> int:
    failed: list[Event] = []
    async with _session(path, log_level, failed) as (session, shows, _):
        shows.start(session.in_force.config, session.in_force.rules, await _feeds(session))
        await session.poller.round()
        await session.articles.round()
        await session.upkeep.sweep()
        await session.deliverer.round()
        await session.housekeeping.round()
        await session.heartbeat.tick()
        shows.stop()
    return 1 if failed else 0


class _Waker:
    """Wakes ticks of the daemon and knows which are stuck, once there is one."""

    daemon: Daemon | None = None
    progress: Progress | None = None
    _despairing: asyncio.Task[None] | None = None

    def __init__(self) -> None:
        self._reloading: set[asyncio.Task[None]] = set()

    def wake(self, tick: str, within: timedelta = timedelta(0)) -> None:
        if self.daemon is not None:
            self.daemon.wake(tick, within)

    def polled(self, feed: Feed) -> None:
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


@asynccontextmanager
async def _session(
    path: Path, log_level: str, failed: list[Event] | None = None
) -> AsyncIterator[tuple[Session, Shows, _Waker]]:
    bound_heaps()  # before there are threads
    config, warnings = read(path, last_good=last_good)
    terminal = sys.stdout.isatty()
    logs.set_up(terminal=terminal, level=logging.getLevelNamesMapping()[log_level.upper()])
    logs.register_secrets(secrets_of(config))
    _warn(warnings)
    shows, waker = _shows(config, terminal=terminal), _Waker()

    def report(event: Event) -> None:
        if failed is not None and _is_failure(event):
            failed.append(event)
        shows(event)
        if isinstance(event, ArticleRead) or (isinstance(event, Polled) and event.new):
            waker.wake("articles")  # there is room for another page, or a new one
        if isinstance(event, Polled):
            waker.polled(event.feed)
        if isinstance(event, Reloaded):
            waker.wake("poll")  # there may be a new feed
        if isinstance(event, Reloaded):
            waker.wake("deliver")  # a channel may take messages again
        if isinstance(event, Reloaded) or (isinstance(event, Polled) and event.baseline):
            waker.wake("websub")  # hubs may be wanted, or one has been named

    async with opened(
        config,
        report=report,
        terminal=shows.message,
        queued=waker.queued,
        hinted=waker.hinted,
        stuck=waker.stuck,
    ) as session:
        gc.freeze()  # what is loaded stays: to look for garbage in it holds everything up
        try:
            yield session, shows, waker
        finally:
            shows.stop()


def _warn(warnings: Sequence[Problem]) -> None:
    """What works, but is worth a look: secrets that others can read, an old XML parser."""
    for each in warnings:
        log.warning("worth a look", detail=str(each))
    if old := expat.warning(pyexpat.EXPAT_VERSION):
        log.warning("old XML parser", detail=old)


def _shows(config: Config, *, terminal: bool) -> Shows:
    if terminal:
        from monitor.cli.console import Live

        return Live(console(), config)
    from monitor.cli.journal import Journal

    return Journal()


def _is_failure(event: Event) -> bool:
    if isinstance(event, Polled):
        return event.kind is PollKind.FAILED
    return isinstance(event, Trouble) or (
        isinstance(event, Handed) and isinstance(event.result, Refused)
    )


async def _feeds(session: Session) -> list[Feed]:
    return await session.store.call(lambda store: store.feeds())


# --- ticks


def _ticks(session: Session) -> list[Tick]:
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
    ticks = (poll, articles, deliver, reload, websub, *watching, upkeep, housekeeping)
    return [Tick(act.__name__, _patient(act.__name__, act)) for act in ticks]


def _noted(tick: Tick, progress: Progress) -> Tick:
    """*tick*, whose end counts as progress."""

    async def act() -> timedelta:
        wait = await tick.act()
        progress.made(tick.name)
        return wait

    return Tick(tick.name, act)


async def _how_it_is(session: Session) -> str:
    """One line for ``systemctl status``."""
    try:
        feeds = [feed for feed in await _feeds(session) if not feed.paused]
        counts = await session.store.call(lambda store: store.queue_lengths())
    except StoreBusy:
        return "the database is busy"
    healthy = sum(not health.is_ailing(feed) for feed in feeds)
    waiting = counts.get("queued", 0) + counts.get("claimed", 0)
    return f"{healthy} of {len(feeds)} feeds healthy, {waiting} deliveries waiting"


def _patient(
    name: str, act: Callable[[], Awaitable[timedelta]]
) -> Callable[[], Awaitable[timedelta]]:
    """*act*, tried again later when the database is busy: that passes by itself."""

    async def tried() -> timedelta:
        try:
            return await act()
        except StoreBusy as busy:
            log.warning("database busy", tick=name, detail=str(busy))
            return timedelta(seconds=2)

    return tried


def _until(at: datetime | None) -> timedelta:
    wait = LONGEST_WAIT if at is None else at - utc_now()
    return min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)
