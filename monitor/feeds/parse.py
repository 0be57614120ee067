"""A fetched body → ParsedFeed, in a child process that can be killed.

Feeds that took long, and documents so large that they will, have a lane of their own, so that they
delay no others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.errors import STARVED, ChildFailed
from monitor.feeds import word
from monitor.feeds.listing import Reading
from monitor.model import (
    NOTHING_LISTED,
    FailureReason,
    Fetched,
    Listing,
    ParsedFeed,
    ParseFailed,
    RawEntry,
)
from monitor.sandbox import Pool

CHILD = "monitor.feeds.document:read"
DEADLINE = timedelta(seconds=30)
CPU = timedelta(seconds=10)
MEMORY = 768 << 20
SLOW = 2.0  # seconds: from then on a feed parses in the slow lane
LARGE = 1 << 20  # bytes: the largest news feed of the corpus has 400 KiB
REMEMBERED = 10_000  # slow addresses
IDLE = timedelta(minutes=1)  # the child for these is seldom needed, and has the most memory

_REASONS = {
    "deadline": "reading it takes too long; it was stopped",
    "memory": "reading it takes too much memory; it was stopped",
    "died": "the process that read it died",
    "not started": STARVED,
    "raised": "the reader stumbled over it",
}


def why(failure: ChildFailed) -> FailureReason:
    """What a child that failed says of what it was to read."""
    if failure.reason == "not started":
        return FailureReason.STARVED
    raised = failure.reason == "raised"
    return FailureReason.PARSER_RAISED if raised else FailureReason.PARSER_KILLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What came of a document, and what it listed."""

    parsed: ParsedFeed | ParseFailed
    listing: Listing = NOTHING_LISTED


@dataclass(frozen=True, slots=True)
class _Document:
    """What a child found in a document, as it sent it and as values."""

    found: Mapping[str, Any]
    parsed: ParsedFeed

    @property
    def clean(self) -> bool:
        """Whether the parser had nothing to complain of."""
        return self.found.get("clean") is True


class Parser:
    """Two children for most feeds, one for the slow ones, while there are any."""

    def __init__(
        self, *, size: int = 2, deadline: timedelta = DEADLINE, memory: int = MEMORY
    ) -> None:
        def pool(children: int, idle: timedelta | None = None) -> Pool:
            return Pool(CHILD, size=children, deadline=deadline, memory=memory, cpu=CPU, idle=idle)

        self._fast, self._slow = pool(size), pool(1, IDLE)
        self._slow_urls: dict[str, None] = {}

    async def parse(self, fetched: Fetched) -> ParsedFeed | ParseFailed:
        """What the document holds, or why it cannot be read.  Never raises for what it holds."""
        header = {"final_url": fetched.final_url, "content_type": fetched.content_type}
        return _parsed(await self._document(header, fetched.body))

    async def read(self, fetched: Fetched, before: Listing) -> Read:
        """As ``parse``, but without the entries that *before* has listed, where that comes to the
        same; and what the document lists."""
        reading = await self._reading(fetched, before)
        if reading is None:
            return Read(parsed=await self.parse(fetched))
        header = {
            "final_url": fetched.final_url,
            "content_type": reading.content_type,
            "in_that_code": True,
        }
        if reading.in_part and (part := await self._part(reading, header)):
            return part
        whole = await self._document(header, reading.whole())
        if isinstance(whole, ParseFailed) or not whole.clean:
            return Read(parsed=_parsed(whole))
        listing = reading.listing(whole.found, whole.parsed.entries)
        return Read(parsed=whole.parsed, listing=listing)

    async def _reading(self, fetched: Fetched, before: Listing) -> Reading | None:
        if len(fetched.body) <= LARGE:
            return Reading.of(fetched, before)
        return await asyncio.to_thread(Reading.of, fetched, before)

    async def _part(self, reading: Reading, header: Mapping[str, Any]) -> Read | None:
        """What is new in the document; None if all of it has to be read."""
        told = reading.told_before()
        part: _Document | ParseFailed = _Document(told, _decoded(told))
        if reading.new or not reading.same_head:
            header = {**header, "only_entries": reading.same_head}
            part = await self._document(header, reading.part())
        if isinstance(part, ParseFailed) or not part.clean or not reading.fits(part.parsed):
            return None
        if reading.same_head:
            part = _Document(told, replace(_decoded(told), entries=part.parsed.entries))
        parsed = replace(part.parsed, left_out=reading.left_out)
        return Read(parsed=parsed, listing=reading.listing(part.found, parsed.entries))

    async def _document(self, header: Mapping[str, Any], body: bytes) -> _Document | ParseFailed:
        url = str(header["final_url"])
        slow = url in self._slow_urls or len(body) > LARGE
        pool = self._slow if slow else self._fast
        began = time.monotonic()
        try:
            found = await pool.call(header, body)
            if "failed" in found:
                reason = FailureReason(found["failed"])
                return ParseFailed(reason=reason, detail=str(found["detail"]))
            parsed = await asyncio.to_thread(_decoded, found) if slow else _decoded(found)
            return _Document(found, parsed)
        except ChildFailed as failure:
            return ParseFailed(reason=why(failure), detail=_REASONS[failure.reason])
        except (KeyError, TypeError, ValueError, OverflowError):
            return ParseFailed(reason=FailureReason.PARSER_RAISED, detail=_REASONS["raised"])
        finally:
            self._remember(url, time.monotonic() - began)

    async def aclose(self) -> None:
        await asyncio.gather(self._fast.aclose(), self._slow.aclose())

    def _remember(self, url: str, seconds: float) -> None:
        if seconds > SLOW:
            self._slow_urls[url] = None
            while len(self._slow_urls) > REMEMBERED:
                del self._slow_urls[next(iter(self._slow_urls))]
        elif seconds < SLOW / 4:
            self._slow_urls.pop(url, None)


def _parsed(answer: _Document | ParseFailed) -> ParsedFeed | ParseFailed:
    return answer if isinstance(answer, ParseFailed) else answer.parsed


def _decoded(found: Mapping[str, Any]) -> ParsedFeed:
    """The child has read hostile data: take nothing from it that is not of the right kind."""
    return ParsedFeed(
        version=str(found["version"]),
        title=str(found["title"]),
        language=_string(found["language"]),
        word=word.read(found["word"]),
        complete=bool(found["complete"]),
        older_url=_string(found.get("older")),
        links=tuple((str(rel), str(href)) for rel, href in found.get("links", ())),
        warnings=tuple(str(each) for each in found["warnings"]),
        entries=tuple(_entry(each) for each in found["entries"]),
    )


def _entry(found: dict[str, Any]) -> RawEntry:
    texts = ("guid", "link", "title", "summary", "content", "author", "language")
    return RawEntry(
        **{name: _string(found[name]) for name in (*texts, "published", "updated")},
        categories=tuple(str(each) for each in found["categories"] if each),
        published_at=_moment(found["published_at"]),
        updated_at=_moment(found["updated_at"]),
    )


def _string(value: Any) -> str | None:
    return str(value) if value else None


def _moment(seconds: float | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None  # year −1, year 10000
