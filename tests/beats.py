"""Counts the turns of an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Beat:
    """The event loop is in its ``turn``-th turn, about."""

    turn: int = 0


@asynccontextmanager
async def beating() -> AsyncIterator[Beat]:
    beat = Beat()

    async def count() -> None:
        while True:
            beat.turn += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    try:
        yield beat
    finally:
        counting.cancel()
