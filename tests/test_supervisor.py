"""What systemd hears, on a real socket: ready, alive as long as work gets done, stopping."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from monitor.supervisor import PATIENCE, Progress, Supervisor


class Manager:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return found


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Manager, str]]:
    name = f"monitor-test-{os.getpid()}"
    address = str(tmp_path / "notify") if request.param == "path" else f"\0{name}"
    made = Manager(address)
    yield made, address.replace("\0", "@")
    made.socket.close()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def status() -> str:
    return "41 of 42 feeds healthy"


async def watched(
    supervisor: Supervisor,
    progress: Progress,
    pings: int,
    status: Callable[[], Awaitable[str]] = status,
) -> None:
    task = asyncio.create_task(supervisor.watch(progress, status))
    for _ in range(pings * 50):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_state_lines_arrive(manager: tuple[Manager, str]) -> None:
    systemd, address = manager
    Supervisor({"NOTIFY_SOCKET": address}).tell("READY=1", "MAINPID=7")
    assert systemd.heard() == ["READY=1\nMAINPID=7"]


async def test_alive_with_a_status_as_long_as_work_gets_done(
    manager: tuple[Manager, str],
) -> None:
    systemd, address = manager
    clock = Clock()
    progress = Progress(["poll", "deliver"], clock)
    supervisor = Supervisor({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"})
    await watched(supervisor, progress, 1)
    assert systemd.heard() == ["WATCHDOG=1", "STATUS=41 of 42 feeds healthy"]
    clock.now += PATIENCE.total_seconds() + 1
    progress.made("poll")
    await watched(supervisor, progress, 1)
    assert systemd.heard() == ["STATUS=stuck: deliver"]


async def test_a_status_that_fails_does_not_end_the_pings(manager: tuple[Manager, str]) -> None:
    systemd, address = manager

    async def broken() -> str:
        raise RuntimeError("bug")

    supervisor = Supervisor({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "3"})
    async with asyncio.timeout(5):
        pings = 0
        while pings < 2:
            await watched(supervisor, Progress(["poll"]), 1, broken)
            pings += sum(each.startswith("STATUS=how") for each in systemd.heard())


async def test_a_status_that_takes_long_does_not_hold_up_the_pings(
    manager: tuple[Manager, str],
) -> None:
    systemd, address = manager

    async def slow() -> str:
        await asyncio.sleep(60)
        return "late"

    supervisor = Supervisor({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000"})
    watching = asyncio.create_task(supervisor.watch(Progress(["poll"]), slow))
    heard: list[str] = []
    async with asyncio.timeout(5):
        while heard.count("WATCHDOG=1") < 3:
            await asyncio.sleep(0.005)
            heard += systemd.heard()
    watching.cancel()
    assert "STATUS=the database is slow to answer" in heard


def test_a_manager_that_reads_nothing_holds_up_nobody(manager: tuple[Manager, str]) -> None:
    _, address = manager
    for _ in range(1_000):
        Supervisor({"NOTIFY_SOCKET": address}).tell("WATCHDOG=1")


@pytest.mark.parametrize(
    "environment", [{}, {"NOTIFY_SOCKET": "/nowhere/notify"}], ids=["no manager", "it is gone"]
)
async def test_without_a_manager_nothing_happens(environment: dict[str, str]) -> None:
    supervisor = Supervisor(environment)
    supervisor.tell("READY=1")
    await watched(supervisor, Progress(["poll"]), 1)


async def test_the_watchdog_of_another_process_is_not_ours(
    manager: tuple[Manager, str],
) -> None:
    systemd, address = manager
    supervisor = Supervisor({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"})
    await watched(supervisor, Progress(["poll"]), 2)
    assert systemd.heard().count("WATCHDOG=1") == 1  # no hurry
