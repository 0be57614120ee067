"""What a channel's digest has to say of the time since the last one."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from monitor.model import JoinedEntry, SinceDigest
from monitor.store import rows, rows_out

MOST = 1000  # of each kind: more than a digest shows

# "+d.state" keeps SQLite from going through all that was ever accepted.

# Waiting rows about stories that were made before a time.
_WAITING = (
    "SELECT DISTINCT d.target FROM deliveries d JOIN alerts a ON a.id = d.alert_id"
    " WHERE d.channel = ? AND d.state = 'queued' AND d.created_at < ? AND a.kind = 'story'"
)
_AT_ONCE = (
    "SELECT * FROM alerts a WHERE a.kind = 'story' AND a.created_at >= :begins AND EXISTS ("
    " SELECT 1 FROM deliveries d WHERE d.alert_id = a.id AND d.channel = :channel"
    " AND d.kind = 'first' AND +d.state = 'accepted' AND d.created_at >= :begins)"
    " ORDER BY a.created_at LIMIT :most"
)
# Entries that came after people on the channel had been told of their story, and that no alert or
# update was about.
_JOINED = (
    "SELECT e.title, e.first_seen_at, f.name AS outlet, s.title AS story"
    " FROM entries e JOIN joins j ON j.entry_id = e.id JOIN feeds f ON f.id = e.feed_id"
    " JOIN stories s ON s.id = e.story_id WHERE e.first_seen_at >= :begins AND EXISTS ("
    " SELECT 1 FROM alerts a JOIN deliveries d ON d.alert_id = a.id WHERE a.story_id = s.id"
    " AND d.channel = :channel AND +d.state = 'accepted' AND a.created_at < e.first_seen_at)"
    " AND NOT EXISTS (SELECT 1 FROM alerts WHERE story_id = s.id AND entry_id = e.id)"
    " AND NOT EXISTS (SELECT 1 FROM updates WHERE entry_id = e.id)"
    " ORDER BY e.first_seen_at LIMIT :most"
)
_MUTED = (
    "SELECT count(DISTINCT alert_id) FROM deliveries WHERE channel = :channel"
    " AND silence_id IS NOT NULL AND state = 'silenced' AND created_at >= :begins"
)


def waiting_targets(db: sqlite3.Connection, channel: str, before: datetime) -> set[str]:
    """Targets of *channel* for which something about a story waits that was made *before*."""
    return {row["target"] for row in db.execute(_WAITING, [channel, rows.micros(before)])}


def since(db: sqlite3.Connection, channel: str, begins: datetime) -> SinceDigest:
    """What was sent at once, joined silently, or was muted on *channel* since *begins*."""
    values = {"channel": channel, "begins": rows.micros(begins), "most": MOST}
    (muted,) = db.execute(_MUTED, values).fetchone()
    return SinceDigest(
        at_once=tuple(rows_out.alert(row) for row in db.execute(_AT_ONCE, values)),
        joined=tuple(_joined(row) for row in db.execute(_JOINED, values)),
        muted=muted,
    )


def _joined(row: sqlite3.Row) -> JoinedEntry:
    return JoinedEntry(
        title=row["title"],
        outlet=row["outlet"],
        seen_at=rows.moment(row["first_seen_at"]),
        story=row["story"],
    )
