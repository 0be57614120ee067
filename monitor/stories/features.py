"""The words that tell what an entry is about, weighted by how rare they are.  Pure.

TF-IDF of stemmed words and of adjacent pairs of them, the 40 strongest, as a unit vector.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from math import log, sqrt
from struct import Struct
from zlib import crc32

import numpy as np

from monitor.text import words

MAX_FEATURES = 40
MAX_CHARACTERS = 6_000  # the beginning tells what it is about
PAIR_WEIGHT = 0.35
TITLE_COUNT = 2  # a word of the headline counts as so many
UNSEEN = 0.5  # entries in which a word stands that was never counted
FEWEST_TITLES = 8  # in a document, to tell what most of them share
MOST_TITLES = 200  # looked at
FURNITURE = 0.5  # share of them
MAX_WORDS_COUNTED = 200_000  # distinct words remembered in a language
_SCALE = 65_535  # of packed weights
_LINE = 500  # characters of a headline


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How often each word and each pair of adjacent words stands in an entry."""

    language: str
    words: Mapping[str, int]
    pairs: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """A unit vector over words and pairs, strongest first."""

    language: str
    weights: tuple[tuple[str, float], ...]

    def vector(self) -> Vector:
        """As the index and the store keep it."""
        return pack((key(self.language, name), weight) for name, weight in self.weights)


Vector = bytes
"""Features packed, strongest first: n 32-bit keys, then n weights in 65,535ths of 16 bits."""


def pack(items: Iterable[tuple[int, float]]) -> Vector:
    """*items* (key, weight in 0 … 1) packed, in their order."""
    pairs = list(items)
    keys = array("I", [name for name, _ in pairs])
    weights = array("H", [min(_SCALE, round(weight * _SCALE)) for _, weight in pairs])
    return keys.tobytes() + weights.tobytes()


def unpack(vector: Vector) -> list[tuple[int, float]]:
    """The (key, weight) of *vector*, strongest first."""
    keys, weights = columns(vector)
    return [(name, number / _SCALE) for name, number in zip(keys, weights, strict=True)]


def dot(vector: Vector, query: Mapping[int, float]) -> float:
    """The cosine of *vector* with *query*, another unit vector."""
    keys, weights = columns(vector)
    shared = [query[n] * w for n, w in zip(keys, weights, strict=True) if n in query]
    return sum(shared) / _SCALE


def columns(vector: Vector) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The keys of *vector*, and its weights of 16 bits."""
    count = len(vector) // 6
    numbers = _layout(count).unpack(vector)
    return numbers[:count], numbers[count:]


@cache
def _layout(count: int) -> Struct:
    return Struct(f"={count}I{count}H")  # as in the machine, but without gaps


def centroid(core: Vector, voters: int, vector: Vector, most: int) -> Vector:
    """The unit vector between *core*, which stands for so many *voters*, and one more *vector*:
    the *most* strongest features."""
    vectors = (core, vector)
    border = [len(each) // 6 * 4 for each in vectors]  # of keys and weights
    names = [np.frombuffer(v[:n], dtype=np.uint32) for v, n in zip(vectors, border, strict=True)]
    parts = [np.frombuffer(v[n:], dtype=np.uint16) for v, n in zip(vectors, border, strict=True)]
    keys, places = np.unique(np.concatenate(names), return_inverse=True)
    weights = np.concatenate([parts[0] * float(voters), parts[1]])
    total = np.bincount(places, weights, len(keys))
    strongest = np.argsort(-total, kind="stable")[:most]
    kept = total[strongest]
    scaled = np.rint(kept * (_SCALE / (sqrt(kept @ kept) or 1.0)))
    return bytes(keys[strongest].tobytes() + scaled.astype(np.uint16).tobytes())


def key(language: str, name: str) -> int:
    """The 32-bit key of a feature: that of another language is another key."""
    return crc32(f"{language}\0{name}".encode("utf-8", "replace"))


# --- counting words --------------------------------------------------------------------------


def stem(word: str) -> str:
    """*word* without a plural ending: Harman's S-stemmer (1991)."""
    if len(word) < 4 or word[-1] != "s":
        return word
    if word.endswith("ies") and word[-4] not in "ea":
        return word[:-3] + "y"
    if word.endswith("es") and word[-3] not in "aeo":
        return word[:-1]
    return word[:-1] if word[-2] not in "us" else word


