"""The obvious script, the monitor and its bare HTTP client poll one farm in turns, phase by phase.

    python -m tests.bench.rounds [--feeds 300] [--repeat 3] [--made]

All in this process, the farm in another; what is counted is CPU, parse workers included, without
start-up.  Each phase is one visit to every feed; the least of the repeats counts, as the rest is
other people's noise.  Script and monitor must find exactly what was published.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monitor import logs
from tests.bench.client import Client
from tests.bench.cycle import Cost, Ours, config_of, measured
from tests.bench.farm import control, farming
from tests.bench.tables import Table, printed, ratio
from tests.bench.toy import Toy

SHARE = 0.2  # of feeds that publish in the phases with news


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What the farm does before a round."""

    name: str
    told: str = ""  # to the farm
    conditional: bool = True
    again: bool = True  # whether it may be repeated


COLD = Phase(name="cold: everything new", again=False)
PHASES = (
    Phase(name="304"),
    Phase(name="20 % with news, the rest 304", told=f"advance?share={SHARE}"),
    Phase(name="200, the same bytes", conditional=False),
    Phase(name="200, only the feed's date differs", told="touch", conditional=False),
    Phase(name="200, 20 % with news", told=f"advance?share={SHARE}", conditional=False),
)


@dataclass(slots=True, kw_only=True)
class Figures:
    """Costs of each phase, for a number of feeds."""

    feeds: int
    toy: dict[str, list[Cost]] = field(default_factory=dict)
    ours: dict[str, list[Cost]] = field(default_factory=dict)
    client: dict[str, list[Cost]] = field(default_factory=dict)

    def per_feed(self, costs: Mapping[str, Sequence[Cost]], phase: str) -> float:
        """CPU milliseconds a feed."""
        return min(each.cpu for each in costs[phase]) / self.feeds * 1e3

    def times_cheaper(self, phase: str) -> float:
        return self.per_feed(self.toy, phase) / self.per_feed(self.ours, phase)


class Contest:
    """All candidates before one farm."""

    def __init__(self, base: str, feeds: int, folder: Path) -> None:
        self._base, self.figures = base, Figures(feeds=feeds)
        self._toy = Toy(str(folder / "toy.db"), base, feeds)
        config = config_of(str(folder / "ours.db"), base, feeds)
        self._ours, self._client = Ours(config), Client(config)

    async def run(self, phases: Sequence[Phase], repeat: int) -> Figures:
        await self._ours.start()
        try:
            await self._phase(COLD)
            for phase in phases:
                for _ in range(repeat if phase.again else 1):
                    await self._phase(phase)
        finally:
            self._toy.close()
            await self._ours.aclose()
        return self.figures

    async def _phase(self, phase: Phase) -> None:
        control(self._base, f"set?conditional={int(phase.conditional)}")
        published = control(self._base, phase.told).get("entries", 0) if phase.told else 0
        if phase is COLD:
            published = control(self._base, "state")["listed"]
        before = self._ours.count.new
        for name, costs, work in (
            ("toy", self.figures.toy, lambda: measured(self._toy.round())),
            ("ours", self.figures.ours, self._ours.round),
        ):
            costs.setdefault(phase.name, []).append(await work())
            found = self._toy.new if name == "toy" else self._ours.count.new - before
            if found != published:
                raise AssertionError(f"{phase.name}: {name} found {found} of {published} entries")
        self.figures.client.setdefault(phase.name, []).append(await self._client.round())


async def contest(feeds: int, repeat: int, phases: Sequence[Phase] = PHASES, *, made: bool = False
) -> Figures:  # fmt: skip
    """What each phase costs both."""
    with (
        farming(feeds, *(["--made"] if made else [])) as base,
        tempfile.TemporaryDirectory() as folder,
    ):
        return await Contest(base, feeds, Path(folder)).run(phases, repeat)


def table(figures: Figures) -> Table:
    rows = [
        (
            phase.name,
            f"{figures.per_feed(figures.toy, phase.name):.2f}",
            f"{figures.per_feed(figures.ours, phase.name):.2f}",
            ratio(figures.times_cheaper(phase.name)),
            f"{figures.per_feed(figures.client, phase.name):.2f}",
        )
        for phase in (COLD, *PHASES)
    ]
    heads = (
        "a visit to each feed",
        "obvious script, CPU ms",
        "monitor, CPU ms",
        "times cheaper",
        "of it the HTTP client, CPU ms",
    )
    return Table(title=f"{figures.feeds} feeds", heads=heads, rows=rows)


def nowhere(text: str) -> None:
    """Logging is paid for, and not shown."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--feeds", type=int, default=300)
    arguments.add_argument("--repeat", type=int, default=3)
    arguments.add_argument("--made", action="store_true", help="no documents of real feeds")
    asked = arguments.parse_args()
    logs.set_up(terminal=False, write=nowhere)
    printed(table(asyncio.run(contest(asked.feeds, asked.repeat, made=asked.made))))


if __name__ == "__main__":
    main()
