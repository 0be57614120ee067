"""From publication to the webhook: polled at once, and found by the usual visits.

    python -m tests.bench.latency [--alerts 100] [--feeds 1000] [--minutes 3]

Polled at once: the daemon's own loops in this process; the feed is made due as it publishes, as a
WebSub push would do; counted until the sink has read the whole request.  Usual visits: the program
as a process, feeds with an interval of a minute, two of which publish every second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from monitor.pipeline.session import Session
from tests.bench.cycle import make_due
from tests.bench.house import some_words, the_daemon, write_house
from tests.bench.tables import Table, printed, quantile
from tests.servers import Asked, Writer, serving
from tests.sinks import HttpSink, Posted, http_sink

ROOT = Path(__file__).parents[2]
INTERVAL = 60.0
PUBLISHED = 0.5  # seconds between two publications of the many feeds
PATIENCE = 60.0


class Outlet:
    """A feed of ten entries; what it publishes has words of its own."""

    def __init__(self, name: str) -> None:
        self._chance = random.Random(name)
        self._name, self._items, self.asked = name, [], 0
        for _ in range(10):
            self.publish("usual")

    def publish(self, word: str) -> None:
        number = len(self._items)
        title, text = some_words(self._chance, 8), some_words(self._chance, 60)
        self._items.append(
            f"<item><guid>{self._name}-{number}</guid><title>{word} {title}</title>"
            f"<link>http://{self._name}.example/{number}</link><description>{text}</description>"
            "</item>"
        )

    async def __call__(self, asked: Asked, writer: Writer) -> None:
        self.asked += 1
        body = "".join(reversed(self._items[-10:]))
        document = f"<rss version='2.0'><channel><title>x</title>{body}</channel></rss>".encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(document)}"
        writer.write(head.encode() + b"\r\n\r\n" + document)
        await writer.drain()


class Received(list[Posted]):
    """What a sink got, and when each "ALERT-n" came first."""

    def __init__(self) -> None:
        super().__init__()
        self.at: dict[str, float] = {}
        self.came = asyncio.Event()

    def append(self, posted: Posted) -> None:
        super().append(posted)
        now = time.perf_counter()
        for word in json.dumps(json.loads(posted.body), ensure_ascii=False).split():
            if word.strip('",').startswith("ALERT-"):
                self.at.setdefault(word.strip('",'), now)
        self.came.set()

    async def get(self, name: str) -> float:
        """When *name* came."""
        async with asyncio.timeout(PATIENCE):
            while name not in self.at:
                self.came.clear()
                await self.came.wait()
        return self.at[name]


@contextlib.asynccontextmanager
async def sinking() -> AsyncIterator[tuple[HttpSink, Received]]:
    received = Received()
    async with http_sink(posted=received) as sink:
        yield sink, received


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.02)


async def at_once(folder: Path, alerts: int) -> list[float]:
    """Seconds from publication to the sink, each polled at once."""
    outlet, spent = Outlet("one"), []
    async with serving({"/feed": outlet}) as server, sinking() as (sink, received):
        config = write_house(folder, [server.url("/feed")], sink=sink.url("200", scheme="http"))
        async with the_daemon(config) as session:
            await until(lambda: bool(received))  # "Watching 1 feed …": the sender has started
            for number in range(alerts):
                spent.append(await _one(session, outlet, received, f"ALERT-{number}"))
                await asyncio.sleep(0.1)
    return spent


async def _one(session: Session, outlet: Outlet, received: Received, name: str) -> float:
    await asyncio.to_thread(make_due, session.in_force.config.database)
    began = time.perf_counter()
    outlet.publish(name)
    await session.poller.start_due()
    return await received.get(name) - began


async def by_the_minute(folder: Path, feeds: int, minutes: float) -> list[float]:
    """Seconds from publication to the sink, with visits every minute."""
    outlets = {f"/{n}": Outlet(f"o{n}") for n in range(feeds)}
    async with serving(outlets) as server, sinking() as (sink, received):
        config = write_house(
            folder,
            map(server.url, outlets),
            sink=sink.url("200", scheme="http"),
            poll=f'interval = "{INTERVAL:.0f}s"\nmin_interval = "{INTERVAL:.0f}s"'
            f'\nmax_interval = "{INTERVAL:.0f}s"\nconcurrency = 32',
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(ROOT / "run_monitor.py"), "--config", str(config), cwd=ROOT,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(3 * INTERVAL):
                while not all(outlet.asked for outlet in outlets.values()) or not received:
                    await asyncio.sleep(0.2)
            return await _published(outlets, received, minutes)
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()


async def _published(outlets: dict[str, Outlet], received: Received, minutes: float) -> list[float]:
    chance, began = random.Random(3), {}
    each = list(outlets.values())
    for number in range(int(minutes * 60 / PUBLISHED)):
        name = f"ALERT-{number}"
        began[name] = time.perf_counter()
        chance.choice(each).publish(name)
        await asyncio.sleep(PUBLISHED)
    async with asyncio.timeout(2 * INTERVAL):
        while len(received.at) < len(began):
            await asyncio.sleep(0.2)
    return [received.at[name] - at for name, at in began.items()]


def table(direct: list[float], usual: list[float]) -> Table:
    rows = [
        ("polled at once", str(len(direct)), *(f"{q * 1e3:.0f} ms" for q in _three(direct))),
    ]
    if usual:
        name = f"visits every {INTERVAL:.0f} s"
        rows.append((name, str(len(usual)), *(f"{q:.1f} s" for q in _three(usual))))
    heads = ("published → at the webhook", "alerts", "half within", "95 % within", "99 % within")
    return Table(title="From publication to the message", heads=heads, rows=rows)


def _three(values: list[float]) -> list[float]:
    return [quantile(values, share) for share in (0.5, 0.95, 0.99)]


def measured(alerts: int, feeds: int, minutes: float) -> tuple[list[float], list[float]]:
    with tempfile.TemporaryDirectory() as name:
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):  # the log
            direct = asyncio.run(at_once(Path(name) / "one", alerts))
        usual = asyncio.run(by_the_minute(Path(name) / "many", feeds, minutes)) if minutes else []
    return direct, usual


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--alerts", type=int, default=100)
    arguments.add_argument("--feeds", type=int, default=1_000)
    arguments.add_argument("--minutes", type=float, default=3.0, help="0: only polled at once")
    asked = arguments.parse_args()
    printed(table(*measured(asked.alerts, asked.feeds, asked.minutes)))


if __name__ == "__main__":
    main()
