"""Does an entry tell a new story, or one that others have told?  Pure, given the index.

One pass, no second thoughts: an entry's text is first looked for among the last week's (a copy has
no vote of its own), then its features are compared with the stories of the last 72 hours: half with
their centroid, half with their closest entry, less the longer the story has been still.  Two alerts
for one event are a nuisance, one alert for two events hides news: where it is doubtful, the
entry founds a story.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from monitor.model import Entry, HashPair, Told
from monitor.stories import likeness
from monitor.stories.features import (
    MAX_CHARACTERS,
    Features,
    Frequencies,
    Terms,
    dot,
    key,
    stem,
    terms,
    weigh,
    without,
)
from monitor.stories.index import (
    COPY_WINDOW,
    STORY_WINDOW,
    Index,
    Story,
    hash_pair,
    seconds,
)
from monitor.stories.postings import Numbers
from monitor.stories.sketch import ENOUGH, Sketch, containment, sketch
from monitor.text import words
from monitor.urls import canonical_key, outlet_of

HALF_LIFE = timedelta(hours=12)  # of a story that nobody tells: news of tomorrow is other news
# Texts of one outlet share their template: more must agree.
SAME_OUTLET_HASHES = 10
SAME_OUTLET_SHARE = 0.8
SAME_WORDS = 0.98  # likeness of two entries that say the same
SAME_PAGE = 0.1  # likeness of two entries with one address
# One outlet, headlines that open alike, other texts: a series ("Secretary's call with …"), each
# part of it news of its own, however many words they share.
SERIES_WORDS = 4
SAME_OUTLET = 1.25  # how many times as alike: an outlet has its own words, and tells a thing once
ONE_WORD = 0.9  # what a likeness is worth that rests on a single word
FEWEST_WORDS = 3  # in an entry that joins a story for what it is about: "NATO" says nothing
_STORIES = 12  # compared in full, the most promising
_CLOSEST = 3  # entries of each
_SORTED_FIRST = 200  # entries: mostly enough to find so many stories
_COMMON = 1_000  # entries with a feature, or 1 % of all: in more, it finds nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """All of an entry that grouping looks at."""

    entry_id: str
    feed_id: str
    outlet: str  # host of its address
    seen_at: datetime
    terms: Terms  # to be counted once it is stored
    features: Features
    about: Features  # those without what its feed puts into most headlines
    sketch: Sketch
    headline: frozenset[str]  # its words
    series: HashPair | None  # of outlet and the opening of the headline
    page: HashPair | None  # of the canonical address
    caution: float  # how many times as alike it must be: its language is little known


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Where an entry belongs, and why."""

    story_id: str | None  # None: it founds a story
    score: float = 0.0  # 0 … 1
    because: tuple[str, ...] = ()  # what it shares with the story, strongest first
    gap: timedelta = timedelta(0)  # since the story was last told
    copy_of: str | None = None  # entry id of the first with this text
    containment: float = 0.0  # share of the shorter text that stands in the longer
    near: int | None = None  # the closest entry's number in the index
    by_likeness: bool = False  # no text, address or number says so: they are about the same


def telling(entry: Entry, frequencies: Frequencies, ignored: Set[str] = frozenset()) -> Telling:
    """*entry* as it is compared; *frequencies* are those of its language, *ignored* the words that
    its feed puts into most headlines."""
    text = max(entry.summary, entry.content, key=len)
    found = terms(entry.title, text, entry.language)
    features = weigh(found, frequencies)
    headline = words(entry.title[:MAX_CHARACTERS])
    in_series = headline and (text or len(headline) <= SERIES_WORDS)
    opening = " ".join(headline[:SERIES_WORDS])
    page = canonical_key(entry.url)
    outlet = outlet_of(entry.url) or entry.feed_id
    return Telling(
        entry_id=entry.id,
        feed_id=entry.feed_id,
        outlet=outlet,
        seen_at=entry.first_seen_at,
        terms=found,
        features=features,
        about=without(features, ignored),
        sketch=sketch(f"{entry.title[:MAX_CHARACTERS]}\n{text}"),
        headline=frozenset(map(stem, headline)),
        series=hash_pair("series", outlet, opening) if in_series else None,
        page=hash_pair("page", page) if page else None,
        caution=likeness.caution(frequencies.documents),
    )


def assign(
    new: Telling, index: Index, now: datetime, others: Collection[str] = frozenset()
) -> Assignment:
    """The story *new* belongs to at *now*: by text, by address, or by what it is about.

    *others*: ids of stories that it cannot belong to, however alike.
    """
    query = _query(new.features)
    others = {*others, *_happened_again(new, query, index)}
    certain = _same_text(new, index, now) or _same_page(new, query, index, now)
    if certain and certain.story_id not in others:
        return certain
    best = Assignment(story_id=None)
    if len(new.terms.words) < FEWEST_WORDS:
        return best
    apart = {index.story_id(number) for number in index.with_label(new.series)}.union(others)
    about = query if new.about is new.features else _query(new.about)
    for members in _promising(about, index, seconds(now)):
        if index.story_id(members[0]) not in apart:
            found = _compare(new, about, members, index, now)
            best = max(best, found, key=lambda assignment: assignment.score)
    return best


