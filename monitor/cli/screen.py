"""A terminal to print on that holds up nobody: Ctrl-S stops what is shown, not the monitor."""

from __future__ import annotations

import io
from functools import partial
from typing import TextIO

from monitor.logwriter import PATIENCE, LogWriter, to_file

ROOM = 1 << 20  # characters that wait to be shown


class Screen(io.TextIOBase):
    """*terminal* as a file for ``rich.console``; a thread writes what is printed on it."""

    def __init__(self, terminal: TextIO, *, room: int = ROOM) -> None:
        # Its own: while a progress bar stands, sys.stdout is one that prints here.
        self._terminal = terminal
        self._writer = LogWriter(
            partial(to_file, terminal), lost=_lost, end="", room=room, name="screen"
        )

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._terminal.encoding

    def isatty(self) -> bool:
        return self._terminal.isatty()

    def fileno(self) -> int:
        return self._terminal.fileno()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        """Never waits, and never raises."""
        self._writer.put(text)
        return len(text)

    def show(self, text: str) -> None:
        """Past all that waits: returns when *text* is shown, however long that takes.

        Raises OSError if it cannot be.
        """
        to_file(self._terminal, text)

    def end(self, seconds: float = PATIENCE) -> None:
        """Show what waits, for at most *seconds*."""
        self._writer.close(seconds)


def _lost(pieces: int) -> str:
    """Pieces are lines and the frames of a progress bar: their number would say nothing."""
    return "(some lines are left out here: this terminal was held up)\n"
