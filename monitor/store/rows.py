"""Values ↔ rows: times as microseconds, sets and tuples as JSON text; feeds, entries, stories.

What goes out is in ``rows_out``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.model import (
    Entry,
    FailureReason,
    Feed,
    IdentityMode,
    Match,
    Oddity,
    Story,
    Suspicion,
)
from monitor.store import rhythms

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Row = Mapping[str, Any] | sqlite3.Row


def micros(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def micros_or_none(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def moment(value: int) -> datetime:
    """The time, or the last one there is."""
    try:
        return EPOCH + timedelta(microseconds=value)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def moment_or_none(value: int | None) -> datetime | None:
    return None if value is None else moment(value)


def dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# --- feeds

_NO_SUSPICION = Suspicion()
FEED_FLAGS = ("reported", "gap_told", "paused")
FEED_TIMES = (
    "added_at",
    "next_poll_at",
    "polled_at",
    "succeeded_at",
    "baseline_at",
    "validators_at",
    "failing_since",
    "suspected_since",
    "quiet_since",
    "gap_from",
    "gap_until",
)


_FEED = tuple(each.name for each in fields(Feed))
FEED_COLUMNS = ", ".join(_FEED)
# A rhythm takes 5 kB, and more in memory: whoever reads thousands of feeds does without.
FEED_WITHOUT_RHYTHM = ", ".join("''" if name == "rhythm" else name for name in _FEED)


def feed(row: Sequence[Any]) -> Feed:
    """From FEED_COLUMNS, or from FEED_WITHOUT_RHYTHM: as if nothing had been learnt."""
    values = dict(zip(_FEED, row, strict=True))
    for name in FEED_TIMES:
        if values[name] is not None:
            values[name] = moment(values[name])
    for name in FEED_FLAGS:
        values[name] = bool(values[name])
    values["tags"] = frozenset(json.loads(values["tags"]))
    values["identity"] = IdentityMode(values["identity"])
    values["failure"] = FailureReason(values["failure"]) if values["failure"] else None
    values["suspicion"] = _suspicion(values["suspicion"])
    values["rhythm"] = rhythms.load(values["rhythm"])
    return Feed(**values)


def _suspicion(text: str) -> Suspicion:
    """From JSON: oddity, detail, title, entries."""
    if not text:
        return _NO_SUSPICION
    oddity, detail, title, count = json.loads(text)
    odd = Oddity(oddity) if oddity else None
    return Suspicion(oddity=odd, detail=detail, title=title, entries=count)


# What a poll may change; name, url, tags, paused belong to the configuration, and what people were
# told (reported, quiet_since) to the sweep that tells it.  The rhythm is large, and changes seldom.
POLLED = (
    "next_poll_at",
    "polled_at",
    "succeeded_at",
    "baseline_at",
    "etag",
    "last_modified",
    "validators_at",
    "body_hash",
    "packed_hash",
    "identity",
    "failures",
    "failing_since",
    "failure",
    "failure_detail",
    "moved_to",
    "moved_count",
    "suspicion",
    "suspected_since",
    "gap_from",
    "gap_until",
    "gap_told",
)


def polled(feed: Feed) -> list[Any]:
    """The values of POLLED, in its order."""
    return [plain(getattr(feed, name)) for name in POLLED]


def plain(value: Any) -> Any:
    """*value* as a column holds it."""
    if isinstance(value, Suspicion):
        return dump((value.oddity, value.detail, value.title, value.entries))
    return micros(value) if isinstance(value, datetime) else value


# --- entries and stories


def entry_row(entry: Entry, story_id: str) -> tuple[Any, ...]:
    return (
        entry.id,
        entry.feed_id,
        dump(entry.keys),
        entry.url,
        entry.title,
        entry.summary,
        entry.content,
        entry.author,
        dump(entry.categories),
        entry.language,
        micros_or_none(entry.published_at),
        micros(entry.first_seen_at),
        entry.fingerprint,
        story_id,
    )


def entry(row: Row) -> Entry:
    """From a row of entries joined with feed_name and feed_tags."""
    return Entry(
        id=row["id"],
        feed_id=row["feed_id"],
        feed_name=row["feed_name"],
        feed_tags=frozenset(json.loads(row["feed_tags"])),
        keys=tuple(json.loads(row["keys"])),
        url=row["url"],
        title=row["title"],
        summary=row["summary"],
        content=row["content"],
        author=row["author"],
        categories=tuple(json.loads(row["categories"])),
        language=row["language"],
        published_at=moment_or_none(row["published_at"]),
        first_seen_at=moment(row["first_seen_at"]),
        fingerprint=row["fingerprint"],
    )


def match_row(match: Match) -> tuple[str, str, str]:
    hits = [(hit.field, hit.start, hit.end, hit.term) for hit in match.hits]
    return match.entry_id, match.rule.name, dump(hits)


def story_row(story: Story) -> tuple[Any, ...]:
    return (
        story.id,
        story.title,
        micros(story.opened_at),
        micros(story.last_entry_at),
        story.language,
        story.entries,
        dump(story.outlets),
    )
