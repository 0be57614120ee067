"""INV1–INV8: what must hold after every fault, checked from the ledgers and the database.

    python -m tests.faults.invariants DIR        # the folder of a fault test; exit code 1: violated

INV1 each entry served whole is stored exactly once; INV2 each match has an alert, and that per
channel a receipt or a live row; INV3 each repeat is explained by an unacknowledged receipt or an
end of the program between the two; INV4 the database is whole; INV5 polls are never later than
interval + 10 s; INV6 memory, handles and children are back where they were; INV7 no canary secret
and no unparsable line in the output; INV8 the fault was visible in ``status``.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.faults.ledgers import Received, Records, Sample, read

LATE = 10.0  # seconds that a poll may be late, and a start may take, on a machine of its own
LAST_BREATH = 1.0  # a sender's child may hand over what it had begun when the program was killed
_LIVE = ("queued", "claimed")


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must hold and does not."""

    invariant: str
    text: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a test's records say."""

    violations: list[Violation]
    figures: dict[str, int]

    def __str__(self) -> str:
        told = ", ".join(f"{count} {what}" for what, count in self.figures.items())
        return "\n".join([told, *map(str, self.violations)])


def check(folder: Path, *, without: tuple[str, ...] = ()) -> Verdict:
    """All invariants but those named in *without*, over what *folder* holds."""
    records = read(folder)
    violations = [
        Violation(name, text)
        for name, holds in INVARIANTS.items()
        if name not in without
        for text in holds(records)
    ]
    return Verdict(violations=violations, figures=_figures(records))


def _rows(records: Records, sql: str) -> list[tuple[str, ...]]:
    """*sql* on the database, which nobody else has open."""
    with closing(sqlite3.connect(records.database)) as db:
        return db.execute(sql).fetchall()


def stored_once(records: Records) -> Iterator[str]:
    """INV1"""
    rows = _rows(records, "SELECT f.url, e.url FROM entries e JOIN feeds f ON f.id = e.feed_id")
    stored = Counter(rows)
    served = {(each.feed, link) for each in records.served if each.whole for link in each.links}
    for feed, link in sorted(served - stored.keys()):
        yield f"{link} was served by {feed} and is not stored"
    for (feed, link), count in sorted(stored.items()):
        if count > 1 and (feed, link) in served:
            yield f"{link} of {feed} is stored {count} times"


def told(records: Records) -> Iterator[str]:
    """INV2"""
    silent = (  # dated before the feed was added: the first poll is silent
        "SELECT m.entry_id, m.rule FROM matches m JOIN entries e ON e.id = m.entry_id"
        " JOIN feeds f ON f.id = e.feed_id WHERE coalesce(e.published_at >= f.added_at, 1)"
        " AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.story_id = e.story_id"
        " AND a.rule_name = m.rule)"
    )
    for entry, rule in _rows(records, silent):
        yield f"entry {entry} matched {rule} and raised no alert"
    for (alert,) in _rows(
        records,  # what the monitor says of its only channel has nowhere else to go
        "SELECT id FROM alerts WHERE kind = 'story'"
        " AND id NOT IN (SELECT alert_id FROM deliveries)",
    ):
        yield f"alert {alert} has no delivery"
    received = {(each.sink, name) for each in records.received for name in each.ids}
    sinks = {each.sink for each in records.received}
    for alert, channel, state in _rows(records, "SELECT alert_id, channel, state FROM deliveries"):
        if state in _LIVE or state in records.meta.given_up:
            continue
        if state != "accepted":
            yield f"the delivery of {alert} to {channel} is {state}"
        elif (channel, alert) not in received and channel in sinks | {"hook"}:
            yield f"alert {alert} is said to be accepted by {channel}, which never got it"


def repeats_explained(records: Records) -> Iterator[str]:
    """INV3"""
    for before, after in repeats(records):
        if before.acked and not _ended_between(records, before.t, after.t):
            names = ", ".join(after.ids)
            yield f"{after.sink} got the same message twice ({names}) and had taken the first"


def repeats(records: Records) -> list[tuple[Received, Received]]:
    """Receipts of a message and the one before, acknowledged or not."""
    last: dict[tuple[str, str], Received] = {}
    found = []
    for each in sorted(records.received, key=lambda each: each.n):
        if each.ids and (each.sink, each.text) in last:
            found.append((last[each.sink, each.text], each))
        last[each.sink, each.text] = each
    return found


def told_twice(records: Records) -> Iterator[str]:
    """INV3, for one alert in different messages"""
    kinds = Counter(_rows(records, "SELECT alert_id, channel FROM deliveries"))
    texts: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for each in records.received:
        for name in each.ids:
            texts[name, each.sink].add(each.text)
    for (alert, sink), different in texts.items():
        if len(different) > kinds[alert, sink] > 0:
            yield f"alert {alert} is in {len(different)} different messages to {sink}"


