"""All feeds as they are stored, read in portions: visits need not wait for ten thousand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from monitor.model import Feed
from monitor.store import Store

T = TypeVar("T")
PORTION = 250  # each waits for its turn in the store, and holds the interpreter for milliseconds


class Call(Protocol):
    """How the store is asked: ``Writer.call``, or that with a deadline for each call."""

    def __call__(self, method: Callable[[Store], T], /) -> Awaitable[T]: ...


async def all_feeds(call: Call) -> list[Feed]:
    """By name; each as it was at some moment meanwhile."""
    ids = await call(lambda store: store.feed_ids())
    found: list[Feed] = []
    for start in range(0, len(ids), PORTION):
        found += await call(partial(_those, ids[start : start + PORTION]))
    return found


def _those(ids: Sequence[str], store: Store) -> list[Feed]:
    return store.feeds_with(ids)
