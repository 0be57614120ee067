"""What is remembered of the last days' entries, in under a kilobyte each.

A cache of the store: it is filled from the store's rows at start, oldest first, and advanced only
after commit.  While a poll is decided its entries stand in a ``draft`` on top, which is adopted or
thrown away.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from monitor.model import HashPair, Told
from monitor.stories.features import Vector, centroid, columns
from monitor.stories.postings import (
    Found,
    Keys,
    Numbers,
    Places,
    Postings,
    numbers_of,
    weights_of,
)
from monitor.stories.sketch import Sketch

STORY_WINDOW = timedelta(hours=72)  # what is older draws no new entries to its story
COPY_WINDOW = timedelta(days=7)
FINDING = 24  # strongest features of an entry that find it; all are compared
CORE = 80  # features of a story's centroid
BOILERPLATE = 200  # different texts that share a sequence: in more, it says nothing
_TIDY_EVERY = 1_000  # entries
_LOADED = 20_000  # rows filed at once

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Story:
    """A story that has had more than its founding entry."""

    voters: int  # members but copies
    core: Vector  # centroid of the voters
    last_at: int  # seconds


class Index:
    """Entries by number, in order of arrival; found by feature, by text and by label.

    Ids of entries and stories are kept as the 64-bit numbers that their 16 digits are.
    """

    def __init__(self, under: Index | None = None) -> None:
        self._under = under
        self._first = under.end if under else 0  # number of the oldest entry in this layer
        self._ids = array("Q")
        self._story_ids = array("Q")
        self._feed_ids: list[str] = []
        self._outlets: list[str] = []
        self._vectors: list[Vector] = []
        self._seen = array("q")  # seconds
        self._sizes = array("H")  # of sketches
        self._by_feature, self._by_text, self._by_label = Postings(), Postings(), Postings()
        # But those that are still as their founder left them: these are made when asked for.
        self._stories: dict[int, Story] = {}
        self._added: list[Told] = []  # of a draft

    # --- reading

    @property
    def first(self) -> int:
        """The number of the oldest entry."""
        return self._under.first if self._under else self._first

    @property
    def end(self) -> int:
        """The number the next entry gets."""
        return self._first + len(self._ids)

    def entry_id(self, number: int) -> str:
        layer, row = self._row(number)
        return _digits(layer._ids[row])

    def story_id(self, number: int) -> str:
        layer, row = self._row(number)
        return _digits(layer._story_ids[row])

    def feed_id(self, number: int) -> str:
        layer, row = self._row(number)
        return layer._feed_ids[row]

    def outlet(self, number: int) -> str:
        layer, row = self._row(number)
        return layer._outlets[row]

    def vector(self, number: int) -> Vector:
        layer, row = self._row(number)
        return layer._vectors[row]

    def seen_at(self, number: int) -> int:
        """In seconds."""
        layer, row = self._row(number)
        return layer._seen[row]

    def sketch_size(self, number: int) -> int:
        layer, row = self._row(number)
        return layer._sizes[row]

    def story(self, number: int) -> Story:
        """The story that entry *number* is in."""
        layer, row = self._row(number)
        found = self._story(layer._story_ids[row])
        return found or Story(1, layer._vectors[row], layer._seen[row])

    def with_features(
        self, query: Mapping[int, float], limit: int
    ) -> tuple[Numbers, NDArray[np.float64]]:
        """The entries that features of *query* find, and how alike they are in these alone;
        a feature that finds more than *limit* finds none."""
        keys = np.array(sorted(query), dtype=np.uint64)
        places, found = self._find("_by_feature", keys, limit)
        numbers = numbers_of(found, self.first)
        known = numbers < self.end
        weights = np.array([query[key] for key in keys.tolist()], dtype=np.float64)[places]
        products = (weights * weights_of(found))[known]
        # sums by number, begun at the lowest: most of the index is too old to be found
        lowest = int(numbers.min(initial=self.end))
        sums = np.asarray(np.bincount(numbers[known] - lowest, products), dtype=np.float64)
        rows = np.flatnonzero(sums > 0.0)
        return np.asarray(rows + lowest, dtype=np.int64), sums[rows]

    def with_text(self, sketch: Sketch) -> dict[int, int]:
        """How many hashes of *sketch* the texts share that have any, by their first entry."""
        return self._count("_by_text", sketch)

    def with_label(self, label: HashPair | None) -> list[int]:
        """The entries with this opening or this address; [] for more than make a label."""
        found = self._count("_by_label", label) if label else {}
        return [number for number, hashes in found.items() if hashes == 2]

    def _count(self, name: str, hashes: tuple[int, ...]) -> dict[int, int]:
        """How many of *hashes* find each entry, ascending."""
        _, found = self._find(name, np.array(hashes, dtype=np.uint64), BOILERPLATE)
        if not len(found):
            return {}
        numbers, counts = np.unique(numbers_of(found, self.first), return_counts=True)
        # A text may outlive its first entry in the postings, never in the columns.
        end = self.end
        pairs = zip(numbers.tolist(), counts.tolist(), strict=True)
        return {number: n for number, n in pairs if number < end}

    def _find(self, name: str, keys: Keys, limit: int) -> tuple[Places, Found]:
        layers = (self._under, self) if self._under else (self,)
        found = [getattr(layer, name).find(keys, limit) for layer in layers]
        return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])

    def _story(self, story: int) -> Story | None:
        found = self._stories.get(story)
        return self._under._story(story) if found is None and self._under else found

    def _row(self, number: int) -> tuple[Index, int]:
        """The layer that has entry *number*, and its place there."""
        layer = self._under if self._under and number < self._first else self
        return layer, number - layer._first

    # --- advancing

    def draft(self) -> Index:
        """An empty layer on this index: reading sees both, additions stay in the layer."""
        return Index(self)

    def adopt(self, draft: Index) -> None:
        """Take over what was added to a draft of this index; after its commit."""
        for told in draft._added:
            self.add(told)

    def load(self, rows: Iterable[Told], now: datetime) -> None:
        """Fill the index from the store's rows, in the order in which they were decided."""
        remaining = iter(rows)
        members: dict[str, int] = {}  # a number of each story
        while chunk := list(islice(remaining, _LOADED)):
            self._file_many(chunk)
            for row in chunk:
                self._enter(row, members.setdefault(row.story_id, self.end))
        self._tidy(seconds(now))

    def add(self, told: Told) -> None:
        """Remember an entry.  Entries come in the order in which they were decided."""
        self._file(told)
        self._enter(told, told.near)
        if self._under:
            self._added.append(told)
        elif self.end % _TIDY_EVERY == 0:
            self._tidy(seconds(told.seen_at))

    def move(self, entry_id: str, story_id: str) -> None:
        """A person put the entry into that story: it leaves its own, even one that it founded.

        Both stories become what their members make of them.  An entry too old to be known draws
        no others anyway.
        """
        rows = np.flatnonzero(np.array(self._ids) == int(entry_id, 16)).tolist()
        for row in rows:
            left, entered = self._story_ids[row], int(story_id, 16)
            self._story_ids[row] = entered
            self._tell_again(left)
            self._tell_again(entered)

    def _tell_again(self, story: int) -> None:
        """Make *story* from its members."""
        self._stories.pop(story, None)
        for row in np.flatnonzero(np.array(self._story_ids) == story).tolist():
            self._grow(story, self._stories.get(story), self._vectors[row], self._seen[row])

    def _enter(self, told: Told, near: int | None) -> None:
        """Take *told* into the columns and into its story, where entry *near* may be."""
        story, vector = int(told.story_id, 16), b"" if told.copy_of else told.features
        at = seconds(told.seen_at)
        known = self._story(story) or self._founded(story, near)
        if known or told.story_id != told.entry_id:
            self._grow(story, known, vector, at)
        self._ids.append(int(told.entry_id, 16))
        self._story_ids.append(story)
        self._feed_ids.append(sys.intern(told.feed_id))
        self._outlets.append(sys.intern(told.outlet))
        self._vectors.append(vector)
        self._seen.append(at)
        self._sizes.append(len(told.sketch))

    def _founded(self, story: int, near: int | None) -> Story | None:
        """*story* as its founder left it, if that is entry *near*."""
        if near is None or not self.first <= near < self.end:
            return None
        layer, row = self._row(near)
        return self.story(near) if layer._story_ids[row] == story else None

    def _grow(self, story: int, old: Story | None, vector: Vector, at: int) -> None:
        """Bring *story* up to date that an entry joins."""
        if old is None:  # not remembered, or made by hand
            self._stories[story] = Story(1 if vector else 0, vector, at)
            return
        core = centroid(old.core, old.voters, vector, CORE) if vector else old.core
        self._stories[story] = Story(old.voters + bool(vector), core, max(old.last_at, at))

    def _file(self, told: Told) -> None:
        """Make *told* findable.  A copy is not: ten thousand copies of a text take no more room
        than one, and a chain of copies cannot lead from one text to quite another."""
        number = self.end
        if not told.copy_of:
            keys, weights = columns(told.features)
            self._by_feature.add(number, keys[:FINDING], weights[:FINDING])
            self._by_text.add(number, told.sketch)
        self._by_label.add(number, _labels(told))

    def _file_many(self, rows: Sequence[Told]) -> None:
        """What ``_file`` does, to each."""
        found = [columns(b"" if row.copy_of else row.features) for row in rows]
        keys, weights = [k[:FINDING] for k, _ in found], [w[:FINDING] for _, w in found]
        self._by_feature.extend(self.end, keys, weights)
        self._by_text.extend(self.end, [() if row.copy_of else row.sketch for row in rows])
        self._by_label.extend(self.end, [_labels(row) for row in rows])

    def _tidy(self, now: int) -> None:
        """Forget what is older than the windows, or as far ahead: the clock was wrong then."""
        row = self._before(now, STORY_WINDOW // _SECOND)
        self._vectors[:row] = [b""] * row
        self._by_feature.drop_before(self._first + row)
        self._stories = {
            i: s
            for i, s in self._stories.items()
            if abs(s.last_at - now) <= STORY_WINDOW // _SECOND
        }
        row = self._before(now, COPY_WINDOW // _SECOND)
        for column in (self._feed_ids, self._outlets, self._vectors):
            del column[:row]
        del self._ids[:row], self._story_ids[:row], self._seen[:row], self._sizes[:row]
        self._first += row
        self._by_text.drop_before(self._first)
        self._by_label.drop_before(self._first)

    def _before(self, now: int, window: int) -> int:
        """How many entries were seen before the first within *window* of *now*."""
        kept = np.flatnonzero(np.abs(np.array(self._seen) - now) <= window)
        return int(kept[0]) if len(kept) else len(self._seen)


def _digits(number: int) -> str:
    return f"{number:016x}"


def _labels(told: Told) -> tuple[int, ...]:
    return (told.series or ()) + (told.page or ())


def seconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _SECOND


def hash_pair(*parts: str) -> HashPair:
    """A label for what is the same where all *parts* are."""
    text = "\0".join(parts).encode("utf-8", "replace")
    return crc32(text), crc32(text, 1)
