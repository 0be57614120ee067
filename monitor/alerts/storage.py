"""What the monitor tells of its database file: damaged, or its log only grows.  Pure."""

from __future__ import annotations

from datetime import datetime

from monitor import ids
from monitor.model import Alert, Severity


def damaged(detail: str, since: datetime, now: datetime) -> Alert:
    """The nightly check found damage; the same alert until a check finds none."""
    return ids.operator_alert(
        "database:damaged",
        _at(since),
        title="The database is damaged: restore a backup",
        text=f"What the nightly check found: {detail}.\n"
        "What it means: polling and sending go on as long as they can, but what is stored may be"
        " lost, and the monitor may refuse to start again. The disk may be failing.\n"
        "What to do: copy the database file to another disk, look at the disk's health, then stop"
        " the monitor and put the newest good backup back: python3 run_monitor.py restore PATH."
        " What feeds still list is found again.",
        now=now,
        severity=Severity.CRITICAL,
    )


def log_held(size: int, since: datetime, now: datetime) -> Alert:
    """A program that reads the database does not let go, so that its log grows."""
    return ids.operator_alert(
        "database:log-held",
        _at(since),
        title=f"The database's log has grown to {size >> 20} MB: something keeps it open",
        text="What it means: another program has been reading the database for long (a dashboard,"
        " an sqlite3 shell, a backup that hangs). Nothing is lost, but until it ends, what is"
        " written stays in the file ending in -wal, and the disk fills.\n"
        "What to do: end that program; `fuser -v` on the database file names it. The log is cut by"
        " itself within a minute.",
        now=now,
    )


def _at(when: datetime) -> str:
    """An occurrence: a time without the colons that part a subject."""
    return f"{when:%Y%m%dT%H%M%S.%fZ}"
