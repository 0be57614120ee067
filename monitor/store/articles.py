"""Pages that entries link to: which are to be read, and what became of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from monitor.model import Article, ArticleState
from monitor.store import rows

HORIZON = timedelta(hours=25)  # a try further away than this is due: the clock was set back


def queue(db: sqlite3.Connection, articles: Sequence[Article]) -> None:
    db.executemany(
        "INSERT OR IGNORE INTO articles (entry_id, host, state, due_at, attempts, detail)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [_row(article) for article in articles],
    )


def claim(
    db: sqlite3.Connection, now: datetime, lease: timedelta, busy: Collection[str], limit: int
) -> list[Article]:
    """Due pages, one a host and none of *busy* hosts; due again after *lease* if nobody settles."""
    due = db.execute(
        "SELECT entry_id, host, state, min(due_at), attempts, detail FROM articles"
        f" WHERE {_of_others(busy)} AND (due_at <= ? OR due_at > ?)"
        " GROUP BY host ORDER BY min(due_at) LIMIT ?",
        [*busy, rows.micros(now), rows.micros(now + HORIZON), limit],
    ).fetchall()
    db.executemany(
        "UPDATE articles SET due_at = ?, attempts = attempts + 1 WHERE entry_id = ?",
        [(rows.micros(now + lease), row["entry_id"]) for row in due],
    )
    return [article for row in due if (article := of(db, row["entry_id"]))]


def next_due_at(db: sqlite3.Connection, busy: Collection[str]) -> datetime | None:
    query = f"SELECT min(due_at) FROM articles WHERE {_of_others(busy)}"
    return rows.moment_or_none(db.execute(query, [*busy]).fetchone()[0])


def settle(db: sqlite3.Connection, article: Article) -> None:
    _, _, *values = _row(article)
    db.execute(
        "UPDATE articles SET state = ?, due_at = ?, attempts = ?, detail = ? WHERE entry_id = ?",
        [*values, article.entry_id],
    )


def of(db: sqlite3.Connection, entry_id: str) -> Article | None:
    row = db.execute("SELECT * FROM articles WHERE entry_id = ?", [entry_id]).fetchone()
    if row is None:
        return None
    return Article(
        entry_id=row["entry_id"],
        host=row["host"],
        state=ArticleState(row["state"]),
        due_at=rows.moment(row["due_at"]),
        attempts=row["attempts"],
        detail=row["detail"],
    )


def count(db: sqlite3.Connection) -> dict[ArticleState, int]:
    found = db.execute("SELECT state, count(*) AS n FROM articles GROUP BY state")
    return {ArticleState(row["state"]): row["n"] for row in found}


def _of_others(busy: Collection[str]) -> str:
    return f"state = 'queued' AND host NOT IN ({','.join('?' * len(busy))})"


def _row(article: Article) -> tuple[str, str, str, int, int, str]:
    return (
        article.entry_id,
        article.host,
        article.state.value,
        rows.micros(article.due_at),
        article.attempts,
        article.detail,
    )
