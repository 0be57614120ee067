"""What is done to the process: stopped, started twice, short of memory, handles, a log."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.fault import fault, scaled
from tests.faults.house import a_house, sentences

Held = Callable[[object], None]


@fault(
    6,
    "suspended",
    injected="SIGSTOP for 10 min, SIGCONT (scaled: 15 s)",
    holds="polls at once, one for each feed; nothing lost, nothing repeated",
)
async def test_suspended(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house:
        await house.settled_in()
        await house.sample("before")
        assert house.process is not None
        async with house.holding_up("suspended"):
            house.process.send_signal(signal.SIGSTOP)
            house.outlet.publish()
            await asyncio.sleep(scaled(ci=5, scaled=15, full=600))
            house.process.send_signal(signal.SIGCONT)
        took = await house.recovers()
        await house.settled()
        await house.sample("after")
        held(f"told {took:.1f} s after its end; {await house.audit()}")


@fault(
    30,
    "event loop blocked",
    injected="MONITOR_CRASHPOINT: it stands still for 60 s (scaled: 15 s) after a fetch",
    holds="it goes on by itself within 10 s; nothing lost, nothing repeated",
)
async def test_a_blocked_loop(tmp_path: Path, held: Held) -> None:
    seconds = scaled(ci=5, scaled=15, full=60)
    async with a_house(tmp_path) as house:
        await house.settled_in()
        await house.stop()
        async with house.holding_up("blocked"):
            await house.run(crash=f"after-fetch:4:block{seconds}")
            await house.until(lambda: house.logged("polled"), "the polls before")
            await asyncio.sleep(seconds)
            took = await house.recovers()
        await house.settled()
        held(f"blocked {seconds} s: told {took:.1f} s after; {await house.audit()}")


@fault(
    40,
    "memory limit",
    injected="RLIMIT_AS of 640 MiB on it and its children, without the right to raise it",
    holds="it polls and tells as ever",
)
async def test_a_memory_limit(tmp_path: Path, held: Held) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare (util-linux)")

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (640 << 20, 640 << 20))

    async with a_house(tmp_path) as house:
        house.before = ("unshare", "--map-root-user")
        await house.settled_in(limits=limits)
        for _ in range(10):
            house.outlet.publish()
        took = await house.recovers()
        await house.settled()
        held(f"told after {took:.1f} s; {await house.audit()}")


@fault(
    41,
    "handle limit",
    injected="RLIMIT_NOFILE of 64, and 60 feeds of one host at once",
    holds="what fails is tried again; nothing lost",
)
async def test_few_handles(tmp_path: Path, held: Held) -> None:
    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    async with a_house(tmp_path, bystanders=60) as house:
        await house.settled_in(limits=limits)
        for each in house.bystanders:
            each.publish()
        took = await house.recovers(within=30)
        await house.settled(within=60)
        held(f"told after {took:.1f} s; {await house.audit()}")


@fault(
    43,
    "two daemons",
    injected="`run` and `once` beside a running one",
    holds="exit code 4 and a sentence with the number of the process; the first goes on",
)
@pytest.mark.parametrize("command", ["run", "once"])
async def test_a_second_one(tmp_path: Path, command: str, held: Held) -> None:
    async with a_house(tmp_path) as house:
        await house.settled_in()
        assert house.process is not None
        code, _, said = await house.command(command)
        assert code == 4
        assert str(house.process.pid) in said
        await house.recovers()
        await house.settled()
        held(f"{sentences(said).replace(str(house.process.pid), 'N')}; {await house.audit()}")


def _closed_pipe() -> int:
    read, write = os.pipe()
    os.close(read)
    return write


def _full() -> int:
    return os.open("/dev/full", os.O_WRONLY)


def _nobody_reads() -> int:
    """A pipe that is full, and stays so."""
    _, write = os.pipe()  # the other end stays open, and is never read
    os.set_blocking(write, False)
    with suppress(BlockingIOError):
        while True:
            os.write(write, b"x" * 4096)
    os.set_blocking(write, True)
    return write


TARGETS = {"closed pipe": _closed_pipe, "full disk": _full, "pipe nobody reads": _nobody_reads}


@fault(
    45,
    "log target gone, full or stuck",
    injected="stdout and stderr: a closed pipe, /dev/full, a pipe that nobody reads",
    holds="it polls and tells as ever, and stops in order",
    ci=True,
)
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
async def test_nowhere_to_log(tmp_path: Path, target: Callable[[], int], held: Held) -> None:
    async with a_house(tmp_path) as house:
        end = target()
        await house.settled_in(stdout=end, stderr=end)
        os.close(end)
        took = await house.recovers()
        await house.settled()
        assert await house.stop() == 0
        held(f"told after {took:.1f} s; {await house.audit()}")
