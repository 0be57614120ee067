"""Ten thousand feeds a minute over fresh TLS connections: what it takes, and whether it keeps time.

    python -m tests.bench.capacity [--feeds 10000] [--interval 60] [--minutes 10]
        [--event-loop uvloop]

The daemon's own loops in this process, with parse workers, rules, stories and logging; the farm in
another, with a certificate for as many hosts as feeds and a new connection for each visit.  Of the
visits 65 % find nothing changed, 30 % a document without news, 5 % a new entry; one feed in twenty
answers after three seconds, and giant and hostile documents are among them (``oddities``).
Measured from when every feed has been seen once and no visit is overdue: CPU of this process and
its parse workers, how late a request goes out, how long the event loop stands still, the memory at
its peak; and what the obvious script takes on this machine, before and after (``yardstick``).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trustme

from monitor.cli.event_loop import OWN, UVLOOP, maker_of
from monitor.events import Event, Polled
from monitor.pipeline.session import Session
from monitor.pipeline.shared import utc_now
from tests.bench import yardstick
from tests.bench.cycle import children, peak, spent
from tests.bench.farm import farming
from tests.bench.house import the_daemon, write_house
from tests.bench.tables import Table, printed, quantile, ratio

DOMAIN = "farm.test"
NAP = 0.01  # seconds; what a nap takes longer, the loop stood still
RULES = 100
ROOM = 0.05  # by which an interval may be shorter or longer
PATIENCE = 3_600.0  # seconds for the first visits: each document is read as a whole
OVERDUE = timedelta(seconds=5)


@dataclass(slots=True, kw_only=True)
class Seen:
    """What was seen while the daemon ran; seconds."""

    feeds: int
    event_loop: str  # whose it is: asyncio, uvloop
    due: dict[str, datetime] = field(default_factory=dict)  # by host: when the next visit is due
    known: set[str] = field(default_factory=set)  # hosts that were visited
    late: list[float] = field(default_factory=list)
    stalls: list[float] = field(default_factory=list)
    results: dict[str, int] = field(default_factory=dict)
    new: int = 0
    first_visits: float = 0.0  # until all had been seen and nothing was overdue
    wall: float = 0.0
    cpu: float = 0.0
    obvious: float = 0.0  # CPU milliseconds of the obvious script for such a visit, without TLS
    counting: bool = False

    def asked(self, host: str) -> None:
        due = self.due.pop(host, None)
        if self.counting and due is not None:
            self.late.append((utc_now() - due).total_seconds())

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """What happens meanwhile counts."""
        self.counting = True
        try:
            yield
        finally:
            self.counting = False

    @property
    def settled(self) -> bool:
        """All but the hostile ones, which take long and are few, have been visited in time."""
        overdue = sum(due < utc_now() - OVERDUE for due in self.due.values())
        return len(self.known) - overdue >= self.feeds * 0.98

    def note(self, event: Event) -> None:
        if not isinstance(event, Polled):
            return
        host = host_of(event.feed.url)
        self.known.add(host)
        self.due[host] = event.feed.next_poll_at
        if self.counting:
            self.results[event.kind.value] = self.results.get(event.kind.value, 0) + 1
            self.new += event.new


@cache
def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def watched(session: Session, seen: Seen) -> None:
    """Let *seen* know of every request as it goes out, and of what came of each visit."""
    poller = session.poller
    fetcher: Any = poller._fetcher
    exchange: Callable[..., Awaitable[Any]] = fetcher._exchange
    report = poller._report

    def ask(url: Any, *others: Any) -> Awaitable[Any]:
        seen.asked(url.host)
        return exchange(url, *others)

    def note(event: Event) -> None:
        seen.note(event)
        report(event)

    fetcher._exchange, poller._report = ask, note


class Stalls:
    """Naps in the running event loop, again and again.

    They count as work of the monitor's, so they are bare, and not many: naps of half the length
    in a task of their own took 3 % of a core, these 1.3.  What a stall has behind it when the nap
    would end is not seen: half a nap in the mean.
    """

    def __init__(self, found: list[float]) -> None:
        self._found, self._loop = found, asyncio.get_running_loop()
        self._due = 0.0

    def __enter__(self) -> None:
        self._go_on()

    def __exit__(self, *_: object) -> None:
        self._handle.cancel()

    def _wake(self) -> None:
        self._found.append(time.perf_counter() - self._due)
        self._go_on()

    def _go_on(self) -> None:
        self._due = time.perf_counter() + NAP
        self._handle = self._loop.call_later(NAP, self._wake)


async def measured(config: Path, feeds: int, minutes: float) -> Seen:
    loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
    seen, start = Seen(feeds=feeds, event_loop=loop), time.perf_counter()
    farm = children()  # no work of the daemon's
    async with the_daemon(config) as session:
        watched(session, seen)
        async with asyncio.timeout(PATIENCE):
            while not seen.settled:
                await asyncio.sleep(1)
        await asyncio.sleep(10)  # what the first visits left to do
        seen.first_visits = time.perf_counter() - start
        began, before = time.perf_counter(), spent(but_for=farm)
        with seen.counted(), Stalls(seen.stalls):
            await asyncio.sleep(minutes * 60)
        seen.wall, seen.cpu = time.perf_counter() - began, spent(but_for=farm) - before
    return seen


def certified(folder: Path) -> str:
    """The file of the farm's key and certificate; from now on SSL_CERT_FILE names its authority."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    os.environ["SSL_CERT_FILE"] = str(folder / "authority.pem")
    path = folder / "farm.pem"
    authority.issue_cert(f"*.{DOMAIN}").private_key_and_cert_chain_pem.write_to_path(str(path))
    return str(path)


