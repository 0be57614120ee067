"""What is remembered of the last days' entries, in under a kilobyte each.

A cache of the store: it is filled from the store's rows at start, oldest first, and advanced only
after commit.  While a poll is decided its entries stand in a ``draft`` on top, which is adopted or
thrown away.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import sqrt
from zlib import crc32

from monitor.stories.features import Vector, pack, unpack
from monitor.stories.postings import HEAVIEST, Postings, number_of
from monitor.stories.sketch import Sketch

STORY_WINDOW = timedelta(hours=72)  # what is older draws no new entries to its story
COPY_WINDOW = timedelta(days=7)
FINDING = 24  # strongest features of an entry that find it; all are compared
CORE = 80  # features of a story's centroid
BOILERPLATE = 200  # different texts that share a sequence: in more, it says nothing
_TIDY_EVERY = 1_000  # entries

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


HashPair = tuple[int, int]  # 32 bits each: one alone would be wrong for one entry in 40,000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An entry and the story it is in: one row of the store, and what the index is made of."""

    entry_id: str
    story_id: str
    feed_id: str
    outlet: str  # host of its address
    seen_at: datetime
    features: Vector  # b"": it finds nothing, and nothing finds it
    sketch: Sketch
    series: HashPair | None = None  # of outlet and the opening of the headline
    page: HashPair | None = None  # of the canonical address
    copy_of: str = ""  # entry id of the first with this text; copies have no vote
    near: int | None = None  # number in this index of the entry it is like; not stored


@dataclass(frozen=True, slots=True)
class Story:
    """A story that has had more than its founding entry."""

    voters: int  # members but copies
    core: Vector  # centroid of the voters
    last_at: int  # seconds


