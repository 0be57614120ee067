"""Threads in the database: what later messages of a story are answers to."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from monitor.model import Accepted, Finished
from monitor.store import stories


def save(db: sqlite3.Connection, finished: Finished) -> None:
    """Remember the thread that an accepted message of one story has begun, or gone on with."""
    result = finished.result
    if not isinstance(result, Accepted) or not result.thread or not finished.story_id:
        return
    first = finished.deliveries[0]
    story_id = stories.standing_for(db, finished.story_id)
    db.execute(
        "INSERT OR REPLACE INTO threads VALUES (?, ?, ?, ?)",
        [first.channel, first.target, story_id, result.thread],
    )


def find(db: sqlite3.Connection, channel: str, target: str, story_id: str) -> str:
    """The thread of the story that *story_id* is by now; "" if it has none."""
    row = db.execute(
        "SELECT thread FROM threads WHERE channel = ? AND target = ? AND story_id = ?",
        [channel, target, stories.standing_for(db, story_id)],
    ).fetchone()
    return row["thread"] if row else ""


def move(db: sqlite3.Connection, retired: Mapping[str, str]) -> None:
    """Threads of stories that are no more; where the other story has its own, that one stays."""
    db.executemany(
        "UPDATE OR IGNORE threads SET story_id = ? WHERE story_id = ?",
        [(new, old) for old, new in retired.items()],
    )
