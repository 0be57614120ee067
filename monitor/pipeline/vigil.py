"""Looks whether the monitor can see: asks its parts and decides nothing itself (``sight``)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from monitor.errors import StoreError
from monitor.model import ChannelState, Feed
from monitor.pipeline import sight
from monitor.pipeline.all_feeds import all_feeds
from monitor.pipeline.distress import Distress
from monitor.pipeline.shared import Shared
from monitor.pipeline.sight import Blind, Reason
from monitor.store import Store

PATIENCE = timedelta(seconds=5)  # a database that takes longer to answer is none
T = TypeVar("T")
_SILENT = Reason(what=Blind.DATABASE, detail="the database does not answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """How things stand in the database."""

    feeds: Sequence[Feed]
    channels: Sequence[ChannelState]
    queue: Mapping[str, int]  # deliveries by state
    oldest_waiting_at: datetime | None
    next_poll_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How things stand: ``reasons`` why the monitor is blind; none: it can see."""

    reasons: Sequence[Reason]
    stored: Stored | None = None  # None: the database did not answer


class Vigil:
    """*stuck* names the parts that have got nothing done for too long."""

    def __init__(
        self,
        shared: Shared,
        *,
        distress: Distress,
        stuck: Callable[[], list[str]] = list,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._in_force, self._store, self._clock = shared.in_force, shared.store, shared.clock
        self._distress, self._stuck, self._patience = distress, stuck, patience

    async def look(self) -> View:
        """How things stand now; never waits long, and never fails for what it finds."""
        now, channels = self._clock(), self._in_force.config.channels
        found = sight.of_parts(self._stuck())
        stored = await self._stored()
        if stored is None:
            return View(reasons=[*found, _SILENT])
        found += sight.of_database(self._distress.since, now)
        found += sight.of_feeds(stored.feeds, now)
        found += sight.of_channels(channels, stored.channels, now)
        return View(reasons=found, stored=stored)

    async def _stored(self) -> Stored | None:
        try:
            feeds = await all_feeds(self._patiently)
            return await self._patiently(partial(_read, feeds))
        except (StoreError, TimeoutError):
            return None

    async def _patiently(self, method: Callable[[Store], T]) -> T:
        async with asyncio.timeout(self._patience.total_seconds()):
            return await self._store.call(method)


def _read(feeds: Sequence[Feed], store: Store) -> Stored:
    return Stored(
        feeds=feeds,
        channels=store.channel_states(),
        queue=store.queue_lengths(),
        oldest_waiting_at=store.oldest_waiting_at(),
        next_poll_at=store.next_poll_at(0),
    )
