"""Lines → where they go, by a thread of its own: a log or a terminal that blocks holds up nobody.

Up to ``room`` characters wait; what comes beyond is dropped and counted, and the count is told as
soon as lines get through again.  The same holds for lines that the target refuses (a full disk).
"""

from __future__ import annotations

import os
import select
import sys
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Condition, Thread
from typing import TextIO

ROOM = 4 << 20  # characters
LOOK_EVERY = 5.0  # seconds until ``due`` is asked although nothing was written
PATIENCE = 2.0  # seconds that the end of the program may wait for its log

Write = Callable[[str], None]


def _nothing() -> Iterable[str]:
    return ()


class LogWriter:
    """Writes lines in order, each with *end* behind it.

    *due* gives lines that have become due; *lost* says how many are.
    """

    def __init__(
        self,
        write: Write,
        *,
        lost: Callable[[int], str],
        due: Callable[[], Iterable[str]] = _nothing,
        end: str = "\n",
        name: str = "log",
        room: int = ROOM,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._write, self._lost, self._due = write, lost, due
        self._end, self._name, self._room, self._look_every = end, name, room, look_every
        self._lines: deque[str] = deque()
        self._held = 0  # characters in _lines
        self._missing = 0  # lines dropped or refused, and not told of yet
        self._writing = self._ended = False
        self._changed = Condition()
        self._thread: Thread | None = None

    def put(self, line: str) -> None:
        """Have *line* written; never waits for the target."""
        with self._changed:
            if self._held + len(line) > self._room:
                self._missing += 1
                return
            self._lines.append(line)
            self._held += len(line)
            if self._thread is None:
                self._thread = Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def drain(self, seconds: float = PATIENCE) -> bool:
        """Wait until all is written, at most *seconds*; whether it is."""
        with self._changed:
            return self._changed.wait_for(self._is_idle, seconds)

    def close(self, seconds: float = PATIENCE) -> None:
        """Write what waits, for at most *seconds*; a blocked thread is left to its fate."""
        self.drain(seconds)
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _is_idle(self) -> bool:
        return not self._lines and not self._writing

    # --- in the thread

    def _run(self) -> None:
        while not self._ended:
            line = self._next()
            if line is not None:
                self._get_through(line)
            with suppress(Exception):  # without this thread nothing would be written any more
                for each in self._due():
                    self._get_through(each)
            with self._changed:
                self._writing = False
                self._changed.notify_all()

    def _next(self) -> str | None:
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._ended, self._look_every)
            if not self._lines:
                return None
            line = self._lines.popleft()
            self._held -= len(line)
            self._writing = True
            return line

    def _get_through(self, line: str) -> None:
        """Write *line*, and before it how many are missing; if that fails, one more is."""
        missing = self._missing
        try:
            if missing:
                self._write(self._lost(missing) + self._end)
                with self._changed:
                    self._missing -= missing
            self._write(line + self._end)
        except Exception:  # OSError: it is full; ValueError: it is closed; else a bug of its owner
            with self._changed:
                self._missing += 1


def to_stderr(text: str) -> None:
    """Write to ``sys.stderr`` as it is now: a progress bar replaces it for a while."""
    _to_stream(sys.stderr, sys.__stderr__, text)


def to_stdout(text: str) -> None:
    """The same for what is no log."""
    _to_stream(sys.stdout, sys.__stdout__, text)


def _to_stream(stream: TextIO | None, own: TextIO | None, text: str) -> None:
    """Past the buffer of the program's *own* stream: a thread that blocks in there takes a lock
    along, which the end of the program would wait for."""
    if stream is None:
        raise OSError("it is closed")
    if stream is own:
        to_file(stream, text)
        return
    stream.write(text)
    stream.flush()


def to_file(stream: TextIO, text: str) -> None:
    """All of *text*, past the buffer of *stream*."""
    data = text.encode(stream.encoding or "utf-8", "replace")
    while data:
        with suppress(BlockingIOError):
            data = data[os.write(stream.fileno(), data) :]
            continue
        select.select([], [stream.fileno()], [])  # somebody has made it non-blocking
