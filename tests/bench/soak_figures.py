"""What the ledgers of a soak say, in figures, and which targets they miss.  Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import mean

from tests.bench.soak_feeds import Published
from tests.faults.invariants import LAST_BREATH
from tests.faults.ledgers import Life, Received, Served

MIB = 1 << 20
BLOCK = 30.0  # seconds of readings that make one point of a slope: neighbours resemble each other
SLACK = 2.0  # seconds over the interval that an alert may take
RECOVERY = 3.0  # seconds from a start to its first poll
ENTRY = 1024  # bytes of memory for an entry of the last seven days: docs/operations.md
GRACE = 10.0  # seconds that the program must live on after a document was served to it
UNEXPLAINED = "unexplained"
_MARK = re.compile(r"\bzq\d+x\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the program and its children held at *t*; ``cpu`` is seconds since its start."""

    t: float
    rss: int
    own: int  # of ``rss``: the program without its children
    handles: int
    threads: int
    children: int
    wal: int
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """Growth in an hour; ``noise`` is twice its standard error."""

    an_hour: float
    noise: float

    @property
    def flat(self) -> bool:
        return self.an_hour <= self.noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """Seconds from publication to receipt."""

    count: int
    p50: float
    p99: float
    longest: float


def slope(points: Sequence[tuple[float, float]]) -> Slope:
    """By least squares over the means of blocks; *points*: seconds and values."""
    blocks: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    for t, value in points:
        blocks[int((t - points[0][0]) / BLOCK)].append((t / 3600, value))
    means = [(mean(t for t, _ in each), mean(v for _, v in each)) for each in blocks.values()]
    if len(means) < 3:
        return Slope(an_hour=0.0, noise=float("inf"))
    x0, y0 = mean(x for x, _ in means), mean(y for _, y in means)
    spread = sum((x - x0) ** 2 for x, _ in means)
    steep = sum((x - x0) * (y - y0) for x, y in means) / spread
    rest = sum((y - y0 - steep * (x - x0)) ** 2 for x, y in means)
    return Slope(an_hour=steep, noise=2 * (rest / (len(means) - 2) / spread) ** 0.5)


def delays(found: Sequence[float]) -> Delays:
    ordered = sorted(found) or [float("nan")]
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99)]
    return Delays(count=len(found), p50=at[0], p99=at[1], longest=ordered[-1])


def first_receipts(received: Sequence[Received]) -> dict[tuple[str, str], float]:
    """(sink, mark) → when the sink first read it."""
    found: dict[tuple[str, str], float] = {}
    for each in sorted(received, key=lambda each: each.t):
        for mark in _MARK.findall(each.text):
            found.setdefault((each.sink, mark), each.t)
    return found


def answered_for(served: Sequence[Served], life: Sequence[Life]) -> list[Served]:
    """*served*, but whole only where the program lived on long enough to read and store it.

    That is ten seconds on a machine of its own, as a poll may be late; longer on a crowded one.
    """
    ends = [(each.t, GRACE * each.crowd) for each in life if each.what == "end" and each.code]
    return [
        replace(each, whole=each.whole and not any(0 <= t - each.t <= grace for t, grace in ends))
        for each in served
    ]


def causes(pairs: Sequence[tuple[Received, Received]], life: Sequence[Life]) -> Counter[str]:
    """Why messages came twice; *pairs*: receipts of the same message, in order."""
    ends = [each for each in life if each.what == "end"]
    return Counter(_cause(before, after, ends) for before, after in pairs)


def _cause(before: Received, after: Received, ends: Sequence[Life]) -> str:
    if not before.acked:
        return "not acknowledged"
    if any(before.t <= each.t <= after.t for each in ends):
        return "killed before it was recorded"
    if any(0 <= before.t - each.t <= LAST_BREATH * each.crowd for each in ends):
        return "handed over by a child that the kill left behind"
    return UNEXPLAINED


def lost(
    published: Sequence[Published],
    served: Sequence[Served],
    receipts: Mapping[tuple[str, str], float],
    sinks: Sequence[str],
) -> list[tuple[str, str]]:
    """(sink, mark) of entries that match, were served whole, and never came to the sink."""
    whole = {(each.feed, link) for each in served if each.whole for link in each.links}
    marks = [each.mark for each in published if each.hit and (each.feed, each.link) in whole]
    return [(sink, mark) for sink in sinks for mark in marks if (sink, mark) not in receipts]


def detection(
    published: Sequence[Published],
    receipts: Mapping[tuple[str, str], float],
    sink: str,
    span: tuple[float, float],
) -> Delays:
    """Of what matches and was published in *span*."""
    start, end = span
    return delays(
        [
            receipts[sink, each.mark] - each.t
            for each in published
            if each.hit and start <= each.t <= end and (sink, each.mark) in receipts
        ]
    )


def recoveries(life: Sequence[Life], served: Sequence[Served]) -> list[float]:
    """For each start after an end by force: seconds until the first poll."""
    ordered = sorted(life, key=lambda each: each.t)
    polls = sorted(each.t for each in served)
    found = []
    for before, after in pairwise(each for each in ordered if each.what in ("start", "end")):
        if before.what == "end" and before.code and after.what == "start":
            found.append(next((t - before.t for t in polls if t >= after.t), float("inf")))
    return found


def cpu_share(readings: Sequence[Reading]) -> float:
    """Of one processor, over *readings* of one run."""
    first, last = readings[0], readings[-1]
    return (last.cpu - first.cpu) / max(1e-9, last.t - first.t)
