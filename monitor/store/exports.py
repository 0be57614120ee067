"""Rows for people's spreadsheets and programs, one at a time: a large database stays on disk."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from monitor.model import Severity
from monitor.store import rows

_SELECTS = {
    "entries": (
        "SELECT e.id, f.name AS feed, e.title, e.url, e.author, e.language, e.published_at,"
        " e.first_seen_at, e.summary, e.content, e.story_id AS story, (SELECT group_concat(rule,"
        " ', ') FROM matches m WHERE m.entry_id = e.id) AS rules FROM entries e"
        " JOIN feeds f ON f.id = e.feed_id WHERE e.first_seen_at >= ? ORDER BY e.first_seen_at"
    ),
    "alerts": (
        "SELECT id, kind, severity, created_at, rule_name AS rule, story_id AS story,"
        " entry_id AS entry, told FROM alerts WHERE created_at >= ? ORDER BY created_at"
    ),
    "deliveries": (
        "SELECT d.id, d.alert_id AS alert, a.rule_name AS rule, d.channel, d.target, d.kind,"
        " d.state, d.created_at, d.due_at, d.settled_at, d.attempts, d.last_error,"
        " d.silence_id AS silence, d.message_id AS message FROM deliveries d"
        " JOIN alerts a ON a.id = d.alert_id WHERE d.created_at >= ? ORDER BY d.created_at"
    ),
}
KINDS = tuple(_SELECTS)
_TOLD = ("title", "url", "outlet", "terms", "facts", "text")


def rows_of(db: sqlite3.Connection, kind: str, since: datetime | None) -> Iterator[dict[str, Any]]:
    """All of *kind* since then, the oldest first, times as datetimes."""
    start = rows.micros(since) if since is not None else 0
    for row in db.execute(_SELECTS[kind], [start]):
        yield _readable(dict(row))


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    told = json.loads(row.pop("told", "{}"))
    row |= {name: told[name] for name in _TOLD if name in told}
    times = {
        name: rows.moment_or_none(value) for name, value in row.items() if name.endswith("_at")
    }
    if "severity" in row:
        row["severity"] = Severity(row["severity"]).label
    return row | times
