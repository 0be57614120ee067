"""Places: so many at once, and none is kept by what takes long."""

from __future__ import annotations

import asyncio

import pytest

from monitor.pipeline import places
from monitor.pipeline.places import Places


class Work:
    """Work that goes on until it is let go."""

    def __init__(self, free: Places) -> None:
        self.free, self.begun, self.ended = free, 0, asyncio.Event()

    async def __call__(self) -> None:
        async with self.free.one():
            self.begun += 1
            await self.ended.wait()


async def test_so_many_at_once() -> None:
    work = Work(Places(2))
    tasks = [asyncio.create_task(work()) for _ in range(5)]
    await asyncio.sleep(0.01)
    assert work.begun == 2
    work.ended.set()
    await asyncio.gather(*tasks)
    assert work.begun == 5


async def test_slow_work_gives_up_its_place_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "FOR_A_HOST", 0.02)
    free = Places(1)
    slow, next_ = Work(free), Work(free)
    first = asyncio.create_task(slow())
    others = [asyncio.create_task(next_()) for _ in range(2)]
    async with asyncio.timeout(5):
        while next_.begun < 1:
            await asyncio.sleep(0.005)
    slow.ended.set()
    await first  # it has no place to give back any more
    monkeypatch.setattr(places, "FOR_A_HOST", 60)
    next_.ended.set()
    await asyncio.gather(*others)
    again = Work(free)
    last = [asyncio.create_task(again()) for _ in range(2)]
    await asyncio.sleep(0.01)
    assert again.begun == 1
    again.ended.set()
    await asyncio.gather(*last)


async def test_kept_places_are_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "FOR_A_HOST", 0.01)
    free, next_ = Places(1), asyncio.Event()

    async def second() -> None:
        async with free.one():
            next_.set()

    async with free.one() as place:
        place.keep()
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.05)
        assert not next_.is_set()
    await waiting


async def test_a_place_that_was_given_up_is_waited_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "FOR_A_HOST", 0.01)
    free = Places(1)
    other = Work(free)
    async with free.one() as place:
        await asyncio.sleep(0.03)
        monkeypatch.setattr(places, "FOR_A_HOST", 60)
        task = asyncio.create_task(other())
        await asyncio.sleep(0.01)
        again = asyncio.create_task(place.again())
        await asyncio.sleep(0.01)
        assert other.begun == 1
        assert not again.done()
        other.ended.set()
        await asyncio.gather(task, again)
        await place.again()  # it has one
    async with asyncio.timeout(5), free.one():
        pass


async def test_cancelled_work_leaves_its_place() -> None:
    free = Places(1)
    work, next_ = Work(free), Work(free)
    first = asyncio.create_task(work())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    next_.ended.set()
    async with asyncio.timeout(5):
        await next_()
    assert next_.begun == 1
