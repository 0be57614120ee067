"""Alerts and their deliveries: the outbox."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from monitor.model import (
    WAITING,
    Alert,
    AlertKind,
    ChannelState,
    Delivery,
    DeliveryState,
    Finished,
    Message,
    QueuedDelivery,
)
from monitor.store import rows, rows_out, stories, threads
from monitor.store.chunks import glob_free

KEEP_TRYING = timedelta(days=14)

JOINED = (
    "SELECT d.*, a.id AS a_id, a.kind AS a_kind, a.subject AS a_subject, a.severity AS a_severity,"
    " a.created_at AS a_created_at, a.story_id AS a_story_id, a.entry_id AS a_entry_id,"
    " a.rule_name AS a_rule_name, a.told AS a_told"
    " FROM deliveries d JOIN alerts a ON a.id = d.alert_id"
)
_OPEN_TARGET = (
    " NOT EXISTS (SELECT 1 FROM channel_states s WHERE s.channel = d.channel"
    " AND s.target = d.target AND (s.stopped = 1 OR s.not_before > :now))"
)


def queue(db: sqlite3.Connection, alerts: Iterable[Alert], deliveries: Iterable[Delivery]) -> None:
    """Add what is not known yet; ids are derived, so a repeat changes nothing."""
    db.executemany(
        "INSERT OR IGNORE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [rows_out.alert_row(alert) for alert in alerts],
    )
    columns = ", ".join(rows_out.DELIVERY)
    marks = ",".join("?" * len(rows_out.DELIVERY))
    db.executemany(
        f"INSERT OR IGNORE INTO deliveries ({columns}) VALUES ({marks})",
        [rows_out.delivery_row(delivery) for delivery in deliveries],
    )


def clear_claims(db: sqlite3.Connection) -> None:
    db.execute("UPDATE deliveries SET state = 'queued' WHERE state = 'claimed'")


def claim(
    db: sqlite3.Connection, now: datetime, limit: int, channel: str | None
) -> list[QueuedDelivery]:
    """Due deliveries, oldest first, and with each all that go out in the same message."""
    values: dict[str, object] = {"now": rows.micros(now), "limit": limit, "channel": channel}
    db.execute("CREATE TEMP TABLE IF NOT EXISTS claimed (id TEXT PRIMARY KEY, place INTEGER)")
    db.execute("DELETE FROM claimed")
    only = "d.channel = :channel AND" if channel is not None else ""
    db.execute(
        "INSERT INTO claimed SELECT id, row_number() OVER (ORDER BY due_at, created_at, id) FROM ("
        f" SELECT d.id, d.due_at, d.created_at FROM deliveries d WHERE {only} d.state = 'queued'"
        f" AND d.due_at <= :now AND {_OPEN_TARGET} ORDER BY d.due_at LIMIT :limit)",
        values,
    )
    _claim_companions(db, values)
    db.execute(
        "UPDATE deliveries SET state = 'claimed', claim = claim + 1"
        " WHERE id IN (SELECT id FROM claimed)"
    )
    query = f"{JOINED} JOIN claimed c ON c.id = d.id ORDER BY c.place"
    return _queued(db, db.execute(query).fetchall())


def _claim_companions(db: sqlite3.Connection, values: dict[str, object]) -> None:
    """Rows of the same frozen message, or due rows of the same story and target.

    CROSS JOIN and "+" bind SQLite to begin with the few that are claimed, not with all that waits.
    """
    db.execute(
        "INSERT OR IGNORE INTO claimed"
        " SELECT o.id, c.place FROM claimed c CROSS JOIN deliveries d ON d.id = c.id"
        " CROSS JOIN deliveries o ON o.message_id = d.message_id WHERE +o.state = 'queued'",
    )
    db.execute(
        "INSERT OR IGNORE INTO claimed"
        " SELECT o.id, c.place FROM claimed c CROSS JOIN deliveries d ON d.id = c.id"
        " CROSS JOIN alerts a ON a.id = d.alert_id AND a.story_id <> ''"
        " CROSS JOIN alerts b ON b.story_id = a.story_id"
        " CROSS JOIN deliveries o ON o.alert_id = b.id AND o.target = d.target"
        " WHERE d.message_id IS NULL AND o.message_id IS NULL AND +o.state = 'queued'"
        " AND o.due_at <= :now",
        values,
    )


def _queued(db: sqlite3.Connection, found: Sequence[sqlite3.Row]) -> list[QueuedDelivery]:
    messages: dict[str, Message | None] = {}
    members = {name: stories.members(db, name) for name in {row["a_story_id"] for row in found}}
    for row in found:
        name = row["message_id"]
        if name and name not in messages:
            frozen = db.execute("SELECT * FROM messages WHERE id = ?", [name]).fetchone()
            messages[name] = rows_out.message(
                frozen, attempts=row["attempts"], ambiguous=row["ambiguous"]
            )
    return [
        QueuedDelivery(
            delivery=rows_out.delivery(row),
            alert=rows_out.alert(row, "a_"),
            message=messages.get(row["message_id"] or ""),
            update=stories.update(db, row["sequence"]) if row["kind"] == "update" else None,
            members=members[row["a_story_id"]],
        )
        for row in found
    ]


def freeze(db: sqlite3.Connection, messages: Sequence[Message]) -> None:
    db.executemany(
        "INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?, ?)",
        [rows_out.message_row(message) for message in messages],
    )
    db.executemany(
        "UPDATE deliveries SET message_id = ? WHERE id = ?",
        [(message.id, name) for message in messages for name in message.delivery_ids],
    )


def finish(db: sqlite3.Connection, finished: Sequence[Finished]) -> None:
    """What became of claimed deliveries; doing it again changes nothing."""
    for each in finished:
        db.executemany(
            "UPDATE deliveries SET state = ?, due_at = ?, attempts = ?, ambiguous = ?,"
            " last_error = ?, silence_id = ?, settled_at = ? WHERE id = ?",
            [_finished(delivery, each.at) for delivery in each.deliveries],
        )
        if each.state is not None:
            save_channel_state(db, each.state)
        threads.save(db, each)
        queue(db, each.alerts, each.raised)


def _finished(delivery: Delivery, at: datetime) -> tuple[object, ...]:
    return (
        delivery.state.value,
        rows.micros(delivery.due_at),
        delivery.attempts,
        delivery.ambiguous,
        delivery.last_error,
        delivery.silence_id,
        None if delivery.state in WAITING else rows.micros(at),
        delivery.id,
    )


def save_channel_state(db: sqlite3.Connection, state: ChannelState) -> None:
    db.execute(
        "INSERT OR REPLACE INTO channel_states VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows_out.channel_state_row(state),
    )


def reconsider(db: sqlite3.Connection, channels: Sequence[str], now: datetime) -> None:
    """What waits for these channels and was not tried yet is due: it is held anew, or goes."""
    db.executemany(
        "UPDATE deliveries SET due_at = ? WHERE channel = ? AND state = 'queued'"
        " AND message_id IS NULL AND due_at > ?",
        [(rows.micros(now), channel, rows.micros(now)) for channel in channels],
    )


def resume(db: sqlite3.Connection, targets: Sequence[str] | None) -> None:
    """Nothing stands against trying these targets (None: all) any more."""
    free = "UPDATE channel_states SET stopped = 0, not_before = NULL"
    if targets is None:
        db.execute(free)
    else:
        db.executemany(f"{free} WHERE target = ?", [(target,) for target in targets])


def expire(db: sqlite3.Connection, now: datetime) -> list[Delivery]:
    """Give up what has been waiting for 14 days; what was given up."""
    old = db.execute(
        "SELECT * FROM deliveries WHERE state = 'queued' AND created_at <= ?",
        [rows.micros(now - KEEP_TRYING)],
    ).fetchall()
    at = rows.micros(now)
    db.executemany(
        "UPDATE deliveries SET state = 'expired', settled_at = ? WHERE id = ?",
        [(at, row["id"]) for row in old],
    )
    gone = {"state": DeliveryState.EXPIRED, "settled_at": at}
    return [rows_out.delivery(dict(row) | gone) for row in old]


# --- reading


def waiting_for(
    db: sqlite3.Connection, target: str, before: datetime, *, not_for: str, limit: int
) -> list[Delivery]:
    """What waits for *target* and is due *before*, unless *not_for*, a channel, gets it too.

    What the monitor says of itself is left out: it is told elsewhere already.
    """
    query = (
        "SELECT d.* FROM deliveries d WHERE d.target = ? AND d.state = 'queued'"
        " AND d.kind <> 'notice' AND d.due_at < ? AND NOT EXISTS (SELECT 1 FROM deliveries o"
        " WHERE o.alert_id = d.alert_id AND o.kind = d.kind AND o.sequence = d.sequence"
        " AND o.channel = ?) ORDER BY d.created_at LIMIT ?"
    )
    found = db.execute(query, [target, rows.micros(before), not_for, limit])
    return [rows_out.delivery(row) for row in found]


# From one channel to the next: what waits is not counted through.
_WAITING_CHANNELS = """
WITH RECURSIVE waiting (channel) AS (
  SELECT min(channel) FROM deliveries INDEXED BY deliveries_due WHERE state = 'queued'
  UNION ALL
  SELECT (SELECT min(channel) FROM deliveries INDEXED BY deliveries_due
    WHERE state = 'queued' AND channel > w.channel)
  FROM waiting w WHERE w.channel IS NOT NULL
)
SELECT w.channel, EXISTS (SELECT 1 FROM channel_states s WHERE s.channel = w.channel
  AND (s.stopped = 1 OR s.not_before IS NOT NULL)) AS hindered
