"""What the loops share: what is in force, the store, the clock, and whom to tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitor.events import Report
from monitor.pipeline.in_force import InForce
from monitor.store.writer import Writer


def utc_now() -> datetime:
    return datetime.now(UTC)


def nobody() -> None:
    """Nobody waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Given to each loop when it is made."""

    in_force: InForce
    store: Writer
    report: Report
    clock: Callable[[], datetime] = utc_now
    queued: Callable[[], None] = nobody  # called after a commit that queued deliveries
    hinted: Callable[[], None] = nobody  # called when feeds have become due before their time
    reads_pages: bool = False  # what it takes to read articles is installed
    # Held while entries are decided on: two outlets with one text must see each other.
    lane: asyncio.Lock = field(default_factory=asyncio.Lock)
