"""A fetched web page → its text, in a child process, where the extra ``article`` is installed."""

from __future__ import annotations

from datetime import timedelta

from monitor.errors import STARVED, ChildFailed
from monitor.feeds.parse import why
from monitor.model import Fetched, PageText, ParseFailed
from monitor.sandbox import Pool

CHILD = "monitor.feeds.page_child:read"
DEADLINE = timedelta(seconds=30)
CPU = timedelta(seconds=10)
MEMORY = 768 << 20
IDLE = timedelta(minutes=5)

_REASONS = {
    "deadline": "reading the page takes too long; it was stopped",
    "memory": "reading the page takes too much memory; it was stopped",
    "died": "the process that read the page died",
    "not started": STARVED,
    "raised": "the reader stumbled over the page",
}


class PageReader:
    """One child, started when the first page comes."""

    def __init__(self, *, deadline: timedelta = DEADLINE) -> None:
        self._pool = Pool(CHILD, size=1, deadline=deadline, memory=MEMORY, cpu=CPU, idle=IDLE)

    async def read(self, fetched: Fetched) -> PageText | ParseFailed:
        """Its text, "" if there is none in it.  Never raises for what a page holds."""
        header = {"final_url": fetched.final_url, "content_type": fetched.content_type}
        try:
            found = await self._pool.call(header, fetched.body)
        except ChildFailed as failure:
            return ParseFailed(reason=why(failure), detail=_REASONS[failure.reason])
        return PageText(text=str(found["text"]), for_subscribers=bool(found["for_subscribers"]))

    async def aclose(self) -> None:
        await self._pool.aclose()
