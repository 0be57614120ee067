"""Bounds what is under way at once, so that documents do not pile up in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# Seconds: who waits longer than that for others gives up its place, so that it holds up nobody.
FOR_A_HOST = 1.0
FOR_A_READER = 10.0


class Place:
    """One of the places, until it is given up."""

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free, self._mine = free, True
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(FOR_A_HOST, self.give_up)

    async def again(self) -> None:
        """The host has answered with something to be read: whoever has no place waits for one."""
        self._timer.cancel()
        if not self._mine:
            await self._free.acquire()
            self._mine = True
        self._timer = self._loop.call_later(FOR_A_READER, self.give_up)

    def keep(self) -> None:
        """From now on it is for our own work, and kept to the end; unless it is gone already."""
        self._timer.cancel()

    def give_up(self) -> None:
        self._timer.cancel()
        if self._mine:
            self._mine = False
            self._free.release()


class Places:
    """*count* places."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = asyncio.Semaphore(count)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Place]:
        """Wait for a place."""
        await self._free.acquire()
        place = Place(self._free)
        try:
            yield place
        finally:
            place.give_up()
