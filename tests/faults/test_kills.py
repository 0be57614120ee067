"""kill −9 at random times, at chosen points, and SIGTERM at the same points."""

from __future__ import annotations

import asyncio
import gzip
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.crashpoint import KILLED, POINTS
from tests.faults.fault import fault, scaled
from tests.faults.house import ROOT, RULES, House, a_house
from tests.faults.ledgers import crowd

KILLS = scaled(ci=8, scaled=60, full=500)
PUBLISH = 3  # stories before each kill


@fault(
    1,
    "kill −9 at random times",
    injected="SIGKILL 0–1.5 s after a start, again and again, while three stories come for each",
    holds="nothing lost, every repeat explained, polls on time",
    ci=True,
)
async def test_killed_at_random_times(tmp_path: Path, held: Callable[[object], None]) -> None:
    chance = random.Random(1)
    async with a_house(tmp_path) as house:
        await house.settled_in()
        for _ in range(KILLS):
            for _ in range(PUBLISH):
                house.outlet.publish()
            if chance.random() < 0.7:  # else it may die while it starts
                await house.polled()
            await asyncio.sleep(chance.uniform(0.0, 1.5))
            await house.kill()
            house.roll_over()
            await house.run()
        await house.settled()
        verdict = await house.audit()
        assert house.query("SELECT count(*) FROM alerts WHERE rule_name = 'nato'") == [
            (KILLS * PUBLISH,)
        ]
        held(verdict)


async def lead_to(house: House, point: str, crash: str) -> None:
    """Settle in, stop, and let the program come to *point*, where *crash* is to happen."""
    if point == "in-migration":
        file = house.folder / house.database
        file.parent.mkdir()
        file.write_bytes(gzip.decompress((ROOT / "tests/data/schema1.db.gz").read_bytes()))
        house.outlet.publish()  # without news of these days the clock is doubted: nothing expires
        await house.run(crash=crash)
        return
    await house.settled_in()
    await house.stop()
    for _ in range(PUBLISH):
        house.outlet.publish()
    await house.run(crash=crash)
    if point == "in-reload":
        await house.until(lambda: house.logged("started"), "the start")
        house.rules.write_text(RULES + '[[rule]]\nname = "kyiv"\nany = ["Kyiv"]\n')
    if point == "in-checkpoint":
        await house.polled(2)
        assert house.process is not None
        house.process.send_signal(signal.SIGTERM)


async def ended_amid_news(house: House) -> int:
    """Its exit code; until then there is something to store again and again."""
    for _ in range(30):
        if not house.runs_now:
            break
        house.outlet.publish()
        await asyncio.sleep(1)
    return await house.ended()


OLD = ["expired"]  # what waits in the old database is years old
VISITS = {"in-migration": (1, 7, 30), "in-checkpoint": (2,), "in-reload": (1,)}
PLACES = [(name, visit) for name in POINTS for visit in VISITS.get(name, (1, 3))]
CI_PLACES = {("in-transaction", 3), ("after-send", 1), ("in-migration", 7), ("in-reload", 1)}


def _share(place: tuple[str, int]) -> object:
    """In CI only the places where most can go wrong."""
    name, visit = place
    skipped = scaled(ci=place not in CI_PLACES, scaled=False, full=False)
    marks = [pytest.mark.skip(reason="not in the share of CI")] if skipped else []
    return pytest.param(name, visit, id=f"{name} {visit}", marks=marks)


@fault(
    2,
    "kill −9 at chosen points",
    injected="MONITOR_CRASHPOINT: the process ends there, at the first and at a later visit",
    holds="the next start needs no repair; nothing lost, repeats only of what was not recorded",
    ci=True,
)
@pytest.mark.parametrize(("point", "visit"), [_share(place) for place in PLACES])
async def test_killed_at_a_point(
    tmp_path: Path, point: str, visit: int, held: Callable[[object], None]
) -> None:
    late = ":late2" if point == "in-checkpoint" else ""
    async with a_house(tmp_path) as house:
        await lead_to(house, point, f"{point}:{visit}{late}")
        assert await ended_amid_news(house) == KILLED
        await house.run()
        await house.settled()
        held(await house.audit(given_up=OLD if point == "in-migration" else []))


@fault(
    5,
    "SIGTERM in each state",
    injected="MONITOR_CRASHPOINT: SIGTERM at the same points",
    holds="it ends in order within 15 s; nothing lost, nothing repeated",
)
@pytest.mark.parametrize("point", POINTS)
async def test_told_to_stop_at_a_point(
    tmp_path: Path, point: str, held: Callable[[object], None]
) -> None:
    visit = VISITS.get(point, (1,))[-1]
    async with a_house(tmp_path) as house:
        await lead_to(house, point, f"{point}:{visit}:term")
        code = await house.ended(within=15 * crowd())
        assert code == (-signal.SIGTERM if point == "in-migration" else 0)
        await house.run()
        await house.settled()
        verdict = await house.audit(given_up=OLD if point == "in-migration" else [])
        assert verdict.figures["repeats"] == 0
        held(verdict)
