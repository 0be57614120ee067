"""How well copies of a text are found: six alterations, and different texts taken for copies.

    python -m tests.bench.duplicates

Releases and newspaper texts of ``shared/corpus/articles`` are indexed; each comes back altered.
Then other texts come: of the same outlet, and of others.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from monitor.model import Entry
from monitor.stories import group
from monitor.stories.features import Frequencies
from monitor.stories.index import Index
from tests.bench.labelled import rows

NOW = datetime(2025, 2, 13, 10, 0, tzinfo=UTC)
BOILERPLATE = (
    " Sign up for our morning newsletter. Follow us for more on this story. All rights reserved;"
    " this material may not be published, broadcast, rewritten or redistributed."
)
Text = tuple[str, str]  # title, text
Alteration = Callable[[Text, random.Random, list[str]], Text]


def _words_changed(share: float) -> Alteration:
    def alter(text: Text, chance: random.Random, pool: list[str]) -> Text:
        changed = [chance.choice(pool) if chance.random() < share else w for w in text[1].split()]
        return text[0], " ".join(changed)

    return alter


def _first(share: float) -> Alteration:
    def alter(text: Text, chance: random.Random, pool: list[str]) -> Text:
        found = text[1].split()
        return text[0], " ".join(found[: int(len(found) * share)])

    return alter


ALTERATIONS: dict[str, Alteration] = {
    "new headline + boilerplate": lambda t, c, p: (" ".join(c.choices(p, k=8)), t[1] + BOILERPLATE),
    "first 60 %": _first(0.6),
    "first 30 %": _first(0.3),
    "5 % of words changed": _words_changed(0.05),
    "15 % of words changed": _words_changed(0.15),
    "headline + 250 characters": lambda t, c, p: (t[0], t[1][:250]),
}


def texts() -> tuple[list[Text], list[Text]]:
    """Releases of one outlet, newspaper texts of many; those of 800 characters or more."""
    state = [(r["title"], r["text"]) for r in rows("state-department-releases-2021-05_2022-03")]
    ecb = [(r["sentences"][0], " ".join(r["sentences"][1:])) for r in rows("ecbplus-stories")]
    return [t for t in state if len(t[1]) >= 800], [t for t in ecb if len(t[1]) >= 800]


def telling(number: int, feed: str, text: Text) -> group.Telling:
    title, content = text
    entry = Entry(
        id=f"{number:016x}",
        feed_id=feed,
        feed_name=feed,
        keys=(f"{number}",),
        title=title,
        content=content,
        first_seen_at=NOW,
        fingerprint="",
    )
    return group.telling(entry, Frequencies())


def copies(index: Index, number: int, feed: str, text: Text) -> set[str]:
    found = group.assign(telling(number, feed, text), index, NOW + timedelta(hours=1))
    return {found.copy_of} if found.copy_of else set()


def main() -> None:
    state, ecb = texts()
    chance = random.Random(7)
    pool = " ".join(text for _, text in ecb).split()
    known, others = state[::2], state[1::2]
    index, originals = Index(), {}
    for number, text in enumerate(known):
        new = telling(number, "state", text)
        told = group.told(new, group.assign(new, index, NOW))
        originals[number] = told.copy_of or told.entry_id
        index.add(told)
    repeats = sum(original != f"{n:016x}" for n, original in originals.items())
    print(f"{len(known)} texts indexed, {repeats} of them copies of earlier ones")
    for name, alter in ALTERATIONS.items():
        start, right, any_ = time.perf_counter(), 0, 0
        for number, text in enumerate(known):
            found = copies(index, 10**6, "elsewhere", alter(text, chance, pool))
            right += originals[number] in found
            any_ += bool(found)
        each = (time.perf_counter() - start) / len(known)
        print(
            f"{name:28} found {any_ / len(known):.3f}  the right one {right / len(known):.3f}"
            f"  {each * 1e6:5.0f} µs"
        )
    for name, feed, sample in (("same outlet", "state", others), ("other outlets", "x", ecb)):
        wrong = [text for text in sample if copies(index, 10**6, feed, text)]
        print(f"different texts, {name:14} taken for copies {len(wrong)} of {len(sample)}")
        for title, _ in wrong[:12]:
            print("    ", title[:100])


if __name__ == "__main__":
    main()
