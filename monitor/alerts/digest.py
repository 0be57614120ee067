"""What a digest says beside its stories: coverage, what was sent at once, who joined silently.

Pure.  It is an alert of its own kind, one for each channel and moment, and goes out like all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from monitor import ids
from monitor.alerts.lines import ITEM, counted, local_time, one_line, short_time, shorten
from monitor.model import Alert, AlertKind, Feed, JoinedEntry, Severity, SinceDigest

LISTED = 30
FEEDS_NAMED = 15
TITLE_LENGTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How well the monitor could see and speak."""

    watched: int  # feeds that are not switched off
    ailing: Sequence[Feed] = ()  # those of them that bring nothing
    suspicious: Sequence[Feed] = ()  # those that answer, but look wrong
    quiet: Sequence[Feed] = ()  # those that have been silent for unusually long
    gaps: Sequence[Feed] = ()  # those whose entries may have rolled over unseen
    unseen: int = 0  # those of them that were never polled
    channels: Sequence[str] = ()  # targets that take nothing


def digest_alert(
    channel: str,
    begins: datetime,
    slot: datetime,
    since: SinceDigest,
    coverage: Coverage,
    zone: ZoneInfo,
) -> Alert:
    """The frame of the digest of *channel* at *slot*; *begins*: when the last one was due."""
    subject = f"digest:{channel}:{slot:%Y%m%dT%H%M%SZ}"
    lines = [
        *_failing(coverage, slot, zone),
        *_at_once(since.at_once, begins, zone),
        *_joined(since.joined, slot, zone),
        *([f"Muted by silences: {counted(since.muted, 'alert')}."] if since.muted else []),
    ]
    return Alert(
        id=ids.alert_id(subject),
        kind=AlertKind.DIGEST,
        subject=subject,
        severity=Severity.LOW,
        title=summary(coverage),
        text="\n".join(lines),
        created_at=slot,
    )


def summary(coverage: Coverage) -> str:
    """ "41 of 42 feeds healthy"."""
    unwell = {feed.id for feed in (*coverage.ailing, *coverage.suspicious, *coverage.quiet)}
    healthy = coverage.watched - len(unwell) - coverage.unseen
    return f"{healthy} of {counted(coverage.watched, 'feed')} healthy"


def _failing(coverage: Coverage, slot: datetime, zone: ZoneInfo) -> Iterator[str]:
    """A dead feed stays in each digest until it is mended; so do one that looks wrong and one that
    is silent.  A gap is told in the next digest."""
    lines = [
        *(_ailing(feed, slot, zone) for feed in _oldest_first(coverage.ailing, slot)),
        *(_suspicious(feed, slot, zone) for feed in coverage.suspicious),
        *(_quiet(feed, slot, zone) for feed in coverage.quiet),
        *(_gap(feed, slot, zone) for feed in coverage.gaps),
    ]
    for line in lines[:FEEDS_NAMED]:
        yield f"{ITEM}{line}"
    if lines[FEEDS_NAMED:]:
        yield f"{ITEM}and {len(lines) - FEEDS_NAMED} more: python3 run_monitor.py status"
    if coverage.unseen:
        yield f"{ITEM}{counted(coverage.unseen, 'feed')} not yet visited"
    for name in coverage.channels:
        yield f"{ITEM}{name} takes no messages: python3 run_monitor.py status"


def _oldest_first(feeds: Sequence[Feed], slot: datetime) -> list[Feed]:
    return sorted(feeds, key=lambda feed: feed.failing_since or slot)


def _ailing(feed: Feed, slot: datetime, zone: ZoneInfo) -> str:
    since = short_time(feed.succeeded_at or feed.failing_since or slot, zone, slot)
    return f"{one_line(feed.name)} failing since {since}{_why(feed.failure_detail)}"


def _suspicious(feed: Feed, slot: datetime, zone: ZoneInfo) -> str:
    since = short_time(feed.suspected_since or slot, zone, slot)
    return f"{one_line(feed.name)} looks wrong since {since}{_why(feed.suspicion.detail)}"


def _quiet(feed: Feed, slot: datetime, zone: ZoneInfo) -> str:
    since = short_time(feed.quiet_since or slot, zone, slot)
    return f"{one_line(feed.name)} has brought nothing since {since}, unusually long for it"


def _gap(feed: Feed, slot: datetime, zone: ZoneInfo) -> str:
    begin, end = (short_time(at or slot, zone, slot) for at in (feed.gap_from, feed.gap_until))
    return f"possible gap in {one_line(feed.name)}, {begin} – {end}: entries may be missing"


def _why(detail: str) -> str:
    text = shorten(one_line(detail), TITLE_LENGTH)
    return f": {text}" if text else ""


def _at_once(alerts: Sequence[Alert], begins: datetime, zone: ZoneInfo) -> Iterator[str]:
    stories: dict[str, list[Alert]] = {}
    for alert in alerts:
        stories.setdefault(alert.story_id, []).append(alert)
    if not stories:
        return
    yield f"Sent at once since {local_time(begins, zone)}:"
    for group in list(stories.values())[:LISTED]:
        first = max(group, key=lambda alert: alert.severity)
        rules = ", ".join(dict.fromkeys(one_line(alert.rule_name) for alert in group))
        yield (
            f"{ITEM}{short_time(first.created_at, zone, begins)} [{first.severity.name}]"
            f" {one_line(first.outlet)}: {_title(first.title)} ({rules})"
        )
    yield from _more(len(stories))


def _joined(joined: Sequence[JoinedEntry], slot: datetime, zone: ZoneInfo) -> Iterator[str]:
    if not joined:
        return
    yield "Told by others since, without a message:"
    for each in joined[:LISTED]:
        place = f"{one_line(each.outlet)} {short_time(each.seen_at, zone, slot)}"
        yield f"{ITEM}{place}: {_title(each.title)} (story: {_title(each.story)})"
    yield from _more(len(joined))


def _more(count: int) -> Iterator[str]:
    if count > LISTED:
        yield f"{ITEM}and {count - LISTED} more"


def _title(text: str) -> str:
    return shorten(one_line(text), TITLE_LENGTH) or "(no title)"
