"""What is at an address that somebody wants to watch: a feed, a page that has feeds, or neither."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitor.errors import ChildFailed
from monitor.feeds.address import public
from monitor.feeds.discover import Candidate, How, usual_places
from monitor.feeds.fetch import Fetcher
from monitor.feeds.parse import Parser
from monitor.model import FailureReason, Fetched, FetchFailed, ParsedFeed, ParseFailed
from monitor.sandbox import Pool
from monitor.settings import Config

PAGES = "monitor.feeds.discover:read"
DEADLINE = timedelta(seconds=10)  # to read a page; it is the child's processor time as well
MEMORY = 768 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeed:
    """A feed that answers."""

    url: str  # to be watched: where it moved for good, if it did
    parsed: ParsedFeed
    how: How | None = None  # None: it is the address that was asked for
    moved_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoFeed:
    """Why there is none."""

    reason: FailureReason
    detail: str  # what was seen
    tried: int = 0  # other addresses that the page gave, or that are usual


async def look(url: str, config: Config) -> tuple[FoundFeed, ...] | NoFeed:
    """The feed at *url*, or the feeds of the page there; never raises for what a server does."""
    parser = Parser()
    pages = Pool(PAGES, size=1, deadline=DEADLINE, memory=MEMORY, cpu=DEADLINE)
    try:
        async with Fetcher(config.poll, contact=config.contact) as fetcher:
            return await _Scout(fetcher, parser, pages).look(url)
    finally:
        await asyncio.gather(parser.aclose(), pages.aclose())


class _Scout:
    """Fetches, parses, and looks for feeds in what is none."""

    def __init__(self, fetcher: Fetcher, parser: Parser, pages: Pool) -> None:
        self._fetcher, self._parser, self._pages = fetcher, parser, pages

    async def look(self, url: str) -> tuple[FoundFeed, ...] | NoFeed:
        fetched, found = await self._visit(url)
        if isinstance(found, FoundFeed):
            return (found,)
        if fetched is None or found.reason is not FailureReason.HTML:
            return found
        candidates = await self._candidates(fetched)
        told = [each for each in candidates if each.how is not How.USUAL]
        feeds = await self._those_that_answer(told) or await self._first_usual(candidates)
        return feeds or NoFeed(reason=found.reason, detail=found.detail, tried=len(candidates))

    async def _visit(
        self, url: str, how: How | None = None
    ) -> tuple[Fetched | None, FoundFeed | NoFeed]:
        """What came from *url*, and what it is."""
        result = await self._fetcher.get(url)
        if not isinstance(result, Fetched):
            return None, _no_feed(result)
        parsed = await self._parser.parse(result)
        if not isinstance(parsed, ParsedFeed):
            return result, _no_feed(parsed)
        moved = result.permanent_url if public(url) == url else None  # it lacks name and password
        feed = FoundFeed(url=moved or url, parsed=parsed, how=how, moved_from=url if moved else "")
        return result, feed

    async def _candidates(self, page: Fetched) -> Sequence[Candidate]:
        header = {"final_url": page.final_url, "content_type": page.content_type}
        try:
            found = await self._pages.call(header, page.body)
            return [
                Candidate(url=each["url"], title=each["title"], how=How(each["how"]))
                for each in found
            ]
        except (ChildFailed, KeyError, TypeError, ValueError):  # the child has read anybody's page
            return usual_places(page.final_url)

    async def _those_that_answer(self, told: Sequence[Candidate]) -> tuple[FoundFeed, ...]:
        visits = await asyncio.gather(*(self._visit(each.url, each.how) for each in told))
        feeds = {feed.url: feed for _, feed in visits if isinstance(feed, FoundFeed)}
        return tuple(feeds.values())

    async def _first_usual(self, candidates: Sequence[Candidate]) -> tuple[FoundFeed, ...]:
        """One after the other: a site is not asked for more than is needed."""
        for each in candidates:
            if each.how is How.USUAL:
                _, feed = await self._visit(each.url, each.how)
                if isinstance(feed, FoundFeed):
                    return (feed,)
        return ()


def _no_feed(failed: object) -> NoFeed:
    if isinstance(failed, FetchFailed | ParseFailed):
        return NoFeed(reason=failed.reason, detail=failed.detail)
    return NoFeed(reason=FailureReason.EMPTY, detail="the server sends nothing new")
