"""Does an entry tell a new story, or one that others have told?  Pure, given the index.

One pass, no second thoughts: an entry's text is first looked for among the last week's (a copy has
no vote of its own), then its features are compared with the stories of the last 72 hours: half with
their centroid, half with their closest entry, less the longer the story has been still.  Two alerts
for one event are a nuisance, one alert for two events hides news: where it is doubtful, the
entry founds a story.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.model import Entry
from monitor.stories.features import Features, Frequencies, Terms, dot, key, terms, weigh
from monitor.stories.index import STORY_WINDOW, Index, Story, Told, seconds, title_key
from monitor.stories.sketch import Sketch, containment, sketch
from monitor.text import words

JOIN = 0.16  # tuned with tests/bench/stories.py; see there for what other values give
HALF_LIFE = timedelta(hours=24)  # of a story that nobody tells
SAME_OUTLET_COPY = 10  # hashes that agree, within one feed: its short texts are often templates
LEAST_WORDS = 2  # shared, beside pairs: one word in common is no story
ENOUGH_COUNTED = 300  # entries of a language, before its common words are known
REASONS = 5
_STORIES = 12  # compared in full, the most promising
_CLOSEST = 3  # entries of each
_COMMON = 200  # entries with a feature, or 1 % of all: in more, it finds nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """All of an entry that grouping looks at."""

    entry_id: str
    feed_id: str
    seen_at: datetime
    terms: Terms  # to be counted once it is stored
    features: Features
    sketch: Sketch
    title_key: int
    groupable: bool  # its language is known well enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Where an entry belongs, and why."""

    story_id: str | None  # None: it founds a story
    score: float = 0.0  # 0 … 1
    because: tuple[str, ...] = ()  # what it shares with the story, strongest first
    gap: timedelta = timedelta(0)  # since the story was last told
    copy_of: str | None = None  # entry id of the first with this text
    containment: float = 0.0  # share of the shorter text that stands in the longer


def telling(entry: Entry, frequencies: Frequencies) -> Telling:
    """*entry* as it is compared; *frequencies* are those of its language."""
    text = max(entry.summary, entry.content, key=len)
    found = terms(entry.title, text, entry.language)
    headline = " ".join(words(entry.title))
    return Telling(
        entry_id=entry.id,
        feed_id=entry.feed_id,
        seen_at=entry.first_seen_at,
        terms=found,
        features=weigh(found, frequencies),
        sketch=sketch(f"{entry.title}\n{text}"),
        title_key=title_key(entry.feed_id, headline) if headline else 0,
        groupable=frequencies.documents >= ENOUGH_COUNTED,
    )


def assign(new: Telling, index: Index, now: datetime) -> Assignment:
    """The story *new* belongs to at *now*."""
    original = _original(new, index)
    if original is not None:
        return original
    if not new.groupable:
        return Assignment(story_id=None)
    query = {key(new.features.language, name): weight for name, weight in new.features.weights}
    best = Assignment(story_id=None)
    apart = {index.story_id(number) for number in index.with_title(new.title_key)}
    for members in _promising(query, index, seconds(now)):
        if index.story_id(members[0]) in apart:
            continue  # one outlet, one headline, other texts: two releases
        found = _compare(new.features, query, members, index, now)
        if found.score >= JOIN and found.score > best.score:
            best = found
    return best


def told(new: Telling, assignment: Assignment) -> Told:
    """What the store and the index keep of an assigned entry."""
    return Told(
        entry_id=new.entry_id,
        story_id=assignment.story_id or new.entry_id,
        feed_id=new.feed_id,
        seen_at=new.seen_at,
        features=b"" if assignment.copy_of else new.features.vector(),
        sketch=new.sketch,
        title_key=new.title_key,
        copy_of=assignment.copy_of or "",
    )


def _original(new: Telling, index: Index) -> Assignment | None:
    """The entry whose text *new* repeats, or is repeated by."""
    best: tuple[float, int] | None = None
    for number, shared in index.with_text(new.sketch).items():
        if index.feed_id(number) == new.feed_id and shared < SAME_OUTLET_COPY:
            continue
        share = containment(shared, len(new.sketch), index.sketch_size(number))
        if share >= 0.5 and (best is None or (share, -number) > best):
            best = (share, -number)
    if best is None:
        return None
    share, number = best[0], -best[1]
    return Assignment(
        story_id=index.story_id(number),
        score=1.0,
        gap=timedelta(seconds=max(0, seconds(new.seen_at) - index.story(number).last_at)),
        copy_of=index.entry_id(number),
        containment=share,
    )


def _promising(query: Mapping[int, float], index: Index, now: int) -> list[list[int]]:
    """The closest entries of the stories that share the most of the rarer features."""
    limit = max(_COMMON, (index.end - index.first) // 100)
    partial: dict[int, float] = {}
    for name, weight in query.items():
        for number, other in index.with_feature(name, limit):
            partial[number] = partial.get(number, 0.0) + weight * other
    oldest = now - STORY_WINDOW // timedelta(seconds=1)
    stories: dict[str, list[int]] = {}
    for number in sorted(partial, key=lambda n: (-partial[n], -n)):
        if index.seen_at(number) < oldest:
            continue
        members = stories.setdefault(index.story_id(number), [])
        if len(members) < _CLOSEST:
            members.append(number)
        if len(stories) > _STORIES:
            break
    return list(stories.values())


def _compare(
    features: Features, query: Mapping[int, float], members: list[int], index: Index, now: datetime
) -> Assignment:
    """How close an entry is to the story of *members*, some of its entries."""
    story = index.story(members[0])
    closest = max(members, key=lambda number: dot(index.vector(number), query))
    nearness = (dot(story.core, query) + dot(index.vector(closest), query)) / 2
    gap = timedelta(seconds=max(0, seconds(now) - story.last_at))
    shared = _shared(features, story, index.vector(closest))
    if sum(" " not in name for name in shared) < LEAST_WORDS:
        return Assignment(story_id=None)
    return Assignment(
        story_id=index.story_id(closest),
        score=nearness * 0.5 ** (gap / HALF_LIFE),
        because=_reasons(shared),
        gap=gap,
    )


def _shared(features: Features, story: Story, closest: bytes) -> list[str]:
    """The features that made the score, the largest product first."""
    from monitor.stories.features import unpack

    core, entry = dict(unpack(story.core)), dict(unpack(closest))
    products = []
    for name, weight in features.weights:
        number = key(features.language, name)
        product = weight * (core.get(number, 0.0) + entry.get(number, 0.0))
        if product:
            products.append((-product, name))
    return [name for _, name in sorted(products)]


def _reasons(shared: list[str]) -> tuple[str, ...]:
    """The first few of *shared*, without words that stand in a chosen pair."""
    kept: list[str] = []
    for name in shared:
        if not any(name in pair.split(" ") for pair in kept):
            kept = [other for other in kept if other not in name.split(" ")]
            kept.append(name)
        if len(kept) == REASONS:
            break
    return tuple(kept)