FROM waiting w WHERE w.channel IS NOT NULL
"""
_FIRST_DUE = (
    "SELECT min(due_at) FROM deliveries INDEXED BY deliveries_due"
    " WHERE channel = ? AND state = 'queued'"
)
_FIRST_FREE = (
    "SELECT min(max(d.due_at, coalesce(s.not_before, 0))) FROM deliveries d"
    " LEFT JOIN channel_states s ON s.channel = d.channel AND s.target = d.target"
    " WHERE d.channel = ? AND d.state = 'queued' AND coalesce(s.stopped, 0) = 0"
)


def next_due_at(db: sqlite3.Connection, channels: Sequence[str] | None) -> datetime | None:
    """When the next delivery can be tried: its own time, or when its target asks for it."""
    times = [
        db.execute(_FIRST_FREE if row["hindered"] else _FIRST_DUE, [row["channel"]]).fetchone()[0]
        for row in db.execute(_WAITING_CHANNELS).fetchall()
        if channels is None or row["channel"] in channels
    ]
    return rows.moment_or_none(min((at for at in times if at is not None), default=None))


def oldest_waiting_at(db: sqlite3.Connection) -> datetime | None:
    """When what has waited longest to be sent was queued."""
    (first,) = db.execute(
        "SELECT min(created_at) FROM deliveries WHERE state IN ('queued', 'claimed')"
    ).fetchone()
    return rows.moment_or_none(first)


def alerts(
    db: sqlite3.Connection,
    *,
    since: datetime | None,
    rule: str | None,
    kind: AlertKind | None,
    limit: int,
) -> list[Alert]:
    where, values = ["1"], list[object]()
    if since is not None:
        where.append("created_at >= ?")
        values.append(rows.micros(since))
    if rule is not None:
        where.append("rule_name = ?")
        values.append(rule)
    if kind is not None:
        where.append("kind = ?")
        values.append(kind.value)
    query = f"SELECT * FROM alerts WHERE {' AND '.join(where)} ORDER BY created_at DESC LIMIT ?"
    return [rows_out.alert(row) for row in db.execute(query, [*values, limit])]


def alert(db: sqlite3.Connection, name: str) -> Alert | None:
    """By id, or by an id's unique beginning."""
    for where, value in (("id = ?", name), ("id GLOB ?", f"{glob_free(name)}*")):
        found = db.execute(f"SELECT * FROM alerts WHERE {where} LIMIT 2", [value]).fetchall()
        if len(found) == 1:
            return rows_out.alert(found[0])
    return None


def deliveries_of(db: sqlite3.Connection, alert_id: str) -> list[Delivery]:
    query = "SELECT * FROM deliveries WHERE alert_id = ? ORDER BY target, kind, sequence"
    return [rows_out.delivery(row) for row in db.execute(query, [alert_id])]


def channel_states(db: sqlite3.Connection) -> list[ChannelState]:
    query = "SELECT * FROM channel_states ORDER BY channel, target"
    return [rows_out.channel_state(row) for row in db.execute(query)]


def queue_lengths(db: sqlite3.Connection) -> dict[str, int]:
    query = "SELECT state, count(*) AS number FROM deliveries GROUP BY state"
    return {row["state"]: row["number"] for row in db.execute(query)}
