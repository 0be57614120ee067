"""What the monitor tells of its database: damaged, stuck, moved away, its log only grows.  Pure."""

from __future__ import annotations

from datetime import datetime

from monitor import ids
from monitor.alerts.lines import lasting
from monitor.model import Alert, Severity


def damaged(detail: str, since: datetime, now: datetime) -> Alert:
    """The nightly check found damage; the same alert until a check finds none."""
    return ids.operator_alert(
        "database:damaged",
        ids.occurrence(since),
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
        ids.occurrence(since),
        title=f"The database's log has grown to {size >> 20} MB: something keeps it open",
        text="What it means: another program has been reading the database for long (a dashboard,"
        " an sqlite3 shell, a backup that hangs). Nothing is lost, but until it ends, what is"
        " written stays in the file ending in -wal, and the disk fills.\n"
        "What to do: end that program; `fuser -v` on the database file names it. The log is cut by"
        " itself within a minute.",
        now=now,
    )


def stuck(detail: str, since: datetime, now: datetime) -> Alert:
    """Nothing can be stored: the disk is full, or another program holds the database."""
    return ids.operator_alert(
        "database:stuck",
        ids.occurrence(since),
        title="The monitor cannot write its database: no news is stored or sent",
        text=f"Why: {detail}; for {lasting(now - since)}.\n"
        "What it means: feeds are tried again all the time; nothing is lost if this ends before"
        " their entries roll over. This message could not be stored either and may come again"
        " after a restart.\n"
        "What to do: make room on the disk, or end the program that holds the database.",
        now=now,
        severity=Severity.CRITICAL,
    )


def mended(since: datetime, now: datetime) -> Alert:
    """It can be written again, after people were told that it could not."""
    return ids.operator_alert(
        "database:mended",
        ids.occurrence(since),
        title=f"The monitor can write its database again, after {lasting(now - since)}",
        text="Feeds are being polled; what matches is on its way, late.",
        now=now,
        severity=Severity.NORMAL,
    )


def moved(path: str, now: datetime) -> Alert:
    """What is written is no longer what lies at *path*."""
    return ids.operator_alert(
        "database:moved",
        ids.occurrence(now),
        title="The monitor's database was moved away or replaced while it ran",
        text=f"Where it should be: {path}.\n"
        "What it means: alerts still come, but what is stored from now on is lost when the monitor"
        " is stopped, and commands such as status do not see it.\n"
        "What to do: stop the monitor, put the file back with its -wal beside it, or restore a"
        " backup, and start it again.",
        now=now,
        severity=Severity.CRITICAL,
    )


def ended_by_damage(detail: str, now: datetime) -> Alert:
    """It cannot go on: a person must put a backup in place."""
    return ids.operator_alert(
        "database:damaged",
        ids.occurrence(now),
        title="The monitor has stopped: its database is damaged",
        text=f"Why: {detail}.\n"
        "What it means: no feed is polled and nothing is sent until it runs again; nothing is lost"
        " if that is before the entries of the feeds roll over.\n"
        "What to do: look at the disk, restore the last backup, start the monitor.",
        now=now,
        severity=Severity.CRITICAL,
    )
