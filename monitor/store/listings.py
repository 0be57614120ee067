"""What feeds' last documents listed: see ``feeds.listing``."""

from __future__ import annotations

import sqlite3

from monitor.model import NOTHING_LISTED, Listing


def get(db: sqlite3.Connection, feed_id: str) -> Listing:
    row = db.execute(
        "SELECT context, head, told, entries FROM listings WHERE feed_id = ?", [feed_id]
    ).fetchone()
    if row is None:
        return NOTHING_LISTED
    return Listing(
        context=row["context"], head=row["head"], told=row["told"], entries=row["entries"]
    )


def save(db: sqlite3.Connection, feed_id: str, listing: Listing | None) -> None:
    """Keep *listing* for the next visit; None: the last one stays."""
    if listing is None:
        return
    if not listing.context:
        db.execute("DELETE FROM listings WHERE feed_id = ?", [feed_id])
        return
    db.execute(
        "INSERT OR REPLACE INTO listings VALUES (?, ?, ?, ?, ?)",
        [feed_id, listing.context, listing.head, listing.told, listing.entries],
    )
