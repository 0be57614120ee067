"""The article loop: claim → fetch the page → its text → decide on the entry again → commit.

Pages have a fetcher of their own, so that they take no turn and no slot from feeds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from monitor import ingest
from monitor.errors import StoreBusy, StoryChanged
from monitor.events import ArticleRead
from monitor.feeds.failures import of_ours
from monitor.ingest.reading import after_failure, with_text
from monitor.model import (
    Article,
    ArticleState,
    Entry,
    FailureReason,
    Feed,
    Fetched,
    FetchFailed,
    FetchResult,
    Outcome,
    PageText,
    ParseFailed,
    Revision,
)
from monitor.pipeline.shared import Shared
from monitor.settings import Access, ContentMode, FeedSettings, PollSettings

AT_ONCE = 4  # pages under way
LEASE = timedelta(minutes=10)  # longer than reading one takes
ROUND = timedelta(minutes=2)  # of ``once``: what is not begun by then waits for the next

log = structlog.get_logger()


class Pages(Protocol):
    """The network, as far as this loop knows it."""

    async def page(self, url: str, feed: FeedSettings) -> FetchResult: ...

    def use(
        self, settings: PollSettings, *, contact: str, feeds: Sequence[FeedSettings] = ()
    ) -> None: ...


class Reads(Protocol):
    """A reader of pages."""

    async def read(self, fetched: Fetched) -> PageText | ParseFailed: ...


def page_settings(poll: PollSettings) -> PollSettings:
    """*poll* as it holds for pages: whoever writes a feed must not have our network read."""
    return replace(poll, concurrency=AT_ONCE, allow_private=())


def page_access(feed: FeedSettings, url: str, poll: PollSettings) -> Access:
    """How *url*, which an entry of *feed* links to, is asked for.

    The networks of [poll] are open to pages of the feed's own host only.
    """
    own = urlsplit(url).hostname == urlsplit(feed.url).hostname
    networks = (*feed.access.allow_private, *(poll.allow_private if own else ()))
    return replace(feed.access, allow_private=networks)


class Articles:
    """Reads the pages whose time has come, one a host."""

    def __init__(self, shared: Shared, *, pages: Pages, reader: Reads) -> None:
        self._shared = shared
        self._in_force = shared.in_force
        self._store = shared.store
        self._clock = shared.clock
        self._pages = pages
        self._reader = reader
        self._busy: dict[str, asyncio.Task[None]] = {}  # by host

    async def start_due(self) -> int:
        """Begin to read what is due, as many as there is room for; how many."""
        room = AT_ONCE - len(self._busy)
        if room <= 0 or not self._shared.reads_pages:
            return 0
        config = self._in_force.config
        self._pages.use(page_settings(config.poll), contact=config.contact)
        now, busy = self._clock(), tuple(self._busy)
        claimed = await self._store.call(
            lambda store: store.claim_articles(now, LEASE, busy=busy, limit=room)
        )
        for article in claimed:
            self._busy[article.host] = asyncio.create_task(self._visit(article))
        return len(claimed)

    async def next_due_at(self) -> datetime | None:
        """When a page is due of a host that is not busy; the end of a visit wakes us anyhow."""
        if not self._shared.reads_pages or len(self._busy) >= AT_ONCE:
            return None
        busy = tuple(self._busy)
        return await self._store.call(lambda store: store.next_article_at(busy))

    async def round(self) -> None:
        """Read all that is due, but begin nothing after ``ROUND``."""
        end = self._clock() + ROUND
        while (self._clock() < end and await self.start_due()) or self._busy:
            await asyncio.wait(self._busy.values(), return_when=asyncio.FIRST_COMPLETED)

    async def aclose(self, grace: timedelta) -> None:
        """Let what is under way finish for *grace*, then abandon it: it is due again later."""
        if self._busy:
            await asyncio.wait(self._busy.values(), timeout=grace.total_seconds())
        running = tuple(self._busy.values())
        for visit in running:
            visit.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _visit(self, article: Article) -> None:
        read: ArticleRead | None = None
        try:
            read = await self._read_safely(article)
        except StoreBusy as busy:  # nothing was written: it is due again after the lease
            log.warning("database busy", tick="articles", detail=str(busy))
        finally:
            del self._busy[article.host]
        if read is not None:
            self._shared.report(read)

    async def _read_safely(self, article: Article) -> ArticleRead | None:
        """One page; a bug of ours ends as a failure of this page alone."""
        try:
            return await self._read(article)
        except StoreBusy:
            raise
        except Exception as bug:
            log.exception("reading an article failed", entry=article.entry_id)
            failure = of_ours(bug)
            after = after_failure(article, failure, self._clock())
            await self._store.call(lambda store: store.settle_article(after))
            return None

    async def _read(self, article: Article) -> ArticleRead | None:
        entry = await self._store.call(lambda store: store.entry(article.entry_id))
        if entry is None:  # it is gone, and what is queued for it with it
            return None
        feed = await self._feed_of(entry)
        result = await self._text_of(entry, feed)
        if isinstance(result, PageText):
            return await self._taken(article, feed, result)
        after = after_failure(article, result, self._clock())
        await self._store.call(lambda store: store.settle_article(after))
        return ArticleRead(entry=entry, article=after)

    async def _feed_of(self, entry: Entry) -> Feed:
        (feed,) = await self._store.call(lambda store: store.feeds_with([entry.feed_id]))
        return feed

    async def _text_of(self, entry: Entry, feed: Feed) -> PageText | FetchFailed | ParseFailed:
        chosen = self._in_force.config.feed_at(feed.url)
        if chosen is None or not chosen.enabled or chosen.content is ContentMode.FEED:
            detail = "the configuration does not ask for it any more"
            return FetchFailed(reason=FailureReason.BAD_URL, detail=detail)
        access = page_access(chosen, entry.url, self._in_force.config.poll)
        result = await self._pages.page(entry.url, replace(chosen, access=access))
        if isinstance(result, Fetched):
            return await self._reader.read(result)
        assert isinstance(result, FetchFailed)  # nothing was asked for on condition
        return result

    # --- a text has come

    async def _taken(self, article: Article, feed: Feed, page: PageText) -> ArticleRead:
        async with self._shared.lane:
            while True:
                try:
                    return await self._committed(article, feed, page)
                except StoryChanged:  # a person split or joined stories just now: look again
                    continue

    async def _committed(self, article: Article, feed: Feed, page: PageText) -> ArticleRead:
        """The entry as it is now, with the text of its page, decided on again."""
        corrections = await self._store.call(lambda store: store.corrections())
        entry = await self._store.call(lambda store: store.entry(article.entry_id))
        assert entry is not None  # entries stay while their articles are read
        now = self._clock()
        entry, after = with_text(entry, article, page, now)
        if after.state is not ArticleState.DONE:
            await self._store.call(lambda store: store.settle_article(after))
            return ArticleRead(entry=entry, article=after)
        outcome = await self._decided(Revision(entry=entry, changed_at=now), feed)
        outcome = replace(outcome, corrections_seen=corrections)
        await self._store.call(lambda store: store.settle_article(after, outcome))
        if outcome.deliveries:
            self._shared.queued()
        return ArticleRead(entry=entry, article=after, alerts=outcome.alerts)

    async def _decided(self, revision: Revision, feed: Feed) -> Outcome:
        key = revision.entry.keys[0]
        known = await self._store.call(lambda store: store.known(feed.id, [key]))
        was = known[key]
        standings = await self._store.call(lambda store: store.standings([was.story_id]))
        situation = ingest.Situation(
            feed=feed,
            matcher=self._in_force.rules.matcher,
            config=self._in_force.config,
            now=revision.changed_at,
            rules_since=self._in_force.rules_since,
        )
        return ingest.decide_read(revision, was, standings, situation)
