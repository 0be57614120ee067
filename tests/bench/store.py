"""What the store costs per poll, on an empty and on a long history; what opening costs.

    python tests/bench/store.py [--history 100000] [--rounds 300]

Median and 95th percentile of wall time per call in microseconds, on a real file.  A commit waits
for the disk (``synchronous=FULL``): "commit alone" is that wait and the poll, "commit of 20" is one
poll's share of a group.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from monitor.model import Entry, Feed, Outcome
from monitor.store.sqlite import SqliteStore
from tests.builders import NOW, a_delivery, an_alert, an_entry, an_outcome, feed_settings, minutes

FEEDS = 20
BODY = "Ministers of the alliance agreed on faster deliveries of air defence. " * 12
WORDS = [f"word{n}" for n in range(20_000)]


def made_entry(feed: Feed, number: int) -> Entry:
    """Of real size, ~1.7 kB, with words of its own."""
    own = " ".join(WORDS[(number * 7919 + n * n) % len(WORDS)] for n in range(60))
    return an_entry(
        f"Story {number} {own[:60]}",
        feed=feed,
        keys=(f"g:{number}", f"l:https://news.example/{number}"),
        url=f"https://news.example/{number}",
        summary=f"{BODY} {own}",
        first_seen_at=NOW + timedelta(seconds=number),
    )


def filled(path: Path, history: int) -> tuple[SqliteStore, list[Feed]]:
    store = SqliteStore.open(str(path))
    names = [
        feed_settings(url=f"https://feeds{n}.example/", name=f"Feed {n}") for n in range(FEEDS)
    ]
    store.sync_feeds(names, NOW)
    feeds = store.claim_due(0, FEEDS, NOW, minutes(10))
    for start in range(0, history, 1000):
        feed = feeds[start // 1000 % FEEDS]
        entries = [made_entry(feed, n) for n in range(start, min(start + 1000, history))]
        store.commit([an_outcome(*entries, feed=feed)])
    return store, feeds


def measured(what: str, rounds: int, call: Callable[[int], object], share: int = 1) -> None:
    taken = []
    for number in range(rounds):
        began = time.perf_counter()
        call(number)
        taken.append((time.perf_counter() - began) * 1e6 / share)
    cuts = statistics.quantiles(taken, n=20)
    print(f"  {what:<44} {statistics.median(taken):>9.0f} µs  95 %: {cuts[-1]:>9.0f} µs")


def polls(store: SqliteStore, feeds: list[Feed], history: int, rounds: int) -> None:
    feed = feeds[0]
    seen = [f"g:{n}" for n in range(30)]
    fresh = iter(range(history, history + 100_000_000))

    def of_five(feed: Feed) -> Outcome:
        entries = [made_entry(feed, next(fresh)) for _ in range(5)]
        alert = an_alert(entries[0])
        return an_outcome(*entries, feed=feed, alerts=(alert,), deliveries=(a_delivery(alert),))

    ready = [of_five(feed) for _ in range(rounds)]
    groups = [[of_five(each) for each in feeds] for _ in range(rounds // 10)]
    quiet = [[Outcome(feed=each) for each in feeds] for _ in range(rounds)]
    measured("known, 30 keys", rounds, lambda _: store.known(feed.id, seen))
    assert store.commit([Outcome(feed=feed)]) == [True]  # else the rest would measure refusals
    measured("commit alone, nothing new", rounds, lambda _: store.commit([Outcome(feed=feed)]))
    measured("commit of 20, nothing new, each", rounds, lambda n: store.commit(quiet[n]), FEEDS)
    measured("commit alone, 5 new entries, 1 alert", rounds, lambda n: store.commit([ready[n]]))
    measured(
        "commit of 20, 5 new entries, each", len(groups), lambda n: store.commit(groups[n]), FEEDS
    )
    measured("claim and return 50 deliveries", 30, lambda _: claim_and_return(store))


def claim_and_return(store: SqliteStore) -> None:
    claimed = store.claim_deliveries(NOW, 50, "desk")
    assert claimed
    store._db.execute("UPDATE deliveries SET state = 'queued' WHERE state = 'claimed'")


def reading(store: SqliteStore, path: Path) -> None:
    measured("newest 100 entries", 20, lambda _: store.entries())
    measured("newest 100 entries of a feed", 20, lambda _: store.entries(feed="Feed 0"))
    measured("entries of a feed that does not exist", 5, lambda _: store.entries(feed="none"))
    measured("open and check", 3, lambda _: SqliteStore.open(str(path)).close())
    measured("open to read", 5, lambda _: SqliteStore.read_only(str(path)).close())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--history", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=300)
    given = parser.parse_args()
    for history in (0, given.history):
        with tempfile.TemporaryDirectory(dir=".") as folder:
            path = Path(folder, "monitor.db")
            store, feeds = filled(path, history)
            size = path.stat().st_size / 2**20
            print(f"{history} entries stored, {size:.0f} MiB")
            polls(store, [replace(f) for f in feeds], history, given.rounds)
            reading(store, path)
            store.close()


if __name__ == "__main__":
    main()