class Index:
    """Entries by number, in order of arrival; found by feature, by text and by label."""

    def __init__(self, under: Index | None = None) -> None:
        self._under = under
        self._first = under.end if under else 0  # number of the oldest entry in this layer
        self._ids: list[str] = []
        self._story_ids: list[str] = []
        self._feed_ids: list[str] = []
        self._outlets: list[str] = []
        self._vectors: list[Vector] = []
        self._seen = array("q")  # seconds
        self._sizes = array("H")  # of sketches
        self._by_feature, self._by_text, self._by_label = Postings(), Postings(), Postings()
        self._stories: dict[str, Story] = {}
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
        return layer._ids[row]

    def story_id(self, number: int) -> str:
        layer, row = self._row(number)
        return layer._story_ids[row]

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
        found = self._story(self.story_id(number))
        return found or Story(1, self.vector(number), self.seen_at(number))

    def with_feature(self, key: int, limit: int) -> Iterator[tuple[int, float]]:
        """(entry number, weight) of those that *key* finds; none if it finds more than *limit*."""
        first, end = self.first, self.end
        for posting in self._find("_by_feature", key, limit):
            number = number_of(posting, first)
            if number < end:
                yield number, (posting & HEAVIEST) / HEAVIEST

    def with_text(self, sketch: Sketch) -> Counter[int]:
        """How many hashes of *sketch* the texts share that have any, by their first entry."""
        return self._count("_by_text", sketch)

    def with_label(self, label: HashPair | None) -> list[int]:
        """The entries with this opening or this address; [] for more than make a label."""
        found = self._count("_by_label", label or ())
        return sorted(number for number, hashes in found.items() if hashes == 2)

    def _count(self, name: str, keys: tuple[int, ...]) -> Counter[int]:
        postings = [posting for key in keys for posting in self._find(name, key, BOILERPLATE)]
        first, end = self.first, self.end
        # A text may outlive its first entry in the postings, never in the columns.
        found = Counter(number_of(posting, first) for posting in postings)
        return Counter({number: n for number, n in found.items() if number < end})

    def _find(self, name: str, key: int, limit: int) -> list[int]:
        postings: Postings = getattr(self, name)
        found = postings.find(key, limit)
        return self._under._find(name, key, limit) + found if self._under else found

    def _story(self, story_id: str) -> Story | None:
        found = self._stories.get(story_id)
        return self._under._story(story_id) if found is None and self._under else found

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

    def load(self, rows: Iterable[Told]) -> None:
        """Fill the index from the store's rows, in the order in which they were decided."""
        numbers: dict[str, int] = {}  # of entries, and of the first entry of stories
        for row in rows:
            near = numbers.get(row.copy_of or row.story_id)
            numbers[row.entry_id] = self.end
            numbers.setdefault(row.story_id, self.end)
            self.add(replace(row, near=near))

    def add(self, told: Told) -> None:
        """Remember an entry.  Entries come in the order in which they were decided."""
        number = self.end
        vector = b"" if told.copy_of else told.features
        self._grow(told, vector)
        self._file(told, number, vector)
        self._ids.append(told.entry_id)
        founds = told.story_id == told.entry_id
        self._story_ids.append(told.entry_id if founds else sys.intern(told.story_id))
        self._feed_ids.append(sys.intern(told.feed_id))
        self._outlets.append(sys.intern(told.outlet))
        self._vectors.append(vector)
        self._seen.append(seconds(told.seen_at))
        self._sizes.append(len(told.sketch))
        if self._under:
            self._added.append(told)
        elif self.end % _TIDY_EVERY == 0:
            self._tidy(seconds(told.seen_at))

    def _file(self, told: Told, number: int, vector: Vector) -> None:
        """Make *told* findable.  A copy is not: ten thousand copies of a text take no more room
        than one, and a chain of copies cannot lead from one text to quite another."""
        self._by_text.add(number, ((h, 0.0) for h in told.sketch if not told.copy_of))
        self._by_feature.add(number, unpack(vector)[:FINDING])
        labels = (told.series or ()) + (told.page or ())
        self._by_label.add(number, ((h, 0.0) for h in labels))

    def _grow(self, told: Told, vector: Vector) -> None:
        """Bring the story up to date that *told* joins."""
        if told.story_id == told.entry_id:
            return
        at, name = seconds(told.seen_at), sys.intern(told.story_id)
        old = self._story(name) or (None if told.near is None else self.story(told.near))
        if old is None:  # of a story that is not remembered: joined by hand, or after a restart
            self._stories[name] = Story(1, vector, at)
            return
        voters = old.voters + (1 if vector else 0)
        core = _centroid(old, vector) if vector else old.core
        self._stories[name] = Story(voters, core, max(old.last_at, at))

    def _tidy(self, now: int) -> None:
        """Forget what is older than the windows."""
        story_end = now - STORY_WINDOW // _SECOND
        row = 0
        while row < len(self._ids) and self._seen[row] < story_end:
            self._vectors[row] = b""
            row += 1
        self._by_feature.drop_before(self._first + row)
        self._stories = {i: s for i, s in self._stories.items() if s.last_at >= story_end}
        row, copy_end = 0, now - COPY_WINDOW // _SECOND
        while row < len(self._ids) and self._seen[row] < copy_end:
            row += 1
        for column in (self._ids, self._story_ids, self._feed_ids, self._outlets, self._vectors):
            del column[:row]
        del self._seen[:row], self._sizes[:row]
        self._first += row
        self._by_text.drop_before(self._first)
        self._by_label.drop_before(self._first)


def seconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _SECOND


def hash_pair(*parts: str) -> HashPair:
    """A label for what is the same where all *parts* are."""
    text = "\0".join(parts).encode("utf-8", "replace")
    return crc32(text), crc32(text, 1)


def _centroid(story: Story, vector: Vector) -> Vector:
    """The centroid of *story* once *vector* has joined it: its strongest features."""
    total = {key: weight * story.voters for key, weight in unpack(story.core)}
    for key, weight in unpack(vector):
        total[key] = total.get(key, 0.0) + weight
    strongest = sorted(total.items(), key=lambda item: (-item[1], item[0]))[:CORE]
    length = sqrt(sum(weight * weight for _, weight in strongest)) or 1.0
    return pack((key, weight / length) for key, weight in strongest)
