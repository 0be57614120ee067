"""What is kept beside the news, on one connection: search index, rules, notes, the file itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from monitor.model import (
    Found,
    RuleSetRecord,
)
from monitor.store import (
    care,
    retention,
    rows,
    search,
)
from monitor.store.search import Wanted
from monitor.store.transactions import Transactions

TIDIED_AT_ONCE = 64  # pages of the search index
STEPS = 100_000  # of SQLite's machine between two looks whether to give up: some milliseconds


class Kept(Transactions):
    """Methods of ``Store``; see there."""

    # --- search

    def search(self, wanted: Wanted) -> list[Found]:
        with self._reading() as db:
            return search.find(db, wanted)

    def index_new(self) -> None:
        with self._reading() as db:
            if not search.behind(db):
                return
        with self._writing(now=True) as db:  # there will be another time
            search.catch_up(db)

    def index_older(self, limit: int) -> int:
        with self._writing() as db:
            return search.add_older(db, limit)

    def unindexed(self) -> int:
        with self._reading() as db:
            return search.missing(db)

    # --- what is too old, and the file itself

    def old_texts(self, before: datetime, most: int) -> list[retention.Text]:
        with self._reading() as db:
            return retention.old(db, before, most)

    def empty_texts(self, texts: Sequence[retention.Text], before: datetime) -> None:
        with self._no_foreign_keys(), self._writing() as db:
            retention.empty(db, texts, before)

    @contextmanager
    def _no_foreign_keys(self) -> Iterator[None]:
        """For rows that are taken out and put back: looking for what refers to them is slow."""
        self._db.execute("PRAGMA foreign_keys = OFF")
        try:
            yield
        finally:
            self._db.execute("PRAGMA foreign_keys = ON")

    def tidy_index(self, *, begin: bool) -> bool:
        with self._writing() as db:
            return search.tidy(db, TIDIED_AT_ONCE, begin=begin)

    def newest_date(self) -> datetime | None:
        with self._reading() as db:
            return retention.newest_date(db)

    def fold_log(self) -> bool:
        with self._reading() as db:
            return care.fold_log(db, self._busy_timeout)

    def refresh_statistics(self) -> None:
        with self._reading() as db:
            care.refresh_statistics(db)

    def damage(self) -> str:
        """What is wrong with the file, once all of it was read; "" for nothing."""
        with self._reading() as db:
            return care.damage(db)

    def give_up_when(self, ended: Callable[[], bool]) -> None:
        """Let what runs on this connection end with StoreBusy as soon as *ended* says so."""
        self._db.set_progress_handler(ended, STEPS)

    # --- rules and notes

    def save_rule_set(self, record: RuleSetRecord) -> None:
        with self._writing() as db:
            db.execute("DELETE FROM rule_sets")
            db.execute(
                "INSERT INTO rule_sets VALUES (?, ?, ?)",
                [record.version, rows.dump(dict(record.files)), rows.micros(record.loaded_at)],
            )

    def last_rule_set(self) -> RuleSetRecord | None:
        with self._reading() as db:
            row = db.execute("SELECT * FROM rule_sets").fetchone()
        if row is None:
            return None
        files: Mapping[str, str] = json.loads(row["files"])
        return RuleSetRecord(
            version=row["version"], files=files, loaded_at=rows.moment(row["loaded_at"])
        )

    def note(self, name: str) -> str | None:
        with self._reading() as db:
            row = db.execute("SELECT value FROM notes WHERE name = ?", [name]).fetchone()
        return row["value"] if row else None

    def set_note(self, name: str, value: str | None) -> None:
        with self._writing() as db:
            if value is None:
                db.execute("DELETE FROM notes WHERE name = ?", [name])
            else:
                db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", [name, value])
