"""Web servers on loopback that behave, or misbehave, as a test says.

    async with serving({"/feed": reply(FEED), "/slow": drip()}) as server:
        await fetcher.get(server.url("/feed"))
        assert server.asked[0].headers["accept-encoding"] == "gzip, deflate"

A behaviour is written straight to the socket, so it may be any bytes at all.  Every connection
carries one request.  Servers live in the test's event loop and end with it.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

USUAL_TLS = ssl.create_default_context()  # for all fetchers: making one costs 50 ms
FEED = (
    b'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Example</title>'
    b'<item><title>Ministers meet</title><guid isPermaLink="false">1</guid></item></channel></rss>'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came; names of headers in lower case, bytes as latin-1."""

    target: str
    headers: dict[str, str]


Writer = asyncio.StreamWriter
Behaviour = Callable[[Asked, Writer], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class WebServer:
    """Answers a path as ``routes`` says, others with 404; ``asked`` holds every request."""

    routes: Mapping[str, Behaviour]
    scheme: str = "http"
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    at_once: int = 0  # requests under way now, and the most there ever were
    most_at_once: int = 0
    _talks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._talks)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def talk(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await self._answer(await _read(reader), writer)
            writer.close()
        except asyncio.CancelledError:  # the test is over
            writer.transport.abort()

    async def _answer(self, asked: Asked, writer: Writer) -> None:
        self.asked.append(asked)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.routes.get(asked.target.partition("?")[0], reply(status=404))(asked, writer)
            await writer.drain()
        finally:
            self.at_once -= 1

    async def hang_up(self) -> None:
        for talk in tuple(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await asyncio.sleep(0)  # transports close in the loop's next turn


@asynccontextmanager
async def serving(
    routes: Mapping[str, Behaviour], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[WebServer]:
    web = WebServer(routes=routes, scheme="https" if tls else "http")
    server = await asyncio.start_server(web.talk, "127.0.0.1", 0, ssl=tls)
    web.port = server.sockets[0].getsockname()[1]
    try:
        yield web
    finally:
        server.close()
        await web.hang_up()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request, *lines = head.rstrip().split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Asked(target=request.split(" ")[1], headers=headers)


# --- behaviours


def reply(
    body: bytes = FEED, *, status: int = 200, length: int | None = None, **headers: str
) -> Behaviour:
    """A whole answer; *headers* by their names with "_" for "-"; *length* may lie."""
    lines = {"Content-Length": str(len(body) if length is None else length)}
    lines |= {name.replace("_", "-").title(): value for name, value in headers.items()}
    return raw(_head(status, lines) + body)


def redirect(to: str, status: int = 302) -> Behaviour:
    return reply(b"", status=status, location=to)


def raw(data: bytes, *, reset: bool = False) -> Behaviour:
    """Just these bytes, then the end of the connection, or its abort."""

    async def answer(_: Asked, writer: Writer) -> None:
        writer.write(data)
        await writer.drain()
        if reset:
            writer.transport.abort()

    return answer


def drip(interval: float = 0.02, *, start: bytes | None = None) -> Behaviour:
    """A byte now and then, for ever: no single read is ever late."""

    async def answer(_: Asked, writer: Writer) -> None:
        writer.write(_head(200, {}) if start is None else start)
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(interval)

    return answer


def hang() -> Behaviour:
    async def answer(_: Asked, __: Writer) -> None:
        await asyncio.Event().wait()

    return answer


def slow(seconds: float, then: Behaviour) -> Behaviour:
    async def answer(asked: Asked, writer: Writer) -> None:
        await asyncio.sleep(seconds)
        await then(asked, writer)

    return answer


def endless(block: bytes, **headers: str) -> Behaviour:
    """*block* again and again, as fast as it is taken."""

    async def answer(_: Asked, writer: Writer) -> None:
        writer.write(_head(200, {name.replace("_", "-"): v for name, v in headers.items()}))
        while True:
            writer.write(block)
            await writer.drain()

    return answer


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """The first request gets the first, the last one all that follow."""
    left = list(behaviours)

    async def answer(asked: Asked, writer: Writer) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(asked, writer)

    return answer


def bomb(megabytes: int, bits: int = 31) -> bytes:
    """Packed spaces, 1000 : 1, without their end; *bits*: zlib's, 31 gzip, 15 zlib, −15 bare.

    One fully flushed block is repeated, so that making it costs neither time nor memory.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    head = packer.compress(b"<rss>") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * megabytes


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
