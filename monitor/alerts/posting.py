"""Posts once and tells what came of it.  The one module that knows httpx for sending.

Below httpx's client, on its transport: so there are no redirects, no cookies, no proxies from the
environment, and no log lines with addresses in them.  Every message has a connection of its own:
one that was kept may be closed by the other side just when we write, and then nobody knows.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from monitor import __version__
from monitor.alerts.exchange import Exchange, Post

MOST_READ = 64 << 10  # bytes of an answer

_HEADERS = (
    ("user-agent", f"news-monitor/{__version__}"),
    ("accept-encoding", "identity"),
)
# The special before the general; the names are those of ``outcome``.
_FAULTS: tuple[tuple[str, tuple[type[BaseException], ...]], ...] = (
    ("address", (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError)),
    ("dns", (socket.gaierror,)),
    ("tls", (ssl.SSLError,)),
    ("timeout", (TimeoutError, httpx.TimeoutException)),
    ("refused", (ConnectionRefusedError,)),
    ("reset", (ConnectionError, httpx.ReadError, httpx.WriteError)),
    ("unreachable", (httpx.ConnectError, OSError)),
    ("protocol", (httpx.ProtocolError,)),
)


@dataclass(slots=True)
class _Progress:
    """How far an exchange came; what is left when it breaks off."""

    handed_over: bool = False
    status: int | None = None
    retry_after: str | None = None
    body: bytearray = field(default_factory=bytearray)

    async def trace(self, event: str, _: dict[str, Any]) -> None:
        """httpcore says what it does; once it writes the body, the body may arrive."""
        if event.endswith(".send_request_body.started"):
            self.handed_over = True

    def exchange(self, fault: str = "") -> Exchange:
        return Exchange(
            status=self.status,
            retry_after=self.retry_after,
            body=bytes(self.body),
            fault=fault,
            handed_over=self.handed_over,
        )


class Poster:
    """Sends requests, any number at once."""

    def __init__(self, *, deadline: timedelta, patience: timedelta, connect: timedelta) -> None:
        """*deadline*: of a whole exchange; *patience*: for a single read or write."""
        self._deadline = deadline.total_seconds()
        self._timeouts = dict.fromkeys(("read", "write"), patience.total_seconds())
        self._timeouts["connect"] = connect.total_seconds()
        self._transport: httpx.AsyncHTTPTransport | None = None

    async def post(self, post: Post) -> Exchange:
        """Try once.  Never raises for what the other side does."""
        progress = _Progress()
        try:
            async with asyncio.timeout(self._deadline):
                await self._exchange(post, progress)
        except Exception as error:
            return progress.exchange(_fault_of(error))
        return progress.exchange()

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None

    async def _exchange(self, post: Post, progress: _Progress) -> None:
        request = httpx.Request(
            "POST",
            post.url,
            headers=[*_HEADERS, *post.headers],
            content=post.body,
            extensions={"timeout": self._timeouts, "trace": progress.trace},
        )
        response = await self._connected().handle_async_request(request)
        try:
            progress.status = response.status_code
            progress.retry_after = response.headers.get("retry-after")
            if post.reads:
                await _read(response, progress.body)
        finally:
            await response.aclose()

    def _connected(self) -> httpx.AsyncHTTPTransport:
        """Made at the first use: reading the certificates takes 80 ms, and many never post."""
        if self._transport is None:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
            self._transport = httpx.AsyncHTTPTransport(
                verify=_trust(), limits=limits, trust_env=False
            )
        return self._transport


def _trust() -> ssl.SSLContext:
    """Trusts certifi's authorities and the system's, where a company keeps its own."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


async def _read(response: httpx.Response, body: bytearray) -> None:
    async for chunk in response.aiter_raw():
        body += chunk[: MOST_READ - len(body)]
        if len(body) >= MOST_READ:
            return


def _fault_of(error: BaseException) -> str:
    if isinstance(error, httpx.RemoteProtocolError) and "disconnected" in str(error):
        return "reset"  # httpcore's words for a connection that closed unanswered
    causes = list(_causes(error))
    for fault, types in _FAULTS:
        if any(isinstance(cause, types) for cause in causes):
            return fault
    return "failed"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """*error* and what led to it, but for what TLS raises while it waits."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        if not isinstance(each, ssl.SSLWantReadError | ssl.SSLWantWriteError):
            yield each
        waiting += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):  # several addresses of a host were tried
            waiting += each.exceptions
