"""All feeds as they are stored, read in portions: visits need not wait for ten thousand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from monitor.model import Feed
from monitor.store import Store
from monitor.store.writer import Writer

PORTION = 100


async def all_feeds(store: Writer) -> list[Feed]:
    """By name; each as it was at some moment of the call."""
    ids = await store.call(lambda each: each.feed_ids())
    found: list[Feed] = []
    for start in range(0, len(ids), PORTION):
        found += await store.call(partial(_those, ids[start : start + PORTION]))
    return found


def _those(ids: Sequence[str], store: Store) -> list[Feed]:
    return store.feeds_with(ids)
