"""How alike two entries must be to tell one event, and what makes them so.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from math import inf

from monitor.stories.features import MAX_FEATURES, Features, key, unpack
from monitor.stories.index import Story

# How alike an entry and a story must be: tuned with tests/bench/stories.py.  Whole texts on like
# events share more words by chance than headlines do.
JOIN_HEADLINES = 0.16
JOIN_TEXTS = 0.21
_HEADLINE = 20  # features; a text has 40
IN_HEADLINE = 2  # shared words, for two entries of one outlet
ONE_NAME = 0.75  # share of their likeness: it is one person, company or place in two events
NAME_WORDS = 3  # that stand beside the strongest, one after the other
ENOUGH_COUNTED = 300  # entries of a language, before its common words are known
WELL_COUNTED = 10_000
REASONS = 5


def one_event(headline: Set[str], shared: Mapping[str, float]) -> bool:
    """Whether two entries of one outlet are about one event: what is *shared* is in the headline
    too, not only in what an outlet puts under all its texts ("get our newsletter"), and is more
    than whom they are about ("L.A. County")."""
    in_headline = sum(name in headline for name in shared)
    return in_headline >= IN_HEADLINE and _share_of_one_name(shared) < ONE_NAME


def _share_of_one_name(shared: Mapping[str, float]) -> float:
    """How much of what is *shared* is the strongest word, with those that stand beside it."""
    pairs = [words for name in shared if len(words := name.split(" ")) == 2]
    name = set(next(iter(shared), "").split(" "))
    for _ in range(NAME_WORDS):
        name.update(*(pair for pair in pairs if not name.isdisjoint(pair)))
    parts = (weight for each, weight in shared.items() if not name.isdisjoint(each.split(" ")))
    return sum(parts) / (sum(shared.values()) or 1.0)


def enough(features: int) -> float:
    """The score to join at, where the shorter of two entries has so many features."""
    textual = min(1.0, max(0.0, (features - _HEADLINE) / (MAX_FEATURES - _HEADLINE)))
    return JOIN_HEADLINES + (JOIN_TEXTS - JOIN_HEADLINES) * textual


def caution(documents: int) -> float:
    """What the score to join is multiplied by, when so many entries of a language were counted:
    until its common words are known, they look like news."""
    if documents < ENOUGH_COUNTED:
        return inf
    return 1.0 + 0.75 * max(0.0, 1.0 - documents / WELL_COUNTED)


def shared(features: Features, story: Story, closest: bytes) -> dict[str, float]:
    """The features that made the score with their parts of it, the largest first."""
    core, entry = dict(unpack(story.core)), dict(unpack(closest))
    products = []
    for name, weight in features.weights:
        number = key(features.language, name)
        product = weight * (core.get(number, 0.0) + entry.get(number, 0.0))
        if product:
            products.append((-product, name))
    return {name: -product for product, name in sorted(products)}


def reasons(shared: Iterable[str]) -> tuple[str, ...]:
    """The first few of *shared*, without words that stand in a chosen pair."""
    kept: list[str] = []
    for name in shared:
        if not any(name in pair.split(" ") for pair in kept):
            kept = [other for other in kept if other not in name.split(" ")]
            kept.append(name)
        if len(kept) == REASONS:
            break
    return tuple(kept)
