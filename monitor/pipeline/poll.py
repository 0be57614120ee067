"""The poll loop: claim → fetch → parse → normalise → [known → place → decide → commit].

Feeds are visited many at once; what they bring is decided on one after the other (the lane), so
that two outlets with one text see each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from monitor.crashpoint import crashpoint
from monitor.errors import StoreBusy, StoryChanged
from monitor.events import Polled, PollKind
from monitor.feeds import gaps, schedule
from monitor.feeds.failures import of_ours
from monitor.feeds.normalise import entries_of
from monitor.feeds.parse import Parser
from monitor.model import (
    NOTHING_LISTED,
    Entry,
    Feed,
    FetchFailed,
    IdentityMode,
    Listing,
    Outcome,
    ParsedFeed,
    ParseFailed,
    Unchanged,
)
from monitor.pipeline.backfill import Backfill, Fetches
from monitor.pipeline.claims import Claims
from monitor.pipeline.ends import Ends
from monitor.pipeline.lane import Lane
from monitor.pipeline.memory import Draft, Memory
from monitor.pipeline.places import Place, Places
from monitor.pipeline.shared import Shared
from monitor.pipeline.visits import Document, Gap, Visit, overtaken
from monitor.settings import BACKFILL_OFF

IN_HAND = 16  # documents that wait to be read or stored while others are fetched, about
AT_ONCE = 8  # visits begun together: a crowd would shake hands together, and hold up all others
BREATH = 0.002  # seconds until the next few
FEW = 8  # visits: with more under way, what a visit left is stored together with others
MANY = 100  # entries: to normalise them takes a hundredth of a second
PORTION = 500  # new entries stored before other feeds get the lane
PORTION_LEASE = timedelta(minutes=1)  # longer than a portion takes; after a crash it is due again

log = structlog.get_logger()


class Poller:
    """Visits the feeds whose time has come."""

    def __init__(self, shared: Shared, *, fetcher: Fetches, parser: Parser, memory: Memory) -> None:
        self._in_force = shared.in_force
        self._store = shared.store
        self._clock = shared.clock
        self._report = shared.report
        self._fetcher = fetcher
        self._parser = parser
        self._lane = Lane(shared, memory=memory)
        self._backfill = Backfill(fetcher=fetcher, parser=parser, known=self._lane.known)
        self._ends = Ends(shared.in_force, shared.clock)
        self._claims = Claims(shared)
        self._visits: set[asyncio.Task[Polled]] = set()
        self._one_ended = asyncio.Event()
        self._places = Places(0)
        self._unstored: list[Feed] = []  # claimed, visited, and the store was busy

    async def start_due(self, at: datetime | None = None) -> int:
        """Begin the visits that are due, as many as there is room for; how many."""
        if at is None:  # a round visits each feed once
            await self._give_back()
        feeds = await self._claims.due(at or self._clock())
        for number, feed in enumerate(feeds, start=1):
            self._begin(feed)
            if number % AT_ONCE == 0 and number < len(feeds):
                await asyncio.sleep(BREATH)
        return len(feeds)

    def _begin(self, feed: Feed) -> None:
        visit = asyncio.create_task(self.visit(feed), name=f"poll {feed.name}")
        self._visits.add(visit)
        visit.add_done_callback(partial(self._ended, feed))

    def _ended(self, feed: Feed, visit: asyncio.Task[Polled]) -> None:
        self._visits.discard(visit)
        self._claims.over(feed)
        self._one_ended.set()

    async def _give_back(self) -> None:
        """Feeds whose visit was not stored are due at once, not only when their lease is over."""
        unstored = tuple(self._unstored)
        if unstored:
            await self._store.call(lambda store: store.give_back(unstored))
            del self._unstored[: len(unstored)]

    async def round(self) -> None:
        """Visit every feed that is due now, each once, and wait for all.

        What came of them is reported, and not kept: a feed's rhythm is large.
        """
        began = self._clock()
        self._one_ended.clear()
        while await self.start_due(began) or self._visits:
            await self._one_ended.wait()  # it may have ended before all the others had begun
            self._one_ended.clear()

    async def aclose(self, grace: timedelta) -> None:
        """Let running visits finish for *grace*, then abandon them: their feeds stay due."""
        if self._visits:
            await asyncio.wait(self._visits, timeout=grace.total_seconds())
        for visit in tuple(self._visits):
            visit.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)

    async def visit(self, feed: Feed) -> Polled:
        """Poll one claimed feed to its commit; never raises for what a feed does."""
        try:
            polled = (await self._visit_safely(feed)).polled
        except StoreBusy as busy:  # nothing was written
            self._unstored.append(feed)
            detail = f"not stored: {busy}"
            polled = Polled(feed=feed, kind=PollKind.FAILED, detail=detail)
        self._report(polled)
        return polled

    def _places_now(self) -> Places:
        """For as many visits as the settings in force let fetch at once, and some more."""
        count = self._in_force.config.poll.concurrency + IN_HAND
        if self._places.count != count:
            self._places = Places(count)
        return self._places

    async def _visit_safely(self, feed: Feed) -> Visit:
        """A visit; a bug of ours ends as a failure of this feed alone."""
        try:
            return await self._visit(feed)
        except StoreBusy:
            raise
        except Exception as bug:
            log.exception("poll failed", feed=feed.name)
            failure = of_ours(bug)
            return await self._committed(self._ends.failed(feed, failure))

    async def _visit(self, feed: Feed) -> Visit:
        async with self._places_now().one() as place:
            found = await self._found(feed, place)
            if isinstance(found, Document):
                document = replace(found, gap=await self._gap_before(feed, found))
                place.keep()  # the network and the parser are done with it
                return await self._ingest(feed, document)
        return await self._committed(found)  # no document is in memory any more

    async def _found(self, feed: Feed, place: Place) -> Visit | Document:
        """What a fetch brought: a document with entries to decide on, or less."""
        whole = schedule.wants_whole(feed, self._clock())
        result = await self._fetcher.fetch(feed, unconditional=whole)
        self._claims.note(feed, result)
        crashpoint("after-fetch")
        if isinstance(result, FetchFailed):
            return self._ends.failed(feed, result)
        if isinstance(result, Unchanged):
            return self._ends.unchanged(feed, result)
        digest = schedule.body_hash(result.body)
        if digest == feed.body_hash:
            return self._ends.unchanged(feed, result, digest)
        await place.again()
        before = await self._listing(feed, whole)
        read = await self._parser.read(result, before)
        if isinstance(read.parsed, ParseFailed):
            return self._ends.failed(feed, read.parsed)
        same = read.listing == before != NOTHING_LISTED
        document = Document(
            fetched=result,
            digest=digest,
            parsed=read.parsed,
            listing=None if same else read.listing,
        )
        mode, entries = await self._normalised(feed, document.parsed)
        document = replace(document, mode=mode, entries=entries)
        if not entries:  # nothing to decide on: no need to wait for the lane
            return self._ends.brought(feed, document, Outcome(feed=feed))
        return document

    async def _listing(self, feed: Feed, whole: bool) -> Listing:
        """What the next document is compared with; nothing, where it is to be read as a whole."""
        if whole or feed.baseline_at is None or feed.suspected_since is not None:
            return NOTHING_LISTED
        return await self._store.call(lambda store: store.listing(feed.id))

    # --- a document with entries

    async def _ingest(self, feed: Feed, document: Document) -> Visit:
        entries = document.entries
        ahead = await self._store_ahead(feed, entries)
        left_out = document.parsed.left_out
        async with self._lane.lock:
            while True:
                outcome, draft = await self._lane.decide(
                    feed, entries, document.gap.entries, left_out
                )
                visit = self._ends.brought(feed, document, outcome, ahead)
                try:
                    return await self._committed(visit, draft)
                except StoryChanged:  # a person split or joined stories just now: look again
                    continue

    async def _normalised(
        self, feed: Feed, parsed: ParsedFeed
    ) -> tuple[IdentityMode, tuple[Entry, ...]]:
        """The document's entries; those of a large one beside the event loop, not in it."""
        if len(parsed.entries) <= MANY:
            return entries_of(parsed, feed, self._clock())
        return await asyncio.to_thread(entries_of, parsed, feed, self._clock())

    async def _store_ahead(self, feed: Feed, entries: Sequence[Entry]) -> list[Outcome]:
        """What storing the first of very many new entries changed: they are stored in portions, so
        that a giant document holds up no other feed.  The feed itself is as before until its end.

        Documents whose pages are known under other ids are left whole: see ``sort_out``.
        """
        if len(entries) <= PORTION:
            return []
        known = await self._lane.known(feed, entries)
        new = [entry for entry in entries if entry.keys[0] not in known]
        if any(key in known for entry in new for key in entry.keys):
            return []
        ahead: list[Outcome] = []
        for start in range(0, len(new) - PORTION, PORTION):
            portion = await self._store_portion(feed, new[start : start + PORTION])
            if portion is None:
                break
            ahead.append(portion)
        return ahead

    async def _store_portion(self, feed: Feed, entries: Sequence[Entry]) -> Outcome | None:
        """What storing *entries* alone changed; None if another visit overtook this one."""
        async with self._lane.lock:
            while True:
                outcome, draft = await self._lane.decide(feed, entries, ())
                lease = replace(feed, next_poll_at=self._clock() + PORTION_LEASE)
                outcome = replace(outcome, feed=lease)
                polled = Polled(feed=lease, kind=PollKind.NEWS)
                try:
                    visit = await self._committed(Visit(outcome=outcome, polled=polled), draft)
                except StoryChanged:  # a person split or joined stories just now: look again
                    continue
                return outcome if visit.polled is polled else None

    async def _gap_before(self, feed: Feed, document: Document) -> Gap:
        """What came and went since the last visit, as far as older pages show it."""
        now, parsed, entries = self._clock(), document.parsed, document.entries
        if parsed.left_out or not parsed.complete:
            return Gap()
        window = gaps.found(feed, entries, await self._lane.known(feed, entries), now)
        if window is None:
            return Gap()
        own = self._ends.settings_of(feed)
        where = own.backfill if own else BACKFILL_OFF
        filled = await self._backfill.fill(feed, parsed, window, where, now)
        return Gap(window=window, filled=filled)

    # --- commit

    async def _committed(self, visit: Visit, draft: Draft | None = None) -> Visit:
        """*visit* once its outcome is stored, and *draft* remembered."""
        company = draft is None and len(self._visits) > FEW
        if await self._lane.commit(visit.outcome, draft, in_company=company):
            return visit
        return replace(visit, polled=overtaken(visit.outcome.feed))
