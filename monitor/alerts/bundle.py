"""Deliveries that go to one target as one message, and why they go together.  Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.model import AlertKind, Message, QueuedDelivery, Severity


class Gathered(StrEnum):
    """Why several stories are told in one message."""

    STORY = "story"  # they are not: one story, or one notice
    DIGEST = "digest"  # the channel's digest
    QUIET = "quiet"  # held in quiet hours
    FLOOD = "flood"  # more at once than the channel takes one by one
    LATE = "late"  # the target took nothing for a while
    GAP = "gap"  # found together, on older pages of a feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What goes out as one message; ``queued`` is never empty."""

    queued: tuple[QueuedDelivery, ...]
    gathered: Gathered = Gathered.STORY
    outage: tuple[datetime, datetime] | None = None  # LATE, or one story that is late

    @property
    def target(self) -> str:
        return self.queued[0].delivery.target

    @property
    def message(self) -> Message | None:
        """What an earlier claim froze."""
        return self.queued[0].message

    @property
    def severity(self) -> Severity:
        return max(each.alert.severity for each in self.queued)

    @property
    def instead_of(self) -> tuple[str, ...]:
        """The channels that take nothing, for which this is sent."""
        names = dict.fromkeys(each.delivery.instead_of for each in self.queued)
        return tuple(name for name in names if name)


def about(queued: QueuedDelivery) -> str:
    """What a delivery is about: rows of one story to one target go out together."""
    return queued.alert.story_id or queued.alert.id


def frames(queued: QueuedDelivery) -> bool:
    """Whether it is what a digest says beside its stories."""
    return queued.alert.kind is AlertKind.DIGEST
