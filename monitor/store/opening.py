"""Connections: how they are made, what is refused before one is, and what SQLite's errors mean."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from monitor.errors import StoreBusy, StoreDamaged, StoreError, StoreRefused
from monitor.store.access import as_whom, cannot_write, may_write

BUSY_TIMEOUT = timedelta(seconds=30)
WAL_LIMIT = 64 << 20  # bytes kept of the write-ahead log after a checkpoint
PASSING = (
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_CANTOPEN",
    "SQLITE_INTERRUPT",  # we end, and told a long check to
    "SQLITE_READONLY_ROLLBACK",  # a write was cut off: the next one that may write clears it up
)

_OUR_FAULT = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)


def connect(name: str, busy_timeout: timedelta) -> sqlite3.Connection:
    connection = sqlite3.connect(
        name,
        timeout=busy_timeout.total_seconds(),
        isolation_level=None,  # transactions are begun by us, never behind our back
        uri=name.startswith("file:"),
    )
    connection.row_factory = sqlite3.Row
    connection.text_factory = _text
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _text(stored: bytes) -> str:
    """One damaged letter must not hide its row, and with it all that is read together."""
    return stored.decode("utf-8", "replace")


def back_up(connection: sqlite3.Connection, path: str, to: str) -> None:
    """Copy the database at *path* to *to*, whole or not at all."""
    half = f"{to}.part"
    Path(half).unlink(missing_ok=True)
    with closing(sqlite3.connect(half)) as copy:
        shutil.copymode(path, half)
        connection.backup(copy)
    Path(half).replace(to)


def looks_usable(path: str) -> bool:
    """Whether there is something at *path*; StoreRefused if it can be no database of ours."""
    place = Path(path)
    try:
        found = place.stat()
        if stat.S_ISDIR(found.st_mode):
            raise StoreRefused(f"{path}: this is a folder; [monitor] database names a file")
        if not found.st_size:
            return False
        with place.open("rb") as file:
            head = file.read(16)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StoreRefused(
            f"{path}: cannot be read ({error.strerror}); {as_whom(place)}"
        ) from error
    if head != b"SQLite format 3\0":
        raise StoreRefused(f"{path}: this is not a database; nothing was changed")
    return True


def place_of(path: str) -> tuple[int, int] | None:
    """Which file is at *path*; None: none is."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def translated(path: str, *, opened: bool = False) -> Iterator[None]:
    """SQLite's errors as ours: passing ones are StoreBusy, lasting ones StoreRefused.

    *opened*: it could be written before; a disk that became read-only may become writable again.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _translate(error, path, opened) from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, _OUR_FAULT):
            raise
        raise StoreDamaged(
            f"{path}: the database is damaged ({error}); restore a backup"
        ) from error


def _translate(
    error: sqlite3.OperationalError, path: str, opened: bool
) -> StoreError | sqlite3.Error:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY")) and not may_write(Path(path)):
        return (StoreBusy if opened else StoreRefused)(cannot_write(Path(path)))
    if name.startswith(PASSING):
        return StoreBusy(f"{path}: {error}")
    if name.startswith("SQLITE_READONLY"):
        return StoreRefused(f"{path}: cannot be written ({error}); {as_whom(Path(path))}")
    return error
