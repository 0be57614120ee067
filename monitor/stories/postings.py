"""Which entries hold a key: an inverted index of some millions of postings at 8 bytes each.  Pure.

A posting is one integer: key (32 bits), entry number (26), weight (6).  New ones stand in a dict,
from time to time they are frozen into a sorted array, and small arrays are merged into the one
before.  Few arrays, so that looking keys up is a handful of binary searches; none so large that
merging it is a pause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

WEIGHT_BITS = 6
NUMBER_BITS = 26
KEY_SHIFT = WEIGHT_BITS + NUMBER_BITS
_NUMBERS = (1 << NUMBER_BITS) - 1
_WEIGHTS = (1 << WEIGHT_BITS) - 1
_FINER = 16 - WEIGHT_BITS  # bits of weights that are not kept
_POSTING = (1 << KEY_SHIFT) - 1
_FRESH = 1 << 11  # postings in the dict
_SMALL = 1 << 16  # in an array that takes up the dict, in half a millisecond
_LARGEST = 1 << 21  # in an array that takes up small ones, in ten to forty

Keys = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Found = NDArray[np.uint64]  # postings without their keys
Places = NDArray[np.intp]  # in an array of keys

_NO_PLACES, _NONE_FOUND = np.array([], dtype=np.intp), np.array([], dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class _Part:
    """Sorted postings of the entries from *first* to *last*."""

    first: int
    last: int
    postings: Keys

    def __len__(self) -> int:
        return len(self.postings)

    def spans(self, keys: Keys) -> _Spans:
        low = keys << KEY_SHIFT
        starts = self.postings.searchsorted(low)
        hits = np.flatnonzero(self.postings.take(starts, mode="clip") >> KEY_SHIFT == keys)
        # not to the next key: there is none after the highest
        ends = self.postings.searchsorted(low[hits] | _POSTING, side="right")
        return _Spans(self.postings, hits, starts[hits], ends - starts[hits])

    def merged(self, newer: _Part) -> _Part:
        both = np.concatenate([self.postings, newer.postings])
        both.sort(kind="stable")  # sees that it has two sorted runs, and merges
        return _Part(self.first, newer.last, both)

    def since(self, number: int) -> _Part:
        """Without the entries older than *number*."""
        kept = numbers_of(self.postings, number) <= self.last  # the older look very much newer
        return _Part(number, self.last, self.postings[kept])


@dataclass(frozen=True, slots=True)
class _Spans:
    """Where a part holds keys; columns of the same length."""

    postings: Keys
    hits: Places  # the keys that it holds
    starts: Places
    lengths: Places

    def take(self, wanted: NDArray[np.bool_]) -> tuple[Places, Found]:
        """The postings of the *wanted* keys, each with the place of its key."""
        lengths = self.lengths * wanted[self.hits]
        before = lengths.cumsum() - lengths
        rows = np.arange(lengths.sum()) + np.repeat(self.starts - before, lengths)
        return np.repeat(self.hits, lengths), self.postings[rows] & _POSTING


class Postings:
    """An append-only inverted index whose oldest part can be dropped."""

    def __init__(self) -> None:
        self._fresh: dict[int, list[int]] = {}
        self._fresh_postings = 0
        self._fresh_first = self._fresh_last = 0  # entry numbers
        self._parts: list[_Part] = []

    def add(self, number: int, keys: Sequence[int], weights: Sequence[int] | None = None) -> None:
        """Entry *number* (ascending) holds these keys, with weights of 16 bits."""
        low, fresh = (number & _NUMBERS) << WEIGHT_BITS, self._fresh
        if not fresh:
            self._fresh_first = number
        for key, weight in zip(keys, weights or repeat(0, len(keys)), strict=True):
            fresh.setdefault(key, []).append(low | weight >> _FINER)
        self._fresh_postings += len(keys)
        self._fresh_last = number
        if self._fresh_postings >= _FRESH:
            self._freeze()

    def extend(
        self,
        first: int,
        keys: Sequence[Sequence[int]],
        weights: Sequence[Sequence[int]] | None = None,
    ) -> None:
        """What ``add`` does to each entry from *first* on, a hundred times as fast."""
        self._freeze()
        counts = [len(each) for each in keys]
        if not any(counts):
            return
        numbers = np.arange(first, first + len(keys)) & _NUMBERS
        postings = np.repeat(numbers.astype(np.uint64) << WEIGHT_BITS, counts)
        postings |= _flat(keys, sum(counts)) << KEY_SHIFT
        if weights is not None:
            postings |= _flat(weights, sum(counts)) >> _FINER
        postings.sort()
        self._append(_Part(first, first + len(keys) - 1, postings))

    def find(self, keys: Keys, limit: int) -> tuple[Places, Found]:
        """Postings of *keys* without their keys, and for each the place of its key in *keys*;
        none of a key that has more than *limit*.  In no order to rely on; see ``numbers_of``.

        Ascending *keys* are found faster: what one search touches, the next finds in the cache.
        """
        if not (self._parts or self._fresh):
            return _NO_PLACES, _NONE_FOUND
        spans = [span for part in self._parts if len((span := part.spans(keys)).hits)]
        fresh = [(n, self._fresh[key]) for n, key in enumerate(keys.tolist()) if key in self._fresh]
        counts = np.zeros(len(keys), dtype=np.intp)
        for place, lows in fresh:
            counts[place] = len(lows)
        for span in spans:
            counts[span.hits] += span.lengths
        wanted = counts <= limit
        taken = [span.take(wanted) for span in spans]
        new = [(place, low) for place, lows in fresh if wanted[place] for low in lows]
        places = np.array([place for place, _ in new], dtype=np.intp)
        found = np.array([low for _, low in new], dtype=np.uint64)
        return (
            np.concatenate([*(place for place, _ in taken), places]),
            np.concatenate([*(part for _, part in taken), found]),
        )

    def drop_before(self, number: int) -> None:
        """Forget entries older than *number*, but for some that are not worth the work: counted
        for a limit, they are at most as many as half an array."""
        self._parts = [part for part in self._parts if part.last >= number]
        for place, part in enumerate(self._parts[:1]):
            if number - part.first > (part.last - part.first) // 2:
                left = part.since(number)  # nothing, if the entries left in it have no keys
                self._parts[place : place + 1] = [left] if len(left) else []

    def _freeze(self) -> None:
        if not self._fresh:
            return
        postings = np.fromiter(
            (key << KEY_SHIFT | low for key, lows in self._fresh.items() for low in lows),
            dtype=np.uint64,
            count=self._fresh_postings,
        )
        postings.sort()
        self._append(_Part(self._fresh_first, self._fresh_last, postings))
        self._fresh, self._fresh_postings = {}, 0

    def _append(self, part: _Part) -> None:
        if self._parts and len(self._parts[-1]) < _SMALL:
            part = self._parts.pop().merged(part)
        if self._parts and len(part) >= _SMALL and len(self._parts[-1]) < _LARGEST:
            part = self._parts.pop().merged(part)
        self._parts.append(part)


def numbers_of(found: Found, first: int) -> Numbers:
    """The entry number of each posting: the one from *first* on that has these low bits."""
    rows: Numbers = ((found >> WEIGHT_BITS).astype(np.int64) - first) & _NUMBERS
    return rows + first


def weights_of(found: Found) -> NDArray[np.float64]:
    """The weight of each posting, in 0 … 1: the middle of those that are kept as one."""
    return ((found & _WEIGHTS) + 0.5) / (_WEIGHTS + 1)


def _flat(columns: Sequence[Sequence[int]], count: int) -> Keys:
    return np.fromiter(chain.from_iterable(columns), dtype=np.uint64, count=count)
