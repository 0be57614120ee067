"""One round of polls of a farm's feeds, measured from within: our entry for ``bench/peers/run.py``.

    python -m tests.bench.cycle DB BASE_URL N [--everything] [--profile FILE]

Feeds BASE_URL/feed/0.xml … are polled once each by the real loops, with their state in DB; rules
and stories are off, everything else is on: errors, redirects, limits, logging, outbox.  The farm's
host gets many names, as real feeds have many hosts, and one is asked one thing at a time.  The last
line is JSON: CPU and wall seconds without start-up, parse workers included, entries found, and the
memory at its peak.  ``--everything`` is with 1 000 rules and with stories.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import resource
import sqlite3
import time
from collections.abc import Awaitable, Sequence, Set
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from monitor import logs
from monitor.cli.journal import Journal
from monitor.events import Event, Polled
from monitor.feeds.fetch import Fetcher
from monitor.feeds.parse import Parser
from monitor.model import Entry, Fetched, Placement, Told
from monitor.pipeline.in_force import InForce
from monitor.pipeline.memory import Draft, Memory
from monitor.pipeline.poll import Poller
from monitor.pipeline.shared import Shared, utc_now
from monitor.rules.load import load
from monitor.settings import Config, FeedSettings, PollSettings
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from monitor.stories.index import Index
from tests.bench.match import Rules, texts

HOSTS = 32


class NoStories(Memory):
    """Every entry founds a story of its own, and none is remembered."""

    async def load(self, now: datetime) -> None:
        """There is nothing to compare with."""

    async def place(
        self, entries: Sequence[Entry], now: datetime, ignored: Set[str] = frozenset()
    ) -> Draft:
        return Draft(index=Index(), placements={each.id: _alone(each) for each in entries})

    def adopt(self, draft: Draft) -> None:
        """Nothing is remembered."""


def _alone(entry: Entry) -> Placement:
    told = Told(
        entry_id=entry.id,
        story_id=entry.id,
        feed_id=entry.feed_id,
        outlet="",
        seen_at=entry.first_seen_at,
        features=b"",
        sketch=(),
    )
    return Placement(told=told)


class Count:
    """Logs events as the daemon does, and counts entries."""

    def __init__(self) -> None:
        self.new, self.failed, self._journal = 0, 0, Journal()

    def __call__(self, event: Event) -> None:
        self._journal(event)
        if isinstance(event, Polled):
            self.new += event.new
            self.failed += event.kind.value == "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds."""

    wall: float
    cpu: float  # children included


def config_of(database: str, base: str, count: int) -> Config:
    port = urlsplit(base).port
    return Config(
        path="config.toml",
        database=database,
        rules="rules",
        timezone=ZoneInfo("UTC"),
        poll=PollSettings(
            per_host_gap=timedelta(0), allow_private=(ip_network("127.0.0.0/8"),), concurrency=32
        ),
        feeds=tuple(
            FeedSettings(url=f"http://h{n % HOSTS}.farm.test:{port}/feed/{n}.xml", name=f"feed {n}")
            for n in range(count)
        ),
        channels=(),
        allow_empty=True,
    )


async def on_this_machine(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def spent(but_for: Sequence[str] = ()) -> float:
    """CPU seconds of this process and of its children, living (*but_for* some) and dead."""
    dead = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = (pid for pid in children() if pid not in but_for)
    return time.process_time() + dead.ru_utime + dead.ru_stime + sum(map(_cpu_of, own))


def children() -> list[str]:
    """The process numbers of those that live."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def _cpu_of(pid: str) -> float:
    """By the scheduler's count, in nanoseconds: clock ticks are too coarse here."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def peak() -> float:
    """MiB of memory of this process at most; parse workers apart."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def warm_up(parser: Parser) -> None:
    """Start the parse workers: imports are not what is measured."""
    nothing = Fetched(body=b"<rss version='2.0'><channel></channel></rss>", final_url="http://x/")
    await asyncio.gather(*(parser.parse(nothing) for _ in range(2)))


def make_due(database: str) -> None:
    """All feeds, at once: this is not what is measured."""
    db = sqlite3.connect(database)
    with db:
        db.execute("UPDATE feeds SET next_poll_at = 0, leased_from = NULL")
    db.close()


def a_thousand_rules() -> bytes:
    """Of the kind analysts write, as a file."""
    return "".join(
        f'[[rule]]\nname = "rule {n}"\nquery = {json.dumps(query)}\nchannels = []\n'
        for n, query in enumerate(Rules(texts()).many(1_000))
    ).encode()


class Ours:
    """The monitor's poll loop over the feeds of *config*; polls each once a round."""

    def __init__(self, config: Config, *, everything: bool = False) -> None:
        self._config, self.count, self._everything = config, Count(), everything
        self._store = Writer(lambda: SqliteStore.open(config.database))
        rules = load({"rules.toml": a_thousand_rules()} if everything else {})
        in_force = InForce(config=config, rules=rules)
        self._shared = Shared(in_force=in_force, store=self._store, report=self.count)
        self._parser = Parser()

    async def start(self) -> None:
        await self._store.call(lambda each: each.sync_feeds(self._config.feeds, utc_now()))
        await warm_up(self._parser)

    async def round(self, timed: AbstractContextManager[object] | None = None) -> Cost:
        """Poll every feed once.  Opening the fetcher is not what is measured."""
        await asyncio.to_thread(make_due, self._config.database)
        memory = Memory(self._store) if self._everything else NoStories(self._store)
        await memory.load(utc_now())
        settings, feeds = self._config.poll, self._config.feeds
        async with Fetcher(settings, feeds=feeds, resolve=on_this_machine) as fetcher:
            poller = Poller(self._shared, fetcher=fetcher, parser=self._parser, memory=memory)
            with timed or nullcontext():
                return await measured(poller.round())

    async def aclose(self) -> None:
        await self._parser.aclose()
        await self._store.aclose()


async def measured(work: Awaitable[object]) -> Cost:
    """What *work* cost."""
    began, before = time.perf_counter(), spent()
    await work
    return Cost(wall=time.perf_counter() - began, cpu=spent() - before)


async def cycle(
    config: Config, timed: AbstractContextManager[object], *, everything: bool = False
) -> tuple[Count, Cost]:
    """Poll every feed once; what came of it."""
    ours = Ours(config, everything=everything)
    await ours.start()
    cost = await ours.round(timed)
    await ours.aclose()
    return ours.count, cost


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("database")
    arguments.add_argument("base")
    arguments.add_argument("count", type=int)
    arguments.add_argument("--profile", help="file for the figures of cProfile")
    arguments.add_argument("--everything", action="store_true", help="with rules and stories")
    asked = arguments.parse_args()
    logs.set_up(terminal=False)
    profile = cProfile.Profile() if asked.profile else None
    count, cost = asyncio.run(
        cycle(
            config_of(asked.database, asked.base, asked.count),
            profile or nullcontext(),
            everything=asked.everything,
        )
    )
    if profile:
        profile.dump_stats(asked.profile)
    found = {"new": count.new, "failed": count.failed, "peak_mib": peak()}
    print(json.dumps({"wall": cost.wall, "cpu": cost.cpu, **found}))


if __name__ == "__main__":
    main()
