"""A loopback HTTP server for the demo's three made-up outlets.  Answers 304 like a good one."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources

OUTLETS = {
    "The Atlantic Ledger": ("atlantic-ledger.xml", "application/rss+xml"),
    "Vistula Post": ("vistula-post.xml", "application/atom+xml"),
    "Brussels Wire": ("brussels-wire.json", "application/feed+json"),
}


@asynccontextmanager
async def serving() -> AsyncIterator[str]:
    """Serve the outlets while the context lasts; the base URL, without a final slash."""
    folder = resources.files("monitor.demo") / "documents"
    documents = {f"/{name}": (folder / name).read_bytes() for name, _ in OUTLETS.values()}
    types = {f"/{name}": content_type for name, content_type in OUTLETS.values()}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        path = request.split(" ", 2)[1]
        writer.write(_response(request, documents.get(path), types.get(path, "text/plain")))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def _response(request: str, body: bytes | None, content_type: str) -> bytes:
    if body is None:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    etag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
    if etag in request:
        return f"HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\nConnection: close\r\n\r\n".encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nETag: {etag}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
