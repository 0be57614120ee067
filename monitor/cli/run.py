"""``run`` and ``once``: the daemon, and one round of it for cron."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import pyexpat
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

import click
import structlog

from monitor import expat, logs
from monitor.cli.event_loop import event_loop_option, maker_of
from monitor.cli.options import config_option, config_path
from monitor.cli.ticks import noted, ticks
from monitor.cli.waker import Waker
from monitor.confidential import secrets_of
from monitor.config import read
from monitor.daemon import Daemon
from monitor.errors import Problem, StoreBusy
from monitor.events import Event, Handed, Polled, PollKind, Trouble
from monitor.feeds import health
from monitor.heaps import bound_heaps
from monitor.model import Feed, Refused
from monitor.pipeline.all_feeds import all_feeds
from monitor.pipeline.last_list import last_good
from monitor.pipeline.session import Session, opened
from monitor.rules.load import RuleSet
from monitor.settings import Config
from monitor.supervisor import Progress, Supervisor

log = structlog.get_logger()

YOUNG = 10_000  # objects made and kept until garbage is looked for; by itself Python takes 700


class Shows(Protocol):
    """What is done with events: printed on a terminal, or logged as JSON lines."""

    def start(self, config: Config, rules: RuleSet, feeds: list[Feed]) -> None: ...

    def __call__(self, event: Event) -> None: ...

    def message(self, text: str) -> None: ...

    def end_progress(self) -> None: ...

    def close(self) -> None: ...


log_level_option = click.option(
    "--log-level",
    type=click.Choice(("debug", "info", "warning", "error")),
    default="info",
    help="What is logged; info by default. warning leaves out what went well.",
)


@click.command()
@config_option
@log_level_option
@event_loop_option
def run(log_level: str, event_loop: str) -> None:
    """Watch the feeds and alert until stopped (Ctrl-C or SIGTERM).

    On a terminal it prints a line for every event; without one, JSON lines on stderr. Rules and
    config.toml may be edited while it runs: a good edit is in force within two seconds, a bad one
    changes nothing and is reported.
    """
    make_loop = maker_of(event_loop)
    try:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(_run(config_path(), log_level))
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
        every = ticks(session)
        progress, supervisor = Progress([tick.name for tick in every]), Supervisor()
        waker.progress = progress
        daemon = Daemon(
            [noted(tick, progress) for tick in every],
            on_hangup=lambda: waker.hang_up(session),
            on_jump=session.jumps.jumped,
        )
        waker.daemon = daemon
        session.store.on_damage = partial(waker.despair, session)
        await _show_start(session, shows)
        supervisor.tell("READY=1", f"MAINPID={os.getpid()}")
        watching = asyncio.create_task(supervisor.watch(progress, partial(_how_it_is, session)))
        await daemon.run()
        supervisor.tell("STOPPING=1")
        watching.cancel()


async def _once(path: Path, log_level: str) -> int:
    failed: list[Event] = []
    async with _session(path, log_level, failed) as (session, shows, _):
        await _show_start(session, shows)
        await session.poller.round()
        await session.articles.round()
        await session.upkeep.sweep()
        await session.deliverer.round()
        await session.housekeeping.round()
        await session.heartbeat.tick()
    return 1 if failed else 0


async def _show_start(session: Session, shows: Shows) -> None:
    in_force = session.in_force
    shows.start(in_force.config, in_force.rules, await all_feeds(session.store.call))


@asynccontextmanager
async def _session(
    path: Path, log_level: str, failed: list[Event] | None = None
) -> AsyncIterator[tuple[Session, Shows, Waker]]:
    bound_heaps()  # before there are threads
    config, warnings = read(path, last_good=last_good)
    terminal = sys.stdout.isatty()
    logs.set_up(terminal=terminal, level=logging.getLevelNamesMapping()[log_level.upper()])
    logs.register_secrets(secrets_of(config))
    _warn(warnings)
    shows, waker = _shows(config, terminal=terminal), Waker()

    def report(event: Event) -> None:
        if failed is not None and _is_failure(event):
            failed.append(event)
        shows(event)
        waker.told(event)

    try:
        async with opened(
            config,
            report=report,
            terminal=shows.message,
            queued=waker.queued,
            hinted=waker.hinted,
            stuck=waker.stuck,
        ) as session:
            # What is loaded stays; to look for garbage among all that lives holds everything up.
            gc.freeze()
            gc.set_threshold(YOUNG)
            try:
                yield session, shows, waker
            finally:
                shows.end_progress()
    finally:
        shows.close()


def _warn(warnings: Sequence[Problem]) -> None:
    """What works, but is worth a look: secrets that others can read, an old XML parser."""
    for each in warnings:
        log.warning("worth a look", detail=str(each))
    if old := expat.warning(pyexpat.EXPAT_VERSION):
        log.warning("old XML parser", detail=old)


def _shows(config: Config, *, terminal: bool) -> Shows:
    if terminal:
        from monitor.cli.console import Live
        from monitor.cli.screen import Screen

        return Live(Screen(sys.stdout), config)
    from monitor.cli.journal import Journal

    return Journal()


def _is_failure(event: Event) -> bool:
    if isinstance(event, Polled):
        return event.kind is PollKind.FAILED
    return isinstance(event, Trouble) or (
        isinstance(event, Handed) and isinstance(event.result, Refused)
    )


async def _how_it_is(session: Session) -> str:
    """One line for ``systemctl status``."""
    try:
        feeds = [feed for feed in await all_feeds(session.store.call) if not feed.paused]
        counts = await session.store.call(lambda store: store.queue_lengths())
    except StoreBusy:
        return "the database is busy"
    healthy = sum(not health.is_ailing(feed) for feed in feeds)
    waiting = counts.get("queued", 0) + counts.get("claimed", 0)
    return f"{healthy} of {len(feeds)} feeds healthy, {waiting} deliveries waiting"
