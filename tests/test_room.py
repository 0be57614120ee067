"""The room: so many at once, and a place for whoever was quick."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from monitor.alerts.room import SLOW, Room


class Clock:
    """Seconds, as last set."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class HandOvers:
    """Hand-overs that stay in the room until they are let go."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.inside: list[str] = []
        self._let_go = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, *channels: str) -> None:
        for channel in channels:
            self._tasks.append(asyncio.create_task(self._one(channel)))
        for _ in range(10):
            await asyncio.sleep(0)

    async def _one(self, channel: str) -> None:
        async with self.room.admitted(channel):
            self.inside.append(channel)
            await self._let_go.wait()

    async def end(self) -> None:
        self._let_go.set()
        await asyncio.gather(*self._tasks)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def room(clock: Clock) -> Room:
    return Room(8, clock)


@asynccontextmanager
async def hand_overs(room: Room) -> AsyncIterator[HandOvers]:
    under_way = HandOvers(room)
    yield under_way
    await under_way.end()


async def seen(room: Room, clock: Clock, seconds: float, *channels: str) -> None:
    for channel in channels:
        async with room.admitted(channel):
            clock.seconds += seconds


async def test_so_many_at_once(room: Room, clock: Clock) -> None:
    names = [f"quick{n}" for n in range(10)]
    await seen(room, clock, 1, *names)
    async with hand_overs(room) as under_way:
        await under_way.start(*names)
        assert under_way.inside == names[:8]


async def test_channels_that_hang_leave_places_to_those_that_were_quick(
    room: Room, clock: Clock
) -> None:
    await seen(room, clock, 1, "quick")
    async with hand_overs(room) as under_way:
        await under_way.start(*(f"new{n}" for n in range(20)), "quick")
        assert under_way.inside == [*(f"new{n}" for n in range(6)), "quick"]


async def test_slow_channels_have_half_of_the_places(room: Room, clock: Clock) -> None:
    slow = [f"slow{n}" for n in range(8)]
    await seen(room, clock, SLOW + 1, *slow)
    async with hand_overs(room) as under_way:
        await under_way.start(*slow, "new")
        assert under_way.inside == [*slow[:4], "new"]


async def test_one_that_is_quick_again_is_slow_no_more(room: Room, clock: Clock) -> None:
    await seen(room, clock, SLOW + 1, "a")
    await seen(room, clock, 1, "a")
    async with hand_overs(room) as under_way:
        await under_way.start(*(f"new{n}" for n in range(8)), "a")
        assert under_way.inside[-1] == "a"


async def test_a_hand_over_that_raises_gives_its_place_back(clock: Clock) -> None:
    room = Room(1, clock)
    with pytest.raises(ValueError, match="x"):
        async with room.admitted("a"):
            raise ValueError("x")
    async with asyncio.timeout(1), room.admitted("a"):
        pass
