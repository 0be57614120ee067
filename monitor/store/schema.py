"""The tables, as migrations: each runs once, in a transaction of its own.

A released migration is never edited; a change is a new one, and ``VERSION`` goes up with it.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from monitor.crashpoint import crashpoint
from monitor.store import tables
from monitor.urls import page_key

migrations = Migrations("monitor")


def _run(db: Database, statements: str) -> None:
    for statement in statements.split(";\n"):
        db.execute(statement)
        crashpoint("in-migration")


@migrations()
def first_release(db: Database) -> None:
    _run(db, tables.TABLES_1)


@migrations()
def stories_of_many_entries(db: Database) -> None:
    """Up to here each entry founded a story; its address becomes a key of each entry."""
    _run(db, tables.TABLES_2)
    pages = (
        (row["feed_id"], page_key(row["url"]), row["id"])
        for row in db.query("SELECT id, feed_id, url FROM entries ORDER BY first_seen_at")
    )
    db.conn.executemany(
        "INSERT OR IGNORE INTO entry_keys VALUES (?, ?, ?)", [row for row in pages if row[1]]
    )


@migrations()
def silences_and_threads(db: Database) -> None:
    _run(db, tables.TABLES_3)


@migrations()
def rhythms_gaps_and_articles(db: Database) -> None:
    _run(db, tables.TABLES_4)


@migrations()
def subscriptions(db: Database) -> None:
    _run(db, tables.TABLES_5)


@migrations()
def words_to_search(db: Database) -> None:
    """The newest entry is indexed; those before it are, in portions, while the monitor runs."""
    db.execute(tables.WORDS)
    db.execute(tables.WORDS_FOLLOW)
    db.execute(
        "INSERT INTO entry_words (rowid, title, summary, content)"
        " SELECT rowid, title, summary, content FROM entries ORDER BY rowid DESC LIMIT 1"
    )


@migrations()
def listings(db: Database) -> None:
    _run(db, tables.TABLES_7)


@migrations()
def packed_hashes(db: Database) -> None:
    _run(db, tables.TABLES_8)


@migrations()
def leased_feeds(db: Database) -> None:
    """What is under way is found without a look at all that is due within a lease."""
    _run(db, tables.TABLES_9)
