"""Bounds what is under way at once, so that documents do not pile up in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SOON = 1.0  # seconds: what takes longer gives up its place, so that it holds up nobody


class Places:
    """*count* places for work that is usually done soon."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = asyncio.Semaphore(count)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait for a place and keep it: to the end of the work, or as long as that may take."""
        await self._free.acquire()
        kept = True

        def give_up() -> None:
            nonlocal kept
            if kept:
                kept = False
                self._free.release()

        timer = asyncio.get_running_loop().call_later(SOON, give_up)
        try:
            yield
        finally:
            timer.cancel()
            give_up()