def terms(title: str, text: str, language: str) -> Terms:
    """The words and pairs of an entry's *title* and the beginning of its *text*."""
    headline = [stem(word) for word in words(title[:MAX_CHARACTERS])]
    body = [stem(word) for word in words(text[:MAX_CHARACTERS])]
    counted: Counter[str] = Counter(body)
    pairs = Counter(pairwise(body))
    for word in headline:
        counted[word] += TITLE_COUNT
    for pair in pairwise(headline):
        pairs[pair] += TITLE_COUNT
    return Terms(language=language, words=counted, pairs=pairs)


@dataclass(slots=True)
class Frequencies:
    """In how many entries each word of a language was seen, earlier news included."""

    documents: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, found: Terms) -> None:
        """Remember that one more entry holds these words."""
        self.documents += 1
        for word in found.words:
            self.counts[word] = self.counts.get(word, 0) + 1
        if len(self.counts) > MAX_WORDS_COUNTED:
            self._halve()

    def rarities(self, words: Iterable[str]) -> dict[str, float]:
        """The inverse document frequency of each: 0.0 for one that stands everywhere."""
        seen, all_ = self.counts.get, self.documents + 1
        found = {word: log(all_ / (seen(word, 0) + UNSEEN)) for word in words}
        return {word: rarity if rarity > 0.0 else 0.0 for word, rarity in found.items()}

    def _halve(self) -> None:
        """Forget the rare half: shares stay what they were, and memory is bounded."""
        self.documents //= 2
        self.counts = {word: n // 2 for word, n in self.counts.items() if n > 1}


def furniture(titles: Sequence[str]) -> frozenset[str]:
    """The stemmed words that stand in most *titles* of a feed's document; none if it is short.

    They tell nothing about one of them: " - Reuters", the company that a search was made for.
    """
    read = titles[:MOST_TITLES]
    if len(read) < FEWEST_TITLES:
        return frozenset()
    found = Counter(word for title in read for word in _stems(title[:_LINE]))
    return frozenset(word for word, n in found.items() if n > len(read) * FURNITURE)


def _stems(title: str) -> set[str]:
    return {stem(word) if word[-1] == "s" else word for word in words(title)}


def weigh(found: Terms, frequencies: Frequencies) -> Features:
    """The strongest features of an entry, a unit vector; a pair is as rare as its words are.

    Counting pairs themselves would need a table ten times as large.
    """
    rarity = frequencies.rarities(found.words)
    weights = {word: (1 + log(n)) * rarity[word] for word, n in found.words.items()}
    least = _least(weights)
    for (one, two), n in found.pairs.items():
        weight = PAIR_WEIGHT * (rarity[one] + rarity[two]) / 2
        if n > 1:
            weight *= 1 + log(n)
        if weight >= least:
            weights[f"{one} {two}"] = weight
    least = _least(weights)
    kept = [item for item in weights.items() if item[1] >= least]
    strongest = sorted(kept, key=lambda item: (-item[1], item[0]))[:MAX_FEATURES]
    return _unit(found.language, strongest)


def without(features: Features, ignored: Set[str]) -> Features:
    """What is left of *features* without the *ignored* words and their pairs: a unit vector."""
    kept = [item for item in features.weights if ignored.isdisjoint(item[0].split(" "))]
    return _unit(features.language, kept) if len(kept) < len(features.weights) else features


def _unit(language: str, weights: Sequence[tuple[str, float]]) -> Features:
    length = sqrt(sum(weight * weight for _, weight in weights)) or 1.0
    return Features(
        language=language,
        weights=tuple((name, weight / length) for name, weight in weights if weight > 0),
    )


def _least(weights: Mapping[str, float]) -> float:
    """What a weight must be to stay among the strongest: most are neither named nor sorted."""
    ordered = sorted(weights.values())
    return ordered[-MAX_FEATURES] if len(ordered) >= MAX_FEATURES else 0.0
