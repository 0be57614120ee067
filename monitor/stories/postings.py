"""Which entries hold a key: an inverted index of some millions of postings at 8 bytes each.

A posting is one integer: key (32 bits), entry number (26), weight (6).  New ones stand in a dict;
every thousand entries they are frozen into a sorted array, and equal arrays are merged up to
8,000 entries.  Looking a key up is one binary search an array.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

WEIGHT_BITS = 6
NUMBER_BITS = 26
KEY_SHIFT = WEIGHT_BITS + NUMBER_BITS
HEAVIEST = (1 << WEIGHT_BITS) - 1
_NUMBERS = (1 << NUMBER_BITS) - 1
_POSTING = (1 << KEY_SHIFT) - 1
_FRESH = 1_000  # entries in the dict
_LARGEST = 8_000  # entries in an array


@dataclass(slots=True)
class _Frozen:
    entries: int
    last: int  # the newest entry number in it
    postings: array[int]


class Postings:
    """An append-only inverted index whose oldest part can be dropped."""

    def __init__(self) -> None:
        self._fresh: dict[int, list[int]] = {}
        self._fresh_entries = 0
        self._frozen: list[_Frozen] = []

    def add(self, number: int, weighted: Iterable[tuple[int, float]]) -> None:
        """Entry *number* (ascending) holds these keys, with weights in 0 … 1."""
        low = (number & _NUMBERS) << WEIGHT_BITS
        for key, weight in weighted:
            posting = low | min(HEAVIEST, round(weight * HEAVIEST))
            self._fresh.setdefault(key, []).append(posting)
        self._fresh_entries += 1
        if self._fresh_entries >= _FRESH:
            self._freeze(number)

    def find(self, key: int, limit: int) -> list[int]:
        """Postings of *key* without the key, oldest first; [] when there are more than *limit*."""
        found: list[int] = []
        low, high = key << KEY_SHIFT, (key + 1) << KEY_SHIFT
        for part in self._frozen:
            start = bisect_left(part.postings, low)
            if start < len(part.postings) and part.postings[start] < high:
                most = min(len(part.postings), start + limit + 1)
                found += part.postings[start : bisect_left(part.postings, high, start, most)]
                if len(found) > limit:
                    return []
        fresh = self._fresh.get(key)
        if fresh is None:
            return [posting & _POSTING for posting in found]
        if len(found) + len(fresh) > limit:
            return []
        return [posting & _POSTING for posting in found] + fresh

    def drop_before(self, number: int) -> None:
        """Forget arrays that hold only entries older than *number*."""
        while self._frozen and self._frozen[0].last < number:
            del self._frozen[0]

    def _freeze(self, number: int) -> None:
        postings = array(
            "Q", sorted(key << KEY_SHIFT | low for key, lows in self._fresh.items() for low in lows)
        )
        self._frozen.append(_Frozen(self._fresh_entries, number, postings))
        self._fresh, self._fresh_entries = {}, 0
        while len(self._frozen) > 1 and self._equal_sized():
            new, old = self._frozen.pop(), self._frozen.pop()
            merged = array("Q", sorted([*old.postings, *new.postings]))
            self._frozen.append(_Frozen(old.entries + new.entries, new.last, merged))

    def _equal_sized(self) -> bool:
        old, new = self._frozen[-2].entries, self._frozen[-1].entries
        return old <= new and old + new <= _LARGEST


def number_of(posting: int, first: int) -> int:
    """The entry number in *posting*: the one from *first* on that has these low bits."""
    return first + ((posting >> WEIGHT_BITS) - first & _NUMBERS)
