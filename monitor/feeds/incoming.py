"""One HTTP answer as it comes in: bytes → status, headers, parts of the body.  Pure.

httptools reads.  What h11, which reads for httpx's own transport, takes for an answer is one here
too.
"""

from __future__ import annotations

import re
from collections import deque

import httptools

MAX_HEAD = 64 << 10  # bytes: of a head, and of anything else that brings no body

_LENGTH = re.compile(rb"\ncontent-length:[ \t]*([0-9]+)[ \t]*\r?(?=\n)", re.IGNORECASE)


class BadAnswer(Exception):
    """What came is no HTTP, or too much of it."""


class Incoming:
    """Feed it what comes, until it is ``complete``; take the body from ``parts``."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []  # as sent; names in any case
        self.has_head = False
        self.complete = False
        self.reusable = False  # the connection, once the answer is complete
        self.parts: deque[bytes] = deque()
        self.waiting = 0  # bytes in ``parts``
        self._head = b""  # until there is a blank line: what has none is no answer
        self._barren = 0  # bytes since the last that brought a part of the body
        self._framed = False  # the body's end is told, not left to the connection's
        self._reader: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._reader.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_chunked_length=True,
            lenient_transfer_encoding=True,
            lenient_version=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )

    def feed(self, data: bytes) -> None:
        """Read on in *data*, which is not empty.  Raises BadAnswer.

        What follows a whole answer is no part of it.
        """
        self._barren += len(data)
        while data and not self.has_head:
            head, data = self._whole_head(data)
            self._read(head)
        self._read(data)
        if not self.complete and self._barren > MAX_HEAD:
            raise BadAnswer("the head of the answer is too long")

    def end(self) -> bool:
        """The connection has ended; whether that makes the answer complete."""
        if self.has_head and not self._framed:
            self.complete, self._reader = True, None
        return self.complete

    def take(self) -> bytes:
        """The next of the ``parts``."""
        part = self.parts.popleft()
        self.waiting -= len(part)
        return part

    def _whole_head(self, data: bytes) -> tuple[bytes, bytes]:
        """All that came as soon as it holds a whole head, until then nothing; and the rest."""
        came, self._head = self._head + data, b""
        if came[0] <= 0x20:  # as h11: it need not wait for more
            raise BadAnswer("the answer begins with no word")
        end = _blank_line(came)
        if end < 0:
            self._head = came
            return b"", b""
        if end > MAX_HEAD:
            raise BadAnswer("the head of the answer is too long")
        return _said_once(came[:end]), came[end:]

    def _read(self, data: bytes) -> None:
        if not data:
            return
        if self._reader is None:
            self.reusable = False
            return
        try:
            self._reader.feed_data(data)
        except httptools.HttpParserUpgrade as error:
            raise BadAnswer("the server goes over to another protocol unasked") from error
        except httptools.HttpParserCallbackError as error:
            raise BadAnswer(str(error.__context__ or error)) from error
        except httptools.HttpParserError as error:
            if not self.complete:  # else it is about what follows
                raise BadAnswer(str(error)) from error
            self.reusable = False
        if self.complete:
            self._reader = None  # it and this object hold each other

    # --- what httptools calls

    def on_message_begin(self) -> None:
        if self.complete:
            self.reusable = False
        else:
            self.headers.clear()  # of an interim answer

    def on_header(self, name: bytes, value: bytes) -> None:
        if b"\0" in value:
            raise BadAnswer("there is a NUL in a header of the answer")
        if not self.has_head:  # else it is a trailer
            self.headers.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        assert self._reader is not None
        if self.complete:
            return
        status = self._reader.get_status_code()
        if status < 100:
            raise BadAnswer(f"there is no status {status}")
        self.status = status
        if status < 200:
            return
        codings = [value for name, value in self.headers if name.lower() == b"transfer-encoding"]
        if codings and [each.lower() for each in codings] != [b"chunked"]:
            raise BadAnswer("the server sends its answer in a form that we did not ask for")
        lengths = [True for name, _ in self.headers if name.lower() == b"content-length"]
        self.has_head, self._framed = True, bool(codings or lengths)
        # Of two lengths one is a lie: what follows may belong to somebody else's answer.
        self.reusable = self._reader.should_keep_alive() and not (codings and lengths)

    def on_body(self, body: bytes) -> None:
        if not self.complete:
            self._barren = 0
            self.waiting += len(body)
            self.parts.append(body)

    def on_message_complete(self) -> None:
        if self.has_head:
            self.complete = True


def _blank_line(head: bytes) -> int:
    """Where the first blank line ends; -1: there is none."""
    ends = [at + len(mark) for mark in (b"\n\r\n", b"\n\n") if (at := head.find(mark)) >= 0]
    return min(ends, default=-1)


def _said_once(head: bytes) -> bytes:
    """*head* with a length that is said twice said once: RFC 9110 §8.6 allows it."""
    lengths = _LENGTH.findall(head)
    if len(lengths) < 2 or len(set(lengths)) > 1:
        return head
    first = _LENGTH.search(head)
    assert first is not None
    return head[: first.end()] + _LENGTH.sub(b"", head[first.end() :])
