"""Deliveries as people see and change them: listed, queued anew, discarded.

Each change is one guarded statement a row: what the deliver loop has taken meanwhile stays.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.model import DeliveryState, QueuedDelivery
from monitor.store import rows, rows_out
from monitor.store.chunks import chunks, glob_free
from monitor.store.outbox import JOINED


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which deliveries somebody asks for; what is empty asks for all."""

    states: Collection[DeliveryState] = ()
    channel: str | None = None
    rule: str | None = None
    silence: str | None = None
    since: datetime | None = None


def select(db: sqlite3.Connection, wanted: Wanted, limit: int) -> list[QueuedDelivery]:
    """The newest first."""
    where, values = ["1"], list[object]()
    if wanted.states:
        where.append(f"d.state IN ({','.join('?' * len(wanted.states))})")
        values += [state.value for state in wanted.states]
    for column, value in (
        ("d.channel", wanted.channel),
        ("a.rule_name", wanted.rule),
        ("d.silence_id", wanted.silence),
    ):
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    if wanted.since is not None:
        where.append("d.created_at >= ?")
        values.append(rows.micros(wanted.since))
    query = f"{JOINED} WHERE {' AND '.join(where)} ORDER BY d.created_at DESC, d.id LIMIT ?"
    return [_listed(row) for row in db.execute(query, [*values, limit])]


def by_id(db: sqlite3.Connection, name: str) -> QueuedDelivery | None:
    """With the message it goes out in, if a claim has frozen it."""
    query = f"{JOINED} WHERE d.id GLOB ? LIMIT 2"
    found = db.execute(query, [f"{glob_free(name)}*"]).fetchall()
    if len(found) != 1:
        return None
    frozen = db.execute("SELECT * FROM messages WHERE id = ?", [found[0]["message_id"]]).fetchone()
    return _listed(found[0], frozen)


def of_messages(db: sqlite3.Connection, message_ids: Iterable[str]) -> list[QueuedDelivery]:
    return [
        _listed(row)
        for chunk in chunks(message_ids)
        for row in db.execute(
            f"{JOINED} WHERE d.message_id IN ({','.join('?' * len(chunk))})", chunk
        )
    ]


def _listed(row: sqlite3.Row, frozen: sqlite3.Row | None = None) -> QueuedDelivery:
    return QueuedDelivery(
        delivery=rows_out.delivery(row),
        alert=rows_out.alert(row, "a_"),
        message=rows_out.message(frozen) if frozen else None,
    )


def retry(db: sqlite3.Connection, ids: Sequence[str], now: datetime) -> set[str]:
    """Queued anew, with 14 days and all tries before them; the ids of those that changed.

    A message that was never accepted is tried again unchanged; what one says that was accepted
    without them (a person had discarded them) is said in a new one.
    """
    return {
        id_
        for id_ in ids
        if db.execute(
            "UPDATE deliveries SET state = 'queued', due_at = :now, created_at = :now,"
            " attempts = 0, ambiguous = 0, last_error = '', settled_at = NULL,"
            " message_id = CASE WHEN EXISTS"
            " (SELECT 1 FROM deliveries o WHERE o.message_id = deliveries.message_id"
            " AND o.state = 'accepted') THEN NULL ELSE message_id END"
            " WHERE id = :id AND state IN"
            " ('queued', 'refused', 'parked', 'expired', 'discarded', 'silenced')",
            {"id": id_, "now": rows.micros(now)},
        ).rowcount
    }


def discard(db: sqlite3.Connection, ids: Sequence[str], why: str, now: datetime) -> set[str]:
    """Never to be sent; the ids of those that changed."""
    return {
        id_
        for id_ in ids
        if db.execute(
            "UPDATE deliveries SET state = 'discarded', last_error = ?, settled_at = ?"
            " WHERE id = ? AND state IN ('queued', 'refused', 'parked', 'expired', 'silenced')",
            [why, rows.micros(now), id_],
        ).rowcount
    }
