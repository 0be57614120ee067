"""Ticks arm themselves again, survive their own bugs, and come at once when woken."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from datetime import timedelta
from typing import Any

import pytest

from monitor.daemon import Daemon, Tick

SOON = timedelta(milliseconds=5)
NEVER = timedelta(hours=1)


async def nothing(_: timedelta) -> None: ...


def a_daemon(*ticks: Tick, **changes: Any) -> Daemon:
    given: dict[str, Any] = {"on_hangup": lambda: None, "on_jump": nothing}
    return Daemon(list(ticks), **(given | changes))


async def running(daemon: Daemon, until: asyncio.Event) -> None:
    async with asyncio.timeout(5):
        task = asyncio.create_task(daemon.run())
        await until.wait()
        daemon.stop()
        await task


async def test_a_tick_comes_again_after_the_wait_it_asks_for() -> None:
    times, done = [], asyncio.Event()

    async def act() -> timedelta:
        times.append(1)
        if len(times) == 3:
            done.set()
        return SOON

    await running(a_daemon(Tick("poll", act)), done)
    assert len(times) == 3


async def test_a_tick_that_raises_does_not_end_the_others() -> None:
    done = asyncio.Event()

    async def broken() -> timedelta:
        raise RuntimeError("bug")

    count = 0

    async def sound() -> timedelta:
        nonlocal count
        count += 1
        if count == 3:
            done.set()
        return SOON

    ticks = [Tick("broken", broken), Tick("sound", sound)]
    await running(a_daemon(*ticks), done)


async def test_wake_brings_a_tick_that_would_come_in_an_hour() -> None:
    calls, done = 0, asyncio.Event()

    async def act() -> timedelta:
        nonlocal calls
        calls += 1
        if calls == 1:
            asyncio.get_running_loop().call_later(0.01, daemon.wake, "deliver")
        else:
            done.set()
        return NEVER

    daemon = a_daemon(Tick("deliver", act))
    await running(daemon, done)


async def test_woken_while_running_it_runs_once_more() -> None:
    calls, done = 0, asyncio.Event()

    async def act() -> timedelta:
        nonlocal calls
        calls += 1
        if calls == 1:
            daemon.wake("deliver")
            daemon.wake("deliver")
        else:
            done.set()
        return NEVER

    daemon = a_daemon(Tick("deliver", act))
    await running(daemon, done)
    assert calls == 2


async def test_signals_stop_it_and_hang_up_reloads() -> None:
    hung_up = asyncio.Event()

    async def act() -> timedelta:
        os.kill(os.getpid(), signal.SIGHUP)
        return NEVER

    daemon = a_daemon(Tick("poll", act), on_hangup=hung_up.set)
    async with asyncio.timeout(5):
        task = asyncio.create_task(daemon.run())
        await hung_up.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await task


async def test_a_storm_of_wakes_neither_doubles_a_tick_nor_ends_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    at_once = most = calls = 0
    done = asyncio.Event()

    async def act() -> timedelta:
        nonlocal at_once, most, calls
        at_once, calls = at_once + 1, calls + 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        return NEVER

    async def storm() -> None:
        for turn in range(500):
            daemon.wake("deliver")
            await asyncio.sleep(0 if turn % 7 else 0.0005)
        await asyncio.sleep(0.01)
        before = calls
        daemon.wake("deliver")
        while calls == before:
            await asyncio.sleep(0.001)
        done.set()

    daemon = a_daemon(Tick("deliver", act))
    storming = asyncio.create_task(storm())
    await running(daemon, done)
    await storming
    assert most == 1
    assert "skipped" not in caplog.text


@pytest.mark.parametrize("seconds", [-3600.0, 86400.0], ids=["an hour back", "a day on"])
async def test_a_jump_of_the_clock_is_told_before_the_ticks_come(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    happened: list[object] = []
    done = asyncio.Event()

    async def act() -> timedelta:
        happened.append("tick")
        if len(happened) > 2:
            done.set()
        return NEVER

    async def jumped(by: timedelta) -> None:
        happened.append(round(by.total_seconds()))

    now = time.time
    monkeypatch.setattr("monitor.daemon.DRIFT_EVERY", SOON)
    daemon = a_daemon(Tick("poll", act), on_jump=jumped)
    task = asyncio.create_task(running(daemon, done))
    while not happened:
        await asyncio.sleep(0.001)
    monkeypatch.setattr("monitor.daemon.time.time", lambda: now() + seconds)
    async with asyncio.timeout(5):
        await task
    assert happened == ["tick", seconds, "tick"]


async def test_ticks_come_after_each_jump_though_what_follows_the_clock_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks, done, now = 0, asyncio.Event(), time.time

    async def act() -> timedelta:
        nonlocal ticks
        ticks += 1
        if ticks == 3:
            done.set()
        return NEVER

    async def broken(_: timedelta) -> None:
        raise RuntimeError("bug")

    monkeypatch.setattr("monitor.daemon.DRIFT_EVERY", SOON)
    task = asyncio.create_task(running(a_daemon(Tick("poll", act), on_jump=broken), done))
    for count, seconds in ((1, -3600.0), (2, 3600.0)):
        while ticks < count:
            await asyncio.sleep(0.001)
            assert not task.done()
        monkeypatch.setattr("monitor.daemon.time.time", lambda seconds=seconds: now() + seconds)
    async with asyncio.timeout(5):
        await task
    assert ticks == 3
