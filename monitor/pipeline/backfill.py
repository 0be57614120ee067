"""Older pages of a feed, fetched when its document has turned over between two visits.

At most ``DOCUMENTS`` of them, on the feed's own host, within ``LONGEST``; what they hold is decided
on and stored together with the document of the visit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from monitor.feeds import gaps
from monitor.feeds.gaps import Window
from monitor.feeds.normalise import entries_of
from monitor.feeds.older import same_site
from monitor.feeds.parse import Parser
from monitor.model import Entry, Feed, Fetched, FetchResult, ParsedFeed
from monitor.settings import BACKFILL_AUTO, BACKFILL_OFF

DOCUMENTS = 5
LONGEST = timedelta(seconds=60)  # the visit's own news waits for it

Known = Callable[[Feed, Sequence[Entry]], Awaitable[Collection[str]]]


class Fetches(Protocol):
    async def fetch(self, feed: Feed, *, unconditional: bool = False) -> FetchResult: ...


@dataclass(slots=True)
class Filled:
    """What older pages held; ``closed``: they reach back to what was known."""

    entries: list[Entry] = field(default_factory=list)
    documents: int = 0
    closed: bool = False


class Backfill:
    """*known* tells which keys of entries are stored."""

    def __init__(self, *, fetcher: Fetches, parser: Parser, known: Known) -> None:
        self._fetcher, self._parser, self._known = fetcher, parser, known

    async def fill(
        self, feed: Feed, parsed: ParsedFeed, window: Window, where: str, now: datetime
    ) -> Filled:
        """Entries that *window* lost; *parsed* is the document that does not reach back.

        *where*: "auto", "off", or the address of a news sitemap.
        """
        filled = Filled()
        if where == BACKFILL_OFF:
            return filled
        try:
            async with asyncio.timeout(LONGEST.total_seconds()):
                if where == BACKFILL_AUTO:
                    await self._pages(feed, parsed.older_url, window, now, filled)
                else:
                    await self._sitemap(feed, where, window, now, filled)
        except TimeoutError:
            pass  # what was found until then is kept
        return filled

    async def _pages(
        self, feed: Feed, first: str | None, window: Window, now: datetime, filled: Filled
    ) -> None:
        url, visited = first, {feed.url}
        while url and url not in visited and len(visited) <= DOCUMENTS:
            visited.add(url)
            parsed = await self._read(feed, url) if same_site(url, feed.url) else None
            if parsed is None:
                return
            filled.documents += 1
            _, entries = entries_of(parsed, feed, now)
            known = await self._known(feed, entries)
            filled.entries += gaps.missed(entries, known, window)
            if gaps.reaches(entries, known, window):
                filled.closed = True
                return
            url = parsed.older_url

    async def _sitemap(
        self, feed: Feed, url: str, window: Window, now: datetime, filled: Filled
    ) -> None:
        parsed = await self._read(feed, url)
        if parsed is None:
            return
        filled.documents += 1
        _, entries = entries_of(parsed, feed, now)
        known = await self._known(feed, entries)
        filled.entries += gaps.within(entries, known, window)
        filled.closed = gaps.reaches(entries, (), window)

    async def _read(self, feed: Feed, url: str) -> ParsedFeed | None:
        """The document at *url*, asked for as the feed's own."""
        asked = replace(feed, url=url, etag=None, last_modified=None, packed_hash=None)
        result = await self._fetcher.fetch(asked, unconditional=True)
        if not isinstance(result, Fetched):
            return None
        parsed = await self._parser.parse(result)
        return parsed if isinstance(parsed, ParsedFeed) else None


def said(window: Window, filled: Filled) -> str:
    """What is said of the gap on the terminal."""
    when = gaps.span(window.begin, window.end)
    if filled.closed:
        return f"a gap {when} UTC was filled from older pages: {len(filled.entries)} entries"
    found = f"; {len(filled.entries)} entries were found on older pages" if filled.entries else ""
    return f"possible gap {when} UTC{found}"
