"""The feeds of the soak, in a process of their own: healthy, flaky and hostile ones.

    python -m tests.bench.soak_feeds FOLDER --feeds 200 --seed 1

Prints its feeds as JSON once it serves, publishes from one line on standard input to the next, and
serves until that ends.  What it published and what it served whole stands in FOLDER/ledgers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from string import ascii_lowercase

from tests.faults.ledgers import Ledger
from tests.faults.outlets import Outlet
from tests.hostile import HOSTILE
from tests.servers import Asked, Behaviour, WebServer, Writer, bomb, raw, reply, slow

SHARED = Path(__file__).parents[3] / "shared" / "bench" / "hostile"
FLAKY, HOSTILE_SHARE = 0.10, 0.01
SOUND = 0.4  # share of the visits at which a flaky feed works
APART = 60.0  # seconds between two entries of a feed, in the mean
HITS = 0.1  # share of the entries that match the rule
LISTED = 200  # newest entries of a feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """An entry that its feed lists from *t* on; ``mark`` is a word of its title."""

    t: float
    feed: str
    link: str
    mark: str
    hit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakFeed:
    """How the monitor gets at a feed; ``kind``: healthy, flaky or hostile."""

    name: str
    url: str
    kind: str


class Flaky:
    """Serves *outlet* sometimes, and else what breaks."""

    def __init__(self, outlet: Outlet, chance: random.Random) -> None:
        self._outlet, self._chance = outlet, chance

    async def __call__(self, asked: Asked, writer: Writer) -> None:
        sound = self._chance.random() < SOUND
        self._outlet.behaviour = None if sound else self._chance.choice(self._breaks())
        await self._outlet(asked, writer)

    def _breaks(self) -> list[Behaviour]:
        body = self._outlet._document()
        return [
            reply(b"", status=503),
            reply(b"", status=500),
            reply(b"", status=429, retry_after="5"),
            raw(b"", reset=True),
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n<rss", reset=True),
            reply(body[: len(body) // 2], length=len(body)),
            slow(4.0, reply(body)),
        ]


class Hostile:
    """Another hostile document at each visit."""

    def __init__(self, documents: list[Behaviour], first: int) -> None:
        self._documents, self._next = documents, first

    async def __call__(self, asked: Asked, writer: Writer) -> None:
        document = self._documents[self._next % len(self._documents)]
        self._next += 1
        await document(asked, writer)


def own_documents() -> list[Behaviour]:
    """Those that need no shared files."""
    names = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(9))
    laughs = f"<!DOCTYPE rss [{names}]><rss><channel><title>&e8;</title></channel></rss>"
    titles = "".join(
        f"<item><title><![CDATA[{title}]]></title></item>" for title in HOSTILE.values()
    )
    texts = [laughs, "<rss>" + "<a>" * 100_000, f"<rss><channel>{titles}", "/etc/passwd", "\0" * 9]
    packed = reply(bomb(200), content_encoding="gzip")
    return [packed, *(reply(text.encode("utf-8", "replace")) for text in texts)]


def shared_documents(folder: Path) -> list[Behaviour]:
    """Those of the bench; none where it is absent."""
    if not SHARED.exists():
        return []
    make = [sys.executable, str(SHARED / "gen_hostile.py"), "--out", str(folder / "hostile")]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    files = sorted(each for each in (folder / "hostile").rglob("*") if each.is_file())
    return [reply(each.read_bytes()) for each in files]


class Farm:
    """All the feeds, each at an address of its own."""

    def __init__(self, folder: Path, count: int, seed: int, port: int) -> None:
        self._ledger, self._chance = Ledger(folder), random.Random(seed)
        self.outlets: list[Outlet] = []
        self.feeds: list[SoakFeed] = []
        self.web = WebServer(routes=(routes := {}))
        documents = [*own_documents(), *shared_documents(folder)]
        hostile = max(1, round(count * HOSTILE_SHARE))
        flaky = max(1, round(count * FLAKY))
        for n in range(count):
            kind = "hostile" if n < hostile else "flaky" if n < hostile + flaky else "healthy"
            host = f"127.4.{n // 200}.{n % 200 + 1}"
            feed = SoakFeed(name=f"{kind} {n}", url=f"http://{host}:{port}/{kind}/{n}", kind=kind)
            self.feeds.append(feed)
            if kind == "hostile":
                routes[f"/{kind}/{n}"] = Hostile(documents, first=n * 7)
                continue
            outlet = Outlet(f"/{kind}/{n}", self._ledger, seed=seed + n)
            outlet.url = feed.url
            self.outlets.append(outlet)
            routes[outlet.path] = Flaky(outlet, self._chance) if kind == "flaky" else outlet
        self.hosts = [feed.url.split("/")[2].partition(":")[0] for feed in self.feeds]

    def publish(self, outlet: Outlet, number: int) -> None:
        mark, hit = f"zq{number}x", self._chance.random() < HITS
        words = " ".join("".join(self._chance.choices(ascii_lowercase, k=9)) for _ in range(5))
        outlet.publish(f"{'NATO' if hit else 'Council'} {words} {mark}")
        outlet.roll_over(outlet.links, listed=LISTED)
        self._ledger.write(
            Published(
                t=self._ledger.now, feed=outlet.url, link=outlet.links[-1], mark=mark, hit=hit
            )
        )

    async def publish_on(self) -> None:
        """Entries at random times, for ever."""
        number = 0
        while True:
            await asyncio.sleep(self._chance.expovariate(len(self.outlets) / APART))
            self.publish(self._chance.choice(self.outlets), number)
            number += 1


async def serve(folder: Path, count: int, seed: int) -> None:
    port = _free_port()
    farm = Farm(folder, count, seed, port)
    server = await asyncio.start_server(farm.web.talk, farm.hosts, port, backlog=200)
    print(json.dumps([asdict(feed) for feed in farm.feeds]), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    publishing = asyncio.create_task(farm.publish_on())
    await asyncio.to_thread(sys.stdin.readline)
    publishing.cancel()
    print("published the last", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()
    await farm.web.hang_up()


def _free_port() -> int:
    """One that nobody uses: at any of our addresses, as far as can be known."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    asyncio.run(serve(options.folder, options.feeds, options.seed))


if __name__ == "__main__":
    main()
