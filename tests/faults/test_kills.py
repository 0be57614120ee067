"""kill −9 at random times, at chosen points, and SIGTERM at the same points."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from tests.faults.fault import fault, scaled
from tests.faults.house import a_house

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
