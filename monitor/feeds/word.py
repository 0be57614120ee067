"""What a document says of its feed's own pace: ttl, skipHours, skipDays, sy:updatePeriod.  Pure.

https://www.rssboard.org/rss-specification#optionalChannelElements and
https://web.resource.org/rss/1.0/modules/syndication/.  feedparser keeps only the last hour and day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from monitor.model import Word

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8760}  # hours
_SKIPPED = re.compile(rb"<skip(hours|days)\s*>(.{0,4000}?)</skip\1", re.I | re.S)
_EACH = re.compile(rb"<(?:hour|day)\s*>\s*([a-z0-9]{1,10})\s*<", re.I)
_HEAD = 100_000  # bytes before the first entry, and after the last, in which to look


def said(feed: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """The wire form of Word; *feed* is what feedparser read of the channel."""
    skipped: dict[bytes, list[str]] = {b"hours": [], b"days": []}
    for kind, inside in _SKIPPED.findall(_channel(body)):
        skipped[kind.lower()] += [each.decode().lower() for each in _EACH.findall(inside)]
    hours = {int(hour) % 24 for hour in skipped[b"hours"] if hour.isdecimal() and int(hour) < 25}
    days = {_DAYS.index(day) for day in skipped[b"days"] if day in _DAYS}
    return {
        "ttl": _number(feed.get("ttl")),
        "skip_hours": sorted(hours),
        "skip_days": sorted(days),
        "update_hours": _update_hours(feed),
    }


def read(found: Mapping[str, Any]) -> Word:
    """Word from its wire form, {} for a feed that says nothing."""
    ttl, update_hours = found.get("ttl"), found.get("update_hours")
    return Word(
        ttl=timedelta(minutes=ttl) if ttl else None,
        skip_hours=frozenset(map(int, found.get("skip_hours", ()))),
        skip_days=frozenset(map(int, found.get("skip_days", ()))),
        update_every=timedelta(hours=update_hours) if update_hours else None,
    )


def _channel(body: bytes) -> bytes:
    """*body* without its entries, whose texts may say anything."""
    first, last = body.find(b"<item"), body.rfind(b"</item>")
    head = body[: first if first >= 0 else None][:_HEAD]
    return head + (body[last:][:_HEAD] if last >= 0 else b"")


def _update_hours(feed: Mapping[str, Any]) -> float | None:
    """Hours between updates: the period divided by the frequency, which is 1 where unsaid."""
    period = _PERIODS.get(str(feed.get("sy_updateperiod") or "").strip().lower())
    return period / (_number(feed.get("sy_updatefrequency")) or 1) if period else None


def _number(value: Any) -> int | None:
    text = str(value or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else None
