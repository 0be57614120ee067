"""All feeds as they are stored, read in portions: visits need not wait for ten thousand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from monitor.model import Feed
from monitor.store import Store

T = TypeVar("T")
PORTION = 250  # each waits for its turn in the store, and holds the interpreter for milliseconds
WITH_RHYTHMS = 50  # ten times the work


class Call(Protocol):
    """How the store is asked: ``Writer.call``, or that with a deadline for each call."""

    def __call__(self, method: Callable[[Store], T], /) -> Awaitable[T]: ...


async def all_feeds(call: Call) -> list[Feed]:
    """By name, without their rhythms; each as it was at some moment meanwhile."""
    return [feed async for few in _portions(call, PORTION, rhythms=False) for feed in few]


def portions(call: Call) -> AsyncIterator[Sequence[Feed]]:
    """All with their rhythms, by name, a few at a time: together they would fill the memory."""
    return _portions(call, WITH_RHYTHMS, rhythms=True)


async def _portions(call: Call, size: int, *, rhythms: bool) -> AsyncIterator[Sequence[Feed]]:
    ids = await call(lambda store: store.feed_ids())
    for start in range(0, len(ids), size):
        yield await call(partial(_those, ids[start : start + size], rhythms))


def _those(ids: Sequence[str], rhythms: bool, store: Store) -> list[Feed]:
    return store.feeds_with(ids, rhythms=rhythms)