def told(new: Telling, assignment: Assignment) -> Told:
    """What the store and the index keep of an assigned entry."""
    return Told(
        entry_id=new.entry_id,
        story_id=assignment.story_id or new.entry_id,
        feed_id=new.feed_id,
        outlet=new.outlet,
        seen_at=new.seen_at,
        features=b"" if assignment.copy_of else new.features.vector(),
        sketch=new.sketch,
        series=new.series,
        page=new.page,
        copy_of=assignment.copy_of or "",
        near=assignment.near,
    )


def _query(features: Features) -> dict[int, float]:
    return {key(features.language, name): weight for name, weight in features.weights}


def _happened_again(new: Telling, query: Mapping[int, float], index: Index) -> Iterator[str]:
    """Stories with the page and the words of *new* from its own feed, which calls it new: pages
    that report one kind of event again and again ("service disrupted")."""
    for number in index.with_label(new.page):
        if index.feed_id(number) == new.feed_id and dot(index.vector(number), query) >= SAME_WORDS:
            yield index.story_id(number)


def _same_text(new: Telling, index: Index, now: datetime) -> Assignment | None:
    """The entry whose text *new* repeats, or is repeated by."""
    best: tuple[float, int] | None = None
    oldest = seconds(now) - COPY_WINDOW // timedelta(seconds=1)
    for number, shared in index.with_text(new.sketch).items():
        if index.seen_at(number) < oldest:
            continue
        share = containment(shared, len(new.sketch), index.sketch_size(number))
        same_outlet = index.outlet(number) == new.outlet
        if same_outlet and (shared < SAME_OUTLET_HASHES or share < SAME_OUTLET_SHARE):
            continue
        if share >= ENOUGH and (best is None or (share, -number) > best):
            best = (share, -number)
    if best is None:
        return None
    share, number = best[0], -best[1]
    return Assignment(
        story_id=index.story_id(number),
        score=1.0,
        gap=_still(index.story(number), now),
        copy_of=index.entry_id(number),
        containment=share,
        near=number,
    )


def _same_page(
    new: Telling, query: Mapping[int, float], index: Index, now: datetime
) -> Assignment | None:
    """The story of another feed's entry with the address of *new*, where they have something in
    common: one feed may give the same address to different entries."""
    oldest = seconds(now) - STORY_WINDOW // timedelta(seconds=1)
    for number in reversed(index.with_label(new.page)):
        alike = dot(index.vector(number), query)
        other_feed = index.feed_id(number) != new.feed_id
        if other_feed and alike >= SAME_PAGE and index.seen_at(number) >= oldest:
            gap = _still(index.story(number), now)
            story_id, because = index.story_id(number), ("the same address",)
            return Assignment(story_id=story_id, score=alike, because=because, gap=gap, near=number)
    return None


def _still(story: Story, now: datetime) -> timedelta:
    """For how long nobody has told *story*."""
    return timedelta(seconds=max(0, seconds(now) - story.last_at))


def _promising(query: Mapping[int, float], index: Index, now: int) -> list[list[int]]:
    """The closest entries of the stories that share the most of the rarer features."""
    limit = max(_COMMON, (index.end - index.first) // 100)
    oldest = now - STORY_WINDOW // timedelta(seconds=1)
    stories: dict[str, list[int]] = {}
    for number in _strongest_first(*index.with_features(query, limit)):
        if index.seen_at(number) < oldest:
            continue
        members = stories.setdefault(index.story_id(number), [])
        if len(members) < _CLOSEST:
            members.append(number)
        if len(stories) > _STORIES:
            break
    return list(stories.values())


def _strongest_first(numbers: Numbers, strengths: NDArray[np.float64]) -> Iterator[int]:
    """Of equals the newest first; only the strongest are sorted unless more is asked for."""
    border = max(0, len(numbers) - _SORTED_FIRST)
    order = np.argpartition(strengths, border) if border else np.arange(len(numbers))
    for part in (order[border:], order[:border]):
        yield from numbers[part][np.lexsort((-numbers[part], -strengths[part]))].tolist()


def _compare(
    new: Telling, query: Mapping[int, float], members: list[int], index: Index, now: datetime
) -> Assignment:
    """How close an entry is to the story of *members*, some of its entries; score 0.0 for apart."""
    nearness, closest = max((dot(index.vector(number), query), number) for number in members)
    story, vector = index.story(closest), index.vector(closest)
    gap = _still(story, now)
    core = dot(story.core, query) if story.voters > 1 else nearness
    score = (core + nearness) / 2 * 0.5 ** (gap / HALF_LIFE)
    same_outlet = index.outlet(closest) == new.outlet
    needed = likeness.enough(min(len(query), len(vector) // 6)) * new.caution
    needed *= SAME_OUTLET if same_outlet else 1.0
    if score < needed:
        return Assignment(story_id=None)
    shared = likeness.shared(new.about, story, vector)
    if sum(" " not in name for name in shared) == 1:
        score *= ONE_WORD
    if score < needed or (same_outlet and not likeness.one_event(new.headline, shared)):
        return Assignment(story_id=None)
    return Assignment(
        story_id=index.story_id(closest),
        score=score,
        because=likeness.reasons(shared),
        gap=gap,
        near=closest,
        by_likeness=True,
    )
