"""A WebSub hub on loopback that subscribes, asks back and pushes, in order or as a test says.

async with a_hub() as hub:
    …  # somebody subscribes at hub.url
    assert (await hub.ask_back()).status == 200
    await hub.push(b"<rss/>")
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

CHALLENGE = "b93e0f7c"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer to a request of the hub."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class Hub:
    """``asked`` holds the form of each request; *answers* is the status each gets."""

    answers: int = 202
    location: str = ""
    asks_back: bool = True  # by itself, before it answers
    lease: int = 864_000
    port: int = 0
    asked: list[dict[str, str]] = field(default_factory=list)
    heard: list[Said] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hub"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length:")[2].split()[0])
        self.asked.append(dict(parse_qsl((await reader.readexactly(size)).decode())))
        if self.asks_back:
            self.heard.append(await self.ask_back())
        where = f"Location: {self.location}\r\n" if self.location else ""
        writer.write(f"HTTP/1.1 {self.answers} X\r\n{where}Content-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async def ask_back(self, **changes: str) -> Said:
        """The question that the last request calls for (§5.3); *changes* by names with "_"."""
        form = self.asked[-1]
        query = {
            "hub.mode": form["hub.mode"],
            "hub.topic": form["hub.topic"],
            "hub.challenge": CHALLENGE,
            "hub.lease_seconds": str(self.lease),
        }
        query |= {f"hub.{name}": value for name, value in changes.items()}
        return await request("GET", f"{form['hub.callback']}?{urlencode(query)}")

    async def push(
        self, body: bytes = b"<rss/>", *, method: str = "sha256", secret: str = ""
    ) -> Said:
        form = next(each for each in reversed(self.asked) if each["hub.mode"] == "subscribe")
        digest = hmac.new((secret or form["hub.secret"]).encode(), body, method).hexdigest()
        headers = {"X-Hub-Signature": f"{method}={digest}"}
        return await request("POST", form["hub.callback"], body, headers)


@asynccontextmanager
async def a_hub() -> AsyncIterator[Hub]:
    hub = Hub()
    server = await asyncio.start_server(hub.talk, "127.0.0.1", 0)
    hub.port = server.sockets[0].getsockname()[1]
    try:
        yield hub
    finally:
        server.close()


async def request(
    method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Said:
    """One request on a connection of its own."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    lines = [f"{method} {target} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    head = "\r\n".join([*lines, "", ""]).encode()
    return await exchange(parts.hostname or "", parts.port or 0, head + body)


async def exchange(host: str, port: int, data: bytes) -> Said:
    """Just these bytes, and what comes back; status 0: nothing."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(data)
        await writer.drain()
        return _read(await reader.read())
    except ConnectionError:
        return _read(b"")
    finally:
        writer.close()


def _read(data: bytes) -> Said:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return Said(status=int(first.split()[1]) if first else 0, headers=headers, body=body)


def free_port() -> int:
    """One that nobody listens on just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
