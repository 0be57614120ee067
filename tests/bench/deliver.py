"""From commit to sink: delay on an idle channel, a flood, and a long queue's drain.

    python -m tests.bench.deliver [delay|flood|drain] [--alerts N]

The real deliver loop, store, sending child and webhook sink on loopback; only the alerts are put
into the outbox by hand.  ``delay`` and the second part of ``flood`` raise the rate so that the
machine is measured and not the limit; ``drain`` allows twenty messages a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from monitor.alerts.send import Sender
from monitor.model import Alert, Delivery
from monitor.pipeline.deliver import Deliverer
from monitor.pipeline.in_force import InForce
from monitor.pipeline.shared import Shared
from monitor.rules.load import load
from monitor.settings import Channel, Rate, Target
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from tests.builders import a_delivery, an_alert, an_entry, an_outcome, feed_settings
from tests.replay import config_of
from tests.sinks import HttpSink, http_sink

FAST = Rate(a_second=1000.0, burst=1000)
CHUNK = 500


def now() -> datetime:
    return datetime.now(UTC)


class Post:
    """An outbox that is being emptied."""

    def __init__(self, store: Writer, deliverer: Deliverer) -> None:
        self.store, self.deliverer = store, deliverer

    async def queue(self, first: int, count: int) -> list[Alert]:
        """Commit *count* alerts about as many stories."""
        entries = [
            an_entry(f"Story {n} of the day", key=str(n)) for n in range(first, first + count)
        ]
        alerts = [replace(an_alert(entry), created_at=now()) for entry in entries]
        rows: list[Delivery] = [a_delivery(a, due_at=now(), created_at=now()) for a in alerts]

        def put(store: SqliteStore) -> None:
            (feed,) = store.feeds()
            at_home = [replace(entry, feed_id=feed.id) for entry in entries]
            store.commit([an_outcome(*at_home, feed=feed, alerts=alerts, deliveries=rows)])

        await self.store.call(put)  # type: ignore[arg-type]
        return alerts

    async def waiting(self) -> int:
        counts = await self.store.call(lambda store: store.queue_lengths())
        return counts.get("queued", 0) + counts.get("claimed", 0)


@asynccontextmanager
async def a_post(folder: Path, sink: HttpSink, rate: Rate) -> AsyncIterator[Post]:
    target = Target(name="desk", url=sink.url("200"))
    channel = Channel(name="desk", targets=(target,), kind="json", rate=rate)
    config = replace(config_of(folder), channels=(channel,))
    store, sender = Writer(lambda: SqliteStore.open(config.database)), Sender(terminal=print)
    shared = Shared(
        in_force=InForce(config=config, rules=load({})),
        store=store,
        clock=now,
        report=lambda _: None,
    )
    await store.call(lambda each: each.sync_feeds([feed_settings()], now()))
    try:
        yield Post(store, Deliverer(shared, sender=sender))
    finally:
        await sender.aclose()
        await store.aclose()


def told(sink: HttpSink) -> list[str]:
    """Alert ids in all that was received."""
    found = []
    for posted in sink.posted:
        text = json.loads(posted.body)["message"]
        found += [word.strip(",()") for word in text.split() if len(word.strip(",()")) == 16]
    return found


async def delay(folder: Path, alerts: int) -> None:
    async with http_sink() as sink, a_post(folder, sink, FAST) as post:
        await post.queue(0, 1)
        await post.deliverer.round()  # the sending child starts
        spent = []
        for n in range(1, alerts + 1):
            await post.queue(n, 1)
            began = time.perf_counter()
            await post.deliverer.round()
            spent.append((time.perf_counter() - began) * 1e3)
        assert len(sink.posted) == alerts + 1
    spent.sort()
    print(
        f"commit to accepted and recorded, {alerts} alerts:"
        f" median {statistics.median(spent):.1f} ms,"
        f" p99 {spent[int(len(spent) * 0.99) - 1]:.1f} ms, worst {spent[-1]:.1f} ms"
    )


async def flood(folder: Path, alerts: int) -> None:
    for name, rate in (("usual rate, 2/s", Rate(a_second=2.0)), ("no rate", FAST)):
        async with http_sink() as sink, a_post(folder / name[:2], sink, rate) as post:
            began = time.perf_counter()
            for first in range(0, alerts, CHUNK):
                await post.queue(first, min(CHUNK, alerts - first))
                await post.deliverer.round()
            while await post.waiting():
                await post.deliverer.round()
                await asyncio.sleep(0.05)
            ids, spent = told(sink), time.perf_counter() - began
            print(
                f"{alerts} matches, {name}: {len(sink.posted)} messages in {spent:.0f} s,"
                f" {alerts - len(set(ids))} lost, {len(ids) - len(set(ids))} repeated"
            )


async def drain(folder: Path, alerts: int) -> None:
    async with http_sink() as sink, a_post(folder, sink, Rate(a_second=20.0)) as post:
        for first in range(0, alerts, CHUNK):
            await post.queue(first, CHUNK)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        began = time.perf_counter()
        while await post.waiting():
            await post.deliverer.round()
            await asyncio.sleep(0.01)
        spent = time.perf_counter() - began
        ids = told(sink)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{alerts} queued: drained in {spent:.0f} s, {len(sink.posted)} messages,"
        f" {alerts - len(set(ids))} lost; peak memory {peak:.0f} MiB before, {after:.0f} MiB after"
        " (the sink's own copies included)"
    )


BENCHES = {"delay": (delay, 1_000), "flood": (flood, 10_000), "drain": (drain, 50_000)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bench", nargs="?", choices=sorted(BENCHES))
    parser.add_argument("--alerts", type=int)
    given = parser.parse_args()
    for name, (bench, usual) in BENCHES.items():
        if given.bench in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                for part in ("us", "no"):
                    (Path(folder) / part).mkdir()
                asyncio.run(bench(Path(folder), given.alerts or usual))


if __name__ == "__main__":
    main()
