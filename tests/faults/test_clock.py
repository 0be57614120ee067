"""A wall clock that is set back and forward while the program runs (libfaketime)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.fault import fault
from tests.faults.house import House, a_house

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="needs libfaketime (Debian: libfaketime)")


class Clock:
    """What the program takes for the time: ours, and as much more as the last ``set`` said."""

    def __init__(self, house: House) -> None:
        self._file = house.folder / "clock"
        self.set("+0")

    def set(self, offset: str) -> None:
        beside = self._file.with_name("clock.new")
        beside.write_text(f"{offset}\n")
        beside.rename(self._file)

    @property
    def env(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


JUMPS = {
    "one hour back": ["-1h", "+0"],
    "one day on": ["+1d", "+0"],
    "fifty years on": ["+50y", "+0"],
    "an hour back for good": ["-1h"],
}


@fault(
    28,
    "clock −1 h, +1 day, +50 years, and back",
    injected="libfaketime; the wall clock of the running program jumps, the monotonic one does not",
    holds="polling goes on within 10 s of each jump; nothing lost, nothing given up or repeated",
    ci=True,
)
@pytest.mark.parametrize("jumps", JUMPS.values(), ids=JUMPS.keys())
async def test_the_clock_jumps(tmp_path: Path, jumps: list[str], held: Callable[..., None]) -> None:
    async with a_house(tmp_path) as house:
        clock = Clock(house)
        await house.settled_in(env=clock.env)
        await house.sample("before")
        took = []
        for offset in jumps:
            clock.set(offset)
            took.append(await house.recovers())
        await house.settled()
        await house.sample("after")
        seconds = ", ".join(f"{each:.0f} s" for each in took)
        held(f"{' and '.join(jumps)}: told after {seconds}; {await house.audit()}")


@fault(
    28,
    "clock set forward and back while a message waits",
    injected="the channel is down; libfaketime: +50 years for some seconds, then back",
    holds="what waits is neither given up nor kept for fifty years",
)
async def test_a_jump_while_a_message_waits(tmp_path: Path, held: Callable[..., None]) -> None:
    async with a_house(tmp_path) as house:
        clock = Clock(house)
        await house.settled_in(env=clock.env)
        house.hook.mode = "503"
        house.outlet.publish()
        await house.until(lambda: house.logged("not sent"), "the refusal")
        clock.set("+50y")
        house.outlet.publish()
        await house.polled(8)
        await house.until(lambda: house.logged("the clock jumped"), "the jump to be seen")
        clock.set("+0")
        house.hook.mode = ""
        await house.settled(within=90)  # three refusals: the next try is within a minute
        held(await house.audit())


@fault(
    28,
    "clock set back while it was stopped",
    injected="libfaketime: started again with a clock an hour earlier",
    holds="polling begins at once",
)
async def test_set_back_between_two_runs(tmp_path: Path, held: Callable[..., None]) -> None:
    async with a_house(tmp_path) as house:
        clock = Clock(house)
        await house.settled_in(env=clock.env)
        await house.stop()
        clock.set("-1h")
        await house.run(env=clock.env)
        took = await house.recovers(within=15)
        await house.settled()
        held(f"told after {took:.0f} s; {await house.audit()}")
