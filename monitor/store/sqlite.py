"""The store in one SQLite file: opening, refusing, transactions.  What they do is in the siblings.

WAL with ``synchronous=FULL``: what was committed survives a crash and a power cut.  Every write is
``BEGIN IMMEDIATE``: a transaction that reads first and writes later fails at once with "locked".
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from monitor.crashpoint import crashpoint
from monitor.errors import StoreBusy, StoreDamaged, StoreRefused
from monitor.store import (
    exports,
    rows,
)
from monitor.store.access import cannot_write, may_write
from monitor.store.incoming import Incoming
from monitor.store.kept import Kept
from monitor.store.opening import (
    BUSY_TIMEOUT,
    back_up,
    connect,
    looks_usable,
    place_of,
    translated,
)
from monitor.store.outgoing import Outgoing
from monitor.store.storied import Storied
from monitor.store.version import APPLICATION_ID, VERSION

CHECKED_AT_START = 50_000  # pages, 200 MB: what is larger is read whole at night, not at each start


class SqliteStore(Incoming, Storied, Outgoing, Kept):
    """The ``Store`` protocol on one connection; use it in the thread that opened it."""

    @classmethod
    def open(cls, path: str, *, busy_timeout: timedelta = BUSY_TIMEOUT) -> Self:
        """Open or make the database at *path*, and bring its tables up to date.

        Raises StoreRefused, and changes nothing, if the file is not ours or cannot be used.
        """
        existed = looks_usable(path)
        if existed:  # a connection that may write already changes another program's files
            with suppress(StoreBusy):
                cls.looking(path).close()
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            store = cls(connect(path, busy_timeout), path, busy_timeout)
        except (OSError, sqlite3.Error) as error:
            raise StoreRefused(f"{path}: cannot be opened: {error}") from error
        with store._closed_on_error(), translated(path):
            store._refuse_foreign()
            store._set_up()
        return store

    @classmethod
    def read_only(cls, path: str) -> Self:
        """For commands that only look; works beside a running daemon."""
        if not looks_usable(path):
            raise StoreRefused(f"{path}: there is no database yet; start the monitor first")
        store = cls.looking(path)
        with store._closed_on_error(), translated(path):
            store._refuse_old()
        return store

    @classmethod
    def beside(cls, path: str, *, busy_timeout: timedelta = BUSY_TIMEOUT) -> Self:
        """For commands that change a little in a database that ``read_only`` has opened."""
        if not may_write(Path(path)):
            raise StoreRefused(cannot_write(Path(path)))
        with translated(path):
            store = cls(connect(path, busy_timeout), path, busy_timeout)
        with store._closed_on_error(), translated(path):
            store._refuse_foreign()
            store._refuse_old()
        return store

    @classmethod
    def looking(cls, path: str) -> Self:
        """On a connection that cannot write, whatever its schema.  StoreRefused: it is not ours."""
        with translated(path):
            uri = f"{Path(path).resolve().as_uri()}?mode=ro"
            store = cls(connect(uri, BUSY_TIMEOUT), path, BUSY_TIMEOUT)
            with store._closed_on_error():
                store._refuse_foreign()
        return store

    @contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def _refuse_foreign(self) -> None:
        owner = self._db.execute("PRAGMA application_id").fetchone()[0]
        version = self._version()
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if owner != APPLICATION_ID and tables:
            raise StoreRefused(
                f"{self._path}: this is the database of another program; nothing was changed."
                " Choose another path for [monitor] database"
            )
        if version > VERSION:
            raise StoreRefused(
                f"{self._path}: this database was made by a newer monitor (schema {version}, this"
                f" one knows {VERSION}); nothing was changed. Upgrade the program, or put back the"
                f" copy made before the upgrade, {self._path}.schema{VERSION}, if there is one"
            )

    def _refuse_old(self) -> None:
        if self._version() < VERSION:
            raise StoreRefused(
                f"{self._path}: this database is not set up yet, or is that of an older monitor;"
                " start the monitor once, it brings the database up to date"
            )

    def _set_up(self) -> None:
        if self._version() < VERSION:
            if self._version():
                back_up(self._db, self._path, f"{self._path}.schema{self._version()}")
            self._db.execute("PRAGMA journal_mode = WAL")
            # Before the tables: killed between them and it, we would refuse our own database.
            self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            _bring_up_to_date(self._db)
        if self._pages() <= CHECKED_AT_START:
            self._refuse_damaged("quick_check")

    def _pages(self) -> int:
        return int(self._db.execute("PRAGMA page_count").fetchone()[0])

    def _refuse_damaged(self, check: str) -> None:
        damage = self._db.execute(f"PRAGMA {check}(1)").fetchone()[0]
        if damage != "ok":
            raise StoreDamaged(
                f"{self._path}: the database is damaged ({damage}); restore a backup"
            )

    def copy_to(self, path: str) -> None:
        """All of it, as it is at one moment, into a new file; others may write meanwhile."""
        with translated(self._path):
            back_up(self._db, self._path, path)

    def contents(self) -> tuple[int, int, int, datetime | None]:
        """(entries, alerts, waiting deliveries, time of the newest entry), after a whole check."""
        with self._reading() as db:
            self._refuse_damaged("integrity_check")
            counts = (
                db.execute(f"SELECT count(*) FROM {what}").fetchone()[0]
                for what in (
                    "entries",
                    "alerts",
                    "deliveries WHERE state IN ('queued', 'claimed')",
                )
            )
            entries, alerts, waiting = counts
            newest = db.execute("SELECT max(first_seen_at) FROM entries").fetchone()[0]
            return entries, alerts, waiting, rows.moment_or_none(newest)

    def export(self, kind: str, since: datetime | None) -> Iterator[dict[str, object]]:
        """Rows of one of ``exports.KINDS`` for people's own programs."""
        with self._reading() as db:
            yield from exports.rows_of(db, kind, since)

    def hurry(self) -> None:
        self._patience.lose()

    def is_in_place(self) -> bool:
        return place_of(self._path) == self._place

    def close(self) -> None:
        crashpoint("in-checkpoint")  # the last one to close writes the log into the database
        self._db.close()


def _bring_up_to_date(db: sqlite3.Connection) -> None:
    """sqlite-utils is imported only here: it takes numpy along, and a command that only looks
    would wait for them longer than for all else."""
    from sqlite_utils import Database

    from monitor.store.schema import migrations

    database = Database(db, execute_plugins=False, recursive_triggers=False)
    with database.atomic():  # all steps or none: no copy is made of what is between
        migrations.apply(database)
        db.execute(f"PRAGMA user_version = {VERSION}")
