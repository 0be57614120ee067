"""Copies of the database: made while the monitor runs, proved, and put back."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor.errors import StoreRefused
from monitor.store.opening import looks_usable
from monitor.store.sqlite import SqliteStore

COMPANIONS = ("-wal", "-shm")  # SQLite keeps them beside a database


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a copy holds: proved by SQLite's own check, counted."""

    size: int  # bytes
    entries: int
    alerts: int
    waiting: int  # deliveries that were not sent when it was made
    newest: datetime | None  # entry


def make(database: str, to: Path) -> Contents:
    """Copy *database*, whole and at one moment, to *to*; nothing is there until it is proved.

    Raises StoreRefused, also when *to* exists.
    """
    if to.exists():
        raise StoreRefused(f"{to}: there is a file already; choose another name, or remove it")
    if not to.parent.is_dir():
        raise StoreRefused(f"{to}: there is no folder {to.parent}")
    half = to.with_name(f"{to.name}.unproved")
    try:
        with closing(SqliteStore.read_only(database)) as store:
            store.copy_to(str(half))
        _into_one_file(half)
        contents = examine(half)
        _sync(half)
        half.rename(to)
    except OSError as error:
        raise StoreRefused(f"{to}: cannot be written: {error.strerror}") from error
    finally:
        _remove(half)
    return contents


def examine(path: Path) -> Contents:
    """What is in the database at *path*, once SQLite has read all of it and found it whole.

    Raises StoreRefused if it is not a whole database of ours, or one of a newer monitor.
    """
    if not looks_usable(str(path)):
        raise StoreRefused(f"{path}: there is no backup of that name")
    with closing(SqliteStore.looking(str(path))) as store:
        entries, alerts, waiting, newest = store.contents()
    return Contents(
        size=path.stat().st_size, entries=entries, alerts=alerts, waiting=waiting, newest=newest
    )


def put_back(backup: Path, database: str, now: datetime) -> tuple[Contents, Path | None]:
    """Make *backup* the database; what it replaces stays beside it, under the name returned.

    The caller holds the lock.  A crash leaves the old database or the new one, never a mixture.
    """
    contents = examine(backup)
    place = Path(database)
    new = place.with_name(f"{place.name}.restoring")
    kept = place.with_name(f"{place.name}.before-{now:%Y%m%dT%H%M%S}") if place.exists() else None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _remove(new)
        with closing(SqliteStore.looking(str(backup))) as source:
            source.copy_to(str(new))
        _sync(new)
        if kept is not None:
            _set_aside(place, kept)
        new.rename(place)
    except (OSError, sqlite3.Error) as error:
        raise StoreRefused(f"{place}: cannot be restored: {error}") from error
    return contents, kept


def _into_one_file(path: Path) -> None:
    """Without a log beside it: a backup is moved about."""
    with closing(sqlite3.connect(path)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE")


def _set_aside(place: Path, kept: Path) -> None:
    """The old database with its log folded in, so that it is one file."""
    with closing(sqlite3.connect(place)) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.link(place, kept)
    for companion in COMPANIONS:
        Path(f"{place}{companion}").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    for name in (str(path), *(f"{path}{companion}" for companion in COMPANIONS)):
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)
