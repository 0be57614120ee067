"""Entries, their identities, revisions, stories and matches."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from monitor.model import EarlierText, Entry, Known, Match, Outcome, Revision
from monitor.store import articles, rows, stories
from monitor.store.chunks import chunks, glob_free

REVISIONS_KEPT = 20  # of one entry: the first, and the latest
_LAST_ROW = 2**63 - 1
WITH_FEED = "e.*, f.name AS feed_name, f.tags AS feed_tags"
_WITH_FEED = f"SELECT {WITH_FEED} FROM entries e JOIN feeds f ON f.id = e.feed_id"


def known(db: sqlite3.Connection, feed_id: str, keys: Sequence[str]) -> dict[str, Known]:
    """Stored entries by any of their keys; a few statements for any number of keys."""
    found: dict[str, Known] = {}
    for chunk in chunks(keys):
        marks = ",".join("?" * len(chunk))
        for row in db.execute(
            "SELECT k.key, e.id, e.story_id, e.title, e.fingerprint, e.first_seen_at,"
            " (SELECT json_group_array(rule) FROM ("
            "   SELECT rule FROM matches WHERE entry_id = e.id"
            "   UNION SELECT rule_name FROM alerts WHERE story_id = e.story_id)) AS rules,"
            " CASE WHEN a.state = 'done' THEN e.content ELSE '' END AS article"
            " FROM entry_keys k JOIN entries e ON e.id = k.entry_id"
            " LEFT JOIN articles a ON a.entry_id = e.id"
            f" WHERE k.feed_id = ? AND k.key IN ({marks})",
            [feed_id, *chunk],
        ):
            found[row["key"]] = Known(
                entry_id=row["id"],
                story_id=row["story_id"],
                title=row["title"],
                fingerprint=row["fingerprint"],
                first_seen_at=rows.moment(row["first_seen_at"]),
                rules=frozenset(json.loads(row["rules"])),
                article=row["article"],
            )
    return found


def save(db: sqlite3.Connection, outcome: Outcome) -> None:
    """Everything of *outcome* but the feed, the alerts and the deliveries."""
    story_of = {each.told.entry_id: each.told.story_id for each in outcome.placements}
    db.executemany(
        f"INSERT OR IGNORE INTO entries VALUES ({','.join('?' * 14)})",
        [rows.entry_row(entry, story_of[entry.id]) for entry in outcome.entries],
    )
    stories.save(db, outcome)
    _save_keys(db, outcome)
    articles.queue(db, outcome.articles)
    save_changes(db, outcome)


def save_changes(db: sqlite3.Connection, outcome: Outcome) -> None:
    """What *outcome* changes in stored entries, and what rules find in new and changed ones."""
    for revision in outcome.revisions:
        _revise(db, revision)
    _save_matches(db, outcome.matches)


def _save_keys(db: sqlite3.Connection, outcome: Outcome) -> None:
    feed_id = outcome.feed.id
    pairs = [(entry.id, key) for entry in outcome.entries for key in entry.keys]
    pairs += [(each.entry.id, key) for each in outcome.revisions for key in each.entry.keys]
    pairs += outcome.renamed
    db.executemany(
        "INSERT OR IGNORE INTO entry_keys VALUES (?, ?, ?)",
        [(feed_id, key, entry_id) for entry_id, key in pairs],
    )


def _revise(db: sqlite3.Connection, revision: Revision) -> None:
    """Keep the old text, then put the new one in its place."""
    entry = revision.entry
    db.execute(
        "INSERT OR IGNORE INTO revisions"
        " SELECT id, ?, title, summary, content, fingerprint FROM entries WHERE id = ?",
        [rows.micros(revision.changed_at), entry.id],
    )
    db.execute(  # a feed may change a headline at every poll
        "DELETE FROM revisions WHERE entry_id = ?1 AND changed_at IN (SELECT changed_at FROM"
        " (SELECT changed_at, row_number() OVER (ORDER BY changed_at) AS age,"
        " row_number() OVER (ORDER BY changed_at DESC) AS youth FROM revisions"
        " WHERE entry_id = ?1) WHERE age > 1 AND youth >= ?2)",
        [entry.id, REVISIONS_KEPT],
    )
    db.execute(
        "UPDATE entries SET url = ?, title = ?, summary = ?, content = ?, author = ?,"
        " categories = ?, fingerprint = ? WHERE id = ?",
        [
            entry.url,
            entry.title,
            entry.summary,
            entry.content,
            entry.author,
            rows.dump(entry.categories),
            entry.fingerprint,
            entry.id,
        ],
    )


def _save_matches(db: sqlite3.Connection, matches: Sequence[Match]) -> None:
    db.executemany(
        "INSERT INTO matches VALUES (?, ?, ?)"
        " ON CONFLICT (entry_id, rule) DO UPDATE SET hits = excluded.hits",
        [rows.match_row(match) for match in matches],
    )


# --- reading


def select(
    db: sqlite3.Connection,
    *,
    since: datetime | None,
    feed: str | None,
    limit: int,
    newest_first: bool,
) -> list[Entry]:
    """Entries by first sight; *feed* is a feed's id or name."""
    order = "DESC" if newest_first else "ASC"
    where, values = ["1"], list[object]()
    if since is not None:
        where.append("e.first_seen_at >= ?")
        values.append(rows.micros(since))
    if feed is not None:
        where.append("(f.id = ? OR f.name = ?)")
        values += [feed, feed]
    query = f"{_WITH_FEED} WHERE {' AND '.join(where)} ORDER BY e.first_seen_at {order} LIMIT ?"
    return [rows.entry(row) for row in db.execute(query, [*values, limit])]


