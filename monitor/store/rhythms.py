"""Rhythms as bounded JSON: 62 sums and at most 132 gaps, some 5 kB.  Times are whole seconds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import overload

from monitor.model import Gap, Rhythm, Word

_Row = Sequence[float]  # end, length in seconds; expected entries
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
        "gaps": _rows(rhythm.gaps),
        "longest": _rows(rhythm.longest),
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
        gaps=_Gaps(told["gaps"]),
        longest=_Gaps(told["longest"]),
        listed=told["listed"],
        word=Word(ttl=ttl, update_every=update_every, skip_hours=skip_hours, skip_days=skip_days),
    )


class _Gaps(Sequence[Gap]):
    """Gaps as they are stored, made into values when somebody looks: most visits bring no news."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Gap: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Gap]: ...

    def __getitem__(self, place: int | slice) -> Gap | Sequence[Gap]:
        if isinstance(place, slice):
            return _Gaps(self.rows[place])
        return _gap(self.rows[place])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def _rows(gaps: Sequence[Gap]) -> Sequence[_Row]:
    return gaps.rows if isinstance(gaps, _Gaps) else [_gap_row(gap) for gap in gaps]


def _short(values: Sequence[float]) -> list[float]:
    return [round(value, _DIGITS) for value in values]


def _time(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _span(length: timedelta | None) -> int | None:
    return None if length is None else length // _SECOND


def _gap_row(gap: Gap) -> _Row:
    return [int(gap.ended_at.timestamp()), gap.length // _SECOND, round(gap.expected, _DIGITS)]


def _gap(row: _Row) -> Gap:
    ended_at, length, expected = row
    return Gap(ended_at=_moment(int(ended_at)), length=length * _SECOND, expected=expected)
