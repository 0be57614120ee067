"""Feeds whose document names a hub, and how they stand with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta

from monitor.model import FailureReason, Feed, HubState, Offer, Subscription
from monitor.store import rows

_ALL = """
SELECT s.*, f.url, NOT f.paused AS watched FROM subscriptions s JOIN feeds f ON f.id = s.feed_id
"""


def offer(db: sqlite3.Connection, feed: Feed, offered: Offer | None) -> None:
    """Keep what *feed* names; a subscription at another hub, or to another topic, is dropped."""
    if offered is None:
        return
    if not offered.hub:
        db.execute("DELETE FROM subscriptions WHERE feed_id = ?", [feed.id])
        return
    was = db.execute("SELECT hub, topic FROM subscriptions WHERE feed_id = ?", [feed.id]).fetchone()
    if was is None or (was["hub"], was["topic"]) != (offered.hub, offered.topic):
        db.execute(
            "INSERT OR REPLACE INTO subscriptions"
            " VALUES (?, ?, ?, '', '', ?, ?, NULL, 0, '', NULL, 0)",
            [
                feed.id,
                offered.hub,
                offered.topic,
                HubState.APART.value,
                rows.micros(feed.polled_at or feed.next_poll_at),
            ],
        )


def select(db: sqlite3.Connection) -> list[Subscription]:
    return [_subscription(row) for row in db.execute(_ALL)]


def of_feed(db: sqlite3.Connection, feed_id: str) -> Subscription | None:
    row = db.execute(f"{_ALL} WHERE s.feed_id = ?", [feed_id]).fetchone()
    return _subscription(row) if row else None


def save(db: sqlite3.Connection, each: Subscription) -> None:
    """Unless its feed names another hub or topic by now."""
    db.execute(
        "UPDATE subscriptions SET callback = ?, secret = ?, state = ?, due_at = ?, until = ?,"
        " failures = ?, detail = ?, pushed_at = ?, ignored = ?"
        " WHERE feed_id = ? AND hub = ? AND topic = ?",
        [
            each.callback,
            each.secret,
            each.state.value,
            rows.micros(each.due_at),
            rows.micros_or_none(each.until),
            each.failures,
            each.detail,
            rows.micros_or_none(each.pushed_at),
            each.ignored,
            each.feed_id,
            each.hub,
            each.topic,
        ],
    )


def poll_soon(db: sqlite3.Connection, feeds: Mapping[str, timedelta], now: datetime) -> set[str]:
    """Make *feeds*, by id, due at once, but none sooner than its timedelta after its last poll.

    The ids of those that are being visited: what they bring may be older than the hint.  A feed
    that asked us to wait is left its wait.
    """
    busy = set()
    for feed_id, shortest in feeds.items():
        row = db.execute("SELECT * FROM feeds WHERE id = ? AND NOT paused", [feed_id]).fetchone()
        if row is None or row["failure"] == FailureReason.THROTTLED.value:
            continue
        if row["leased_from"] is not None:
            busy.add(feed_id)
            continue
        due = max(rows.micros(now), (row["polled_at"] or 0) + shortest // rows.MICROSECOND)
        if due < row["next_poll_at"]:
            db.execute("UPDATE feeds SET next_poll_at = ? WHERE id = ?", [due, feed_id])
    return busy


def _subscription(row: sqlite3.Row) -> Subscription:
    return Subscription(
        feed_id=row["feed_id"],
        hub=row["hub"],
        topic=row["topic"],
        callback=row["callback"],
        secret=row["secret"],
        state=HubState(row["state"]),
        due_at=rows.moment(row["due_at"]),
        until=rows.moment_or_none(row["until"]),
        failures=row["failures"],
        detail=row["detail"],
        pushed_at=rows.moment_or_none(row["pushed_at"]),
        ignored=row["ignored"],
        feed_url=row["url"],
        watched=bool(row["watched"]),
    )
