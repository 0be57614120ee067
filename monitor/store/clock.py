"""Times that were planned by a clock that has been set back since."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from monitor.store import rows

# A first message waits for a time of the day, if for anything: it is held anew when it is claimed.
# What was tried before waits for so long, and what is "new" in the future would never grow old.
_MOVED = """
UPDATE feeds SET next_poll_at = next_poll_at - :by, leased_from = leased_from - :by;
UPDATE deliveries SET due_at = CASE
  WHEN message_id IS NULL OR due_at - :by > :far THEN :now ELSE due_at - :by END
  WHERE state = 'queued' AND due_at > :now;
UPDATE deliveries SET created_at = :now WHERE state = 'queued' AND created_at > :now;
UPDATE channel_states SET not_before = not_before - :by WHERE not_before > :now;
UPDATE articles SET due_at = due_at - :by WHERE state = 'queued';
UPDATE subscriptions SET due_at = due_at - :by, until = until - :by
"""


# What shows that the clock was ahead: polls, deliveries and failures of the future, or a wait that
# is longer than any there is.
_LATEST = """
SELECT max(at) FROM (
  SELECT max(polled_at) AS at FROM feeds
  UNION ALL SELECT max(created_at) FROM deliveries WHERE state = 'queued'
  UNION ALL SELECT max(failing_since) FROM channel_states
  UNION ALL SELECT max(due_at) - :longest FROM deliveries WHERE state = 'queued'
)
"""
_LONGEST = timedelta(days=8)  # digests are weekly at most
_FAR = timedelta(hours=25)  # a channel may ask us to wait for a day


def latest(db: sqlite3.Connection) -> datetime | None:
    """The last time at which something was done, as far as the database shows."""
    longest = round(_LONGEST / timedelta(microseconds=1))
    return rows.moment_or_none(db.execute(_LATEST, {"longest": longest}).fetchone()[0])


def set_back(db: sqlite3.Connection, by: timedelta, now: datetime) -> None:
    """Move what is planned by as much as the clock was set back to *now*."""
    values = {"by": round(by / timedelta(microseconds=1)), "now": rows.micros(now)}
    values["far"] = rows.micros(now + _FAR)
    for statement in _MOVED.split(";\n"):
        db.execute(statement, values)
