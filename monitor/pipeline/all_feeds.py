"""Many feeds as they are stored, read in portions: visits need not wait for ten thousand."""

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
    return await light(call, await call(lambda store: store.feed_ids()))


async def light(call: Call, ids: Sequence[str]) -> list[Feed]:
    """Those of *ids* that are stored, without their rhythms."""
    return [feed async for few in _portions(call, ids, PORTION, False) for feed in few]


def with_rhythms(call: Call, ids: Sequence[str]) -> AsyncIterator[Sequence[Feed]]:
    """Those of *ids* a few at a time: all together, with their rhythms, would fill the memory."""
    return _portions(call, ids, WITH_RHYTHMS, True)


async def _portions(
    call: Call, ids: Sequence[str], size: int, rhythms: bool
) -> AsyncIterator[Sequence[Feed]]:
    for start in range(0, len(ids), size):
        yield await call(partial(_those, ids[start : start + size], rhythms))


def _those(ids: Sequence[str], rhythms: bool, store: Store) -> list[Feed]:
    return store.feeds_with(ids, rhythms=rhythms)
