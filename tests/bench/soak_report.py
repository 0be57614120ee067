"""The figures of a soak as one table, from what it left in its folder."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench import soak_figures as figures_of
from tests.bench.soak_feeds import Published, SoakFeed
from tests.bench.soak_figures import ENTRY, MIB, RECOVERY, SLACK, Reading
from tests.faults import invariants
from tests.faults.ledgers import Ledger, Meta, Records, read

SINKS = ("hook", "mail", "flaky")
INTERVAL = 10.0  # seconds between polls of every feed
WARM = 1 / 4  # of the quiet part, in which memory still fills after the last start
_TWICE = "got the same message twice"
MOST = 20  # violations that are shown


def published(folder: Path) -> list[Published]:
    lines = (folder / "ledgers" / "published.jsonl").read_text().splitlines()
    return [Published(**json.loads(line)) for line in lines]


def failing(folder: Path) -> set[str]:
    """Feeds whose last visit failed: what they list is not lost, but waits for the next visit."""
    with closing(sqlite3.connect(folder / "data" / "monitor.db")) as db:
        return {url for (url,) in db.execute("SELECT url FROM feeds WHERE failures > 0")}


def violations(folder: Path, feeds: Sequence[SoakFeed]) -> list[str]:
    """Of INV1–4 and 7; the causes of repeats are counted apart, with the crowd in mind.

    What was served just before a kill is left out of the ledger that is judged, and so are feeds
    that fail just now; what a hostile feed lists twice may be stored twice.
    """
    Ledger(folder).meta(Meta(database="data/monitor.db", interval=INTERVAL))
    records = read(folder)
    served = folder / "ledgers" / "served.jsonl"
    served.rename(served.with_name("served-all.jsonl"))
    for each in figures_of.answered_for(records.served, records.life):
        Ledger(folder).write(each)
    verdict = invariants.check(folder, without=("INV5", "INV6"))
    passed = [_TWICE, *(feed.url for feed in feeds if feed.kind == "hostile"), *failing(folder)]
    texts = map(str, verdict.violations)
    return [text for text in texts if not any(each in text for each in passed)]


def figures(
    records: Records,
    entries: Sequence[Published],
    feeds: Sequence[SoakFeed],
    readings: Sequence[Reading],
    quiet: tuple[float, float],
) -> dict[str, Any]:
    start, end = quiet
    receipts = figures_of.first_receipts(records.received)
    out_of_sight = failing(records.folder)
    seen = [each for each in entries if each.feed not in out_of_sight]
    healthy = {feed.url for feed in feeds if feed.kind == "healthy"}
    sound = [each for each in entries if each.feed in healthy]
    calm = (start + 2 * INTERVAL, end)  # the start itself is told as recovery
    warm = [each for each in readings if start + (end - start) * WARM <= each.t <= end]
    recoveries = figures_of.recoveries(records.life, records.served)
    return {
        "published": len(entries),
        "hits": sum(each.hit for each in entries),
        "receipts": len(records.received),
        "lost": figures_of.lost(seen, records.served, receipts, SINKS),
        "feeds that fail now": len(out_of_sight),
        "repeated": dict(figures_of.causes(invariants.repeats(records), records.life)),
        "kills": len(recoveries),
        "recovery": recoveries,
        "detection": {
            sink: asdict(figures_of.detection(sound, receipts, sink, calm)) for sink in SINKS
        },
        "rss": asdict(figures_of.slope([(each.t, each.rss / MIB) for each in warm])),
        "rss now": warm[-1].rss / MIB,
        "own": asdict(figures_of.slope([(each.t, each.own / MIB) for each in warm])),
        "own now": warm[-1].own / MIB,
        "rss of entries": _in(entries, calm) * ENTRY / MIB / (end - calm[0]) * 3600,
        "handles": asdict(figures_of.slope([(each.t, each.handles) for each in warm])),
        "handles now": warm[-1].handles,
        "wal": max(each.wal for each in readings) / MIB,
        "cpu": figures_of.cpu_share(warm),
    }


def _in(entries: Sequence[Published], span: tuple[float, float]) -> int:
    return sum(span[0] <= each.t <= span[1] for each in entries)


def unexplained(found: dict[str, Any]) -> int:
    told_twice = sum(text.startswith("INV3") for text in found["violations"])
    return told_twice + int(found["repeated"].get(figures_of.UNEXPLAINED, 0))


def missed(found: dict[str, Any]) -> list[str]:
    """The targets that were not met."""
    checks = {
        "0 lost": not found["lost"],
        "0 unexplained repeats": not unexplained(found),
        "INV1, 2, 4, 7": all(text.startswith("INV3") for text in found["violations"]),
        f"detection p99 ≤ {INTERVAL + SLACK:g} s": all(
            found["detection"][sink]["p99"] <= INTERVAL + SLACK for sink in ("hook", "mail")
        ),
        f"recovery ≤ {RECOVERY:g} s": max(found["recovery"], default=0.0) <= RECOVERY,
        "memory flat": found["rss"]["an_hour"] - found["rss of entries"] <= found["rss"]["noise"],
        "handles flat": found["handles"]["an_hour"] <= found["handles"]["noise"],
        "ended in order": not found["exit code"],
    }
    return [target for target, met in checks.items() if not met]


def told(found: dict[str, Any]) -> str:
    repeats = ", ".join(f"{n} {why}" for why, n in sorted(found["repeated"].items())) or "0"
    recovery = sorted(found["recovery"]) or [float("nan")]
    rss, own, handles = found["rss"], found["own"], found["handles"]
    jumps = "with" if found["clock jumps"] else "WITHOUT (no libfaketime)"
    lines = [
        f"{found['minutes']:g} min ({found['quiet']:g} quiet), {found['feeds']} feeds,"
        f" seed {found['seed']}, {jumps} clock jumps, load {found['load']:.1f}",
        f"published      {found['published']} entries, {found['hits']} hits,"
        f" {found['receipts']} messages received",
        f"lost           {len(found['lost'])}; {found['feeds that fail now']} feeds fail just now,"
        " what they list waits",
        f"repeated       {repeats}; {unexplained(found)} without an explanation",
        *(
            f"detection      {sink:5} p50 {each['p50']:.1f} s, p99 {each['p99']:.1f} s,"
            f" longest {each['longest']:.1f} s of {each['count']}"
            for sink, each in found["detection"].items()
        ),
        f"recovery       median {recovery[len(recovery) // 2]:.1f} s,"
        f" longest {recovery[-1]:.1f} s after {found['kills']} kills",
        f"memory         {found['rss now']:.0f} MiB, {rss['an_hour']:+.1f} ± {rss['noise']:.1f}"
        f" MiB/h, of which {found['rss of entries']:.1f} are entries of the last seven days",
        f"of it its own  {found['own now']:.0f} MiB, {own['an_hour']:+.1f} ± {own['noise']:.1f}"
        " MiB/h; the rest are children that read and send",
        f"handles        {found['handles now']}, {handles['an_hour']:+.1f}"
        f" ± {handles['noise']:.1f} per hour",
        f"log of SQLite  {found['wal']:.1f} MiB at most",
        f"processor      {found['cpu']:.0%} of one",
        *found["violations"][:MOST],
    ]
    missing = missed(found)
    return "\n".join([*lines, f"missed: {'; '.join(missing)}" if missing else "all targets met"])
