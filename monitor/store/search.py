"""The words of headlines and texts in the database: kept in step with the entries, and searched.

``entry_words`` (FTS5) holds no text, only where words stand in ``entries``.  New entries are added
many at once, or when nothing else is to be done: each transaction with words in it costs a piece of
index, and an alert need not wait for it.
Entries are never deleted, so that row numbers run from 1 without gaps.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from monitor.model import Entry, Excerpt, Found
from monitor.store import rows
from monitor.store.entries import WITH_FEED

MANY = 250  # entries that are not in the index: they wait no longer for a quiet moment
PART = 4  # of them a fourth at a time, then: visits wait for the store meanwhile
_BEGIN, _END = "\x01", "\x02"  # round a hit: no text of ours has control characters
_LONG = 32  # words of an excerpt
_ADD = (
    "INSERT INTO entry_words (rowid, title, summary, content)"
    " SELECT rowid, title, summary, content FROM entries"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for: *words* in the index's own language (see ``searchquery``)."""

    words: str
    since: datetime | None = None
    feed: str | None = None  # id or name
    by_rank: bool = False  # the best first; else the newest
    limit: int = 20


def behind(db: sqlite3.Connection) -> int:
    """How many entries were stored since the newest that is in the index."""
    newest, added = db.execute(
        "SELECT (SELECT max(rowid) FROM entries),"
        " (SELECT coalesce(max(id), 0) FROM entry_words_docsize)"
    ).fetchone()
    return int((newest or 0) - added)


def catch_up(db: sqlite3.Connection, most: int = -1) -> None:
    """Add them, the oldest first; at *most* so many."""
    db.execute(
        f"{_ADD} WHERE rowid > (SELECT coalesce(max(id), 0) FROM entry_words_docsize)"
        " ORDER BY rowid LIMIT ?",
        [most],
    )


def keep_up(db: sqlite3.Connection) -> None:
    """Add some where many are missing: without a quiet moment they must not become more."""
    missing = behind(db)
    if missing >= MANY:
        catch_up(db, missing // PART)


def add_older(db: sqlite3.Connection, limit: int) -> int:
    """Add the newest *limit* of the entries stored before there was an index; how many."""
    return db.execute(
        f"{_ADD} WHERE rowid IN (SELECT rowid FROM entries WHERE rowid <"
        " (SELECT min(id) FROM entry_words_docsize) ORDER BY rowid DESC LIMIT ?) ORDER BY rowid",
        [limit],
    ).rowcount


def remove(db: sqlite3.Connection, row: int) -> bool:
    """Take an entry out of the index, before it is; False: it was not in it."""
    return bool(
        db.execute(
            "INSERT INTO entry_words (entry_words, rowid, title, summary, content)"
            " SELECT 'delete', rowid, title, summary, content FROM entries WHERE rowid = :row"
            " AND EXISTS (SELECT 1 FROM entry_words_docsize WHERE id = :row)",
            {"row": row},
        ).rowcount
    )


def add(db: sqlite3.Connection, row: int) -> None:
    """Put one entry into the index."""
    db.execute(f"{_ADD} WHERE rowid = ?", [row])


def tidy(db: sqlite3.Connection, pages: int, *, begin: bool) -> bool:
    """Write up to *pages* of the index anew, without what was taken out of it; False: it is done.

    *begin*: from all of its pieces, not only where it is of use for searching.
    """
    before = db.total_changes
    query = "INSERT INTO entry_words (entry_words, rank) VALUES ('merge', ?)"
    db.execute(query, [-pages if begin else pages])
    return db.total_changes - before >= 2


def missing(db: sqlite3.Connection) -> int:
    """How many entries are not in the index yet: the oldest ones."""
    stored, indexed = db.execute(
        "SELECT (SELECT min(rowid) FROM entries), (SELECT min(id) FROM entry_words_docsize)"
    ).fetchone()
    return indexed - stored if indexed is not None else 0


def find(db: sqlite3.Connection, wanted: Wanted) -> list[Found]:
    """Entries with these words, the newest or the best first."""
    where, values = ["w.entry_words MATCH ?"], list[object]([wanted.words])
    if wanted.since is not None:
        # Row numbers follow time: the index need not go through all that is older.  The "+" lets
        # SQLite find the first of them by time.
        where.append(
            "w.rowid >= (SELECT coalesce(min(+rowid), 0) FROM entries WHERE first_seen_at >= ?)"
            " AND e.first_seen_at >= ?"
        )
        values += [rows.micros(wanted.since)] * 2
    if wanted.feed is not None:
        where.append("(f.id = ? OR f.name = ?)")
        values += [wanted.feed] * 2
    query = (
        f"SELECT {WITH_FEED}, highlight(entry_words, 0, '{_BEGIN}', '{_END}') AS headline,"
        f" snippet(entry_words, 1, '{_BEGIN}', '{_END}', '…', {_LONG}) AS summary_hit,"
        f" snippet(entry_words, 2, '{_BEGIN}', '{_END}', '…', {_LONG}) AS content_hit"
        f" FROM entry_words w JOIN entries e ON e.rowid = w.rowid JOIN feeds f ON f.id = e.feed_id"
        f" WHERE {' AND '.join(where)} ORDER BY {'w.rank' if wanted.by_rank else 'w.rowid DESC'}"
        " LIMIT ?"
    )
    return [_found(row) for row in db.execute(query, [*values, wanted.limit])]


def _found(row: sqlite3.Row) -> Found:
    texts = (("summary", row["summary_hit"]), ("content", row["content_hit"]))
    hit = next((_excerpt(field, text) for field, text in texts if _BEGIN in text), None)
    entry: Entry = rows.entry(row)
    return Found(entry=entry, headline=_excerpt("title", row["headline"]), excerpt=hit)


def _excerpt(field: str, marked: str) -> Excerpt:
    """*marked* without its marks, which are told beside it."""
    first, *rest = marked.split(_BEGIN)
    text, marks = first, []
    for piece in rest:
        hit, _, after = piece.partition(_END)
        marks.append((len(text), len(text) + len(hit)))
        text += hit + after
    return Excerpt(field=field, text=text, marks=tuple(marks))
