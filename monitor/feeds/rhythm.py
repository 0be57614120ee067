"""When a feed publishes, learnt from its entries.  Pure: callers bring the clock.

The rate at a time is a product: entries an hour in all × that hour of the day × that day of the
week × how lively it is just now.  Each factor is a Gamma–Poisson estimate, (seen + k) / (expected
+ k): few entries move it little, and hours never watched count as usual.  Old weeks fade.

A gap has two lengths: by the clock, and "by its own hours": the entries that the rhythm would have
brought meanwhile.  The night of an office feed is long by the clock and short by its hours.  If
entries came independently, one gap in exp(x) would be longer than x expected entries.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from monitor.model import Gap, Rhythm

FADE = timedelta(days=30)  # after it a week counts 37 % of what it did: half after 21 days
MEMORY = timedelta(days=90)  # for longest gaps, and for the entries of a first document
USUAL = 0.2  # entries an hour, five a day: of a feed we know nothing of
USUAL_HOURS = 4.0  # watched so long, its own rate weighs as much as the usual one
HOUR_DOUBT, DAY_DOUBT, RECENT_DOUBT = 0.5, 0.5, 2.0  # the k of each factor, in entries
RECENT = timedelta(hours=2)  # how soon liveliness fades
GAPS, LONGEST = 100, 32  # kept
SHORTEST_GAP = timedelta(minutes=1)  # entries that come together leave no gap
OFTEN = timedelta(hours=1)  # visits without news are noted no more often

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_WEEK = 7 * 24  # hours
_EPOCH_DAY = 3  # 1 January 1970 was a Thursday


# --- learning


def learn(rhythm: Rhythm, times: Sequence[datetime], now: datetime) -> Rhythm:
    """*rhythm* after a complete visit at *now* that brought new entries, published at *times*.

    Entries came to light since the last visit, so a time before that counts as then.  Those of a
    first document count as published, as far as they are not older than ``MEMORY``.
    """
    since = rhythm.learnt_at
    if since is None or since > now:  # the second: the clock was set back
        return _begin(rhythm, [at for at in times if now - MEMORY < at <= now], now)
    if not times and now - since < OFTEN:
        return rhythm
    seen = sorted(min(max(at, since), now) for at in times)
    return _note_gaps(_watch(rhythm, since, seen, now), rhythm.last_at, seen)


def _begin(rhythm: Rhythm, times: Sequence[datetime], now: datetime) -> Rhythm:
    """From a document's own dates, without its oldest tenth, which may be pinned."""
    known = sorted(times)[len(times) // 10 :]
    began = known[0] if known else now
    fresh = Rhythm(began_at=began, last_at=began if known else None)
    fresh = replace(fresh, listed=rhythm.listed, word=rhythm.word)
    dates_only = all(at == _midnight(at) for at in known)  # then nobody knows the hours
    watched = _watch(fresh, began, known[1:], now, whole_days=dates_only)
    return _note_gaps(watched, fresh.last_at, known[1:])


def _watch(
    rhythm: Rhythm,
    since: datetime,
    seen: Sequence[datetime],
    now: datetime,
    *,
    whole_days: bool = False,
) -> Rhythm:
    """*rhythm* with the time from *since* to *now* and the entries *seen* in it."""
    fade = _faded(now - since, FADE)
    entries, watched = _Sums.of(rhythm, fade)
    watched.add_hours(since, now)
    for at in seen:
        entries.add(at, _faded(now - at, FADE), whole_day=whole_days)
    after = replace(
        rhythm,
        learnt_at=now,
        last_at=seen[-1] if seen else rhythm.last_at,
        entries_by_hour=tuple(entries.by_hour),
        entries_by_day=tuple(entries.by_day),
        watched_by_hour=tuple(watched.by_hour),
        watched_by_day=tuple(watched.by_day),
    )
    return _feel(after, since, seen, now)


def _feel(rhythm: Rhythm, since: datetime, seen: Sequence[datetime], now: datetime) -> Rhythm:
    """*rhythm* with what came lately, and what was expected of the same time."""
    fade, profile = _faded(now - since, RECENT), Profile.of(rhythm)
    hours = hours_between(max(since, now - 10 * RECENT), now)
    usual = sum(
        part * profile.at(at) * _faded(now - at - part * _HOUR / 2, RECENT) for at, part in hours
    )
    return replace(
        rhythm,
        recent=rhythm.recent * fade + sum(_faded(now - at, RECENT) for at in seen),
        recent_expected=rhythm.recent_expected * fade + usual,
    )


@dataclass(slots=True)
class _Sums:
    by_hour: list[float]
    by_day: list[float]

    @classmethod
    def of(cls, rhythm: Rhythm, fade: float) -> tuple[_Sums, _Sums]:
        """Entries, and hours watched."""

        def faded(values: Sequence[float]) -> list[float]:
            return [value * fade for value in values]

        return (
            cls(faded(rhythm.entries_by_hour), faded(rhythm.entries_by_day)),
            cls(faded(rhythm.watched_by_hour), faded(rhythm.watched_by_day)),
        )

    def add_hours(self, since: datetime, now: datetime) -> None:
        """The hours from *since* to *now*, the older the less: months of them for a new feed."""
        begin, end, fade = since.timestamp() / 3600, now.timestamp() / 3600, FADE / _HOUR
        if begin >= end:
            return
        first, last = math.floor(begin), math.ceil(end) - 1
        self._add_hour(first, (min(first + 1, end) - begin) * math.exp((begin - end) / fade))
        if last > first:
            self._add_hour(last, (end - last) * math.exp((last - end) / fade))
        earlier_week = math.exp(-_WEEK / fade)
        for hour in range(max(first + 1, last - _WEEK), last):  # and the same hour of all weeks
            weeks = (hour - first - 1) // _WEEK + 1
            sum_of_weeks = (1 - earlier_week**weeks) / (1 - earlier_week)
            self._add_hour(hour, math.exp((hour - end) / fade) * sum_of_weeks)

    def _add_hour(self, hour: int, weight: float) -> None:
        self.by_hour[hour % 24] += weight
        self.by_day[(hour // 24 + _EPOCH_DAY) % 7] += weight

    def add(self, at: datetime, weight: float, *, whole_day: bool = False) -> None:
        self.by_day[at.weekday()] += weight
        for hour in range(24) if whole_day else (at.hour,):
            self.by_hour[hour] += weight / 24 if whole_day else weight


def _note_gaps(rhythm: Rhythm, last: datetime | None, seen: Sequence[datetime]) -> Rhythm:
    times = [last, *seen] if last else list(seen)
    profile = Profile.of(rhythm)
    new = [
        Gap(ended_at=end, length=end - start, expected=profile.between(start, end))
        for start, end in pairwise(times)
        if end - start >= SHORTEST_GAP
    ]
    if not new:
        return rhythm
    longest = [gap for gap in rhythm.longest if new[-1].ended_at - gap.ended_at < MEMORY]
    for gap in new:
        while longest and longest[-1].length <= gap.length:
            longest.pop()
        longest.append(gap)
    return replace(rhythm, gaps=(*rhythm.gaps, *new)[-GAPS:], longest=tuple(longest[:LONGEST]))


# --- reading


def rate(rhythm: Rhythm, at: datetime) -> float:
    """Entries an hour expected at *at*, how lively it was lately included."""
    return Profile.of(rhythm).at(at) * liveliness(rhythm, at)


def expected(rhythm: Rhythm, start: datetime, end: datetime) -> float:
    """Entries that the hours and days from *start* to *end* usually bring."""
    return Profile.of(rhythm).between(start, end)


def liveliness(rhythm: Rhythm, at: datetime) -> float:
    """How many times as much as usual it brings now; goes back to 1 within ``RECENT`` or so."""
    fade = _faded(max(at - (rhythm.learnt_at or at), timedelta(0)), RECENT)
    return (rhythm.recent * fade + RECENT_DOUBT) / (rhythm.recent_expected * fade + RECENT_DOUBT)


def observed(rhythm: Rhythm) -> timedelta:
    """How long the feed is known, the reach of its first document included."""
    if rhythm.began_at is None or rhythm.learnt_at is None:
        return timedelta(0)
    return rhythm.learnt_at - rhythm.began_at


def longest_gap(rhythm: Rhythm, now: datetime) -> timedelta:
    """The longest time between two entries in the last ``MEMORY``; zero if none is known."""
    kept = [gap.length for gap in rhythm.longest if now - gap.ended_at < MEMORY]
    return max(kept, default=timedelta(0))


def usual_gap(rhythm: Rhythm, share: float = 0.99) -> float:
    """Expected entries that *share* of the gaps do not exceed.

    As observed in the latest ``GAPS``, but no less than independent entries would show: −ln(1 −
    share), for 99 % 4.6, which also stands in while few gaps are known.
    """
    independent = -math.log(1 - share)
    seen = sorted(gap.expected for gap in rhythm.gaps)
    if not seen:
        return independent
    return max(independent, seen[min(math.ceil(share * len(seen)), len(seen)) - 1])


def reached(rhythm: Rhythm, start: datetime, entries: float) -> datetime:
    """When, from *start* on, its hours will have brought *entries* expected ones; at most a year.

    ``reached(rhythm, rhythm.last_at, usual_gap(rhythm))`` is the end of the 99 % gap by its own
    hours, for a feed whose last entry was at ``last_at``.
    """
    profile, left = Profile.of(rhythm), entries
    for at, hours in hours_between(start, start + timedelta(days=365)):
        brought = profile.at(at) * hours
        if brought >= left:
            return at + _HOUR * (left / profile.at(at))
        left -= brought
    return start + timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Profile:
    """The rates of a week, made ready for many questions."""

    by_hour: tuple[float, ...]
    by_day: tuple[float, ...]
    week: float  # entries

    @property
    def level(self) -> float:
        """Entries an hour in an average week."""
        return self.week / 168

    @classmethod
    def of(cls, rhythm: Rhythm) -> Profile:
        every = rhythm.word.update_every
        usual = _HOUR / every if every else USUAL
        hours, entries = sum(rhythm.watched_by_day), sum(rhythm.entries_by_day)
        level = (entries + usual * USUAL_HOURS) / (hours + USUAL_HOURS)
        own = entries / hours if hours else usual
        seen, watched = _smooth(rhythm.entries_by_hour), _smooth(rhythm.watched_by_hour)
        by_hour = _factors(seen, watched, own, HOUR_DOUBT)
        by_day = _factors(rhythm.entries_by_day, rhythm.watched_by_day, own, DAY_DOUBT)
        return cls(
            by_hour=tuple([level * each for each in by_hour]),
            by_day=tuple(by_day),
            week=level * sum(by_hour) * sum(by_day),
        )

    def at(self, at: datetime) -> float:
        """Entries an hour."""
        return self.by_hour[at.hour] * self.by_day[at.weekday()]

    def between(self, start: datetime, end: datetime) -> float:
        """Entries from *start* to *end*: whole weeks and days at once, the rest hour by hour."""
        weeks = max(0, (end - start) // (7 * _DAY))
        entries, at, day = weeks * self.week, start + weeks * 7 * _DAY, sum(self.by_hour)
        while at < end:
            midnight = _midnight(at) + _DAY
            if midnight <= end and at == midnight - _DAY:
                entries += self.by_day[at.weekday()] * day
            else:
                hours = hours_between(at, min(midnight, end))
                entries += sum(part * self.at(hour) for hour, part in hours)
            at = midnight
        return entries


def _factors(
    seen: Sequence[float], watched: Sequence[float], own: float, doubt: float
) -> list[float]:
    """How many times as much as the feed's *own* rate each of the hours or days brings."""
    pairs = zip(seen, watched, strict=True)
    return [(each + doubt) / (own * hours + doubt) for each, hours in pairs]


def _smooth(hours: Sequence[float]) -> list[float]:
    """Each hour with a part of its neighbours: one entry says something of the hour around it."""
    before, after = (*hours[-1:], *hours[:-1]), (*hours[1:], *hours[:1])
    return [a / 4 + b / 2 + c / 4 for a, b, c in zip(before, hours, after, strict=True)]


def hours_between(start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
    """The hours of the clock from *start* to *end*: where each begins, and how much of it."""
    at = start
    while at < end:
        following = min(at.replace(minute=0, second=0, microsecond=0) + _HOUR, end)
        yield at, (following - at) / _HOUR
        at = following


def _faded(age: timedelta, by: timedelta) -> float:
    return math.exp(-(age / by))


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
