"""Feeds in the database: what the configuration says, what polls left, who has claimed what."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from monitor import ids
from monitor.model import Feed
from monitor.settings import FeedSettings
from monitor.store import rhythms, rows

HORIZON = timedelta(hours=25)  # a poll further away than this is due: the clock was set back
OF_A_HOST = 16  # feeds of one host claimed at a time

_HOST = "substr({0}, 1, instr({0} || '/', '/') - 1)".format("substr(url, instr(url, '//') + 2)")
# A host is ``netloc_of`` its address.  Those claimed already have the first turns; two indexes, so
# that what is neither due nor under way is not looked at: at short intervals that is nearly all.
_DUE = f"""
WITH busy AS (
  SELECT {_HOST} AS host, count(*) AS feeds FROM feeds INDEXED BY feeds_leased
  WHERE leased_from IS NOT NULL AND next_poll_at > ?2 AND partition = ?1 AND paused = 0
  GROUP BY 1
), due AS (
  SELECT id, next_poll_at, {_HOST} AS host FROM feeds INDEXED BY feeds_due
  WHERE partition = ?1 AND paused = 0 AND next_poll_at <= ?2
  UNION ALL
  SELECT id, next_poll_at, {_HOST} FROM feeds INDEXED BY feeds_due
  WHERE partition = ?1 AND paused = 0 AND next_poll_at > ?3 AND leased_from IS NULL
), ranked AS (
  SELECT id, next_poll_at, host, coalesce(feeds, 0)
    + row_number() OVER (PARTITION BY host ORDER BY next_poll_at) AS turn
  FROM due LEFT JOIN busy USING (host)
)
SELECT id FROM ranked WHERE turn <= ?4
  AND (?6 IS NULL OR host IN (SELECT value FROM json_each(?6)))
ORDER BY turn, next_poll_at LIMIT ?5
"""


_OF_NOTE = """
SELECT id FROM feeds WHERE failures > 0 OR reported OR suspected_since IS NOT NULL
  OR quiet_since IS NOT NULL OR gap_from IS NOT NULL AND NOT gap_told
