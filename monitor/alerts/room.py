"""Which channels may be sent to now: few at once, and never all places for those that may hang.

Slow channels have half of the places at most; they and those nobody knows yet leave some to those
that were quick.  So channels that hang do not hold up one that works.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

SLOW = 5.0  # seconds: a hand-over that took longer


class Room:
    """Admits hand-overs; times are those of *clock*, in seconds."""

    def __init__(self, places: int, clock: Callable[[], float]) -> None:
        self._places = asyncio.Semaphore(places)
        self._unproven = asyncio.Semaphore(places - places // 4)
        self._slow = asyncio.Semaphore(max(1, places // 2))
        self._clock = clock
        self._quick: dict[str, bool] = {}  # by channel: whether its last hand-over was

    @asynccontextmanager
    async def admitted(self, channel: str) -> AsyncIterator[None]:
        """Wait until there is a place for *channel*."""
        quick = self._quick.get(channel)
        async with AsyncExitStack() as stack:
            if quick is False:
                await stack.enter_async_context(self._slow)
            if not quick:
                await stack.enter_async_context(self._unproven)
            await stack.enter_async_context(self._places)
            began = self._clock()
            try:
                yield
            finally:
                self._quick[channel] = self._clock() - began <= SLOW
