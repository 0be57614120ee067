"""Rhythms as bounded JSON: 62 sums and at most 132 gaps, some 5 kB.  Times are whole seconds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from monitor.model import Gap, Rhythm, Word

_SECOND = timedelta(seconds=1)
_DIGITS = 4


def dump(rhythm: Rhythm) -> str:
    """ "" for one that has learnt nothing."""
    if rhythm == Rhythm():
        return ""
    word = rhythm.word
    told = {
        "times": [_time(at) for at in (rhythm.began_at, rhythm.learnt_at, rhythm.last_at)],
        "by_hour": [_short(rhythm.entries_by_hour), _short(rhythm.watched_by_hour)],
        "by_day": [_short(rhythm.entries_by_day), _short(rhythm.watched_by_day)],
        "recent": _short([rhythm.recent, rhythm.recent_expected]),
        "gaps": [_gap_row(gap) for gap in rhythm.gaps],
        "longest": [_gap_row(gap) for gap in rhythm.longest],
        "listed": rhythm.listed,
        "every": [_span(word.ttl), _span(word.update_every)],
        "skip": [sorted(word.skip_hours), sorted(word.skip_days)],
    }
    return json.dumps(told, separators=(",", ":"))


def load(text: str) -> Rhythm:
    if not text:
        return Rhythm()
    told = json.loads(text)
    began_at, learnt_at, last_at = (None if s is None else _moment(s) for s in told["times"])
    ttl, update_every = (None if s is None else s * _SECOND for s in told["every"])
    skip_hours, skip_days = (frozenset(each) for each in told["skip"])
    return Rhythm(
        began_at=began_at,
        learnt_at=learnt_at,
        last_at=last_at,
        entries_by_hour=tuple(told["by_hour"][0]),
        watched_by_hour=tuple(told["by_hour"][1]),
        entries_by_day=tuple(told["by_day"][0]),
        watched_by_day=tuple(told["by_day"][1]),
        recent=told["recent"][0],
        recent_expected=told["recent"][1],
        gaps=tuple(_gap(row) for row in told["gaps"]),
        longest=tuple(_gap(row) for row in told["longest"]),
        listed=told["listed"],
        word=Word(ttl=ttl, update_every=update_every, skip_hours=skip_hours, skip_days=skip_days),
    )


def _short(values: Sequence[float]) -> list[float]:
    return [round(value, _DIGITS) for value in values]


def _time(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _span(length: timedelta | None) -> int | None:
    return None if length is None else length // _SECOND


def _gap_row(gap: Gap) -> list[float]:
    return [int(gap.ended_at.timestamp()), gap.length // _SECOND, round(gap.expected, _DIGITS)]


def _gap(row: Sequence[float]) -> Gap:
    ended_at, length, expected = row
    return Gap(ended_at=_moment(int(ended_at)), length=length * _SECOND, expected=expected)
