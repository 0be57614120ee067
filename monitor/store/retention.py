"""Texts that are too old to be kept: which there are, and how they are emptied.

Identities stay for ever: the entry with its keys, headline, address and fingerprint, its story, its
alerts, their deliveries.  So an old entry that comes back is neither new nor edited.  Whoever looks
for old texts may do it on a connection that only reads; each row is tested again when it is
emptied.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.store import rows, search

KEPT_FROM = "texts-kept-from"  # note: ISO time; what was first seen before it has no text any more

_WAITING = "d.state IN ('queued', 'claimed')"
_NO_EXCERPTS = "json_set(told, '$.excerpts', json('[]'))"
_HAS_EXCERPTS = "json_array_length(told, '$.excerpts') > 0"


class Kind(StrEnum):
    """The tables that hold texts."""

    ENTRY = "entries"  # summary, content, and what it said before
    ALERT = "alerts"  # the sentences that were told
    UPDATE = "updates"
    MESSAGE = "messages"  # as they went out


# Which rows hold a text that is older than :before and that nobody needs.
_OLD = {
    # The age of a text counts from when it came: an edit is a new text.
    Kind.ENTRY: (
        "first_seen_at < :before AND NOT EXISTS (SELECT 1 FROM revisions r"
        " WHERE r.entry_id = entries.id AND r.changed_at >= :before)"
        " AND (summary <> '' OR content <> '' OR EXISTS"
        " (SELECT 1 FROM revisions r WHERE r.entry_id = entries.id))"
    ),
    Kind.ALERT: (
        f"created_at < :before AND {_HAS_EXCERPTS} AND NOT EXISTS"
        f" (SELECT 1 FROM deliveries d WHERE d.alert_id = alerts.id AND {_WAITING})"
    ),
    Kind.UPDATE: (
        f"created_at < :before AND {_HAS_EXCERPTS} AND NOT EXISTS"
        f" (SELECT 1 FROM alerts a JOIN deliveries d ON d.alert_id = a.id"
        f" WHERE a.story_id = updates.story_id AND {_WAITING})"
    ),
    Kind.MESSAGE: (
        "created_at < :before AND NOT EXISTS"
        f" (SELECT 1 FROM deliveries d WHERE d.message_id = messages.id AND {_WAITING})"
    ),
}
_EMPTY = {
    Kind.ALERT: (f"UPDATE alerts SET told = {_NO_EXCERPTS} WHERE rowid = :row",),
    Kind.UPDATE: (f"UPDATE updates SET told = {_NO_EXCERPTS} WHERE rowid = :row",),
    # A delivery that somebody tries again then gets a new message, made of its alert.
    Kind.MESSAGE: (
        "UPDATE deliveries SET message_id = NULL WHERE message_id ="
        " (SELECT id FROM messages WHERE rowid = :row)",
        "DELETE FROM messages WHERE rowid = :row",
    ),
}


@dataclass(frozen=True, slots=True)
class Text:
    """A row that holds a text."""

    kind: Kind
    row: int


def old(db: sqlite3.Connection, before: datetime, most: int) -> list[Text]:
    """Texts from before then that nobody needs, up to *most*."""
    found: list[Text] = []
    for kind, where in _OLD.items():
        query = f"SELECT rowid AS number FROM {kind} WHERE {where} LIMIT :most"
        values = {"before": rows.micros(before), "most": most - len(found)}
        found += [Text(kind, row["number"]) for row in db.execute(query, values)]
    return found


def empty(db: sqlite3.Connection, texts: Sequence[Text], before: datetime) -> None:
    """Empty those of *texts* that are still old and unneeded.

    Foreign keys must not be looked at meanwhile: what refers to a row finds it again.
    """
    for text in texts:
        values = {"row": text.row, "before": rows.micros(before)}
        still = f"SELECT 1 FROM {text.kind} WHERE rowid = :row AND {_OLD[text.kind]}"
        if not db.execute(still, values).fetchone():
            continue
        if text.kind is Kind.ENTRY:
            _empty_entry(db, text.row)
        for statement in _EMPTY.get(text.kind, ()):
            db.execute(statement, values)


def _empty_entry(db: sqlite3.Connection, row: int) -> None:
    """Take it out and put it back without its text, under the same number.

    A row that only shrinks leaves its page half empty for ever, as new ones go to the end.
    """
    entry = dict(db.execute("SELECT * FROM entries WHERE rowid = ?", [row]).fetchone())
    db.execute("DELETE FROM revisions WHERE entry_id = ?", [entry["id"]])
    indexed = search.remove(db, row)
    db.execute("DELETE FROM entries WHERE rowid = ?", [row])
    values = {**entry, "summary": "", "content": "", "rowid": row}
    db.execute(
        f"INSERT INTO entries ({', '.join(values)}) VALUES ({','.join('?' * len(values))})",
        [*values.values()],
    )
    if indexed:
        search.add(db, row)


def newest_date(db: sqlite3.Connection) -> datetime | None:
    """The newest date that a publisher gave for one of the last entries."""
    (newest,) = db.execute(
        "SELECT max(published_at) FROM"
        " (SELECT published_at FROM entries ORDER BY rowid DESC LIMIT 500)"
    ).fetchone()
    return rows.moment_or_none(newest)
