"""The door for hubs: questions and pushes by HTTP, handed on as values.  All that knows uvicorn.

Behind a reverse proxy that speaks TLS.  Each connection carries one request and has a deadline.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import parse_qsl

import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from monitor.feeds import websub
from monitor.model import Subscription

DEADLINE = timedelta(seconds=10)  # of a whole request
AT_ONCE = 64  # connections; those beyond get 503
MAX_THROWN_AWAY = 8 << 20  # bytes of a push too large that are still taken, so that it gets its 413
_GRACE = timedelta(seconds=2)
_MAX_FIELDS = 20

log = structlog.get_logger()

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Receiver(Protocol):
    """Who is asked, and told."""

    def called(self, token: str) -> Subscription | None:
        """Whose callback ends with *token*."""

    async def asked(self, each: Subscription, query: dict[str, str]) -> str | None:
        """The answer to a hub's question; None: it is not answered."""

    def pushed(self, each: Subscription, *, good: bool) -> None:
        """A push has come, with a good signature or without."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    text: str = ""
    allow: str = ""


class Listener:
    """Listens on *host* and *port* until it is closed."""

    def __init__(
        self, receiver: Receiver, host: str, port: int, *, deadline: timedelta = DEADLINE
    ) -> None:
        self._receiver, self._deadline = receiver, deadline
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
        self._serving = asyncio.create_task(self._server.serve([sock]), name="hub listener")

    async def aclose(self) -> None:
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving

    # --- one request

    async def _app(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                answer = await self._answer(scope, receive)
        except TimeoutError:
            answer = _Answer(408)
        except Exception:
            log.exception("answering a hub failed")
            answer = _Answer(503)
        if answer is not None:
            await _send(answer, send)

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive) -> _Answer | None:
        each = self._receiver.called(scope["path"].rpartition("/")[2])
        if each is None:
            return _Answer(404)
        if scope["method"] == "GET":
            return await self._question(each, scope["query_string"])
        if scope["method"] == "POST":
            return await self._push(each, dict(scope["headers"]), receive)
        return _Answer(405, allow="GET, POST")

    async def _question(self, each: Subscription, query: bytes) -> _Answer:
        try:
            fields = dict(parse_qsl(query.decode(), max_num_fields=_MAX_FIELDS))
        except ValueError:
            return _Answer(404)
        text = await self._receiver.asked(each, fields)
        return _Answer(404) if text is None else _Answer(200, text)

    async def _push(
        self, each: Subscription, headers: dict[bytes, bytes], receive: Receive
    ) -> _Answer | None:
        """A bad signature is answered like a good one, and ignored (§7.1.2)."""
        signed = websub.signature(headers.get(b"x-hub-signature", b"").decode("latin-1"))
        summed = websub.summing(each, signed) if signed else None
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            size += len(message["body"])
            if size > MAX_THROWN_AWAY:
                return _Answer(413)
            if summed is not None and size <= websub.MAX_PUSH:
                summed.update(message["body"])
            more = message["more_body"]
        if size > websub.MAX_PUSH:
            return _Answer(413)
        good = signed is not None and summed is not None and websub.is_good(summed, signed)
        self._receiver.pushed(each, good=good)
        return _Answer(202)


async def _send(answer: _Answer, send: Send) -> None:
    headers = {
        "content-type": "text/plain; charset=utf-8",
        "x-content-type-options": "nosniff",
        "connection": "close",
        **({"allow": answer.allow} if answer.allow else {}),
    }
    body = answer.text.encode()
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


# --- uvicorn


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
