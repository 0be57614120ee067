"""What the lane remembers of the last days: a cache of the store, advanced after commit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime

from monitor.errors import StoreBusy
from monitor.model import Entry, Placement
from monitor.store.writer import Writer
from monitor.stories import background
from monitor.stories.features import Frequencies, Terms
from monitor.stories.group import Assignment, Telling, assign, telling, told
from monitor.stories.index import COPY_WINDOW, Index
from monitor.stories.names import READ, Mentions, apart, mentions, together
from monitor.stories.references import references

MOST_APART = 4  # stories looked at that are like it and about another place
SLICE = 5  # entries placed before the event loop gets its turn


@dataclass(slots=True)
class Draft:
    """What one poll's entries would add; adopted after their commit, or thrown away."""

    index: Index
    placements: dict[str, Placement] = field(default_factory=dict)  # by entry id
    terms: list[Terms] = field(default_factory=list)
    openings: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # by story id
    corrections: int = 0  # seen when it was made


def _opening(entry: Entry) -> tuple[str, str]:
    """Headline, and the beginning of the text."""
    return entry.title, (entry.summary or entry.content)[:READ]


@dataclass(slots=True)
class _Notices:
    """The numbers of the notices a story is about, and when one was seen last."""

    numbers: set[str]
    last_at: datetime


class Memory:
    """The story index and the word counts; used in the lane only."""

    def __init__(self, store: Writer) -> None:
        self._store = store
        self._index = Index()
        self._words: dict[str, Frequencies] = {}
        self._uncounted: dict[str, dict[str, int]] = {}  # not saved yet
        self._notices: dict[str, _Notices] = {}  # by story
        self._corrections = 0

    async def load(self, now: datetime) -> None:
        """Fill it from the store."""
        since = now - COPY_WINDOW
        self._corrections = await self._store.call(lambda store: store.corrections())
        rows = await self._store.call(lambda store: list(store.traces(since)))
        counted = await self._store.call(lambda store: store.story_words())
        index = Index()
        await asyncio.to_thread(index.load, rows, now)
        self._index = index
        await self._load_notices(now)
        for language, counts in counted.items():
            self._add(language, counts)

    async def place(
        self, entries: Sequence[Entry], now: datetime, ignored: Set[str] = frozenset()
    ) -> Draft:
        """Where each of *entries* belongs, the earlier of them included.

        *ignored*: words that stand in most headlines of their feed.
        """
        await self._catch_up(now)
        draft = Draft(index=self._index.draft(), corrections=self._corrections)
        notices = {entry.id: references(entry) for entry in entries}
        named = [name for names in notices.values() for name in names]
        stories = await self._store.call(lambda store: store.referenced(named)) if named else {}
        for number, entry in enumerate(entries, start=1):
            new = telling(entry, self._frequencies(entry.language), ignored)
            assignment = await self._assigned(entry, new, notices[entry.id], stories, draft, now)
            self._place(new, assignment, notices[entry.id], stories, draft)
            name = draft.placements[entry.id].told.story_id
            draft.openings.setdefault(name, []).append(_opening(entry))
            if number % SLICE == 0:
                await asyncio.sleep(0)
        return draft

    def adopt(self, draft: Draft) -> None:
        """Remember what was committed."""
        self._index.adopt(draft.index)
        for terms in draft.terms:
            self._frequencies(terms.language).count(terms)
            self._count({terms.language: dict.fromkeys(("", *terms.words), 1)})
        for placement in draft.placements.values():
            if placement.references:
                self._note(placement)

    async def save(self) -> None:
        """Store the words counted since the last time; what a crash loses of them is no loss."""
        counted, self._uncounted = self._uncounted, {}
        if not counted:
            return
        try:
            await self._store.call(lambda store: store.add_story_words(counted))
        except StoreBusy:
            self._count(counted)  # next time

    async def _assigned(
        self,
        entry: Entry,
        new: Telling,
        notices: tuple[str, ...],
        stories: dict[str, str],
        draft: Draft,
        now: datetime,
    ) -> Assignment:
        """The story of *entry*: that of its notice, else the one that it is most like."""
        known = next((name for name in notices if name in stories), None)
        if known:
            return Assignment(story_id=stories[known], because=(known,))
        others = self._other_notices(notices, stories)
        for _ in range(MOST_APART):
            found = assign(new, draft.index, now, others)
            if found.story_id is None or not found.by_likeness:
                return found
            told = await self._mentions_of(found.story_id, draft)
            if not apart(mentions(*_opening(entry)), told):
                return found
            others = {*others, found.story_id}  # one kind of event in two places
        return Assignment(story_id=None)

    async def _mentions_of(self, story_id: str, draft: Draft) -> Mentions:
        """What the first entries of a story name, those of this poll included."""
        stored = await self._store.call(lambda store: store.openings(story_id))
        openings = (*stored, *draft.openings.get(story_id, ()))
        return together(mentions(*opening) for opening in openings)

    def _place(
        self,
        new: Telling,
        assignment: Assignment,
        notices: tuple[str, ...],
        stories: dict[str, str],
        draft: Draft,
    ) -> None:
        placed = told(new, assignment)
        draft.index.add(placed)
        draft.terms.append(new.terms)
        draft.placements[new.entry_id] = Placement(
            told=placed,
            because=assignment.because,
            gap=assignment.gap,
            containment=assignment.containment,
            references=notices,
        )
        for notice in notices:
            stories.setdefault(notice, placed.story_id)

    def _other_notices(self, notices: tuple[str, ...], placed: Mapping[str, str]) -> set[str]:
        """Stories that are about another notice than *notices*: those read much alike."""
        if not notices:
            return set()
        others = {story for name, story in placed.items() if name not in notices}
        return others.union(
            story for story, its in self._notices.items() if its.numbers.isdisjoint(notices)
        )

    async def _load_notices(self, now: datetime) -> None:
        found = await self._store.call(lambda store: store.notices(now - COPY_WINDOW))
        self._notices = {story: _Notices(numbers, now) for story, numbers in found.items()}

    def _note(self, placement: Placement) -> None:
        """Remember the notices of an entry, and forget those of stories that draw no more news."""
        story, now = placement.told.story_id, placement.told.seen_at
        known = self._notices.pop(story, None) or _Notices(set(), now)
        numbers = known.numbers.union(placement.references)
        kept = {name: its for name, its in self._notices.items() if now - its.last_at < COPY_WINDOW}
        self._notices = {**kept, story: _Notices(numbers, now)}

    async def _catch_up(self, now: datetime) -> None:
        """Follow what people corrected since."""
        seen = self._corrections
        latest = await self._store.call(lambda store: store.corrections())
        if latest > seen:
            for entry_id, story_id in await self._store.call(lambda s: s.moved_since(seen)):
                self._index.move(entry_id, story_id)
            await self._load_notices(now)
            self._corrections = latest

    def _count(self, counted: Mapping[str, Mapping[str, int]]) -> None:
        for language, counts in counted.items():
            waiting = self._uncounted.setdefault(language, {})
            for word, n in counts.items():
                waiting[word] = waiting.get(word, 0) + n

    def _frequencies(self, language: str) -> Frequencies:
        if language not in self._words:
            self._words[language] = background.frequencies(language)
        return self._words[language]

    def _add(self, language: str, counts: Mapping[str, int]) -> None:
        known = self._frequencies(language)
        for word, n in counts.items():
            if word:
                known.counts[word] = known.counts.get(word, 0) + n
            else:
                known.documents += n
