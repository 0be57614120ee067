"""The serial lane: known → place → decide → commit, one feed's entries after the other.

Two outlets with one text must see each other: whoever decides on entries holds ``lock``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from monitor import ingest
from monitor.alerts.route import deliveries
from monitor.errors import StoreBusy
from monitor.events import Trouble
from monitor.feeds import health
from monitor.ingest.identity import page_keys, sort_out
from monitor.model import Entry, Feed, Known, Outcome
from monitor.pipeline.memory import Draft, Memory
from monitor.pipeline.shared import Shared
from monitor.settings import ContentMode
from monitor.stories.features import furniture

LEASE = timedelta(minutes=10)  # longer than the longest poll; a dead one is due again after it
SLICE = 25  # entries decided on before the event loop gets its turn
BUSY_WAIT = timedelta(seconds=2)

T = TypeVar("T")


class Lane:
    """Decides on what feeds brought, and stores it."""

    def __init__(self, shared: Shared, *, memory: Memory) -> None:
        self.lock = shared.lane
        self._in_force = shared.in_force
        self._store = shared.store
        self._clock = shared.clock
        self._report = shared.report
        self._queued = shared.queued
        self._reads_pages = shared.reads_pages
        self._memory = memory

    async def decide(
        self, feed: Feed, listed: Sequence[Entry], late: Sequence[Entry], left_out: int = 0
    ) -> tuple[Outcome, Draft | None]:
        """What *listed* entries change, and *late* ones from older pages of the feed.

        *left_out* are listed, too, and were at the last visit: they change nothing.
        """
        now, entries = self._clock(), _each_once(listed, late)
        if not entries:
            return Outcome(feed=feed), None
        known = await self.known(feed, entries, left_out)
        found = sort_out(entries, known, now, left_out)
        ignored = await self._furniture(feed, entries, left_out) if found.new else frozenset()
        draft = await self._memory.place(found.new, now, ignored)
        stories = {each.told.story_id for each in draft.placements.values()}
        stories.update(was.story_id for _, was in found.edited)
        standings: ingest.Standings
        standings = await self._store.call(lambda store: store.standings(stories))
        situation = ingest.Situation(
            feed=feed,
            matcher=self._in_force.rules.matcher,
            config=self._in_force.config,
            now=now,
            rules_since=self._in_force.rules_since,
            found_late=frozenset(entry.id for entry in late),
            content=self._content(feed),
            worth_reading=self._in_force.rules.worth_reading,
        )
        parts = []
        for few in _slices(found.new):
            new = [(entry, draft.placements[entry.id]) for entry in few]
            part, standings = ingest.decide(new, standings, situation)
            parts.append(part)
            await asyncio.sleep(0)
        for changed in _slices(found.edited):
            parts.append(ingest.decide_edited(changed, standings, situation))
            await asyncio.sleep(0)
        outcome = Outcome(feed=feed, renamed=found.renamed, corrections_seen=draft.corrections)
        return ingest.combine(outcome, parts), draft

    def _content(self, feed: Feed) -> ContentMode:
        chosen = self._in_force.config.feed_at(feed.url)
        return chosen.content if chosen and self._reads_pages else ContentMode.FEED

    async def _furniture(
        self, feed: Feed, entries: Sequence[Entry], left_out: int
    ) -> frozenset[str]:
        """The words that stand in most headlines of the document, those left out included."""
        titles = [entry.title for entry in entries]
        if left_out:
            titles += await self._store.call(lambda store: store.headlines(feed.id, left_out))
        return furniture(titles)

    async def known(
        self, feed: Feed, entries: Sequence[Entry], left_out: int = 0
    ) -> dict[str, Known]:
        """What is stored of *entries*, by their keys; of renamed ones by their pages, too."""
        keys = [entry.keys[0] for entry in entries]
        known = await self._store.call(lambda store: store.known(feed.id, keys))
        if feed.baseline_at is None:  # nothing of it can have been renamed
            return known
        pages = page_keys(entries, known, left_out)
        if pages:
            known |= await self._store.call(lambda store: store.known(feed.id, pages))
        return known

    async def commit(
        self, outcome: Outcome, draft: Draft | None = None, *, in_company: bool = False
    ) -> bool:
        """Store *outcome* and remember *draft*; False if the feed was claimed again since.

        *in_company*: it may wait a little for others, unless somebody is to be told of it.

        Waits out a locked or full database for half a lease, then raises StoreBusy.
        """
        give_up = self._clock() + LEASE / 2
        outcome = self._with_notice(outcome)
        in_company = in_company and not outcome.deliveries
        while True:
            try:
                accepted = await self._store.commit(outcome, in_company=in_company)
            except StoreBusy as busy:
                if self._clock() > give_up:
                    raise
                self._report(Trouble(what="database busy", detail=str(busy)))
                await asyncio.sleep(BUSY_WAIT.total_seconds())
            else:
                break
        if accepted and draft is not None:
            self._memory.adopt(draft)
        if accepted and outcome.deliveries:
            self._queued()
        return accepted

    def _with_notice(self, outcome: Outcome) -> Outcome:
        """*outcome* with what the operators are told because of this very visit."""
        now = self._clock()
        alert = health.moved(outcome.feed, now)
        if alert is None:
            return outcome
        rows = deliveries([alert], {}, (), self._in_force.config, now)
        alerts = (*outcome.alerts, alert)
        return replace(outcome, alerts=alerts, deliveries=(*outcome.deliveries, *rows))


def _each_once(listed: Sequence[Entry], late: Sequence[Entry]) -> Sequence[Entry]:
    """The entries of the document and those of older pages, without those that stand in both."""
    keys = {key for entry in listed for key in entry.keys}
    added = []
    for entry in late:
        if keys.isdisjoint(entry.keys):
            keys.update(entry.keys)
            added.append(entry)
    return (*listed, *added)


def _slices(many: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(many), SLICE):
        yield many[start : start + SLICE]
