"""Which feeds are visited now: slow hosts may fill most of the room, quick ones find some."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from monitor.feeds.hosts import SLOW
from monitor.model import Feed, FetchResult
from monitor.pipeline.lane import LEASE
from monitor.pipeline.shared import Shared
from monitor.settings import PollSettings
from monitor.store.feeds import OF_A_HOST, netloc_of

IN_FLIGHT = 256  # visits; fetches among them are bounded by poll.concurrency
RESERVED = 64  # more, for feeds of hosts that were quick: slow ones may fill all the others
SAFE = 0.8  # of a lease: what is claimed has had its turn by then, however slow all others are
BATCH = 32  # claimed at a time where many wait: ranking them all costs more than one visit


class Claims:
    """Claims feeds, and knows which are under way."""

    def __init__(self, shared: Shared) -> None:
        self._in_force = shared.in_force
        self._store = shared.store
        self._under_way: dict[str, str] = {}  # feed id → host
        self._quick: set[str] = set()  # hosts whose last exchange was

    async def due(self, at: datetime) -> list[Feed]:
        """Feeds that are due *at* that time, as many as there is room for; each until ``over``.

        None while the room is small: more than enough are under way to keep the network busy.
        """
        share = _share_of_slow(self._in_force.config.poll)
        quick = sum(host in self._quick for host in self._under_way.values())
        left = max(0, share - (len(self._under_way) - quick))
        room = left + RESERVED - quick
        most, batch = min(left, room), min(BATCH, -(-share // 2))
        feeds = await self._claimed(most, at) if most >= batch else []
        room -= len(feeds)
        if (most < batch or len(feeds) == most) and room >= BATCH and self._quick:
            feeds += await self._claimed(room, at, frozenset(self._quick))
        self._under_way |= {feed.id: netloc_of(feed.url) for feed in feeds}
        return feeds

    def note(self, feed: Feed, result: FetchResult) -> None:
        """How quick its host was."""
        if result.seconds > SLOW:
            self._quick.discard(netloc_of(feed.url))
        else:
            self._quick.add(netloc_of(feed.url))

    def over(self, feed: Feed) -> None:
        """Its visit has ended."""
        self._under_way.pop(feed.id, None)

    async def _claimed(
        self, most: int, due: datetime, hosts: Collection[str] | None = None
    ) -> list[Feed]:
        of_a_host = _of_a_host(self._in_force.config.poll)
        return await self._store.call(
            lambda store: store.claim_due(0, most, due, LEASE, hosts, of_a_host=of_a_host)
        )


def _share_of_slow(settings: PollSettings) -> int:
    """Visits of slow hosts under way: what is claimed has its turn before its lease is over.

    Half of the exchanges at once may be theirs, see ``Gate``, and each may take all its time.
    """
    turns = int(SAFE * LEASE / settings.timeout)
    return max(1, min(IN_FLIGHT, max(1, settings.concurrency // 2) * turns))


def _of_a_host(settings: PollSettings) -> int:
    """Feeds of one host under way: it is asked one thing at a time, with a pause between."""
    turns = int(SAFE * LEASE / (settings.timeout + settings.per_host_gap))
    return max(1, min(OF_A_HOST, turns))
