"""Made answers, cut anywhere: both transports bring the same result, or the same reason."""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
import ssl
import struct
from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_network

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitor.feeds.fetch import Fetcher
from monitor.feeds.incoming import MAX_HEAD
from monitor.model import FetchFailed, FetchResult
from monitor.settings import PollSettings, Transport
from tests.builders import a_feed
from tests.servers import FEED, Asked, Writer, serving
from tests.thorough import examples, scaled

TLS = ssl.create_default_context()
PACKED = gzip.compress(FEED)

STARTS = [b"HTTP/1.1 200 OK", b"HTTP/1.1 200", b"HTTP/1.0 200 OK", b"HTTP/1.1 203 Tr\xe8s bien"]
STARTS += [b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 204 No Content", b"HTTP/1.1 404 Not Found"]
STARTS += [b"HTTP/1.1 503 Busy", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"]
STARTS += [b"HTTP/1.1 999 What", b"HTTP/1.1 42 OK", b"HTTP/4 200 OK", b"ICY 200 OK", b"<html>"]
HEADERS = [b'ETag: W/"caf\xe9"', b"Last-Modified: yesterday", b"Cache-Control: max-age=60"]
HEADERS += [b"Content-Type: text/xml", b"Content-Encoding: gzip", b"Content-Encoding: br"]
HEADERS += [b"Connection: close", b"Connection: keep-alive", b"Retry-After: 120", b"X-Empty:"]
HEADERS += [b"X: a\x01b", b"X: a\0b", b"X : a", b"nonsense", b"X: folded\r\n line", b": a"]
HEADERS += [b"Set-Cookie: a=b", b"Location: /elsewhere", b"Upgrade: h2", b"Content-Length: x"]
PADDING = [0, 0, 0, 9_000, 50_000, 200_000]  # bytes; the bounds lie between the last two


class Script:
    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = pieces

    def __repr__(self) -> str:  # hypothesis refuses to print 200 kB of padding
        shown = [re.sub(rb"a{99,}", lambda pad: b"(%d a)" % len(pad[0]), p) for p in self.pieces]
        return f"Script({shown})"

    async def __call__(self, _: Asked, writer: Writer) -> None:
        for piece in self.pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)


def chunked(draw: st.DrawFn, body: bytes) -> bytes:
    size = draw(st.integers(1, 80))
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    end = draw(st.sampled_from([b"0\r\n\r\n", b"0\r\nX-Sum: 1\r\n\r\n", b"", b"zz\r\n", b"0\r\n"]))
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + end


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    body = draw(st.sampled_from([FEED, PACKED, PACKED[:-9], b"", b" \r\n"]))
    lines = [draw(st.sampled_from(STARTS)), *draw(st.lists(st.sampled_from(HEADERS), max_size=4))]
    lines.append(b"X-Pad: " + b"a" * draw(st.sampled_from(PADDING)))
    form = draw(st.sampled_from(["length", "wrong length", "chunks", "both", "until the end"]))
    length = len(body) + (draw(st.integers(-9, 9)) if form == "wrong length" else 0)
    if form in ("length", "wrong length", "both"):
        lines.append(b"Content-Length: %d" % length)
    if form in ("chunks", "both"):
        lines.append(b"Transfer-Encoding: chunked")
        body = chunked(draw, body)
    feed = draw(st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n"]))
    return feed.join([*lines, b"", b""]) + body


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    whole = draw(st.one_of(answers(), answers(), answers(), st.binary(max_size=200)))
    whole = whole[: draw(st.one_of(st.just(len(whole)), st.integers(0, len(whole))))]
    assume(not MAX_HEAD - 1_000 < len(whole) < 110_000)  # h11's bound is 100 KiB, read in steps
    cuts = sorted(draw(st.sets(st.integers(0, len(whole)), max_size=5)))
    return Script(pieces=[whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)])


async def one(url: str, transport: Transport, times: int = 1) -> FetchResult:
    """The result of the last of *times* fetches."""
    poll = PollSettings(
        per_host_gap=timedelta(0),
        timeout=timedelta(seconds=5),
        allow_private=(ip_network("127.0.0.0/8"),),
        transport=transport,
    )
    async with Fetcher(poll, tls=TLS) as fetcher:
        for _ in range(times - 1):
            await fetcher.fetch(a_feed(url=url, etag='"1"'))
        return await fetcher.fetch(a_feed(url=url, etag='"1"'))


async def results(script: Script) -> list[FetchResult]:
    async with serving({"/feed": script}) as server:
        return [await one(server.url("/feed"), transport, 2) for transport in Transport]


def told(result: FetchResult) -> object:
    """What comes of it: a failure's words may differ where its reason does not."""
    return (result.reason, result.status) if isinstance(result, FetchFailed) else result


@scaled
@settings(max_examples=examples(80, 400), deadline=None, derandomize=True)
@given(script=scripts())
def test_both_bring_the_same(script: Script) -> None:
    own, theirs = asyncio.run(results(script))
    assert told(own) == told(theirs)


WORDS = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\n",
    "garbage": b"garbage\r\n\r\n",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
    "too long a head": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "another transfer coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
}


@pytest.mark.parametrize("data", WORDS.values(), ids=WORDS)
def test_both_say_the_same_of_a_failure(data: bytes) -> None:
    own, theirs = asyncio.run(results(Script([data])))
    assert isinstance(own, FetchFailed)
    assert own == theirs


SHORTCOMINGS = {
    "closes": b"",
    "speaks no TLS": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "an alert": b"\x15\x03\x03\x00\x02\x02\x28",
    "half a record": b"\x16\x03\x03\x10\x00half",
}


@pytest.mark.parametrize("data", SHORTCOMINGS.values(), ids=SHORTCOMINGS)
@pytest.mark.parametrize("reset", [False, True], ids=["", "reset"])
async def test_both_say_the_same_of_tls_that_fails(data: bytes, reset: bool) -> None:
    async def talk(reader: asyncio.StreamReader, writer: Writer) -> None:
        await reader.readexactly(20)
        writer.write(data)
        if reset:
            linger = struct.pack("ii", 1, 0)  # RST instead of FIN
            there = writer.get_extra_info("socket")
            there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        own, theirs = [await one(url, transport) for transport in Transport]
    assert isinstance(own, FetchFailed)
    assert own == theirs
