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
        self._in_vain = False  # it was waited for to the end
        self._lost = False

    def lose(self) -> None:
        """From any thread: wait no more, now or later; the program is about to end."""
        self._lost = True

    def begin(self, db: sqlite3.Connection, *, now: bool = False) -> None:
        """Begin a transaction that writes; raises SQLite's "locked" when patience has an end.

        After one that was in vain others wait for a turn only, until the lock is gone: they queue
        for the same thread, and the last of them would learn of it after many minutes.  *now*: what
        can wait for another time does not wait here.
        """
        turn = 0 if now or self._lost else min(self._most, TURN.total_seconds())
        give_up = monotonic() + (turn if now or self._in_vain else self._most)
        db.execute(f"PRAGMA busy_timeout = {round(turn * 1000)}")
        while True:
            try:
                db.execute("BEGIN IMMEDIATE")
                self._in_vain = False
                return
            except sqlite3.OperationalError as error:
                if not error.sqlite_errorname.startswith("SQLITE_BUSY"):
                    raise
                if self._lost or monotonic() >= give_up:
                    self._in_vain = self._in_vain or not now
                    raise
