"""What a fetch costs: ``Fetcher.fetch`` over our own transport and over httpx's, in the same run.

    python -m tests.bench.fetch [-n 1000] [--rounds 3] [--only "304 kept alive"]

CPU milliseconds a request of the fetching process alone, and its peak memory; each figure is the
median of processes of their own, 100 requests warmed up.  The server is another process, on
loopback; TLS is 1.3.  Every host name is an origin, and every one leads here.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import httptools
import trustme

from monitor.feeds.fetch import Fetcher
from monitor.model import Feed, Fetched, NotModified
from monitor.settings import PollSettings, Transport
from tests.builders import a_feed

AT_ONCE = 32
WARM = 100
BODY = gzip.compress(
    b'<?xml version="1.0"?><rss version="2.0"><channel><title>Example</title>'
    + b"".join(
        b"<item><title>Ministers met for the %dth time</title><guid>%x</guid></item>"
        % (n, n * 7919)
        for n in range(900)
    )
    + b"</channel></rss>"
)  # 10 kB that become 70 kB, as the median of real feeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    scheme: str = "http"
    known: bool = True  # the feed has not changed: 304
    hosts: int = AT_ONCE  # 0: a new one for every request
    keep: bool = True  # the server leaves connections open


CASES = {
    "304 kept alive": Case(),
    "200 gzip kept alive": Case(known=False),
    "304 new connection": Case(keep=False),
    "200 gzip new connection": Case(known=False, keep=False),
    "304 kept alive, TLS": Case(scheme="https"),
    "304 new TLS connection": Case(scheme="https", hosts=0, keep=False),
    "200 gzip new TLS connection": Case(scheme="https", known=False, hosts=0, keep=False),
    "304 TLS session taken up": Case(scheme="https", keep=False),
    "304, 1000 origins in turn": Case(hosts=1_000),
    "304, 1000 origins in turn, TLS": Case(scheme="https", hosts=1_000),
}


class Server(asyncio.Protocol):
    """304 to whoever knows the feed, else the feed; ends the connection where the path says so."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._reader = httptools.HttpRequestParser(self)
        self._known = self._close = False

    def data_received(self, data: bytes) -> None:
        self._reader.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._close, self._known = url.endswith(b"close"), False

    def on_header(self, name: bytes, _: bytes) -> None:
        self._known = self._known or name.lower() == b"if-none-match"

    def on_message_complete(self) -> None:
        end = b"Connection: close\r\n" if self._close else b""
        about = b'ETag: "1"\r\nCache-Control: max-age=600\r\nServer: bench\r\n' + end
        if self._known:
            answer = b"HTTP/1.1 304 Not Modified\r\n" + about + b"\r\n"
        else:
            about += b"Content-Type: application/rss+xml\r\nContent-Encoding: gzip\r\n"
            answer = b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (about, len(BODY)) + BODY
        self._transport.write(answer)  # type: ignore[attr-defined]
        if self._close:
            self._transport.close()


async def serve(ca_file: str) -> None:
    """Tell the two ports, then serve until stdin ends."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(ca_file)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    ca.issue_cert("*.example.org").configure_cert(tls)
    loop = asyncio.get_running_loop()
    options = {"host": "127.0.0.1", "port": 0, "backlog": 1_024}
    servers = [await loop.create_server(Server, ssl=how, **options) for how in (None, tls)]  # type: ignore[arg-type]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def feeds(case: Case, count: int, port: int) -> list[Feed]:
    path = "keep" if case.keep else "close"
    made = []
    for n in range(count):
        host = f"h{n % case.hosts if case.hosts else n}.example.org"
        url = f"{case.scheme}://{host}:{port}/{n}/{path}"
        made.append(a_feed(url=url, etag='"1"' if case.known else None))
    return made


async def at_loopback(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


async def fetch_all(case: Case, fetcher: Fetcher, todo: Sequence[Feed]) -> None:
    left = iter(todo)

    async def walk() -> None:
        for feed in left:
            result = await fetcher.fetch(feed)
            assert isinstance(result, NotModified if case.known else Fetched), result

    await asyncio.gather(*(walk() for _ in range(AT_ONCE)))


async def one(case: Case, which: Transport, count: int, port: int, ca: str) -> dict[str, float]:
    settings = PollSettings(
        per_host_gap=timedelta(0),
        allow_private=(ip_network("127.0.0.0/8"),),
        concurrency=AT_ONCE,
        transport=which,
    )
    tls = ssl.create_default_context(cafile=ca)
    async with Fetcher(settings, resolve=at_loopback, tls=tls) as fetcher:
        todo = feeds(case, WARM + count, port)
        await fetch_all(case, fetcher, todo[:WARM])
        wall, cpu = time.perf_counter(), time.process_time()
        await fetch_all(case, fetcher, todo[WARM:])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu": cpu / count * 1e3, "rate": count / wall, "peak": peak}


def in_process(name: str, which: Transport, count: int, port: int, ca: str) -> dict[str, float]:
    words = ["--one", name, which, str(port), ca, "-n", str(count)]
    command = [sys.executable, "-m", "tests.bench.fetch", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def compare(names: Sequence[str], count: int, rounds: int) -> None:
    python = sys.version.split()[0]
    print(f"Python {python}, {ssl.OPENSSL_VERSION}, {count} requests, median of {rounds}")
    print(f"{'':32}{'CPU ms own':>12}{'httpx':>8}{'ratio':>8}{'MiB own':>9}{'httpx':>7}")
    with tempfile.TemporaryDirectory() as folder:
        ca = str(Path(folder, "ca.pem"))
        command = [sys.executable, "-m", "tests.bench.fetch", "--serve", ca]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            plain, secure = map(int, server.stdout.readline().split())
            for name in names:
                port = secure if CASES[name].scheme == "https" else plain
                runs = [
                    [in_process(name, w, count, port, ca) for w in Transport] for _ in range(rounds)
                ]
                tell(name, runs)


def tell(name: str, runs: list[list[dict[str, float]]]) -> None:
    own, httpx = (
        {k: statistics.median(run[i][k] for run in runs) for k in runs[0][i]} for i in (0, 1)
    )
    ratio = statistics.median(run[1]["cpu"] / run[0]["cpu"] for run in runs)
    cpu = f"{own['cpu']:12.3f}{httpx['cpu']:8.3f}{ratio:8.1f}"
    print(f"{name:32}{cpu}{own['peak']:9.0f}{httpx['peak']:7.0f}", flush=True)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("-n", type=int, default=1_000)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--only", action="append", choices=CASES)
    words.add_argument("--serve", metavar="CA", help=argparse.SUPPRESS)
    words.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    chosen = words.parse_args()
    if chosen.serve:
        asyncio.run(serve(chosen.serve))
    elif chosen.one:
        name, which, port, ca = chosen.one
        print(json.dumps(asyncio.run(one(CASES[name], Transport(which), chosen.n, int(port), ca))))
    else:
        compare(chosen.only or list(CASES), chosen.n, chosen.rounds)


if __name__ == "__main__":
    main()
