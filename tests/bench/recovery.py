"""How long a start takes on a large database: to the first poll, to the first delivery.

    python -m tests.bench.recovery [--entries 1000000] [--waiting 100000] [--keep PATH]

Builds the database by the real schema, as an older program left it: without an index for
``search``, which is made in portions meanwhile.  Writes a configuration with loopback feeds
and a loopback channel; then starts ``run``, kills it with -9 in the middle of its work, and starts
it again.  Times count from the start of the process.  The bar: 10 s to each.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from monitor import ids
from monitor.model import Feed
from monitor.settings import FeedSettings
from monitor.store import rows
from monitor.store.sqlite import SqliteStore
from tests.builders import a_delivery, an_alert, an_entry

ROOT = Path(__file__).parents[2]
FEEDS = 20
BATCH = 10_000
BODY = "Ministers of the alliance agreed on faster deliveries of air defence. " * 12
WORDS = [f"word{n}" for n in range(20_000)]
RULES = '[[rule]]\nname = "nato"\nany = ["NATO"]\n'


def build(path: Path, entries: int, waiting: int, urls: list[str]) -> None:
    """*entries* over two years, each its own story; every tenth has an alert; *waiting* wait."""
    with closing(SqliteStore.open(str(path))) as store:
        now = datetime.now(UTC)
        settings = [FeedSettings(url=url, name=f"Feed {n}") for n, url in enumerate(urls)]
        store.sync_feeds(settings, now - timedelta(days=730))
        feeds = store.feeds()
        db = store._db
        db.execute("PRAGMA synchronous = OFF")
        for start in range(0, entries, BATCH):
            many = range(start, min(start + BATCH, entries))
            db.execute("BEGIN")
            _insert(db, many, entries, waiting, feeds, now)
            db.execute("COMMIT")
            print(f"\r{many.stop} entries", end="", file=sys.stderr)
        db.execute(
            "INSERT INTO entry_words (rowid, title, summary, content)"
            " SELECT rowid, title, summary, content FROM entries ORDER BY rowid DESC LIMIT 1"
        )


def _insert(
    db: sqlite3.Connection,
    many: range,
    entries: int,
    waiting: int,
    feeds: list[Feed],
    now: datetime,
) -> None:
    made = list(_made(many, entries, feeds, now))
    put = "INSERT INTO {} VALUES ({})".format
    db.executemany(put("entries", ",".join("?" * 14)), [rows.entry_row(e, e.id) for e in made])
    db.executemany(
        put("entry_keys", "?,?,?"), [(e.feed_id, key, e.id) for e in made for key in e.keys]
    )
    db.executemany(
        "INSERT INTO stories (id, title, opened_at, last_entry_at, language, outlets)"
        " VALUES (?, ?, ?, ?, 'en', ?)",
        [
            (e.id, e.title, at, at, '["news.example"]')
            for e in made
            for at in [rows.micros(e.first_seen_at)]
        ],
    )
    alerts = [an_alert(e, created_at=e.first_seen_at) for e in made[::10]]
    db.executemany(put("alerts", ",".join("?" * 9)), [rows.alert_row(a) for a in alerts])
    first_waiting = entries // 10 - waiting
    deliveries = []
    for number, alert in enumerate(alerts, start=many.start // 10):
        state = "queued" if number >= first_waiting else "accepted"
        at = now if state == "queued" else alert.created_at
        row = a_delivery(alert, created_at=at, due_at=at)
        deliveries.append([*rows.delivery_row(row)])
        deliveries[-1][rows.DELIVERY.index("state")] = state
    marks = ",".join("?" * len(rows.DELIVERY))
    db.executemany(
        f"INSERT INTO deliveries ({', '.join(rows.DELIVERY)}) VALUES ({marks})", deliveries
    )


def _made(many: range, entries: int, feeds: list[Feed], now: datetime) -> Iterator:  # type: ignore[type-arg]
    chance = random.Random(many.start)
    for n in many:
        feed = feeds[n % FEEDS]
        own = " ".join(chance.choices(WORDS, k=60))
        seen = now - timedelta(days=730) * (1 - n / entries)
        yield an_entry(
            f"Story {n} {own[:60]}",
            feed=feed,
            id=ids.derive("entry", str(n)),
            keys=(f"g:{n}", f"l:https://news.example/{n}"),
            url=f"https://news.example/{n}",
            summary=f"{BODY} {own}",
            first_seen_at=seen,
            published_at=seen,
        )


class World:
    """Loopback feeds and one channel; when each was first asked."""

    def __init__(self) -> None:
        self.first: dict[str, float] = {}
        world = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                world.first.setdefault("poll", time.monotonic())
                name = time.time_ns()
                item = f"<item><guid>{name}</guid><title>NATO {name}</title></item>"
                body = f"<rss version='2.0'><channel><title>x</title>{item}</channel></rss>"
                self._answer(body.encode(), "application/rss+xml")

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                world.first.setdefault("delivery", time.monotonic())
                self._answer(b"ok", "text/plain")

            def _answer(self, body: bytes, kind: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def configured(folder: Path, world: World, urls: list[str]) -> Path:
    feeds = "".join(f'[[feeds]]\nname = "Feed {n}"\nurl = "{url}"\n' for n, url in enumerate(urls))
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "nato.toml").write_text(RULES)
    path = folder / "config.toml"
    path.write_text(
        '[monitor]\ndatabase = "monitor.db"\n[poll]\nallow_private = ["127.0.0.0/8"]\n'
        f'[[channels]]\nname = "desk"\nurl = "json://127.0.0.1:{world.port}/in"\n{feeds}'
    )
    return path


def started(config: Path, world: World, what: str, *, kill: bool) -> None:
    world.first.clear()
    with sqlite3.connect(config.parent / "monitor.db") as db:
        db.execute("UPDATE feeds SET next_poll_at = 0, leased_from = NULL")
        db.execute(
            "UPDATE deliveries SET state = 'claimed' WHERE id IN"
            " (SELECT id FROM deliveries WHERE state = 'queued' LIMIT 50)"
        )
    db.close()
    with (config.parent / "log").open("ab") as log:
        began = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, str(ROOT / "run_monitor.py"), "run", "--config", str(config)],
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        while len(world.first) < 2 and child.poll() is None and time.monotonic() - began < 300:
            time.sleep(0.01)
        print(
            f"{what}: "
            + ", ".join(
                f"first {name} after {at - began:.2f} s" for name, at in sorted(world.first.items())
            )
        )
        time.sleep(1)
        child.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        child.wait(60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--waiting", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="build here, or use what is here")
    given = parser.parse_args()
    world = World()
    urls = [f"http://127.0.0.1:{world.port}/feed/{n}" for n in range(FEEDS)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        config, path = configured(folder, world, urls), folder / "monitor.db"
        if not path.exists():
            build(path, given.entries, given.waiting, urls)
        print(f"{path.stat().st_size / given.entries:.0f} bytes an entry, all in all")
        for number in range(3):
            started(config, world, f"start {number + 1}", kill=number < 2)


if __name__ == "__main__":
    main()