def all_on_this_machine() -> None:
    """Names of the farm lead here; they are looked up as any other, in the resolver's threads."""
    look_up = socket.getaddrinfo

    def local(host: Any, *others: Any, **more: Any) -> Any:
        here = isinstance(host, str) and host.endswith(DOMAIN)
        return look_up("127.0.0.1" if here else host, *others, **more)

    socket.getaddrinfo = local


def bounds(interval: float) -> str:
    """An interval with room on both sides: pinned to a second feeds would march in step for ever,
    and a wave of them be late at every turn."""
    shortest, longest = int(interval * (1 - ROOM)), ceil(interval * (1 + ROOM))
    return (
        f'interval = "{interval:.0f}s"\nmin_interval = "{shortest}s"\nmax_interval = "{longest}s"'
    )


def run(feeds: int, interval: float, minutes: float, log: Path, event_loop: str = UVLOOP) -> Seen:
    before = yardstick.measured()  # and after: machines have slow hours
    seen = endured(feeds, interval, minutes, log, event_loop)
    seen.obvious = (before + yardstick.measured()) / 2
    return seen


def endured(feeds: int, interval: float, minutes: float, log: Path, event_loop: str) -> Seen:
    all_on_this_machine()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        stack.callback(os.environ.pop, "SSL_CERT_FILE", None)
        certificate = certified(Path(name))
        base = stack.enter_context(farming(feeds, "--lively", "--unlike", "--tls", certificate))
        port = urlsplit(base).port
        urls = (f"https://f{n}.{DOMAIN}:{port}/feed/{n}.xml" for n in range(feeds))
        poll = f"{bounds(interval)}\nconcurrency = 128"
        config = write_house(Path(name) / "house", urls, rules=RULES, poll=poll)
        stack.enter_context(contextlib.redirect_stderr(stack.enter_context(log.open("w"))))
        with asyncio.Runner(loop_factory=maker_of(event_loop)) as runner:
            return runner.run(measured(config, feeds, minutes))


def table(seen: Seen) -> Table:
    visits = sum(seen.results.values())
    cpu = seen.cpu / max(1, visits) * 1e3
    rows = [
        ("event loop", seen.event_loop),
        ("visits a second", f"{visits / seen.wall:.0f}"),
        ("CPU, of one core", f"{seen.cpu / seen.wall:.0%}"),
        ("CPU a visit", f"{cpu:.2f} ms"),
        ("… of the obvious script, without TLS", f"{seen.obvious:.2f} ms"),
        ("times cheaper", ratio(seen.obvious / cpu)),
        ("a request goes out late by, half", f"{quantile(seen.late, 0.5) * 1e3:.0f} ms"),
        ("… 99 %", f"{quantile(seen.late, 0.99) * 1e3:.0f} ms"),
        ("the event loop stands still, half", f"{quantile(seen.stalls, 0.5) * 1e3:.1f} ms"),
        ("… 99.9 %", f"{quantile(seen.stalls, 0.999) * 1e3:.0f} ms"),
        ("memory at its peak", f"{peak():.0f} MiB"),
        ("before: until every feed was known", f"{seen.first_visits:.0f} s"),
        *((f"visits: {kind}", str(count)) for kind, count in sorted(seen.results.items())),
        ("new entries", str(seen.new)),
    ]
    return Table(title=f"{seen.feeds} feeds for {seen.wall:.0f} s", heads=("what", ""), rows=rows)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--feeds", type=int, default=10_000)
    arguments.add_argument("--interval", type=float, default=60.0)
    arguments.add_argument("--minutes", type=float, default=10.0)
    arguments.add_argument("--event-loop", choices=(OWN, UVLOOP), default=UVLOOP)
    arguments.add_argument("--log", default=os.devnull, help="file for the daemon's log")
    asked = arguments.parse_args()
    seen = run(asked.feeds, asked.interval, asked.minutes, Path(asked.log), asked.event_loop)
    printed(table(seen))
    sys.stdout.flush()
    os._exit(0)  # as the daemon ends: name look-ups may still hang


if __name__ == "__main__":
    main()
