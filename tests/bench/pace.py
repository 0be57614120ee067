"""The learnt pace against a visit every 15 minutes: delay, requests, entries lost.

Two sets of streams: the real series of ../shared/corpus/snapshots, by the dates in their documents,
and made ones of 30 days.  Each is a feed that lists its newest entries and is visited by the real
``schedule``; the rhythm starts from nothing but the first document.  Delays are those of entries
published after the first visit; what rolled over between visits is lost and has none.

    python -m tests.bench.pace [interval in minutes]
"""

from __future__ import annotations

import gzip
import math
import random
import statistics
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from monitor.feeds import document, schedule
from monitor.model import Entry, Feed, Fetched, NotModified, ParsedFeed, RawEntry
from monitor.settings import PollSettings
from tests.builders import a_feed, an_entry
from tests.replay import SNAPSHOTS

FIXED = timedelta(minutes=15)
START = datetime(2025, 3, 3, tzinfo=UTC)  # a Monday
BEFORE, DAYS = 14, 30
HOUR = timedelta(hours=1)
PHASES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    name: str
    times: list[datetime]  # of publication, sorted
    window: int  # entries in its document
    start: datetime
    end: datetime


@dataclass(slots=True)
class Spent:
    delays: list[float] = field(default_factory=list)  # minutes
    requests: int = 0
    lost: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.delays + other.delays, self.requests + other.requests, self.lost + other.lost
        )

    @property
    def mean(self) -> float:
        return statistics.fmean(self.delays) if self.delays else math.nan

    @property
    def p95(self) -> float:
        return sorted(self.delays)[int(len(self.delays) * 0.95)] if self.delays else math.nan


# --- visiting


Next = Callable[[Feed, list[datetime], int, datetime], Feed]  # feed, new, listed, now


def watch(stream: Stream, visit: Next) -> Spent:
    """The sum over ``PHASES`` starts: much is published at round minutes, as fixed visits come."""
    starts = [stream.start + n * FIXED / PHASES for n in range(PHASES)]
    return sum((_watch(replace(stream, start=start), visit) for start in starts), Spent())


def _watch(stream: Stream, visit: Next) -> Spent:
    spent, seen, now = Spent(), 0, stream.start
    feed = a_feed(url=f"https://{stream.name}.example/", next_poll_at=now)
    while now <= stream.end:
        there = bisect_right(stream.times, now)
        first = max(seen, there - stream.window)
        if spent.requests:
            spent.lost += first - seen
            spent.delays += [(now - at) / timedelta(minutes=1) for at in stream.times[first:there]]
        spent.requests += 1
        feed = visit(feed, stream.times[first:there], min(there, stream.window), now)
        seen, now = there, feed.next_poll_at
    return spent


def fixed(feed: Feed, new: list[datetime], listed: int, now: datetime) -> Feed:
    return replace(feed, next_poll_at=now + FIXED)


ENTRY, RAW = an_entry(), RawEntry()


def learnt(
    settings: PollSettings, feed: Feed, new: list[datetime], listed: int, now: datetime
) -> Feed:
    entries: list[Entry] = [replace(ENTRY, published_at=at, first_seen_at=now) for at in new]
    if not new:
        return schedule.succeeded(
            feed, fetched=NotModified(), parsed=None, settings=settings, now=now
        )
    return schedule.succeeded(
        feed,
        fetched=Fetched(body=now.isoformat().encode(), final_url=feed.url),
        parsed=ParsedFeed(version="rss20", entries=(RAW,) * listed),
        settings=settings,
        now=now,
        new=entries,
    )


# --- real series


