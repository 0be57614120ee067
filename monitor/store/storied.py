"""Stories on one connection, and what people corrected in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from monitor.model import (
    Alert,
    Correction,
    Member,
    Standing,
    Story,
    Told,
    Update,
)
from monitor.store import (
    corrections,
    stories,
    story_words,
)
from monitor.store.stories import MEMBERS_TOLD
from monitor.store.transactions import Transactions


class Storied(Transactions):
    """Methods of ``Store``; see there."""

    # --- stories

    def traces(self, since: datetime) -> Iterator[Told]:
        with self._reading() as db:
            yield from stories.traces(db, since)

    def forget_traces(self, before: datetime) -> None:
        with self._writing() as db:
            stories.forget_traces(db, before)

    def standings(self, story_ids: Iterable[str]) -> dict[str, Standing]:
        with self._reading() as db:
            return stories.standings(db, story_ids)

    def referenced(self, references: Iterable[str]) -> dict[str, str]:
        with self._reading() as db:
            return stories.referenced(db, references)

    def notices(self, since: datetime) -> dict[str, set[str]]:
        with self._reading() as db:
            return stories.notices(db, since)

    def story_words(self) -> dict[str, dict[str, int]]:
        with self._reading() as db:
            return story_words.counts(db)

    def add_story_words(self, counted: Mapping[str, Mapping[str, int]]) -> None:
        with self._writing() as db:
            story_words.add(db, counted)

    def corrections(self) -> int:
        with self._reading() as db:
            return corrections.latest(db)

    def moved_since(self, correction: int) -> list[tuple[str, str]]:
        with self._reading() as db:
            return corrections.moved_since(db, correction)

    def correct(self, correction: Correction) -> None:
        with self._writing() as db:
            corrections.apply(db, correction)

    def stories(
        self, *, since: datetime | None = None, alerted: bool = False, limit: int = 100
    ) -> list[Story]:
        with self._reading() as db:
            return stories.stories(db, since=since, alerted=alerted, limit=limit)

    def story(self, name: str) -> Story | None:
        with self._reading() as db:
            return stories.story(db, name)

    def members(self, story_id: str, limit: int = MEMBERS_TOLD) -> tuple[Member, ...]:
        with self._reading() as db:
            return stories.members(db, story_id, limit)

    def stories_of(self, entry_ids: Iterable[str]) -> dict[str, str]:
        with self._reading() as db:
            return stories.stories_of(db, entry_ids)

    def openings(self, story_id: str) -> list[tuple[str, str]]:
        with self._reading() as db:
            return stories.openings(db, story_id)

    def updates_of(self, story_id: str) -> list[Update]:
        with self._reading() as db:
            return stories.updates(db, story_id)

    def alerts_of(self, story_id: str) -> list[Alert]:
        with self._reading() as db:
            return stories.alerts_of(db, story_id)
