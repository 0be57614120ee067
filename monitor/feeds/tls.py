"""TLS over bytes: what comes in, what goes out.  No sockets; the wire carries both.

asyncio's own way holds 256 KiB for each connection and sets two timers.
"""

from __future__ import annotations

import ssl

_PIECE = 16 << 10  # bytes: what one record of TLS holds at most


class Tls:
    """One connection's client side; *session* is that of an earlier one with the same *host*."""

    def __init__(
        self, context: ssl.SSLContext, host: str, session: ssl.SSLSession | None = None
    ) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._in, self._out, server_hostname=host, session=session)
        self.offered = session is not None  # whether the other side then takes it is ``resumed``
        self.ready = False  # the handshake is done, the certificate is good
        self.ended = False  # the other side has said that nothing more comes

    def session(self) -> ssl.SSLSession | None:
        """To be taken up by another connection.  It is a copy, at a third of a handshake's cost."""
        return self._object.session

    @property
    def resumed(self) -> bool:
        return bool(self._object.session_reused)

    def outgoing(self) -> bytes:
        """What is to be sent now."""
        return self._out.read() if self._out.pending else b""

    def shake(self) -> None:
        """Begin the handshake, or go on with what came.  Raises ssl.SSLError."""
        try:
            self._object.do_handshake()
            self.ready = True
        except ssl.SSLWantReadError:
            pass

    def take(self, data: bytes) -> None:
        """*data* came."""
        self._in.write(data)
        if not self.ready:
            self.shake()

    def read(self) -> bytes:
        """The next piece of plain text, b"" if there is none yet.  Raises ssl.SSLError."""
        if not self.ready or not (self._in.pending or self._object.pending()):
            return b""
        try:
            piece = self._object.read(_PIECE)
        except ssl.SSLWantReadError:
            return b""
        self.ended = not piece
        return piece

    def write(self, data: bytes) -> None:
        self._object.write(data)

    def cut(self) -> None:
        """The other side has ended without a word.  Raises ssl.SSLError in a handshake."""
        self._in.write_eof()
        if not self.ready:
            self.shake()
