"""What people correct in stories: one transaction, which the running monitor hears of."""

from __future__ import annotations

import json
import sqlite3

from monitor.errors import StoryChanged
from monitor.model import Correction, Story
from monitor.store import outbox, rows, threads


def apply(db: sqlite3.Connection, correction: Correction) -> None:
    """Move entries, alerts and what waits; StoryChanged if the stories are no longer as seen."""
    for story_id, entries in correction.expects.items():
        count = "SELECT count(*) FROM entries WHERE story_id = ?"
        if db.execute(count, [story_id]).fetchone()[0] != entries:
            raise StoryChanged(story_id)
    for story in correction.stories:
        _put_story(db, story)
    db.executemany(
        "UPDATE stories SET merged_into = ?, entries = 0 WHERE id = ?",
        [(new, old) for old, new in correction.retired.items()],
    )
    threads.move(db, correction.retired)
    for entry_id, story_id in correction.moved:
        _move(db, entry_id, story_id)
    db.executemany(
        "UPDATE joins SET by_hand = 1 WHERE entry_id = ?",
        [(entry_id,) for entry_id in correction.by_hand],
    )
    for alert_id, story_id, subject in correction.alerts_moved:
        values = [story_id, subject, alert_id]
        db.execute("UPDATE alerts SET story_id = ?, subject = ? WHERE id = ?", values)
    _discard(db, correction)
    outbox.queue(db, correction.alerts, correction.deliveries)
    db.execute(
        "INSERT INTO corrections (at, what, moved) VALUES (?, ?, ?)",
        [rows.micros(correction.at), correction.what, rows.dump(correction.moved)],
    )


def _put_story(db: sqlite3.Connection, story: Story) -> None:
    db.execute(
        "INSERT INTO stories (id, title, opened_at, last_entry_at, language, entries, outlets)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET title = excluded.title,"
        " opened_at = excluded.opened_at, last_entry_at = excluded.last_entry_at,"
        " entries = excluded.entries, outlets = excluded.outlets",
        rows.story_row(story),
    )


def _move(db: sqlite3.Connection, entry_id: str, story_id: str) -> None:
    for table, column in (("entries", "id"), ("traces", "entry_id"), ("updates", "entry_id")):
        db.execute(f"UPDATE {table} SET story_id = ? WHERE {column} = ?", [story_id, entry_id])
    db.execute("INSERT OR IGNORE INTO joins VALUES (?, '[]', 0, '', 0, 0)", [entry_id])


def _discard(db: sqlite3.Connection, correction: Correction) -> None:
    """What waits of an alert whose story was told already."""
    db.executemany(
        "UPDATE deliveries SET state = 'discarded', last_error = 'its story was joined to another,"
        " told already', settled_at = ? WHERE alert_id = ? AND state = 'queued'",
        [(rows.micros(correction.at), alert_id) for alert_id in correction.discarded],
    )


def latest(db: sqlite3.Connection) -> int:
    """The number of the last correction; 0 for none."""
    return int(db.execute("SELECT coalesce(max(number), 0) FROM corrections").fetchone()[0])


def refuse_later(db: sqlite3.Connection, seen: int | None) -> None:
    """StoryChanged if people corrected stories after correction *seen*; None: no matter."""
    if seen not in (None, latest(db)):
        raise StoryChanged("a person corrected stories meanwhile")


def moved_since(db: sqlite3.Connection, number: int) -> list[tuple[str, str]]:
    """(entry id, story id) of what people moved after correction *number*, in order."""
    query = "SELECT moved FROM corrections WHERE number > ? ORDER BY number"
    return [
        (entry_id, story_id)
        for row in db.execute(query, [number])
        for entry_id, story_id in json.loads(row["moved"])
    ]
