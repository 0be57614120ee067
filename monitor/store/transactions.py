"""One connection to the database: reading from it, and writing all or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from monitor.store.opening import (
    BUSY_TIMEOUT,
    place_of,
    translated,
)
from monitor.store.patience import Patience


class Transactions:
    """Used in the thread that opened it."""

    def __init__(
        self, db: sqlite3.Connection, path: str, busy_timeout: timedelta = BUSY_TIMEOUT
    ) -> None:
        self._busy_timeout = busy_timeout
        self._db = db
        self._path = path
        self._patience = Patience(busy_timeout)
        self._place = place_of(path)

    @contextmanager
    def _writing(self, *, now: bool = False) -> Iterator[sqlite3.Connection]:
        """One write transaction: all of it, or nothing and an exception.

        *now*: without waiting for the lock of another program.
        """
        with translated(self._path, opened=True):
            self._patience.begin(self._db, now=now)
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite rolls back by itself when the disk is full
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with translated(self._path):
            yield self._db
