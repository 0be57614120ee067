"""What a new entry costs in CPU, and what the window weighs, at 1 000, 10 000 and 100 000 entries.

    python -m tests.bench.story_growth [LARGEST]

Made-up entries of 1.5 kB over three days: words drawn as often as in the shipped table, one entry
in three about one of 2 000 events.  The last line is a restart: the index filled from rows.
"""

from __future__ import annotations

import pickle
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from monitor.model import Entry, Told
from monitor.stories import background, group
from monitor.stories.index import Index
from monitor.stories.postings import Postings

START = datetime(2025, 2, 13, tzinfo=UTC)
EVENTS = 2_000
WORDS = 240  # about 1.5 kB
MEASURED = 500


def weight(index: Index) -> int:
    """Bytes the index holds: its columns with what they hold, its postings and its stories."""
    columns = [index._ids, index._story_ids, index._feed_ids, index._outlets, index._vectors]
    total = sum(sys.getsizeof(column) for column in (*columns, index._seen, index._sizes))
    total += sum(map(sys.getsizeof, index._vectors))
    total += sum(postings_weight(p) for p in (index._by_feature, index._by_text, index._by_label))
    total += sys.getsizeof(index._stories)
    return total + sum(
        sys.getsizeof(story) + sys.getsizeof(story.core) + 16 + 32 + 32  # its header, time and key
        for story in index._stories.values()
    )


def postings_weight(postings: Postings) -> int:
    frozen = sum(part.postings.nbytes for part in postings._parts)
    fresh = sum(sys.getsizeof(lows) + 32 * (len(lows) + 1) for lows in postings._fresh.values())
    return frozen + fresh + sys.getsizeof(postings._fresh)


class Writer:
    """Makes entries."""

    def __init__(self) -> None:
        self._chance = random.Random(3)
        counts = background.frequencies("en").counts
        rare = {f"{a}{b}": 2 for a in list(counts)[:6000:2] for b in ("son", "ville", "ov", "berg")}
        table = {**counts, **rare}
        self._words, self._totals = list(table), list(accumulate(table.values()))
        self._events = [self._draw(25) for _ in range(EVENTS)]

    def _draw(self, n: int) -> list[str]:
        return self._chance.choices(self._words, cum_weights=self._totals, k=n)

    def entry(self, number: int, at: datetime) -> Entry:
        found = self._draw(WORDS)
        if self._chance.random() < 1 / 3:
            found[:60] = self._chance.choices(self._chance.choice(self._events), k=60)
            self._chance.shuffle(found)
        return Entry(
            id=f"{number:016x}",
            feed_id=f"feed{number % 500}",
            feed_name="",
            keys=(str(number),),
            url=f"https://outlet{number % 300}.example/{number}",
            title=" ".join(found[:9]),
            summary=" ".join(found[9:]),
            language="en",
            first_seen_at=at,
            fingerprint="",
        )


def main() -> None:
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    writer, index, counted = Writer(), Index(), background.frequencies("en")
    rows, spent, joined = [], [], 0
    step = timedelta(hours=70) / largest
    for number in range(largest):
        entry = writer.entry(number, START + number * step)
        start = time.process_time()
        new = group.telling(entry, counted)
        draft = index.draft()
        told = group.told(new, group.assign(new, draft, entry.first_seen_at))
        draft.add(told)
        index.adopt(draft)
        counted.count(new.terms)
        spent.append(time.process_time() - start)
        joined += told.story_id != told.entry_id
        if number + 1 in (1_000, 10_000, 100_000, largest):
            report(number + 1, spent, weight(index), joined)
        if number >= largest - 100_000:
            rows.append(pickle.dumps(told))  # 100,000 objects would keep the collector busy
    restart([pickle.loads(row) for row in rows])


def report(n: int, spent: list[float], size: int, joined: int) -> None:
    last = sorted(spent[-MEASURED:])
    print(
        f"{n:7} entries  median {last[MEASURED // 2] * 1e3:5.2f} ms  mean "
        f"{sum(last) / MEASURED * 1e3:5.2f} ms  99 % {last[-MEASURED // 100] * 1e3:5.2f} ms  "
        f"worst so far {max(spent) * 1e3:6.1f} ms  {size / n:6.0f} bytes an entry  "
        f"{joined / n:.0%} joined",
        flush=True,
    )


def restart(rows: list[Told]) -> None:
    index, start = Index(), time.perf_counter()
    index.load(rows, rows[-1].seen_at)
    took = time.perf_counter() - start
    print(f"restart: {len(rows)} rows in {took:.2f} s")


if __name__ == "__main__":
    main()
