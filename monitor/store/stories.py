"""Stories in the database: why an entry is in one, what was told of it, what people corrected."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from monitor import ids
from monitor.model import (
    Alert,
    HashPair,
    Member,
    Outcome,
    Placement,
    Standing,
    StandingAlert,
    Story,
    Told,
    Update,
    UpdateReason,
)
from monitor.store import rows, rows_out
from monitor.store.chunks import chunks, glob_free

MEMBERS_TOLD = 100

_STORY = "id, title, opened_at, last_entry_at, language, entries, outlets"


# --- what a poll brought


def save(db: sqlite3.Connection, outcome: Outcome) -> None:
    """Stories, placements and updates of *outcome*; a repeat changes nothing."""
    db.executemany(
        f"INSERT INTO stories ({_STORY}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
        " SET last_entry_at = max(last_entry_at, excluded.last_entry_at),"
        " entries = excluded.entries, outlets = excluded.outlets",
        [rows.story_row(story) for story in outcome.stories],
    )
    db.executemany(
        "INSERT OR IGNORE INTO joins VALUES (?, ?, ?, ?, ?, 0)",
        [_join_row(placement) for placement in outcome.placements if placement.joined],
    )
    db.executemany(
        "INSERT OR IGNORE INTO traces (entry_id, story_id, feed_id, outlet, seen_at, copy_of,"
        " features, sketch, labels) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [_trace_row(placement.told) for placement in outcome.placements],
    )
    db.executemany(
        "INSERT OR IGNORE INTO entry_references VALUES (?, ?)",
        [(ref, each.told.entry_id) for each in outcome.placements for ref in each.references],
    )
    db.executemany(
        "INSERT OR IGNORE INTO updates VALUES (?, ?, ?, ?, ?, ?)",
        [rows_out.update_row(update) for update in outcome.updates],
    )


def _join_row(placement: Placement) -> tuple[object, ...]:
    return (
        placement.told.entry_id,
        rows.dump(placement.because),
        placement.gap // rows.MICROSECOND,
        placement.told.copy_of,
        placement.containment,
    )


def _trace_row(told: Told) -> tuple[object, ...]:
    labels = array("I", (*(told.series or (0, 0)), *(told.page or (0, 0))))
    return (
        told.entry_id,
        told.story_id,
        told.feed_id,
        told.outlet,
        rows.micros(told.seen_at),
        told.copy_of,
        told.features,
        array("I", told.sketch).tobytes(),
        labels.tobytes(),
    )


# --- what the lane asks


def traces(db: sqlite3.Connection, since: datetime) -> Iterator[Told]:
    """The entries seen since, in the order in which they were decided."""
    query = "SELECT * FROM traces WHERE seen_at >= ? ORDER BY number"
    for row in db.execute(query, [rows.micros(since)]):
        one, two, three, four = array("I", row["labels"])
        yield Told(
            entry_id=row["entry_id"],
            story_id=row["story_id"],
            feed_id=row["feed_id"],
            outlet=row["outlet"],
            seen_at=rows.moment(row["seen_at"]),
            features=row["features"],
            sketch=tuple(array("I", row["sketch"])),
            series=_label(one, two),
            page=_label(three, four),
            copy_of=row["copy_of"],
        )


def _label(one: int, two: int) -> HashPair | None:
    return (one, two) if one or two else None


def forget_traces(db: sqlite3.Connection, before: datetime) -> None:
    db.execute("DELETE FROM traces WHERE seen_at < ?", [rows.micros(before)])


def standings(db: sqlite3.Connection, story_ids: Iterable[str]) -> dict[str, Standing]:
    """What is known of each story; those that are not stored are left out."""
    return {
        row["id"]: _standing(db, _story(row))
        for chunk in chunks(story_ids)
        for row in db.execute(
            f"SELECT {_STORY} FROM stories WHERE id IN ({','.join('?' * len(chunk))})", chunk
        )
    }


def _standing(db: sqlite3.Connection, story: Story) -> Standing:
    alerts: dict[str, StandingAlert] = {}
    since: list[datetime] = []
    for alert in alerts_of(db, story.id):
        if alert.subject != ids.story_subject(story.id, alert.rule_name):
            continue  # its story was joined to this one, which had been told for the same rule
        since.append(alert.created_at)
        alerts.setdefault(
            alert.rule_name,
            StandingAlert(
                id=alert.id,
                severity=alert.severity,
                terms=frozenset(alert.terms),
                targets=_targets(db, alert.id),
            ),
        )
    if not alerts:
        return Standing(story=story)
    told = updates(db, story.id)
    return Standing(
        story=story,
        feeds=_feeds(db, story.id),
        alerts={name: _with_terms(name, alert, told) for name, alert in alerts.items()},
        outlets_told=any(update.reason is UpdateReason.OUTLETS for update in told),
        first_alerted_at=min(since),
    )


def alerts_of(db: sqlite3.Connection, story_id: str) -> list[Alert]:
    """The alerts of a story in the order they were raised."""
    query = "SELECT * FROM alerts WHERE story_id = ? ORDER BY created_at, rule_name"
    return [rows_out.alert(row) for row in db.execute(query, [story_id])]


def _with_terms(rule: str, alert: StandingAlert, told: Sequence[Update]) -> StandingAlert:
    later = [term for update in told if update.rule_name == rule for term in update.terms]
    return StandingAlert(
        id=alert.id,
        severity=alert.severity,
        terms=alert.terms.union(later),
        targets=alert.targets,
    )


def _targets(db: sqlite3.Connection, alert_id: str) -> tuple[tuple[str, str], ...]:
    query = "SELECT DISTINCT channel, target FROM deliveries WHERE alert_id = ? AND kind = 'first'"
    return tuple((row["channel"], row["target"]) for row in db.execute(query, [alert_id]))


def _feeds(db: sqlite3.Connection, story_id: str) -> frozenset[str]:
    query = "SELECT DISTINCT feed_id FROM entries WHERE story_id = ?"
    return frozenset(row["feed_id"] for row in db.execute(query, [story_id]))


def notices(db: sqlite3.Connection, since: datetime) -> dict[str, set[str]]:
    """Story → the numbers of the notices it is about, where an entry was seen since."""
    found: dict[str, set[str]] = {}
    for row in db.execute(
        "SELECT e.story_id, r.reference FROM entry_references r JOIN entries e"
        " ON e.id = r.entry_id WHERE e.first_seen_at >= ?",
        [rows.micros(since)],
    ):
        found.setdefault(row["story_id"], set()).add(row["reference"])
    return found


def referenced(db: sqlite3.Connection, references: Iterable[str]) -> dict[str, str]:
    """Reference → the story in which it was first seen."""
    found: dict[str, str] = {}
    for reference in dict.fromkeys(references):
        row = db.execute(
            "SELECT e.story_id FROM entry_references r JOIN entries e ON e.id = r.entry_id"
            " WHERE r.reference = ? ORDER BY e.first_seen_at LIMIT 1",
            [reference],
        ).fetchone()
        if row is not None:
            found[reference] = row["story_id"]
    return found


# --- what people ask


def stories(
    db: sqlite3.Connection, *, since: datetime | None, alerted: bool, limit: int
) -> list[Story]:
    """Stories by their last entry, the newest first."""
    where, values = ["merged_into IS NULL"], list[object]()
    if since is not None:
        where.append("last_entry_at >= ?")
        values.append(rows.micros(since))
    if alerted:
        where.append("EXISTS (SELECT 1 FROM alerts WHERE story_id = stories.id)")
    query = (
        f"SELECT {_STORY} FROM stories WHERE {' AND '.join(where)}"
        " ORDER BY last_entry_at DESC LIMIT ?"
    )
    return [_story(row) for row in db.execute(query, [*values, limit])]


def story(db: sqlite3.Connection, name: str) -> Story | None:
    """By id, an id's unique beginning, or that of an entry in it; corrected stories by old ids.

    A story has the id of the entry that founded it.  Where that was taken out, its id means it.
    """
    for where, value in (("= ?", name), ("GLOB ?", f"{glob_free(name)}*")):
        found: dict[str, str] = {}
        for table, story_id in (("stories", "id"), ("entries", "story_id")):
            select = f"SELECT id, {story_id} FROM {table} WHERE id {where} LIMIT 3"
            found |= {row[0]: row[1] for row in db.execute(select, [value])}
        current = {standing_for(db, story_id) for story_id in found.values()}
        if len(current) == 1:
            query = f"SELECT {_STORY} FROM stories WHERE id = ?"
            row = db.execute(query, [current.pop()]).fetchone()
            return _story(row) if row else None
    return None


def stories_of(db: sqlite3.Connection, entry_ids: Iterable[str]) -> dict[str, str]:
    """Entry id → story id."""
    return {
        row["id"]: row["story_id"]
        for chunk in chunks(entry_ids)
        for row in db.execute(
            f"SELECT id, story_id FROM entries WHERE id IN ({','.join('?' * len(chunk))})", chunk
        )
    }


def standing_for(db: sqlite3.Connection, story_id: str) -> str:
    """The story that *story_id* is by now: people may have joined or split it."""
    query = "SELECT merged_into FROM stories WHERE id = ?"
    while (row := db.execute(query, [story_id]).fetchone()) and row["merged_into"]:
        story_id = row["merged_into"]
    return story_id


def members(db: sqlite3.Connection, story_id: str, limit: int = MEMBERS_TOLD) -> tuple[Member, ...]:
    """The entries of a story in the order they came, the first *limit*."""
    query = (
        "SELECT e.id, e.title, e.url, e.first_seen_at, f.name, j.because, j.gap, j.copy_of,"
        " j.containment, j.by_hand FROM entries e JOIN feeds f ON f.id = e.feed_id"
        " LEFT JOIN joins j ON j.entry_id = e.id WHERE e.story_id = ?"
        " ORDER BY e.first_seen_at, e.rowid LIMIT ?"
    )
    return tuple(_member(row) for row in db.execute(query, [story_id, limit]))


def openings(db: sqlite3.Connection, story_id: str) -> list[tuple[str, str]]:
    """Headline and beginning of the text of the first entries of a story."""
    query = (
        "SELECT title, substr(CASE WHEN summary = '' THEN content ELSE summary END, 1, 600) AS text"
        " FROM entries WHERE story_id = ? ORDER BY first_seen_at LIMIT 12"
    )
    return [(row["title"], row["text"]) for row in db.execute(query, [story_id])]


def _member(row: sqlite3.Row) -> Member:
    return Member(
        entry_id=row["id"],
        title=row["title"],
        url=row["url"],
        outlet=row["name"],
        seen_at=rows.moment(row["first_seen_at"]),
        because=_because(row["because"] or "[]"),
        gap=timedelta(microseconds=row["gap"] or 0),
        copy_of=row["copy_of"] or "",
        containment=row["containment"] or 0.0,
        by_hand=bool(row["by_hand"]),
    )


def _because(text: str) -> tuple[str, ...]:
    """Why an entry is in its story; nothing, if that is damaged."""
    try:
        return tuple(map(str, json.loads(text)))
    except (ValueError, TypeError):
        return ()


def update(db: sqlite3.Connection, number: int) -> Update | None:
    row = db.execute("SELECT * FROM updates WHERE number = ?", [number]).fetchone()
    return rows_out.update(row) if row else None


def updates(db: sqlite3.Connection, story_id: str) -> list[Update]:
    """Those of a story in the order they came."""
    query = "SELECT * FROM updates WHERE story_id = ? ORDER BY created_at, number"
    found = (rows_out.update(row) for row in db.execute(query, [story_id]))
    return [each for each in found if each is not None]


def _story(row: sqlite3.Row) -> Story:
    return Story(
        id=row["id"],
        title=row["title"],
        opened_at=rows.moment(row["opened_at"]),
        last_entry_at=rows.moment(row["last_entry_at"]),
        language=row["language"],
        entries=row["entries"],
        outlets=tuple(json.loads(row["outlets"])),
    )