ORDER BY name
"""


def netloc_of(url: str) -> str:
    """What stands between "//" and the next "/", as the statement above has it."""
    return url.partition("//")[2].partition("/")[0]


def sync(db: sqlite3.Connection, settings: Sequence[FeedSettings], now: datetime) -> None:
    """Make the stored feeds those of the configuration; those that left it are paused, not lost."""
    stored = all_by_name(db, rhythms=False)
    by_url = {feed.url: feed for feed in stored}
    wanted = {each.url for each in settings}
    by_name = {feed.name: feed for feed in stored if feed.url not in wanted}
    kept = set()
    for each in settings:
        feed = by_url.get(each.url) or by_name.pop(each.name, None)
        if feed is None:
            feed_id = _add(db, each, now)
        else:
            feed_id = feed.id
            _change(db, feed, each, now)
        kept.add(feed_id)
    for feed in stored:
        if feed.id not in kept:
            db.execute("UPDATE feeds SET paused = 1 WHERE id = ?", [feed.id])


def _add(db: sqlite3.Connection, each: FeedSettings, now: datetime) -> str:
    feed_id = ids.feed_id(each.url)
    if db.execute("SELECT 1 FROM feeds WHERE id = ?", [feed_id]).fetchone():
        feed_id = ids.derive("feed", each.url, now.isoformat())  # its first owner moved away
    db.execute(
        "INSERT INTO feeds (id, url, name, tags, partition, claim, added_at, next_poll_at,"
        " identity, failures, failure_detail, reported, moved_count, paused)"
        " VALUES (?, ?, ?, ?, 0, 0, ?, ?, 'guid', 0, '', 0, 0, ?)",
        [
            feed_id,
            each.url,
            each.name,
            rows.dump(sorted(each.tags)),
            rows.micros(now),
            rows.micros(now),
            int(not each.enabled),
        ],
    )
    return feed_id


def _change(db: sqlite3.Connection, feed: Feed, each: FeedSettings, now: datetime) -> None:
    """New name, tags or address; at a new address the old validators mean nothing."""
    db.execute(
        "UPDATE feeds SET url = ?, name = ?, tags = ?, paused = ? WHERE id = ?",
        [each.url, each.name, rows.dump(sorted(each.tags)), int(not each.enabled), feed.id],
    )
    if feed.url != each.url or (feed.paused and each.enabled):
        db.execute(
            "UPDATE feeds SET etag = NULL, last_modified = NULL, validators_at = NULL,"
            " body_hash = NULL, packed_hash = NULL, moved_to = NULL, moved_count = 0,"
            " claim = claim + 1, next_poll_at = ? WHERE id = ?",
            [rows.micros(now), feed.id],
        )

    longest = each.interval or each.max_interval
    if longest is not None and not feed.failures:
        _bring_forward(db, feed, longest, now)


def _bring_forward(db: sqlite3.Connection, feed: Feed, longest: timedelta, now: datetime) -> None:
    """A wait begun under an old setting must not outlast the new one."""
    due = max(now, (feed.polled_at or now) + longest)
    db.execute(
        "UPDATE feeds SET next_poll_at = min(next_poll_at, ?) WHERE id = ? AND leased_from IS NULL",
        [rows.micros(due), feed.id],
    )


def clear_claims(db: sqlite3.Connection) -> None:
    """A claimed feed keeps its lease as next_poll_at: bring those back to where they were due."""
    db.execute(
        "UPDATE feeds SET claim = claim + 1, next_poll_at = leased_from, leased_from = NULL"
        " WHERE leased_from IS NOT NULL"
    )


def give_back(db: sqlite3.Connection, feeds: Iterable[Feed]) -> None:
    """End the leases of these claims, as if they had never been."""
    db.executemany(
        "UPDATE feeds SET next_poll_at = leased_from, leased_from = NULL"
        " WHERE id = ? AND claim = ? AND leased_from IS NOT NULL",
        [(feed.id, feed.claim) for feed in feeds],
    )


def claim_due(
    db: sqlite3.Connection,
    partition: int,
    limit: int,
    now: datetime,
    lease: timedelta,
    hosts: Collection[str] | None,
    of_a_host: int,
) -> list[Feed]:
    """Feeds whose time has come: each host's longest waiting first, then each host's second.

    So no host fills the batch; and none has more than *of_a_host* claimed at a time, which it could
    not serve at once anyway.  Only feeds of *hosts*, if that is given.
    """
    at, leased_to, too_far = map(rows.micros, (now, now + lease, now + HORIZON))
    only = None if hosts is None else json.dumps([*hosts])
    asked = [partition, at, too_far, of_a_host, limit, only]
    due = db.execute(_DUE, asked).fetchall()
    db.executemany(
        "UPDATE feeds SET claim = claim + 1, leased_from = coalesce(leased_from, next_poll_at),"
        " next_poll_at = ? WHERE id = ?",
        [(leased_to, row["id"]) for row in due],
    )
    return by_ids(db, [row["id"] for row in due])


def all_by_name(db: sqlite3.Connection, *, rhythms: bool = True) -> list[Feed]:
    columns = rows.FEED_COLUMNS if rhythms else rows.FEED_WITHOUT_RHYTHM
    found = db.execute(f"SELECT {columns} FROM feeds ORDER BY name")
    return [rows.feed(row) for row in found]


def ids_by_name(db: sqlite3.Connection) -> list[str]:
    return [row["id"] for row in db.execute("SELECT id FROM feeds ORDER BY name")]


def of_note(db: sqlite3.Connection) -> list[str]:
    return [row["id"] for row in db.execute(_OF_NOTE)]


def by_ids(db: sqlite3.Connection, feed_ids: Iterable[str], *, rhythms: bool = True) -> list[Feed]:
    columns = rows.FEED_COLUMNS if rhythms else rows.FEED_WITHOUT_RHYTHM
    read = f"SELECT {columns} FROM feeds WHERE id = ?"
    found = (db.execute(read, [feed_id]).fetchone() for feed_id in feed_ids)
    return [rows.feed(row) for row in found if row is not None]


def next_poll_at(db: sqlite3.Connection, partition: int) -> datetime | None:
    (first,) = db.execute(
        "SELECT min(next_poll_at) FROM feeds WHERE partition = ? AND paused = 0", [partition]
    ).fetchone()
    return rows.moment_or_none(first)


_POLLED = (
    f"UPDATE feeds SET {', '.join(f'{name} = ?' for name in rows.POLLED)}, leased_from = NULL"
    " WHERE id = ? AND claim = ?"
)


def save_polled(db: sqlite3.Connection, feed: Feed, *, learnt: bool) -> bool:
    """Write what a poll left; False: the feed was claimed again since, nothing is written."""
    done = db.execute(_POLLED, [*rows.polled(feed), feed.id, feed.claim])
    if done.rowcount != 1:
        return False
    if learnt:
        rhythm = rhythms.dump(feed.rhythm)
        db.execute("UPDATE feeds SET rhythm = ? WHERE id = ?", [rhythm, feed.id])
    return True


def set_reported(db: sqlite3.Connection, feeds: Sequence[Feed]) -> None:
    """What people have been told of them; ``gap_told`` only of the gap that it was read with."""
    db.executemany(
        "UPDATE feeds SET reported = ?, quiet_since = ?,"
        " gap_told = CASE WHEN gap_from IS ? THEN ? ELSE gap_told END WHERE id = ?",
        [
            (
                int(feed.reported),
                rows.micros_or_none(feed.quiet_since),
                rows.micros_or_none(feed.gap_from),
                int(feed.gap_told),
                feed.id,
            )
            for feed in feeds
        ],
    )
