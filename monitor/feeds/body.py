"""Compressed bodies within bounds: httpx would unpack 397 bytes to two gigabytes.  Pure."""

from __future__ import annotations

import hashlib
import zlib
from collections import deque

MAX_BODY = 15 << 20  # bytes, as sent and after decompression
MAX_MEMBERS = 1_000  # of one gzip stream: bgzip makes 240 of MAX_BODY; empty ones only cost time
STEP = 1 << 20  # bytes unpacked at a time: some thousandths of a second
HELD = 256 << 10  # bytes as sent that wait for the end of their body before they are unpacked

_AUTO = 47  # zlib's window bits: 32 + 15, the header tells gzip from zlib
_RAW_DEFLATE = -15
_GZIP_MAGIC = b"\x1f\x8b"


class BodyError(Exception):
    """A body that cannot be used."""


class TooLarge(BodyError):
    """More than the limit, packed or unpacked."""


class BadCoding(BodyError):
    """A content coding that is unknown, layered or broken."""


class CutOff(BodyError):
    """The packed stream stops before its end."""


class Inflater:
    """Takes the chunks of a body as sent; bounded by *limit* bytes, packed and unpacked.

    What was taken is unpacked by ``step``, a little at a time, and what is left by ``finish``.
    """

    def __init__(
        self, coding: str, *, limit: int = MAX_BODY, known: str | None = None, read_as: str = ""
    ) -> None:
        """*coding*: the Content-Encoding header, "" if there was none.  Raises BadCoding.

        *known*: the ``packed_hash`` of a body that need not be unpacked again; *read_as*: what else
        its meaning depends on.
        """
        name = coding.strip().lower()
        if name not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise BadCoding(
                f"the server packs its answer as {name[:40]!r}, which we did not ask for"
            )
        self._packed = name not in ("", "identity")
        self._deflate = name == "deflate"
        self._limit = limit
        self._taken = 0  # bytes as sent
        self._known, self._held = known, deque[bytes]()
        self._hash = hashlib.sha256(f"{name} {read_as} ".encode())
        self._head = b""  # the first bytes, until they are enough to tell the format
        self._stream: zlib._Decompress | None = None
        self._members = 0
        self._body = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next *chunk*.  Raises TooLarge."""
        self._taken += len(chunk)
        if self._taken > self._limit:
            raise TooLarge(f"more than {_size(self._limit)}")
        if not self._packed:
            self._body += chunk
            return
        self._hash.update(chunk)
        self._held.append(chunk)

    def step(self, *, all_taken: bool = False) -> bool:
        """Unpack a little; whether there is more to do.  Raises TooLarge, BadCoding.

        Nothing, as long as it may be the known body; *all_taken*: no chunk comes any more.
        """
        if self._may_be_known(all_taken):
            return False
        if self._held:
            self._inflate(self._held.popleft())
        return bool(self._held)

    @property
    def packed_hash(self) -> str | None:
        """Tells whether a body is the same as last time; None if it is not packed."""
        return self._hash.hexdigest()[:32] if self._packed else None

    def finish(self) -> bytes | None:
        """The whole body; None if it is the known one.  Raises TooLarge, BadCoding, and CutOff if
        the packed stream has not ended."""
        while self.step(all_taken=True):
            pass
        if self._held:
            return None
        if self._head or (self._stream is not None and not self._stream.eof):
            raise CutOff("the packed answer stops before its end")
        return bytes(self._body)

    def _may_be_known(self, all_taken: bool) -> bool:
        if self._known is None or self._taken > HELD:
            return False
        return not all_taken or self.packed_hash == self._known

    def _inflate(self, chunk: bytes) -> None:
        """Unpack some of *chunk*, and put the rest back."""
        if self._stream is None or self._stream.eof:
            chunk = self._open(chunk)
        if self._stream is None or self._stream.eof:
            return
        room = self._limit + 1 - len(self._body)  # one more than allowed shows that there is more
        at_once = min(room, STEP)
        try:
            some = self._stream.decompress(chunk, at_once)
        except zlib.error as error:
            raise BadCoding(f"the packed answer is broken ({error})") from error
        self._body += some
        if len(self._body) > self._limit:
            raise TooLarge(f"more than {_size(self._limit)} when unpacked")
        rest = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
        if rest or (len(some) == at_once and not self._stream.eof):  # more may come of nothing
            self._held.appendleft(rest)

    def _open(self, chunk: bytes) -> bytes:
        """Begin a packed stream with *chunk*; what to unpack, b"" while it is too short to tell."""
        if self._members and not chunk.strip(b"\0"):
            return b""  # padding after the last member
        self._head += chunk
        if len(self._head) < 2:
            return b""
        head, self._head = self._head, b""
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise BadCoding("the packed answer is in too many pieces")
        raw = self._deflate and not _has_header(head)
        self._stream = zlib.decompressobj(_RAW_DEFLATE if raw else _AUTO)
        return head


def _has_header(head: bytes) -> bool:
    """Whether packed data begins as gzip or zlib (RFC 1950 §2.2); some servers send it bare."""
    zlib_header = head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0
    return zlib_header or head[:2] == _GZIP_MAGIC


def _size(limit: int) -> str:
    return f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit} bytes"
