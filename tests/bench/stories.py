"""How well stories are grouped: the labelled sets, one global setting.

    python -m tests.bench.stories [--tune]

Prints pair precision first: a false join hides news.  ``--tune`` tries thresholds on one half of
the stories; the table is of the other half, and of the whole.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence

from monitor import ids
from monitor.model import Entry
from monitor.stories import background, group, likeness
from monitor.stories.index import Index
from tests.bench import labelled
from tests.bench.labelled import Labelled


def as_entry(row: Labelled) -> Entry:
    return Entry(
        id=ids.derive("labelled", row.id),
        feed_id=row.feed_id,
        feed_name=row.feed_id,
        keys=(row.id,),
        title=row.title,
        content=row.text,
        language=row.language,
        first_seen_at=row.at,
        fingerprint="",
    )


def grouped(entries: Sequence[Labelled]) -> list[str]:
    """The story of each entry, as the monitor would find it."""
    index = Index()
    frequencies = {row.language: background.frequencies(row.language) for row in entries}
    found = []
    for row in entries:
        counted = frequencies[row.language]
        new = group.telling(as_entry(row), counted)
        told = group.told(new, group.assign(new, index, row.at))
        index.add(told)
        counted.count(new.terms)
        found.append(told.story_id)
    return found


def scores(truth: Sequence[str], found: Sequence[str]) -> dict[str, float]:
    """Pair precision, recall, F1 and BCubed F1 (Amigó and others 2009)."""
    both = Counter(zip(truth, found, strict=True))
    of_truth, of_found = Counter(truth), Counter(found)

    def pairs(counts: Counter[object] | Counter[str]) -> int:
        return sum(n * (n - 1) // 2 for n in counts.values())

    together = sum(n * (n - 1) // 2 for n in both.values())
    precision = together / max(1, pairs(of_found))
    recall = together / max(1, pairs(of_truth))
    b_precision = sum(n * n / of_found[f] for (_, f), n in both.items()) / len(truth)
    b_recall = sum(n * n / of_truth[t] for (t, _), n in both.items()) / len(truth)
    return {
        "pair P": precision,
        "pair R": recall,
        "pair F1": 2 * precision * recall / max(1e-9, precision + recall),
        "B3 P": b_precision,
        "B3 R": b_recall,
        "B3 F1": 2 * b_precision * b_recall / (b_precision + b_recall),
        "stories": len(of_found),
        "true": len(of_truth),
    }


def judged(entries: Sequence[Labelled]) -> tuple[dict[str, float], float]:
    """The scores, and seconds an entry."""
    start = time.perf_counter()
    found = grouped(entries)
    each = (time.perf_counter() - start) / len(entries)
    return scores([row.truth for row in entries], found), each


def line(name: str, entries: Sequence[Labelled]) -> str:
    figures, each = judged(entries)
    cells = " ".join(
        f"{value:8.3f}" if value <= 1 else f"{value:8.0f}" for value in figures.values()
    )
    return f"{name:22} {len(entries):6} {cells} {each * 1e6:7.0f} µs"


SETS = {"uci": labelled.uci, "ecb+": labelled.ecb, "french": labelled.french}


def main() -> None:
    print(
        f"{'set':22} {'n':>6}  pair P   pair R  pair F1     B3 P     B3 R    B3 F1  stories    true"
    )
    sets = {name: load() for name, load in SETS.items()}
    if "--tune" in sys.argv:
        for headlines in (0.14, 0.16, 0.18, 0.20):
            likeness.JOIN_HEADLINES = headlines
            print(line(f"uci tune {headlines}", labelled.half(sets["uci"], 0)))
        for texts in (0.18, 0.21, 0.24):
            likeness.JOIN_TEXTS = texts
            print(line(f"ecb+ tune {texts}", labelled.half(sets["ecb+"], 0)))
        return
    for name, entries in sets.items():
        print(line(f"{name} reported half", labelled.half(entries, 1)))
        print(line(f"{name} whole", entries))


if __name__ == "__main__":
    main()
