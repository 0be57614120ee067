"""Sketches of texts: how much of one text stands in another.  Pure.

A sketch keeps a fixed share of the hashes of a text's three-word sequences (FracMinHash, Irber
and others 2022).  It measures containment, not resemblance: a feed's summary beside the full
article is the normal case, and there MinHash and SimHash see nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from zlib import crc32

from monitor.text import words

KEEP_ONE_IN = 5
MAX_CHARACTERS = 20_000  # what a copy shares, it shares at its beginning
MAX_WORDS = 2_000
LENGTH = 3  # words in a sequence
ENOUGH = 0.5  # share of the smaller sketch
AT_LEAST = 3  # hashes that agree: fewer are chance

Sketch = tuple[int, ...]  # 32-bit hashes, ascending, each once


def sketch(text: str) -> Sketch:
    """The sketch of *text*: about one hash for every five words, at most 400; () for short ones."""
    found = words(text[:MAX_CHARACTERS])[:MAX_WORDS]
    sequences = zip(found, found[1:], found[2:], strict=False)
    # surrogates cannot be: text is cleaned at the border; "replace" costs nothing and cannot raise
    hashes = {crc32(" ".join(sequence).encode("utf-8", "replace")) for sequence in sequences}
    return tuple(sorted(value for value in hashes if value % KEEP_ONE_IN == 0))


def containment(shared: int, size: int, other: int) -> float:
    """The share of the smaller of two sketches that *shared* hashes are; 0.0 when too few agree."""
    smaller = min(size, other)
    return min(1.0, shared / smaller) if shared >= AT_LEAST and smaller else 0.0


def compare(one: Collection[int], other: Collection[int]) -> float:
    """Containment of two sketches, 0.0 … 1.0."""
    return containment(len(set(one).intersection(other)), len(one), len(other))
