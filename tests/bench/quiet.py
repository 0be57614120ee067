"""How often a silence is told that is none, and how soon one that is: on simulated feeds.

    python -m tests.bench.quiet [DAYS] [FEEDS]

Each feed publishes for DAYS (180) and then stops.  It is watched from its 30th day on, by a visit
every quarter of an hour.  False alarms are silences told before it stopped, for each feed and 91
days.  The delay is counted in 99 % gaps of such a feed, of which 2 are allowed; both in the hours
in which it publishes.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from statistics import median

from monitor.feeds import quiet, rhythm
from monitor.model import Feed
from tests.builders import a_feed

START = datetime(2025, 1, 6, tzinfo=UTC)  # a Monday
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WARM_UP = 30 * DAY
VISIT = timedelta(minutes=15)
ALLOWED = 2.0

Times = list[datetime]
Makes = Callable[[random.Random, timedelta], Times]


@cache
def poisson(a_day: float) -> Makes:
    def make(chance: random.Random, length: timedelta) -> Times:
        return list(_poisson(chance, length, a_day))

    return make


@cache
def office(a_day: float) -> Makes:
    """Monday to Friday, 8 to 18 h UTC."""

    def make(chance: random.Random, length: timedelta) -> Times:
        often = _poisson(chance, length, a_day * 2.4)
        return [at for at in often if _at_work(at)]

    return make


def _at_work(at: datetime) -> bool:
    return at.weekday() < 5 and 8 <= at.hour < 18


def weekly(chance: random.Random, length: timedelta) -> Times:
    """Each Tuesday about 10 h, give or take two."""
    first = START + DAY + 10 * HOUR
    return [
        first + 7 * DAY * week + 2 * HOUR * chance.uniform(-1, 1)
        for week in range(length.days // 7)
    ]


def daily(chance: random.Random, length: timedelta) -> Times:
    """Each weekday at about 7 h."""
    days = (START + DAY * day + 7 * HOUR for day in range(length.days))
    return [at + HOUR * chance.random() for at in days if at.weekday() < 5]


def bursty(chance: random.Random, length: timedelta) -> Times:
    """Once a day or so, about five entries within an hour."""
    return sorted(
        begin + HOUR * chance.random()
        for begin in _poisson(chance, length, 1.0)
        for _ in range(chance.randint(1, 9))
    )


KINDS: dict[str, Makes] = {
    "poisson, 1 in two days": poisson(0.5),
    "poisson, 3 a day": poisson(3),
    "poisson, 20 a day": poisson(20),
    "poisson, 100 a day": poisson(100),
    "office hours, 4 a day": office(4),
    "office hours, 20 a day": office(20),
    "weekly": weekly,
    "weekdays, one a day": daily,
    "bursty": bursty,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Of one simulated feed."""

    false_alarms: float  # for each 91 days
    delay: float  # in 99 % gaps


def simulate(makes: Makes, seed: int, length: timedelta, visit: timedelta = VISIT) -> Result:
    chance = random.Random(seed)
    times = makes(chance, length)
    known = [at for at in times if at < START + WARM_UP]
    feed = a_feed(rhythm=rhythm.learn(a_feed().rhythm, known, START + WARM_UP))
    alarms, rest = 0, times[len(known) :]
    for now, new in _visits(rest, START + WARM_UP, times[-1], visit):
        feed, told = _visited(feed, new, now)
        alarms += told
    watched = (times[-1] - START - WARM_UP) / (91 * DAY)
    return Result(false_alarms=alarms / watched, delay=_delay(feed, makes, times[-1], visit))


def _delay(feed: Feed, makes: Makes, stopped: datetime, visit: timedelta) -> float:
    """How long after its last entry a feed that has stopped is told, in its 99 % gaps."""
    now, told = stopped, False
    while not told:
        now += visit
        feed, told = _visited(feed, (), now)
    return _own(makes, stopped, now) / _gap_99(makes)


@cache
def _gap_99(makes: Makes) -> float:
    """Hours; of two years of such a feed."""
    times = makes(random.Random("truth"), 730 * DAY)
    apart = (pair for pair in pairwise(times) if pair[1] - pair[0] >= timedelta(minutes=1))
    gaps = sorted(_own(makes, start, end) for start, end in apart)
    return gaps[int(0.99 * len(gaps))]


def _own(makes: Makes, start: datetime, end: datetime) -> float:
    """Hours in which the feed publishes, to the quarter for those that keep office hours."""
    if "office" not in makes.__qualname__:
        return (end - start) / HOUR
    quarters = (start + VISIT * n for n in range((end - start) // VISIT))
    return sum(map(_at_work, quarters)) * VISIT / HOUR


def _visited(feed: Feed, new: Sequence[datetime], now: datetime) -> tuple[Feed, bool]:
    """*feed* after a visit, and whether a silence was told."""
    learnt = rhythm.learn(feed.rhythm, new, now)
    before = replace(feed, rhythm=learnt, polled_at=now, succeeded_at=now)
    after, alert = quiet.report(before, (), now)
    return after, alert is not None and after.quiet_since is not None


def _visits(
    times: Sequence[datetime], start: datetime, end: datetime, visit: timedelta
) -> Iterator[tuple[datetime, list[datetime]]]:
    now, position = start, 0
    while now < end:
        now += visit
        new = position
        while new < len(times) and times[new] <= now:
            new += 1
        yield now, list(times[position:new])
        position = new


def _poisson(chance: random.Random, length: timedelta, a_day: float) -> Iterator[datetime]:
    at = START
    while (at := at + DAY * chance.expovariate(a_day)) < START + length:
        yield at


def main(days: int = 180, feeds: int = 10) -> None:
    print(f"{'feeds':24} {'false alarms/quarter':>22} {'delay in 99 % gaps':>28}")
    for name, makes in KINDS.items():
        results = [simulate(makes, seed, days * DAY) for seed in range(feeds)]
        alarms = [each.false_alarms for each in results]
        delays = [each.delay for each in results]
        within = sum(delay <= ALLOWED for delay in delays)
        print(
            f"{name:24} mean {sum(alarms) / feeds:5.2f} max {max(alarms):5.2f}"
            f"    median {median(delays):5.2f} max {max(delays):5.2f}, {within} of {feeds} within 2"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
