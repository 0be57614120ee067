"""Disks that are full, limited or read-only; and that are not any more."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.faults.fault import fault
from tests.faults.house import House, a_house, sentences
from tests.faults.space import INSIDE, Space, small_space

Held = Callable[[object], None]


@asynccontextmanager
async def a_small_house(folder: Path) -> AsyncIterator[tuple[House, Space]]:
    """A house whose database is on a disk of 4 MB."""
    async with small_space("4m") as space, a_house(folder) as house:
        house.before = space.before
        house.database, house.seen_at = f"{INSIDE}/monitor.db", str(space.outside / "monitor.db")
        house.write_config()
        yield house, space


@fault(
    7,
    "disk full (tmpfs)",
    injected="a tmpfs of 4 MB is filled to the last byte; kill −9; a start on the full disk",
    holds="said; a start is refused with a sentence; all is stored and told once there is space",
    ci=True,
)
async def test_a_full_disk(tmp_path: Path, held: Held) -> None:
    async with a_small_house(tmp_path) as (house, space):
        await house.settled_in()
        space.fill()
        for _ in range(20):
            house.outlet.publish()
        async with house.holding_up("disk full"):
            await house.until(lambda: house.logged("database busy"), "the full disk to be said")
            await house.kill()
            await house.run()
            await house.until(
                lambda: not house.runs_now or house.logged("started"), "the start on a full disk"
            )
            if not house.runs_now:
                assert await house.ended() == 1  # it may pass by itself
                assert "full" in house.said() or "disk" in house.said()
                space.free()
                await house.run()
            else:
                space.free()
            took = await house.recovers(within=15)
        await house.settled()
        prose = [f"{INSIDE}/monitor.db: ", "The disk is full, or another program holds"]
        held(f"told {took:.0f} s after there was space; {await house.audit(prose=prose)}")


@fault(
    9,
    "disk full, then space returns",
    injected="a tmpfs of 4 MB is filled to the last byte while it runs; the filler is deleted",
    holds="it goes on by itself within 10 s; nothing lost",
)
async def test_space_returns(tmp_path: Path, held: Held) -> None:
    async with a_small_house(tmp_path) as (house, space):
        await house.settled_in()
        await house.sample("before")
        space.fill()
        for _ in range(20):
            house.outlet.publish()
        async with house.holding_up("disk full"):
            await house.until(lambda: house.logged("database busy"), "the full disk to be said")
            space.free()
            took = await house.recovers()
        await house.settled()
        await house.sample("after")
        held(f"told {took:.0f} s after there was space; {await house.audit()}")


@fault(
    8,
    "disk full (file limit)",
    injected="RLIMIT_FSIZE of 700 kB on the process; the limit is lifted",
    holds="said; it goes on by itself within 10 s; nothing lost",
)
async def test_a_limit_for_files(tmp_path: Path, held: Held) -> None:
    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, resource.RLIM_INFINITY))

    async with a_house(tmp_path) as house:
        await house.settled_in(limits=limits)
        assert house.process is not None
        async with house.holding_up("the file limit"):
            while not house.logged("database busy"):
                for _ in range(20):
                    house.outlet.publish()
                await asyncio.sleep(1)  # a poll cannot be waited for: there may be none any more
            endless = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(house.process.pid, resource.RLIMIT_FSIZE, endless)
            took = await house.recovers()
        await house.settled()
        held(f"told {took:.0f} s after the limit was lifted; {await house.audit()}")


@fault(
    10,
    "data directory read-only",
    injected="its file system is mounted read-only while it runs, and before a start",
    holds="said; a start is refused with a sentence; it goes on once it may write",
)
async def test_a_read_only_directory(tmp_path: Path, held: Held) -> None:
    async with a_small_house(tmp_path) as (house, space):
        await house.settled_in()
        await house.stop()
        await space.remount("ro")
        await house.run()
        assert await house.ended() == 3
        assert "cannot" in house.said()
        await space.remount("rw")
        await house.run()
        took = await house.recovers(within=20)
        await house.settled()
        held(f"refused: {house_said(house)}; {await house.audit(prose=[INSIDE])} ({took:.0f} s)")


def house_said(house: House) -> str:
    """The sentence of the run before."""
    path = house.folder / "output" / f"{house.runs - 1:03}.stderr"
    return sentences(path.read_text())
