"""What the index for ``search`` costs: time and room an entry, and how long a search takes.

    python -m tests.bench.search [--entries 50000]

Entries of 1.5 kB with words as seldom as in news.  Time is processor time of adding to the index,
and of the commit that it is part of: polls alone (5 new entries), groups of 20 of them, and
portions of 500.  The bar: 60 µs an entry.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

from monitor.model import Entry, Feed
from monitor.searchquery import to_index
from monitor.store import search
from monitor.store.search import Wanted
from monitor.store.sqlite import SqliteStore
from tests.builders import NOW, an_entry, an_outcome, feed_settings, minutes

WORDS = [f"{start}{end}" for start in ("ka", "mo", "ri", "te", "lu") for end in range(8_000)]
QUERIES = ("ka5", "ka5 mo7", '"ka5 mo7"', "ka1* OR mo1*", "ka7999 -ri3", "nothing")


def written(feed: Feed) -> Iterator[Entry]:
    chance = random.Random(1)
    for number in count():
        ranks = [int(len(WORDS) * chance.random() ** 4) for _ in range(230)]
        own = [WORDS[rank] for rank in ranks]
        yield an_entry(
            f"{' '.join(own[:9])} {number}",
            feed=feed,
            key=f"g:{number}",
            summary=" ".join(own),
            first_seen_at=NOW,
        )


class Meter:
    """Processor time of adding to the index."""

    def __init__(self) -> None:
        self.spent, self._add = 0.0, search.catch_up
        search.catch_up = self._timed  # type: ignore[assignment]

    def _timed(self, db: object) -> None:
        began = time.thread_time()
        self._add(db)  # type: ignore[arg-type]
        self.spent += time.thread_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=50_000)
    given = parser.parse_args()
    meter = Meter()
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(SqliteStore.open(str(Path(folder, "monitor.db")))) as store,
    ):
        store.sync_feeds([feed_settings()], NOW)
        (feed,) = store.claim_due(0, 1, NOW, minutes(10))
        entries = written(feed)
        for polls, each, share in ((20, 5, 5), (1, 5, 20), (1, 500, 1)):
            stored, meter.spent, began = 0, 0.0, time.thread_time()
            while stored < given.entries // share:
                store.commit(
                    [
                        an_outcome(*(next(entries) for _ in range(each)), feed=feed)
                        for _ in range(polls)
                    ]
                )
                stored += polls * each
            whole = time.thread_time() - began
            print(
                f"{polls} polls with {each} new entries a commit: index"
                f" {meter.spent / stored * 1e6:.0f} µs an entry, all of it"
                f" {whole / stored * 1e6:.0f} µs"
            )
        db = store._db
        total = db.execute("SELECT count(*) FROM entries").fetchone()[0]
        size = db.execute(
            "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'entry_words%'"
        ).fetchone()[0]
        print(f"{total} entries: the index takes {size / total:.0f} bytes an entry")
        for query in QUERIES:
            for best in (False, True):
                began = time.perf_counter()
                found = store.search(Wanted(words=to_index(query), by_rank=best))
                taken = time.perf_counter() - began
                kind = "best" if best else "newest"
                print(f"  {query:<16} {kind:<7} {len(found):>3} found  {taken * 1e3:>7.1f} ms")


if __name__ == "__main__":
    main()
