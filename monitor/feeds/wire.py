"""One connection to a server: a question, its answer, the next question.  Decides no retries."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

import httpx

from monitor.feeds.incoming import BadAnswer, Incoming
from monitor.feeds.tls import Tls

HIGH = 64 << 10  # bytes of a body that wait for their reader before the server must


class Wire(asyncio.BufferedProtocol):
    """*room* takes what comes and may be shared: nothing stays there after the event.

    *on_idle_end* is called when the connection ends, or brings anything, between two exchanges.
    """

    def __init__(
        self, room: bytearray, tls: Tls | None, on_idle_end: Callable[[Wire], None]
    ) -> None:
        self._room, self._view, self.tls = room, memoryview(room), tls
        self._on_idle_end = on_idle_end
        self._transport: asyncio.Transport | None = None
        self._answer: Incoming | None = Incoming()  # some servers answer before they are asked
        self._failure: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._paused = self._asked = False
        self.heard = False  # something of the answer has come
        self.idle_since = 0.0  # for the pool

    # --- for the transport

    async def shaken(self) -> None:
        """Wait until TLS stands.  Raises httpx.ConnectError."""
        while self.tls is not None and not self.tls.ready:
            if self._failure is not None:
                raise httpx.ConnectError(str(self._failure)) from self._failure
            await self._change()

    async def ask(self, request: bytes) -> Incoming:
        """Send *request*; its answer, as soon as there is a whole head.  Raises httpx errors."""
        self.heard = self.heard and self._answer is not None
        self._answer = answer = self._answer or Incoming()
        self._send(request)
        while not answer.has_head:
            if self._failure is not None:
                raise self._failure
            await self._change()
        return answer

    async def part(self) -> bytes:
        """The next part of the body, b"" at its end.  Raises httpx errors."""
        answer = cast(Incoming, self._answer)
        while not answer.parts:
            if answer.complete:
                return b""
            if self._failure is not None:
                raise self._failure
            self._flow()
            await self._change()
        return answer.take()

    def rest(self) -> bool:
        """The exchange is over; whether there may be another."""
        answer = self._answer
        good = answer is not None and answer.complete and answer.reusable
        if not good or self._failure is not None:
            return False
        self._answer = None
        self._flow()
        return True

    def close(self) -> None:
        """In order where the last answer is whole, else at once: nobody reads on."""
        self._failure = self._failure or httpx.ReadError("closed")
        if self._transport is None:
            return
        if self._answer is not None and not self._answer.complete:
            self._transport.abort()
            return
        self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # --- for asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self.tls is not None:
            try:
                self.tls.shake()
            except ssl.SSLError as error:
                self._fail(_translated(error))
            self._flush(self.tls)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(self._view[:nbytes])
        try:
            if self.tls is None:
                self._take(data)
            else:
                self._unpack(self.tls, data)
        except (BadAnswer, ssl.SSLError) as error:
            self._fail(_translated(error))
            if self._answer is None:
                self._on_idle_end(self)
                self.abort()
        self._wake()

    def eof_received(self) -> None:
        if self.tls is not None:
            try:
                self.tls.cut()
            except ssl.SSLError as error:
                self._fail(_translated(error))
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self._fail(_translated(exc))
        self._end()

    # --- both

    def _unpack(self, tls: Tls, data: bytes) -> None:
        try:
            tls.take(data)
            while plain := tls.read():
                self._take(plain)
            if tls.ended:
                self._end()
        finally:
            if self._asked or not tls.ready:  # else the end of the handshake goes with the question
                self._flush(tls)

    def _take(self, data: bytes) -> None:
        if self._answer is None:  # nobody asked
            self._end()
            self.abort()
            return
        self.heard = True
        self._answer.feed(data)
        if self._answer.waiting > HIGH and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _send(self, data: bytes) -> None:
        if self._transport is None or self._failure is not None:
            return
        self._asked = True
        if self.tls is None:
            self._transport.write(data)
            return
        try:
            self.tls.write(data)
        except ssl.SSLError as error:
            self._fail(_translated(error))
        self._flush(self.tls)

    def _flush(self, tls: Tls) -> None:
        out = tls.outgoing()
        if out and self._transport is not None:
            self._transport.write(out)

    def _flow(self) -> None:
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def _end(self) -> None:
        """Nothing more comes."""
        answer = self._answer
        if answer is None:
            self._fail(httpx.ReadError("closed"))
            self._on_idle_end(self)
        elif not answer.end():
            words = "peer closed connection without sending complete message body"
            if not answer.has_head:  # httpcore's words
                words = "Server disconnected without sending a response."
            self._fail(httpx.RemoteProtocolError(words))
        else:
            answer.reusable = False
        self._wake()

    def _fail(self, error: Exception) -> None:
        """The first failure is the one that counts; what came before it can be read."""
        self._failure = self._failure or error

    async def _change(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _translated(error: Exception) -> Exception:
    kind = httpx.RemoteProtocolError if isinstance(error, BadAnswer) else httpx.ReadError
    translated = kind(str(error))
    translated.__cause__ = error
    return translated
