"""Compressed bodies within bounds: httpx would unpack 397 bytes to two gigabytes.  Pure."""

from __future__ import annotations

import zlib

MAX_BODY = 15 << 20  # bytes after decompression

_GZIP_OR_ZLIB = 47  # zlib's window bits: 32 + 15, the header tells which
_RAW_DEFLATE = -15


class BodyError(Exception):
    """A body that cannot be used."""


class TooLarge(BodyError):
    """More than the limit, packed or unpacked."""


class BadCoding(BodyError):
    """A content coding that is unknown, layered or broken."""


class CutOff(BodyError):
    """The packed stream stops before its end."""


class Inflater:
    """Takes the chunks of a body as sent; bounded by *limit* unpacked bytes."""

    def __init__(self, coding: str, *, limit: int = MAX_BODY) -> None:
        """*coding*: the Content-Encoding header, "" if there was none."""
        name = coding.strip().lower()
        if name not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise BadCoding(
                f"the server packs its answer as {name[:40]!r}, which we did not ask for"
            )
        self._packed = name not in ("", "identity")
        self._deflate = name == "deflate"
        self._limit = limit
        self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._body = bytearray()
        self._first = True

    def feed(self, chunk: bytes) -> None:
        if not self._packed:
            self._add(chunk)
            return
        while chunk:
            chunk = self._inflate(chunk)

    def finish(self) -> bytes:
        """The whole body; CutOff if the packed stream has not ended."""
        if self._packed and not self._first and not self._stream.eof:
            raise CutOff("the packed answer stops before its end")
        return bytes(self._body)

    def _inflate(self, chunk: bytes) -> bytes:
        """Unpack *chunk*; what is left of it when one gzip member has ended."""
        if self._stream.eof:
            if not chunk.strip(b"\0"):
                return b""  # padding after the last member
            self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        room = self._limit + 1 - len(self._body)
        try:
            self._add(self._stream.decompress(chunk, room))
        except zlib.error as error:
            return self._as_raw_deflate(chunk, error)
        self._first = False
        if self._stream.unconsumed_tail:
            raise TooLarge(f"more than {self._limit >> 20} MiB when unpacked")
        return self._stream.unused_data

    def _as_raw_deflate(self, chunk: bytes, error: zlib.error) -> bytes:
        """Some servers send deflate without zlib's header."""
        if not (self._deflate and self._first):
            raise BadCoding(f"the packed answer is broken ({error})") from error
        self._stream, self._first = zlib.decompressobj(_RAW_DEFLATE), False
        return self._inflate(chunk)

    def _add(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > self._limit:
            raise TooLarge(f"more than {self._limit >> 20} MiB")
