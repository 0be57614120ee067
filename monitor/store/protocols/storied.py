"""Which entries tell of the same event, and what people corrected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Protocol

from monitor.model import Alert, Correction, Member, Standing, Story, Told, Update


class StoriedStore(Protocol):
    """Implemented in ``store.storied``."""

    # --- stories
    def traces(self, since: datetime) -> Iterator[Told]:
        """The entries seen since, in the order in which they were decided."""

    def forget_traces(self, before: datetime) -> None: ...

    def standings(self, story_ids: Iterable[str]) -> dict[str, Standing]:
        """What is known and told of each of these stories."""

    def referenced(self, references: Iterable[str]) -> dict[str, str]:
        """Reference ("transmittal 25-07") → the story in which it was first seen."""

    def notices(self, since: datetime) -> dict[str, set[str]]:
        """Story → the numbers of the notices it is about, where an entry was seen since."""

    def story_words(self) -> dict[str, dict[str, int]]:
        """Language → stemmed word → entries with it; the word "" counts the entries."""

    def add_story_words(self, counted: Mapping[str, Mapping[str, int]]) -> None: ...

    def corrections(self) -> int:
        """The number of the last correction; 0 for none."""

    def moved_since(self, correction: int) -> list[tuple[str, str]]:
        """(entry id, story id) of what people moved later, in order."""

    def correct(self, correction: Correction) -> None:
        """One transaction.  Raises StoryChanged if its stories are no longer as it expects."""

    def stories(
        self, *, since: datetime | None = None, alerted: bool = False, limit: int = 100
    ) -> list[Story]: ...

    def story(self, name: str) -> Story | None:
        """By id, an id's unique beginning, or that of an entry in it; joined ones by old ids."""

    def stories_of(self, entry_ids: Iterable[str]) -> dict[str, str]:
        """Entry id → story id."""

    def members(self, story_id: str, limit: int = 100) -> tuple[Member, ...]:
        """Its first entries, in the order they came, and why each is in it."""

    def openings(self, story_id: str) -> list[tuple[str, str]]:
        """Headline and beginning of the text of the first entries of a story."""

    def updates_of(self, story_id: str) -> list[Update]: ...

    def alerts_of(self, story_id: str) -> list[Alert]: ...
