"""What the lane costs with a full window in a real database, and how long a restart takes.

    python -m tests.bench.story_restart [ENTRIES]

Fills a database with made-up entries of 1.5 kB (see ``story_growth``) over 70 hours, through the
lane's own memory; then opens it anew.  The bar: 5 s at 100 000 entries.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from monitor import ids, ingest
from monitor.pipeline.memory import Memory
from monitor.settings import FeedSettings
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from tests.bench.story_growth import START
from tests.bench.story_growth import Writer as Author
from tests.builders import a_feed
from tests.test_ingest import MatchesWords, config

BATCH = 250


async def fill(path: str, entries: int) -> None:
    store = Writer(lambda: SqliteStore.open(path))
    settings = [FeedSettings(url=a_feed().url, name="One")]
    await store.call(lambda s: s.sync_feeds(settings, START))
    memory, author = Memory(store), Author()
    await memory.load(START)
    step, spent = timedelta(hours=70) / entries, []
    for first in range(0, entries, BATCH):
        now = START + first * step
        due = now + timedelta(days=9)
        (feed,) = await store.call(lambda s: s.claim_due(0, 1, due, timedelta(minutes=1)))  # noqa: B023
        batch = [
            replace(author.entry(n, now), id=ids.derive("entry", str(n)), feed_id=feed.id)
            for n in range(first, first + BATCH)
        ]
        began = time.perf_counter()
        draft = await memory.place(batch, now)
        spent.append((time.perf_counter() - began) / BATCH)
        situation = ingest.Situation(feed=feed, matcher=MatchesWords(), config=config(), now=now)
        stories = {each.told.story_id for each in draft.placements.values()}
        standings = await store.call(lambda s: s.standings(stories))  # noqa: B023
        pairs = [(entry, draft.placements[entry.id]) for entry in batch]
        outcome, _ = ingest.decide(pairs, standings, situation)
        assert await store.commit(outcome)
        memory.adopt(draft)
    last = sorted(spent[-20:])
    print(
        f"placing, the last {20 * BATCH} entries: {last[10] * 1e3:.2f} ms each (median of slices)"
    )
    await memory.save()
    await store.aclose()


async def restart(path: str) -> None:
    store = Writer(lambda: SqliteStore.open(path))
    began = time.perf_counter()
    await store.call(lambda s: s.count_entries())
    opened = time.perf_counter()
    memory = Memory(store)
    await memory.load(START + timedelta(hours=70))
    filled = time.perf_counter()
    print(f"opening with its check {opened - began:.2f} s, memory {filled - opened:.2f} s")
    await store.aclose()


def main() -> None:
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "monitor.db")
        asyncio.run(fill(path, entries))
        print(f"database: {Path(path).stat().st_size / entries:.0f} bytes an entry")
        asyncio.run(restart(path))
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
