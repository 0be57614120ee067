"""What a year of news makes of the database, against the formula of docs/operations.md.

    python -m tests.bench.size [--a-day 40] [--keep 90]

Each day brings entries of 1.5 kB, every twentieth an alert for two recipients whose messages are
made, frozen and accepted; each night texts older than ``--keep`` days are emptied and the log is
folded in, as the running monitor does it.  Prints the room of each thing, the formula's answer
beside the file, and the longest log.
"""

from __future__ import annotations

import argparse
import itertools
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor import ids
from monitor.alerts.render import render
from monitor.model import Alert, Delivery, DeliveryState, Entry, Excerpt, Finished
from monitor.settings import Channel
from monitor.store.care import log_size
from monitor.store.sqlite import SqliteStore
from tests.bench.search import written
from tests.builders import NOW, a_delivery, an_alert, an_outcome, feed_settings

DAYS, PER_ALERT, TARGETS = 365, 20, ("anna", "ben")
CHANNEL = Channel(name="mail", kind="mailto")
# Bytes, as docs/operations.md has them.
IDENTITY, TEXT, INDEX, ALERT, DELIVERY, MESSAGE = 1000, 1.4, 1.0, 1000, 300, 4200


class Year:
    def __init__(self, path: Path, keep: int) -> None:
        self.path, self.keep, self.longest_log, self.texts = path, timedelta(days=keep), 0, 0
        self.store = SqliteStore.open(str(path))
        self.store.sync_feeds([feed_settings()], NOW)
        (self.feed,) = self.store.claim_due(0, 1, NOW, timedelta(days=9))
        self.entries = written(self.feed)
        self.alerts = self.deliveries = 0

    def day(self, now: datetime, entries: int) -> None:
        for number in range(0, entries, 5):
            at = now + timedelta(minutes=number)
            self._poll([_seen(e, at) for e in itertools.islice(self.entries, 5)], at)
            self.longest_log = max(self.longest_log, log_size(str(self.path)))

    def _poll(self, entries: list[Entry], at: datetime) -> None:
        alerts = [
            an_alert(entry, created_at=at, excerpts=(_excerpt(entry),))
            for entry in entries
            if int(entry.keys[0][2:]) % PER_ALERT == 0
        ]
        rows = [_row(alert, name, at) for alert in alerts for name in TARGETS]
        self.texts += sum(len(e.title) + len(e.summary) for e in entries)
        self.store.commit(
            [an_outcome(*entries, feed=self.feed, alerts=tuple(alerts), deliveries=tuple(rows))]
        )
        for alert, row in itertools.product(alerts, rows):
            if row.alert_id == alert.id:
                self._send(row, alert, at)
        self.alerts += len(alerts)
        self.deliveries += len(rows)

    def _send(self, row: Delivery, alert: Alert, at: datetime) -> None:
        message = render(
            [(row, alert)],
            channel=CHANNEL,
            timezone=ZoneInfo("Europe/Brussels"),
            now=at,
            message_id=ids.derive("message", row.id),
        )
        self.store.freeze([message])
        done = replace(row, state=DeliveryState.ACCEPTED, attempts=1)
        self.store.finish([Finished(deliveries=(done,), at=at, state=None, result=None)])

    def night(self, now: datetime) -> None:
        self.store.forget_traces(now - timedelta(days=3))
        before = now - self.keep
        texts = self.store.old_texts(before, 100_000)
        for start in range(0, len(texts), 500):
            self.store.empty_texts(texts[start : start + 500], before)
            self.longest_log = max(self.longest_log, log_size(str(self.path)))
        for step in range(min(len(texts), 200)):
            if not self.store.tidy_index(begin=step == 0):
                break
        self.store.fold_log()


def _seen(entry: Entry, at: datetime) -> Entry:
    number = entry.keys[0][2:]
    url = f"https://www.outlet.example/news/2025/defence/a-headline-of-some-words-{number}.html"
    keys = (*entry.keys, f"l:{url}")
    return replace(entry, first_seen_at=at, published_at=at, url=url, keys=keys)


def _excerpt(entry: Entry) -> Excerpt:
    return Excerpt(field="summary", text=entry.summary[:250], marks=((0, 5),))


def _row(alert: Alert, name: str, at: datetime) -> Delivery:
    return a_delivery(alert, target=f"mail/{name}@example.org", created_at=at, due_at=at)


def room(db: sqlite3.Connection) -> dict[str, int]:
    """Table → bytes of it and its indexes."""
    query = (
        "SELECT coalesce(s.tbl_name, d.name) AS name, sum(d.pgsize) AS size FROM dbstat d"
        " LEFT JOIN sqlite_master s ON s.name = d.name GROUP BY 1"
    )
    sizes: dict[str, int] = {}
    for row in db.execute(query):
        name = "index" if row["name"].startswith("entry_words") else row["name"]
        sizes[name] = sizes.get(name, 0) + row["size"]
    return sizes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--a-day", type=int, default=40)
    parser.add_argument("--keep", type=int, default=90)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        year = Year(Path(folder, "monitor.db"), given.keep)
        with closing(year.store):
            for day in range(DAYS):
                year.day(NOW + timedelta(days=day), given.a_day)
                year.night(NOW + timedelta(days=day, hours=16))
            _report(year, given.a_day, given.keep)


def _report(year: Year, a_day: int, keep: int) -> None:
    entries, kept = DAYS * a_day, keep * a_day
    share = kept / entries
    letters = year.texts / entries
    print(
        f"{entries} entries of {letters:.0f} letters, texts of {kept} kept; {year.alerts} alerts,"
        f" {year.deliveries} deliveries"
    )
    for name, size in sorted(room(year.store._db).items(), key=lambda each: -each[1]):
        print(f"  {name:<18} {size / 1e6:>7.2f} MB  {size / entries:>7.0f} bytes an entry")
    formula = (
        entries * IDENTITY
        + kept * letters * (TEXT + INDEX)
        + year.alerts * ALERT
        + year.deliveries * (DELIVERY + share * MESSAGE)
    )
    size = year.path.stat().st_size
    print(
        f"file {size / 1e6:.1f} MB, formula {formula / 1e6:.1f} MB: {size / formula - 1:+.0%};"
        f" longest log {year.longest_log / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()