def real() -> Iterable[Stream]:
    for folder in sorted(SNAPSHOTS.iterdir()):
        published: dict[str, datetime] = {}
        listed, visits = [], []
        for path in sorted(folder.glob("*.xml.gz")):
            at = datetime.strptime(path.name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            found = document.read({}, gzip.decompress(path.read_bytes()))
            if found.get("entries"):
                listed.append(len(found["entries"]))
                visits.append(at)
            for entry in found.get("entries", ()):
                when = _published(entry, at)
                published.setdefault(entry["guid"] or entry["link"] or entry["title"], when)
        yield Stream(
            name=folder.name,
            times=sorted(published.values()),
            window=int(statistics.median(listed)),
            start=visits[0],
            end=visits[-1],
        )


def _published(entry: dict[str, float | None], seen_at: datetime) -> datetime:
    seconds = entry["published_at"] or entry["updated_at"]
    return min(datetime.fromtimestamp(seconds, UTC), seen_at) if seconds else seen_at


# --- made streams


def poisson(name: str, rate: Callable[[datetime], float], window: int, top: float) -> Stream:
    """Entries at *rate* an hour, at most *top*, by thinning (Lewis and Shedler, 1979)."""
    chance, start = random.Random(name), START - timedelta(days=BEFORE)
    end, at, times = START + timedelta(days=DAYS), start, []
    while at < end:
        at += HOUR * chance.expovariate(top)
        if chance.random() < rate(at) / top:
            times.append(at)
    return Stream(name=name, times=times, window=window, start=START, end=end)


def by_day(at: datetime) -> float:
    """A newspaper: little at night, less at the weekend; 1 on average."""
    wave = 1 - 0.85 * math.cos((at.hour + at.minute / 60 - 3) / 24 * math.tau)
    return wave * (0.5 if at.weekday() > 4 else 1.2)


def in_office(at: datetime) -> float:
    return 1.0 if at.weekday() < 5 and 13 <= at.hour < 22 else 0.02


def bursty(name: str, window: int) -> Stream:
    """Quiet, and now and then an hour or so with an entry every few minutes."""
    chance, at, times = random.Random(name), START - timedelta(days=BEFORE), []
    end = START + timedelta(days=DAYS)
    while at < end:
        at += HOUR * chance.expovariate(1 / 12)
        times += [at + HOUR * chance.expovariate(0.7) for _ in range(chance.randint(2, 14))]
    return Stream(
        name=name, times=sorted(t for t in times if t < end), window=window, start=START, end=end
    )


def weekly(name: str) -> Stream:
    """A notice or two on Tuesdays in the afternoon, at times a late one."""
    chance, times = random.Random(name), []
    for week in range(-BEFORE // 7 - 20, DAYS // 7 + 1):
        tuesday = START + timedelta(days=7 * week + 1, hours=14)
        times += [tuesday + HOUR * chance.gauss(0.5, 0.3) for _ in range(chance.randint(1, 2))]
        if chance.random() < 0.3:
            times.append(tuesday + timedelta(hours=chance.uniform(20, 60)))
    end = START + timedelta(days=DAYS)
    return Stream(name=name, times=sorted(times), window=10, start=START, end=end)


def made() -> Iterable[Stream]:
    for n, an_hour in enumerate((0.3, 1.0, 2.5)):
        paper = partial(lambda r, at: r * by_day(at), an_hour)
        yield poisson(f"newspaper-{an_hour}", paper, 30, an_hour * 2.3)
        yield poisson(f"ministry-{n + 1}", lambda at: 0.5 * in_office(at), 20, 0.5)
    yield poisson("steady-poisson", lambda at: 1.0, 20, 1.0)
    yield poisson("rare-poisson", lambda at: 1 / 48, 20, 1 / 48)
    yield poisson("short-window", lambda at: 6.0 * by_day(at), 10, 14.0)
    yield poisson("giant", lambda at: 30.0 * by_day(at), 100, 70.0)
    yield bursty("bursty-1", 20)
    yield bursty("bursty-2", 20)
    yield weekly("weekly-1")
    yield weekly("weekly-2")


# --- the report


def compare(title: str, streams: Iterable[Stream], settings: PollSettings) -> None:
    print(f"\n{title:28}   entries |    every 15 min: visits  mean   p95  lost |"
          "    learnt: visits  mean   p95  lost | visits  delay")  # fmt: skip
    sums = [Spent(), Spent()]
    each: list[tuple[float, float]] = []
    for stream in streams:
        pair = [watch(stream, fixed), watch(stream, partial(learnt, settings))]
        sums = [total + one for total, one in zip(sums, pair, strict=True)]
        each.append((pair[0].mean, pair[1].mean))
        _line(stream.name, *pair)
    _line("ALL, by entry", *sums)
    known = [pair for pair in each if not any(map(math.isnan, pair))]
    before, after = (statistics.fmean(side) for side in zip(*known, strict=True))
    print(f"{'ALL, by feed':28} mean delay {before:.1f} → {after:.1f} min ({after / before:.0%})")


def _line(name: str, before: Spent, after: Spent) -> None:
    def told(spent: Spent) -> str:
        visits, lost = spent.requests // PHASES, spent.lost // PHASES
        return f"{visits:17,}  {spent.mean:5.1f} {spent.p95:5.1f}  {lost:4}"

    visits, delay = after.requests / before.requests, after.mean / before.mean
    print(f"{name:28} {len(before.delays) // PHASES:9,} | {told(before):>35} | {told(after)} |"
          f" {visits:6.0%} {delay:6.0%}")  # fmt: skip


if __name__ == "__main__":
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 15.0
    chosen = PollSettings(interval=timedelta(minutes=minutes))
    compare("made, 30 days", made(), chosen)
    if SNAPSHOTS.is_dir():
        compare("real series", real(), chosen)
