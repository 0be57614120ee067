"""A fetched body → ParsedFeed, in a child process that can be killed.

Feeds that took long, and documents so large that they will, have a lane of their own, so that they
delay no others.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.errors import ChildFailed
from monitor.feeds import word
from monitor.model import FailureReason, Fetched, ParsedFeed, ParseFailed, RawEntry
from monitor.sandbox import Pool

CHILD = "monitor.feeds.document:read"
DEADLINE = timedelta(seconds=30)
CPU = timedelta(seconds=10)
MEMORY = 768 << 20
SLOW = 2.0  # seconds: from then on a feed parses in the slow lane
LARGE = 1 << 20  # bytes: the largest news feed of the corpus has 400 KiB
REMEMBERED = 10_000  # slow addresses

_REASONS = {
    "deadline": "reading it takes too long; it was stopped",
    "memory": "reading it takes too much memory; it was stopped",
    "died": "the process that read it died",
    "raised": "the reader stumbled over it",
}


class Parser:
    """Two children for most feeds, one for the slow ones."""

    def __init__(
        self, *, size: int = 2, deadline: timedelta = DEADLINE, memory: int = MEMORY
    ) -> None:
        def pool(children: int) -> Pool:
            return Pool(CHILD, size=children, deadline=deadline, memory=memory, cpu=CPU)

        self._fast, self._slow = pool(size), pool(1)
        self._slow_urls: dict[str, None] = {}

    async def parse(self, fetched: Fetched) -> ParsedFeed | ParseFailed:
        """What the document holds, or why it cannot be read.  Never raises for what it holds."""
        url = fetched.final_url
        header = {"final_url": url, "content_type": fetched.content_type}
        slow = url in self._slow_urls or len(fetched.body) > LARGE
        pool = self._slow if slow else self._fast
        began = time.monotonic()
        try:
            found = await pool.call(header, fetched.body)
            return await asyncio.to_thread(_decoded, found) if slow else _decoded(found)
        except ChildFailed as failure:
            reason = (
                FailureReason.PARSER_RAISED
                if failure.reason == "raised"
                else FailureReason.PARSER_KILLED
            )
            return ParseFailed(reason=reason, detail=_REASONS[failure.reason])
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


def _decoded(found: dict[str, Any]) -> ParsedFeed | ParseFailed:
    """The child has read hostile data: take nothing from it that is not of the right kind."""
    if "failed" in found:
        return ParseFailed(reason=FailureReason(found["failed"]), detail=str(found["detail"]))
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
