"""Questions by HTTP, answered as values.  All that knows uvicorn; decides nothing.

Each connection carries one request and has a deadline.  TLS is the business of a reverse proxy.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

DEADLINE = timedelta(seconds=10)  # of a whole request
AT_ONCE = 64  # connections; those beyond get 503
_GRACE = timedelta(seconds=2)

log = structlog.get_logger()

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int
    text: str = ""
    allow: str = ""  # methods, with 405
    kind: str = "text/plain; charset=utf-8"


Answers = Callable[[Message, Receive], Awaitable[Reply | None]]  # None: who asked has gone


class Door:
    """Listens on *host* and *port* until it is closed; *answers* gets the scope of a request."""

    def __init__(
        self, answers: Answers, host: str, port: int, *, deadline: timedelta = DEADLINE
    ) -> None:
        self._answers, self._deadline = answers, deadline
        self._address = host, port
        self._serving: asyncio.Task[None] | None = None
        self._server = _Server(
            uvicorn.Config(
                self._app,
                http=_impatient(deadline),
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level="critical",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=AT_ONCE,
                timeout_graceful_shutdown=int(_GRACE.total_seconds()),
            )
        )

    def open(self) -> None:
        """Raises OSError if the address cannot be taken."""
        sock = _bound(*self._address)
        self._serving = asyncio.create_task(self._server.serve([sock]), name="door")

    async def aclose(self) -> None:
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
            for server in self._server.servers:  # left open by some versions if they hardly began
                server.close()

    async def _app(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                reply = await self._answers(scope, receive)
        except TimeoutError:
            reply = Reply(408)
        except Exception:
            log.exception("answering a request failed")
            reply = Reply(503)
        if reply is not None:
            await _send(reply, send)


async def _send(reply: Reply, send: Send) -> None:
    headers = {
        "content-type": reply.kind,
        "x-content-type-options": "nosniff",
        "connection": "close",
        **({"allow": reply.allow} if reply.allow else {}),
    }
    body = reply.text.encode()
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the daemon's."""
        yield


def _impatient(deadline: timedelta) -> type[H11Protocol]:
    """A protocol whose connections end in time: uvicorn itself waits for slow headers for ever."""

    class Impatient(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            seconds = 2 * deadline.total_seconds()
            self._end = self.loop.call_later(seconds, transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            self._end.cancel()
            super().connection_lost(exc)

    return Impatient


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen()
    except OSError:
        sock.close()
        raise
    return sock
