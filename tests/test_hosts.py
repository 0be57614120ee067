"""The gate: few at once, one per host, a pause between, slow hosts never in every slot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from monitor.feeds import hosts
from monitor.feeds.hosts import REMEMBERED, SLOW, Gate


class Clock:
    """Seconds, as last set."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Visits:
    """Exchanges that stay inside the gate until they are let go."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.inside: list[str] = []
        self._let_go = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, *names: str) -> None:
        for name in names:
            self._tasks.append(asyncio.create_task(self._visit(name)))
        for _ in range(10):
            await asyncio.sleep(0)

    async def _visit(self, name: str) -> None:
        async with self.gate.admitted(name):
            self.inside.append(name)
            await self._let_go.wait()

    async def end(self) -> None:
        self._let_go.set()
        await asyncio.gather(*self._tasks)


def a_gate(clock: Clock | None = None, *, at_once: int = 4, gap: float = 0) -> Gate:
    return Gate(at_once=at_once, gap=timedelta(seconds=gap), clock=clock or Clock())


@asynccontextmanager
async def visits(gate: Gate) -> AsyncIterator[Visits]:
    under_way = Visits(gate)
    yield under_way
    await under_way.end()


async def make_slow(gate: Gate, clock: Clock, *names: str) -> None:
    for name in names:
        async with gate.admitted(name):
            clock.seconds += SLOW + 1


async def test_only_so_many_at_once() -> None:
    async with visits(a_gate(at_once=2)) as under_way:
        await under_way.start("a", "b", "c")
        assert under_way.inside == ["a", "b"]
    assert under_way.inside == ["a", "b", "c"]


async def test_one_per_host_and_the_others_do_not_wait() -> None:
    async with visits(a_gate()) as under_way:
        await under_way.start("a", "a", "b")
        assert under_way.inside == ["a", "b"]


async def test_whoever_waits_for_its_host_takes_no_slot() -> None:
    async with visits(a_gate(at_once=2)) as under_way:
        await under_way.start("a", "a", "a", "b")
        assert under_way.inside == ["a", "b"]


async def test_slow_hosts_get_half_of_the_slots() -> None:
    clock = Clock()
    gate = a_gate(clock, at_once=4)
    await make_slow(gate, clock, "s1", "s2", "s3", "s4")
    async with visits(gate) as under_way:
        await under_way.start("s1", "s2", "s3", "s4", "fast1", "fast2", "fast3")
        assert under_way.inside == ["s1", "s2", "fast1", "fast2"]


async def test_unknown_hosts_leave_a_slot_to_those_that_were_quick() -> None:
    """At the start nobody knows who is slow: whoever has been quick must not wait for them."""
    gate = a_gate(at_once=8)
    async with gate.admitted("quick"):
        pass
    async with visits(gate) as under_way:
        await under_way.start(*(f"new{n}" for n in range(20)), "quick")
        assert under_way.inside == [*(f"new{n}" for n in range(7)), "quick"]


async def test_slow_and_unknown_hosts_together_leave_a_slot_too() -> None:
    clock = Clock()
    gate = a_gate(clock, at_once=8)
    await make_slow(gate, clock, *(f"slow{n}" for n in range(8)))
    async with gate.admitted("quick"):
        pass
    async with visits(gate) as under_way:
        await under_way.start(*(f"slow{n}" for n in range(8)))
        await under_way.start(*(f"new{n}" for n in range(8)), "quick")
        assert under_way.inside[-1] == "quick"


async def test_a_host_that_recovers_is_slow_no_more() -> None:
    clock = Clock()
    gate = a_gate(clock, at_once=2)
    await make_slow(gate, clock, "s1", "s2")
    async with gate.admitted("s1"):
        pass
    async with visits(gate) as under_way:
        await under_way.start("s2", "s1")
        assert under_way.inside == ["s2", "s1"]


async def test_a_single_slot_serves_slow_hosts_too() -> None:
    clock = Clock()
    gate = a_gate(clock, at_once=1)
    await make_slow(gate, clock, "s")
    async with asyncio.timeout(1), gate.admitted("s"):
        pass


async def test_the_pause_counts_from_the_end() -> None:
    loop = asyncio.get_running_loop()
    gate = Gate(at_once=4, gap=timedelta(seconds=0.05), clock=loop.time)
    async with gate.admitted("a"):
        await asyncio.sleep(0.05)
    ended = loop.time()
    async with gate.admitted("b"):
        assert loop.time() - ended < 0.04
    async with gate.admitted("a"):
        assert loop.time() - ended >= 0.049


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
async def test_an_exchange_that_raises_gives_its_place_back(error: type[BaseException]) -> None:
    gate = a_gate(at_once=1)
    with pytest.raises(error):
        async with gate.admitted("a"):
            raise error
    async with asyncio.timeout(1), gate.admitted("a"):
        pass


async def test_whoever_is_cancelled_while_waiting_leaves_no_trace() -> None:
    gate = a_gate()
    async with gate.admitted("a"):
        waiting = asyncio.create_task(gate.admitted("a").__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1), gate.admitted("a"):
        pass
    assert gate._hosts["a"].waiting == 0


async def test_idle_hosts_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "REMEMBERED", 10)
    clock = Clock()
    gate = a_gate(clock)
    await make_slow(gate, clock, "slow")
    for n in range(100):
        async with gate.admitted(f"host{n}"):
            assert len(gate._hosts) <= 11
    assert "slow" in gate._hosts  # fast ones go first
    assert REMEMBERED >= 1_000


async def test_a_flood_of_slow_hosts_is_forgotten_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "REMEMBERED", 10)
    clock = Clock()
    gate = a_gate(clock)
    await make_slow(gate, clock, *(f"host{n}" for n in range(100)))
    assert len(gate._hosts) <= 10
