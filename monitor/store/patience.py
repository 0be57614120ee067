"""Waits until the database may be written, in turns so short that waiting can be called off."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from time import monotonic

TURN = timedelta(seconds=1)  # SQLite itself waits no longer: nothing could call it off


class Patience:
    """How long one connection waits for the lock of another."""

    def __init__(self, most: timedelta) -> None:
        self._most = most.total_seconds()
        self._lost = False

    def lose(self) -> None:
        """From any thread: wait no more, now or later; the program is about to end."""
        self._lost = True

    def begin(self, db: sqlite3.Connection) -> None:
        """Begin a transaction that writes; raises SQLite's "locked" when patience has an end."""
        give_up = monotonic() + self._most
        turn = 0 if self._lost else min(self._most, TURN.total_seconds())
        db.execute(f"PRAGMA busy_timeout = {round(turn * 1000)}")
        while True:
            try:
                db.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if not error.sqlite_errorname.startswith("SQLITE_BUSY"):
                    raise
                if self._lost or monotonic() >= give_up:
                    raise
