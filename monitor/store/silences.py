"""Silences in the database, and how many alerts each has muted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from monitor.model import Severity, Silence
from monitor.store import rows, stories
from monitor.store.chunks import glob_free

_SELECT = (
    "SELECT s.*, (SELECT count(DISTINCT alert_id) FROM deliveries WHERE silence_id = s.id) AS muted"
    " FROM silences s"
)


def add(db: sqlite3.Connection, silence: Silence) -> None:
    fits = {
        "rules": sorted(silence.rules),
        "stories": sorted(silence.stories),
        "feeds": sorted(silence.feeds),
        "severities": sorted(silence.severities),
        "texts": silence.texts,
    }
    db.execute(
        "INSERT INTO silences VALUES (?, ?, ?, ?, ?, ?, NULL)",
        [
            silence.id,
            rows.dump(fits),
            rows.micros(silence.created_at),
            rows.micros(silence.ends_at),
            silence.reason,
            silence.owner,
        ],
    )


def select(db: sqlite3.Connection, *, ended: bool) -> list[Silence]:
    """The newest first."""
    where = "" if ended else " WHERE ended_at IS NULL"
    found = db.execute(f"{_SELECT}{where} ORDER BY created_at DESC, id").fetchall()
    return [_silence(db, row) for row in found]


def by_id(db: sqlite3.Connection, name: str) -> Silence | None:
    found = db.execute(f"{_SELECT} WHERE id GLOB ? LIMIT 2", [f"{glob_free(name)}*"]).fetchall()
    return _silence(db, found[0]) if len(found) == 1 else None


def end(db: sqlite3.Connection, id_: str, at: datetime) -> bool:
    """Its owner is told by whoever looks for silences that are over."""
    changed = db.execute(
        "UPDATE silences SET ends_at = :at WHERE id = :id AND ended_at IS NULL AND ends_at > :at",
        {"at": rows.micros(at), "id": id_},
    )
    return changed.rowcount > 0


def close(db: sqlite3.Connection, ids: Sequence[str], at: datetime) -> None:
    db.executemany(
        "UPDATE silences SET ended_at = ? WHERE id = ? AND ended_at IS NULL",
        [(rows.micros(at), id_) for id_ in ids],
    )


def _silence(db: sqlite3.Connection, row: sqlite3.Row) -> Silence:
    """Its stories as they are by now: one that was joined to another stays muted there."""
    fits = json.loads(row["fits"])
    return Silence(
        id=row["id"],
        rules=frozenset(fits["rules"]),
        stories=frozenset(stories.standing_for(db, id_) for id_ in fits["stories"]),
        feeds=frozenset(fits["feeds"]),
        severities=frozenset(map(Severity, fits["severities"])),
        texts=tuple(fits["texts"]),
        created_at=rows.moment(row["created_at"]),
        ends_at=rows.moment(row["ends_at"]),
        reason=row["reason"],
        owner=row["owner"],
        ended_at=rows.moment_or_none(row["ended_at"]),
        muted=row["muted"],
    )