def look_back(
    db: sqlite3.Connection, since: datetime, before: int | None, limit: int
) -> list[tuple[int, Entry]]:
    """Entries by row, the newest first; *before* is the last row of the portion before this one.

    Row numbers follow time, so that nothing older than *since* is gone through (see ``search``).
    """
    at = rows.micros(since)
    query = (
        f"SELECT e.rowid AS row, {WITH_FEED} FROM entries e CROSS JOIN feeds f ON f.id = e.feed_id"
        " WHERE e.rowid >= (SELECT min(+rowid) FROM entries WHERE first_seen_at >= ?)"
        " AND e.first_seen_at >= ? AND e.rowid < ? ORDER BY e.rowid DESC LIMIT ?"
    )
    values = [at, at, _LAST_ROW if before is None else before, limit]
    return [(row["row"], rows.entry(row)) for row in db.execute(query, values)]


def headlines(db: sqlite3.Connection, feed_id: str, limit: int) -> list[str]:
    """Of the feed's newest entries."""
    query = "SELECT title FROM entries WHERE feed_id = ? ORDER BY first_seen_at DESC LIMIT ?"
    return [row["title"] for row in db.execute(query, [feed_id, limit])]


def by_id_or_url(db: sqlite3.Connection, name: str) -> Entry | None:
    """The entry of that id, of an id with that beginning (if only one), or at that address."""
    for where, value in (
        ("e.id = ?", name),
        ("e.id GLOB ?", f"{glob_free(name)}*"),
        ("e.url = ?", name),
    ):
        found = db.execute(f"{_WITH_FEED} WHERE {where} LIMIT 2", [value]).fetchall()
        if len(found) == 1 or (found and where == "e.url = ?"):
            return rows.entry(found[0])
    return None


def revisions(db: sqlite3.Connection, entry_id: str) -> list[EarlierText]:
    """What an entry said before it was changed, the oldest first."""
    query = "SELECT * FROM revisions WHERE entry_id = ? ORDER BY changed_at"
    return [
        EarlierText(
            changed_at=rows.moment(row["changed_at"]),
            title=row["title"],
            summary=row["summary"],
            content=row["content"],
        )
        for row in db.execute(query, [entry_id])
    ]
