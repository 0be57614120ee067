"""Entries that tell one event, and how new ones are placed among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.model.alerts import Alert, Delivery
from monitor.model.rules import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Entries that tell the same event; its id is its founding entry's, or made by a split.

    ``outlets`` are hosts, in the order in which they came, at most ``OUTLETS_KEPT``.
    """

    id: str
    title: str
    opened_at: datetime
    last_entry_at: datetime
    language: str = ""
    entries: int = 1
    outlets: tuple[str, ...] = ()


OUTLETS_KEPT = 50


HashPair = tuple[int, int]  # 32 bits each: one alone would be wrong for one entry in 40,000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An entry and the story it is in, as later entries are compared with it."""

    entry_id: str
    story_id: str
    feed_id: str
    outlet: str  # host of its address
    seen_at: datetime
    features: bytes  # see stories.features; b"": it finds nothing, and nothing finds it
    sketch: tuple[int, ...]  # see stories.sketch
    series: HashPair | None = None  # of outlet and the opening of the headline
    page: HashPair | None = None  # of the canonical address
    copy_of: str = ""  # entry id of the first with this text; copies have no vote
    near: int | None = None  # number in the index of the entry it is like; not stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a new entry belongs, and why: for people in ``because``, for the index in ``told``."""

    told: Told
    because: tuple[str, ...] = ()  # what it shares with its story, strongest first
    gap: timedelta = timedelta(0)  # since the story had last been told
    containment: float = 0.0  # of a copy: share of the shorter text that stands in the longer
    references: tuple[str, ...] = ()  # numbers of the notice it publishes: "transmittal 25-07"

    @property
    def joined(self) -> bool:
        """Whether somebody else founded its story."""
        return self.told.story_id != self.told.entry_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An entry of a story, as people are told of it."""

    entry_id: str
    title: str
    url: str
    outlet: str  # name of its feed
    seen_at: datetime
    because: tuple[str, ...] = ()
    gap: timedelta = timedelta(0)
    copy_of: str = ""
    containment: float = 0.0
    by_hand: bool = False  # a person put it there


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingAlert:
    """An alert of a story that more entries may join."""

    id: str
    severity: Severity
    terms: frozenset[str]  # told so far, as written in the rule
    targets: tuple[tuple[str, str], ...] = ()  # (channel, target) it goes to


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A story before the next entry joins it: what was told of it, and to whom."""

    story: Story
    feeds: frozenset[str] = frozenset()  # ids of the feeds that told it, if it was alerted
    alerts: Mapping[str, StandingAlert] = field(default_factory=dict)  # by rule
    outlets_told: bool = False  # the update that counts outlets was among them
    first_alerted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Stories split or joined by a person: stored as one, never undone by the machine."""

    what: str  # "split" | "join"
    at: datetime
    expects: Mapping[str, int]  # story id → its number of entries when this was decided
    stories: tuple[Story, ...]  # as they are afterwards
    retired: Mapping[str, str]  # story id that is no more → the one to look at instead
    moved: tuple[tuple[str, str], ...]  # (entry id, story id)
    by_hand: tuple[str, ...] = ()  # those of them the person named
    alerts_moved: tuple[tuple[str, str, str], ...] = ()  # (alert id, story id, subject)
    discarded: tuple[str, ...] = ()  # alert ids: what waits of them is not sent
    alerts: tuple[Alert, ...] = ()  # of what had been hidden
    deliveries: tuple[Delivery, ...] = ()
