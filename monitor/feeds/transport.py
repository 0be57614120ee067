"""httpx's way to the network, our own and lean: guarded, HTTP/1.1, connections used again.

httpx's own walks all its connections at every request and costs many times more.  Its deadline is
the caller's: of httpx's timeouts only "connect" is heard.  For GET and POST, without proxies.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence

import httpcore
import httpx

from monitor.feeds.guard import Guard
from monitor.feeds.idle import Idle, Origin
from monitor.feeds.incoming import Incoming
from monitor.feeds.tls import Tls
from monitor.feeds.wire import Wire

_ROOM = 64 << 10  # bytes read at once
_PORTS = {"http": 80, "https": 443}


class OwnTransport(httpx.AsyncBaseTransport):
    """Connects where *guard* lets it; keeps at most *idle* connections for later."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext, *, idle: int) -> None:
        tls.set_alpn_protocols(["http/1.1"])
        self._guard, self._tls = guard, tls
        self._idle = Idle(idle)
        self._room = bytearray(_ROOM)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        origin, question = _origin(request.url), _question(request, await request.aread())
        # A connection used again may just be closing; only a GET may be asked twice.
        wire = self._idle.take(origin) if request.method == "GET" else None
        if wire is not None:
            try:
                return self._response(origin, wire, await _asked(wire, question))
            except (httpx.ReadError, httpx.RemoteProtocolError):
                if wire.heard:
                    raise
        wire = await self._connected(origin, request.extensions.get("timeout", {}).get("connect"))
        return self._response(origin, wire, await _asked(wire, question))

    async def aclose(self) -> None:
        self._idle.close()
        await asyncio.sleep(0)  # transports close in the loop's next turn

    def _response(self, origin: Origin, wire: Wire, answer: Incoming) -> httpx.Response:
        body = _Body(wire, lambda: self._idle.give(origin, wire))
        return httpx.Response(answer.status, headers=answer.headers, stream=body)

    async def _connected(self, origin: Origin, seconds: float | None) -> Wire:
        """A connection to the first address that takes one, its TLS standing."""
        _, host, port = origin
        try:
            async with asyncio.timeout(seconds):
                addresses = await self._guard.addresses(host, port)
                share = seconds / len(addresses) if seconds and len(addresses) > 1 else None
                wire = await self._reached(origin, addresses, share)
                try:
                    await wire.shaken()
                except BaseException:
                    wire.abort()
                    raise
                return wire
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time") from error
        except httpcore.ConnectError as error:
            raise httpx.ConnectError(str(error)) from error

    async def _reached(self, origin: Origin, addresses: Sequence[str], share: float | None) -> Wire:
        """*share*: seconds for each, so that behind a dead IPv6 route IPv4 gets its turn."""
        failure: Exception | None = None
        for address in addresses:
            try:
                async with asyncio.timeout(share):
                    return await self._wire(origin, address)
            except OSError as error:
                failure = error
        late = isinstance(failure, TimeoutError)
        raise (httpx.ConnectTimeout if late else httpx.ConnectError)(str(failure)) from failure

    async def _wire(self, origin: Origin, address: str) -> Wire:
        scheme, host, port = origin
        secure = scheme == "https"
        tls = Tls(self._tls, host, self._idle.session(origin)) if secure else None
        wire = Wire(self._room, tls, self._idle.drop)
        await asyncio.get_running_loop().create_connection(lambda: wire, address, port)
        return wire


class _Body(httpx.AsyncByteStream):
    """What follows the head; closing it gives the connection back."""

    def __init__(self, wire: Wire, give_back: Callable[[], None]) -> None:
        self._wire, self._give_back = wire, give_back
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while part := await self._wire.part():
            yield part

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            self._give_back()


async def _asked(wire: Wire, question: bytes) -> Incoming:
    try:
        return await wire.ask(question)
    except BaseException:
        wire.abort()
        raise


def _origin(url: httpx.URL) -> Origin:
    return url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]


def _question(request: httpx.Request, content: bytes) -> bytes:
    """The request as it is sent.  Raises LocalProtocolError for what would be two."""
    lines = [request.method.encode() + b" " + request.url.raw_path + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in request.headers.raw]
    head = b"\r\n".join(lines)
    if head.count(b"\n") + 1 != len(lines) or head.count(b"\r") + 1 != len(lines) or b"\0" in head:
        raise httpx.LocalProtocolError("a header of the request holds a line break")
    return head + b"\r\n\r\n" + content
