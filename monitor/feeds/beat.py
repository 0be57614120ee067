"""One GET that says "alive" to a dead-man's switch: fetched like a feed, and then thrown away."""

from __future__ import annotations

from monitor.feeds.fetch import Fetcher
from monitor.model import FailureReason, FetchFailed, FetchResult
from monitor.settings import PollSettings


class Beats:
    """Makes its fetcher when it is first needed: few have a heartbeat, and TLS takes 80 ms."""

    def __init__(self) -> None:
        self._fetcher: Fetcher | None = None

    async def aclose(self) -> None:
        if self._fetcher is not None:
            await self._fetcher.aclose()

    async def send(self, url: str, settings: PollSettings) -> str:
        """Why the switch has not heard us, one line without its address; "" if it has."""
        if self._fetcher is None:
            self._fetcher = Fetcher(settings)
        self._fetcher.use(settings, contact="")
        return _judged(await self._fetcher.get(url))


def _judged(result: FetchResult) -> str:
    """A switch answers as it likes: nothing at all, "OK", 202; all that counts is that it did."""
    if not isinstance(result, FetchFailed) or result.reason is FailureReason.EMPTY:
        return ""
    heard = result.status is not None and 200 <= result.status < 300
    return "" if heard else result.detail
