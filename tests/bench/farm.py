"""A farm of feeds on loopback: many, of real size, that change when they are told to.

    python -m tests.bench.farm N [--made | --unlike] [--lively] [--tls CERTIFICATE]

Feed *n* is at ``/feed/n.xml`` under any host; it knows conditional GET and gzip.  ``/_ctl/…`` is
answered in JSON: ``state``, ``reset``, ``set?conditional=0``, ``advance?share=0.2`` (so many feeds
get one to three new entries), ``touch`` (only what is round the entries changes) and
``publish?feed=0&marker=WORDS``.  With --lively a feed decides itself at each visit what there is:
nothing (65 %), no news though 200 (30 %) or a new entry (5 %), one connection a visit.
A process of its own, so that what it costs is not counted as the poller's; ``farming`` starts one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import hashlib
import json
import random
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import urlopen

from tests.bench.oddities import Oddity, oddity_of
from tests.bench.patterns import BASE, Pattern, Unlike, patterns

ROOT = Path(__file__).parents[2]
NOT_CHANGED, NO_NEWS = 0.65, 0.95  # of visits to lively feeds; the rest brings an entry
_SAME_TAG = re.compile(rb"(?im)^if-none-match: *([^\r\n]*)")


class Farm:
    """What each feed looks like now."""

    def __init__(self, count: int, found: Sequence[Pattern | Unlike]) -> None:
        self.count, self._patterns = count, found
        self.reset()

    def reset(self) -> None:
        self.chance, self.conditional = random.Random(1), True
        self._tops = [self.pattern(n).count for n in range(self.count)]
        self._revisions = [0] * self.count
        self._markers: list[dict[int, str]] = [{} for _ in range(self.count)]
        self._packed: list[tuple[bytes, bytes] | None] = [None] * self.count
        self.counts = {"requests": 0, "unchanged": 0, "published": 0}

    def pattern(self, feed: int) -> Pattern | Unlike:
        return self._patterns[feed % len(self._patterns)]

    def packed(self, feed: int) -> tuple[bytes, bytes]:
        """Its document, gzipped, and its entity tag."""
        found = self._packed[feed]
        if found is None:
            pattern, markers = self.pattern(feed), self._markers[feed]
            raw = pattern.document(feed, self._tops[feed], self._revisions[feed], markers)
            tag = b'"%s"' % hashlib.md5(raw).hexdigest()[:16].encode()
            found = self._packed[feed] = gzip.compress(raw, 3, mtime=0), tag
        return found

    def warm(self) -> None:
        for feed in range(self.count):
            self.packed(feed)

    def publish(self, feed: int, marker: str = "") -> dict[str, Any]:
        self._tops[feed] += 1
        if marker:
            self._markers[feed][self._tops[feed]] = marker
        self._packed[feed] = None
        self.counts["published"] += 1
        self.packed(feed)
        return {"at": time.time()}

    def touch(self, feed: int) -> None:
        self._revisions[feed] += 1
        self._packed[feed] = None

    def advance(self, share: float) -> dict[str, Any]:
        before = self.counts["published"]
        for feed in self.chance.sample(range(self.count), round(self.count * share)):
            for _ in range(self.chance.randint(1, 3)):
                self.publish(feed)
        return {"entries": self.counts["published"] - before}

    def live(self, feed: int) -> bool:
        """Let a lively feed go on; whether it may say that nothing has changed."""
        fate = self.chance.random()
        if NOT_CHANGED <= fate < NO_NEWS and fate < (NOT_CHANGED + NO_NEWS) / 2:
            self.touch(feed)
        elif fate >= NO_NEWS:
            self.publish(feed)
        return fate < NOT_CHANGED

    def control(self, target: str) -> dict[str, Any]:
        parts = urlsplit(target)
        given = dict(parse_qsl(parts.query))
        what = parts.path.rpartition("/")[2]
        if what == "advance":
            return self.advance(float(given["share"]))
        if what == "publish":
            return self.publish(int(given["feed"]), given.get("marker", ""))
        if what == "set":
            self.conditional = given["conditional"] == "1"
        if what == "touch":
            for feed in range(self.count):
                self.touch(feed)
        if what == "reset":
            self.reset()
        self.warm()
        return self.counts | {"listed": sum(self.pattern(n).count for n in range(self.count))}


class Talk(asyncio.Protocol):
    """One connection, as cheap as can be: the farm must never be what is waited for."""

    def __init__(self, farm: Farm, lively: bool) -> None:
        self._farm, self._lively, self._data = farm, lively, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._out = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while b"\r\n\r\n" in self._data:
            request, _, self._data = self._data.partition(b"\r\n\r\n")
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        target = request.split(b" ", 2)[1].decode("latin-1")
        if not target.startswith("/feed/"):
            self._reply(json.dumps(self._farm.control(target)).encode())
            return
        feed = int(target[6:].partition(".")[0])
        self._farm.counts["requests"] += 1
        odd = oddity_of(feed) if self._lively else Oddity()
        if odd.wait:
            asyncio.get_running_loop().call_later(odd.wait, self._serve, feed, request, odd)
            return
        self._serve(feed, request, odd)

    def _serve(self, feed: int, request: bytes, odd: Oddity) -> None:
        if odd.body:
            self._reply(odd.body, b"Content-Encoding: gzip\r\n")
            return
        given = _SAME_TAG.search(request)
        may = self._farm.live(feed) if self._lively else self._farm.conditional
        body, tag = self._farm.packed(feed)
        validators = b"ETag: %s\r\nLast-Modified: %s\r\n" % (tag, _MODIFIED)
        if may and given and (self._lively or given[1] == tag):
            self._farm.counts["unchanged"] += 1
            self._write(b"HTTP/1.1 304 Not Modified\r\nETag: %s\r\n" % (given[1]))
            return
        known = validators if self._farm.conditional else b""
        if b"gzip" in request.lower():
            self._reply(body, known + b"Content-Encoding: gzip\r\n")
        else:
            self._reply(gzip.decompress(body), known)

    def _reply(self, body: bytes, headers: bytes = b"") -> None:
        kind = b"Content-Type: application/xml; charset=utf-8\r\n"
        length = b"Content-Length: %d\r\n" % len(body)
        self._write(b"HTTP/1.1 200 OK\r\n" + kind + length + headers, body)

    def _write(self, head: bytes, body: bytes = b"") -> None:
        end = b"Connection: close\r\n\r\n" if self._lively else b"\r\n"
        self._out.write(head + end + body)
        if self._lively:
            self._out.close()


_MODIFIED = formatdate(BASE, usegmt=True).encode()


# --- its process


def control(base: str, what: str) -> dict[str, Any]:
    """Tell the farm at *base* something; what it answers."""
    with urlopen(f"{base}/_ctl/{what}", timeout=300) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


@contextlib.contextmanager
def farming(count: int, *options: str) -> Iterator[str]:
    """A farm of *count* feeds in a process of its own; its address."""
    command = [sys.executable, "-m", "tests.bench.farm", str(count), *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def serve(farm: Farm, certificate: str, lively: bool) -> None:
    farm.warm()
    tls = None
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Talk(farm, lively), "127.0.0.1", 0, backlog=4096, ssl=tls
    )
    port = server.sockets[0].getsockname()[1]
    print(f"http{'s' if tls else ''}://127.0.0.1:{port}", flush=True)
    await server.serve_forever()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("count", type=int)
    arguments.add_argument("--made", action="store_true", help="no documents of real feeds")
    arguments.add_argument("--unlike", action="store_true", help="no two entries are alike")
    arguments.add_argument("--lively", action="store_true")
    arguments.add_argument("--tls", default="", help="file with key and certificate")
    asked = arguments.parse_args()
    found = [Unlike()] if asked.unlike else patterns(real=not asked.made)
    farm = Farm(asked.count, found)
    asyncio.run(serve(farm, asked.tls, asked.lively))


if __name__ == "__main__":
    main()
