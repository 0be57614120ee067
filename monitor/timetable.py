"""Times that people choose: when digests go out, when it must be quiet.  Pure.

Times are wall-clock times in a zone.  One that a clock change skips counts as the moment the clock
jumps over it; one that comes twice counts the first time only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))
HOURLY = "hourly"

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_DATE = re.compile(r"[12]\d{3}-\d\d-\d\d")
_DIGEST_HELP = 'write a time as "07:30", "mon-fri 07:30", or "hourly"'
_HOURS_HELP = 'write quiet hours as "22:00-07:00" or "sat,sun 00:00-24:00"'
_MOMENT_HELP = 'write a moment as "2026-11-27 07:00", or "07:00" for the next time it is that late'
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One time of some days, or every full hour of them (``at`` is None)."""

    days: frozenset[int] = EVERY_DAY  # 0 is Monday
    at: time | None = None

    def __str__(self) -> str:
        return f"{_named(self.days)}{f'{self.at:%H:%M}' if self.at else HOURLY}"


@dataclass(frozen=True, slots=True)
class Timetable:
    """The moments a digest goes out."""

    slots: tuple[Slot, ...]

    def __str__(self) -> str:
        return ", ".join(map(str, self.slots))

    @property
    def daily(self) -> bool:
        """Whether no day has more than one moment."""
        busiest = max(sum(day in slot.days for slot in self.slots) for day in EVERY_DAY)
        return busiest == 1 and all(slot.at for slot in self.slots)

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The first moment later than *moment*, in UTC."""
        return min(_first(slot, moment, zone) for slot in self.slots)

    def latest(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The last moment not later than *moment*, in UTC."""
        return max(_last(slot, moment, zone) for slot in self.slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A stretch of some days; it may reach into the next one (22:00-07:00)."""

    days: frozenset[int] = EVERY_DAY  # on which it begins
    start: time
    end: time  # equal to ``start``, or 00:00: until the next day's

    def __str__(self) -> str:
        end = f"{self.end:%H:%M}" if self.end != time(0) else "24:00"
        return f"{_named(self.days)}{self.start:%H:%M}-{end}"

    def end_of(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """When the stretch that *moment* lies in ends, in UTC; None if it lies in none."""
        today = moment.astimezone(zone).date()
        for day in (today - _DAY, today):
            if day.weekday() in self.days:
                last = day + _DAY if self.end <= self.start else day
                end = _instant(last, self.end, zone)
                if _instant(day, self.start, zone) <= moment < end:
                    return end
        return None


def quiet_until(hours: Sequence[Hours], moment: datetime, zone: ZoneInfo) -> datetime | None:
    """When it is no longer quiet, all of *hours* taken together; None: *moment* is not quiet."""
    end: datetime | None = None
    for _ in range(len(hours) * 8):  # stretches that touch make one; a week without an end is cut
        later = [found for each in hours if (found := each.end_of(end or moment, zone))]
        if not later:
            return end
        end = max(later)
    return end


def read_slot(text: str) -> Slot:
    """``"07:30"``, ``"mon-fri 07:30"``, ``"hourly"``, ``"mon-fri hourly"``; else ValueError."""
    days, rest = _read_days(text, _DIGEST_HELP)
    if rest == HOURLY:
        return Slot(days=days)
    return Slot(days=days, at=_read_time(rest, _DIGEST_HELP))


def read_hours(text: str) -> Hours:
    """``"22:00-07:00"``, ``"sat,sun 00:00-24:00"``; raises ValueError with what to write."""
    days, rest = _read_days(text, _HOURS_HELP)
    start, mark, end = rest.partition("-")
    if not mark:
        raise ValueError(_HOURS_HELP)
    begins, midnight = _read_time(start, _HOURS_HELP), end.strip() == "24:00"
    until = time(0) if midnight else _read_time(end, _HOURS_HELP)
    if begins == until and not midnight:
        raise ValueError(f"they end when they begin: {_HOURS_HELP}")
    return Hours(days=days, start=begins, end=until)


def read_moment(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """``"2026-11-27 07:00"`` on the clocks of *zone*, or ``"07:00"``: the next one after *now*."""
    day, _, clock = text.strip().rpartition(" ")
    at = _read_time(clock, _MOMENT_HELP)
    if not day:
        return Timetable((Slot(at=at),)).after(now, zone)
    if not _DATE.fullmatch(day.strip()):
        raise ValueError(_MOMENT_HELP)
    try:
        return _instant(date.fromisoformat(day.strip()), at, zone)
    except (ValueError, OverflowError):
        raise ValueError(f"there is no such day; {_MOMENT_HELP}") from None


def _named(days: frozenset[int]) -> str:
    """As people write them, with a space after; "" for every day."""
    if days == EVERY_DAY:
        return ""
    first, last = min(days), max(days)
    if len(days) > 2 and last - first == len(days) - 1:
        return f"{DAYS[first]}-{DAYS[last]} "
    return f"{','.join(DAYS[day] for day in sorted(days))} "


def _read_days(text: str, wanted: str) -> tuple[frozenset[int], str]:
    """The days *text* begins with, if it does, and the rest of it."""
    first, _, rest = text.strip().lower().partition(" ")
    if not first[:1].isalpha() or first == HOURLY:
        return EVERY_DAY, text.strip().lower()
    days: set[int] = set()
    for part in first.split(","):
        start, _, end = part.partition("-")
        if start not in DAYS or (end or start) not in DAYS:
            raise ValueError(f"{wanted}; days are {', '.join(DAYS)}")
        from_, to = DAYS.index(start), DAYS.index(end or start)
        days.update(day % 7 for day in range(from_, to + 1 if from_ <= to else to + 8))
    return frozenset(days), rest.strip()


def _read_time(text: str, wanted: str) -> time:
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(wanted)
    return time(int(found[1]), int(found[2]))


def _first(slot: Slot, moment: datetime, zone: ZoneInfo) -> datetime:
    return next(each for each in _around(slot, moment, zone, 1) if each > moment)


def _last(slot: Slot, moment: datetime, zone: ZoneInfo) -> datetime:
    return next(each for each in _around(slot, moment, zone, -1) if each <= moment)


def _around(slot: Slot, moment: datetime, zone: ZoneInfo, step: int) -> Iterator[datetime]:
    """Moments of *slot* from about *moment* on, forwards or backwards."""
    if slot.at is None:
        yield from _hours(slot, moment, zone, step)
        return
    today = moment.astimezone(zone).date()
    for number in range(-1, 9):  # a skipped day (a zone that moved across the date line) is no end
        day = today + number * step * _DAY
        if day.weekday() in slot.days:
            yield _instant(day, slot.at, zone)


def _hours(slot: Slot, moment: datetime, zone: ZoneInfo, step: int) -> Iterator[datetime]:
    local = moment.astimezone(zone)
    whole = moment.astimezone(UTC) - timedelta(
        minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    for number in range(-1, 24 * 8):
        found = whole + number * step * _HOUR
        if found.astimezone(zone).weekday() in slot.days:
            yield found.astimezone(UTC)


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The first moment of *day* at which clocks in *zone* show *at*, or have passed over it."""
    return datetime.combine(day, at, zone).astimezone(UTC)
