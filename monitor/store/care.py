"""What keeps the file well: its log folded in, its statistics fresh, all of it read and proved."""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from monitor.crashpoint import crashpoint

PATIENCE = timedelta(milliseconds=200)  # for readers; the writer waits with us
_ROWS_LOOKED_AT = 400  # of an index, for its statistics
_FINDINGS = 5

LAST_NIGHT = "last-night"  # note: a Night


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What came of the housekeeping of one night."""

    at: datetime
    damage: str  # "" for none
    texts: str  # what became of old texts, in words; "" where they are kept for ever
    log_folded: bool  # False: a reader was in the way

    def to_note(self) -> str:
        return json.dumps({**asdict(self), "at": self.at.isoformat()})

    @classmethod
    def from_note(cls, note: str | None) -> Self | None:
        if note is None:
            return None
        values = json.loads(note)
        return cls(**values | {"at": datetime.fromisoformat(values["at"])})


def fold_log(db: sqlite3.Connection, busy_timeout: timedelta) -> bool:
    """Put the write-ahead log into the database and cut it; False: a reader is in the way."""
    db.execute(f"PRAGMA busy_timeout = {PATIENCE // timedelta(milliseconds=1)}")
    crashpoint("in-checkpoint")
    try:
        busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        db.execute(f"PRAGMA busy_timeout = {busy_timeout // timedelta(milliseconds=1)}")
    return not busy


def refresh_statistics(db: sqlite3.Connection) -> None:
    """What SQLite chooses its ways by."""
    db.execute(f"PRAGMA analysis_limit = {_ROWS_LOOKED_AT}")
    db.execute("PRAGMA optimize")


def damage(db: sqlite3.Connection) -> str:
    """What is wrong with the file, once all of it was read; "" for nothing."""
    found = [row[0] for row in db.execute(f"PRAGMA integrity_check({_FINDINGS})")]
    return "" if found == ["ok"] else "; ".join(found)


def log_size(path: str) -> int:
    """Bytes of the write-ahead log beside the database at *path*."""
    with suppress(OSError):
        return Path(f"{path}-wal").stat().st_size
    return 0