def _ended_between(records: Records, start: float, end: float) -> bool:
    ends = (each.t for each in records.life if each.what == "end")
    return any(start - LAST_BREATH <= t <= end for t in ends)


def whole(records: Records) -> Iterator[str]:
    """INV4"""
    for (found,) in _rows(records, "PRAGMA integrity_check"):
        if found != "ok":
            yield f"integrity_check: {found}"
    for row in _rows(records, "PRAGMA foreign_key_check"):
        yield f"foreign_key_check: {row}"


def punctual(records: Records) -> Iterator[str]:
    """INV5"""
    most = LATE * max((each.crowd for each in records.life), default=1.0)
    for feed in sorted({each.feed for each in records.served} - {*records.meta.ailing}):
        asked = [each.t for each in records.served if each.feed == feed]
        for start, end in _alive(records):
            times = [start, *(t for t in asked if start <= t <= end), end]
            for before, after in itertools.pairwise(times):
                late = after - before - records.meta.interval - _excused(records, before, after)
                if late > most:
                    yield f"{feed} was not polled for {after - before:.1f} s"


def _alive(records: Records) -> Iterator[tuple[float, float]]:
    """Spans in which the program ran."""
    start: float | None = None
    for each in sorted(records.life, key=lambda each: each.t):
        if each.what == "start":
            start = each.t
        elif each.what == "end" and start is not None:
            yield start, each.t
            start = None


def _excused(records: Records, start: float, end: float) -> float:
    """How much of the span the test itself held the program up."""
    held = (each for each in records.life if each.what == "fault")
    return sum(max(0.0, min(end, each.until) - max(start, each.t)) for each in held)


def back_to_normal(records: Records) -> Iterator[str]:
    """INV6"""
    before = [each for each in records.samples if each.when == "before"]
    after = [each for each in records.samples if each.when == "after"]
    if not before or not after:
        return
    meta = records.meta
    margins = {"rss": meta.rss_margin, "handles": meta.handles_margin, "threads": 4, "children": 2}
    for what, margin in margins.items():
        was, now = _median(before, what), _median(after, what)
        if now > was + margin:
            yield f"{what} went from {was} to {now}"


def _median(samples: list[Sample], what: str) -> int:
    return int(median(getattr(each, what) for each in samples))


def clean_output(records: Records) -> Iterator[str]:
    """INV7"""
    for path, text in records.output():
        for canary in records.meta.canaries:
            if canary in text:
                yield f"{path.name} shows the secret {canary}"
        if path.suffix == ".stderr":
            yield from _unparsable(path, text, tuple(records.meta.prose))
    for told_ in records.statuses:
        for canary in records.meta.canaries:
            if canary in json.dumps(told_, ensure_ascii=False):
                yield f"status shows the secret {canary}"
    raw = records.database.read_bytes()
    for canary in records.meta.canaries:
        if canary.encode() in raw:
            yield f"the database holds the secret {canary}"


def _unparsable(path: Path, text: str, prose: tuple[str, ...]) -> Iterator[str]:
    lines = text.split("\n")  # not splitlines: U+2028 must not forge a line
    complete = lines[:-1]  # a kill may cut off the last one
    for number, line in enumerate(complete, start=1):
        try:
            json.loads(line)
        except ValueError:
            if not (prose and line.startswith(prose)):
                yield f"{path.name}:{number} is not JSON: {line[:200]}"


def visible(records: Records) -> Iterator[str]:
    """INV8"""
    shown = [json.dumps(each, ensure_ascii=False) for each in records.statuses]
    for words in records.meta.visible:
        if not any(words in each for each in shown):
            yield f"status never showed {words!r}"


def _both(records: Records) -> Iterator[str]:
    yield from repeats_explained(records)
    yield from told_twice(records)


INVARIANTS: dict[str, Callable[[Records], Iterator[str]]] = {
    "INV1": stored_once,
    "INV2": told,
    "INV3": _both,
    "INV4": whole,
    "INV5": punctual,
    "INV6": back_to_normal,
    "INV7": clean_output,
    "INV8": visible,
}


def _figures(records: Records) -> dict[str, int]:
    killed = [each for each in records.life if each.what == "end" and (each.code or 0) != 0]
    served = {(each.feed, link) for each in records.served if each.whole for link in each.links}
    return {
        "ends by force": len(killed),
        "entries served": len(served),
        "messages received": len(records.received),
        "repeats": len(repeats(records)),
    }


def main() -> None:
    verdict = check(Path(sys.argv[1]))
    sys.stdout.write(f"{verdict}\n")
    sys.exit(bool(verdict.violations))


if __name__ == "__main__":
    main()
