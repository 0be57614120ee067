"""Half an hour of everything at once: does it lose, repeat, fall behind or grow?

    python -m tests.bench.soak [--minutes 30] [--quiet 10] [--feeds 200] [--seed 1] [--json FILE]
                               [--keep FOLDER]

Two hundred feeds on loopback, one in ten flaky, one in a hundred hostile; a webhook, a mail server
and a flaky webhook.  The real program is killed with kill −9 about every minute and its clock jumps
(libfaketime; without it that is left out, and said), until the last minutes, which are quiet: a
third, unless --quiet says how many.  Delays, memory and handles are from there, so a run of a few
minutes says little of how they grow: a hostile feed has shown all its documents after ten minutes,
and memory has its size only then.  Exit status 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import soak_report
from tests.bench.soak_feeds import SoakFeed
from tests.bench.soak_figures import Reading
from tests.bench.soak_report import INTERVAL
from tests.faults.house import ROOT, WAITING, House
from tests.faults.ledgers import Ledger, crowd, read
from tests.faults.outlets import Hook, Mailbox, Outlet, notes
from tests.faults.test_clock import LIBRARY, Clock
from tests.sinks import _serving, smtp_sink

MINUTE = 60.0
LISTEN = 5.0  # seconds between readings
SETTLE = 180.0  # seconds after the last entry until all must be sent
JUMPS = ("-1h", "+1d", "+50y")
RULE = '[[rule]]\nname = "nato"\nany = ["NATO"]\n'

CONFIG = """
[monitor]
database = "data/monitor.db"
[poll]
interval = "{interval:g}s"
min_interval = "{interval:g}s"
max_interval = "{interval:g}s"
per_host_gap = "0s"
allow_private = ["127.0.0.0/8"]
[[channels]]
name = "hook"
url = "json://127.0.0.1:{hook}/hook/200"
[[channels]]
name = "mail"
[channels.mail]
server = "127.0.0.1"
port = {mail}
security = "none"
from = "monitor@a.example"
to = ["anna@a.example"]
[[channels]]
name = "flaky"
url = "json://127.0.0.1:{flaky}/hook/200"
"""


@dataclass(slots=True, kw_only=True)
class FlakyHook(Hook):
    """Takes four messages of five at once; the others are refused, or taken without a word."""

    chance: random.Random = field(default_factory=random.Random)

    async def _answer(self, mode: str, writer: asyncio.StreamWriter) -> None:
        others = ["503", "500", "ambiguous", "slow"]
        self.mode = "200" if self.chance.random() < 0.8 else self.chance.choice(others)
        await Hook._answer(self, mode, writer)


@dataclass(slots=True, kw_only=True)
class Soak:
    """One run: the house, its feeds, and when its parts began."""

    house: House
    farm: asyncio.subprocess.Process
    feeds: list[SoakFeed]
    chance: random.Random
    readings: list[Reading] = field(default_factory=list)
    quiet: tuple[float, float] = (0.0, 0.0)

    async def torment(self, minutes: float) -> None:
        """Kill it about every minute, and let its clock jump between."""
        clock = Clock(self.house) if LIBRARY else None
        await self.house.run(env=clock and clock.env)
        await self.house.until(lambda: self.house.logged("started"), "the start")
        self._tell_the_farm()  # what was there before the feeds were added is not told
        kills = max(1, round(minutes))
        for number in range(1, kills + 1):
            await self._minute(clock, JUMPS[number % len(JUMPS)])
            await self.house.kill()
            say(f"kill {number}")
            # Without libfaketime in the end: it costs time at each look at the clock.
            await self.house.run(env=clock.env if clock and number < kills else None)

    async def _minute(self, clock: Clock | None, jump: str) -> None:
        await self._sleep(0.3, 0.5)
        if clock is not None:
            clock.set(jump)
            await self._sleep(0.15, 0.2)
            clock.set("+0")
        await self._sleep(0.2, 0.5)

    async def _sleep(self, least: float, most: float) -> None:
        """A part of a minute, by chance."""
        await asyncio.sleep(self.chance.uniform(least, most) * MINUTE)

    async def rest(self, minutes: float) -> None:
        """The quiet part, and then until everything is sent."""
        began = self.house.ledger.now
        await asyncio.sleep(minutes * MINUTE)
        self.quiet = (began, self.house.ledger.now)
        self._tell_the_farm()
        assert self.farm.stdout is not None
        await self.farm.stdout.readline()
        await self._settle()

    def _tell_the_farm(self) -> None:
        """To begin publishing, and then to end it."""
        assert self.farm.stdin is not None
        self.farm.stdin.write(b"\n")

    async def _settle(self) -> None:
        ledger = self.house.folder / "ledgers" / "published.jsonl"
        healthy = {feed.url for feed in self.feeds if feed.kind == "healthy"}
        published = [json.loads(line) for line in ledger.read_text().splitlines()]
        links = {each["link"] for each in published if each["feed"] in healthy}
        for what, true in {
            "all to be stored": lambda: not links - self.house.stored(),
            "all to be sent": lambda: self.house.query(WAITING) == [(0,)],
        }.items():
            if not await self._until(true, SETTLE * crowd()):
                say(f"waited in vain for {what}")

    async def _until(self, true: Callable[[], bool], within: float) -> bool:
        end = self.house.ledger.now + within
        while not true():
            if self.house.ledger.now > end:
                return False
            await asyncio.sleep(1)
        return True

    async def listen(self) -> None:
        """Write down what the program holds, for ever."""
        while True:
            await asyncio.sleep(LISTEN)
            try:
                self.readings.append(self._reading())
            except (OSError, ValueError, IndexError):  # it, or a child, has just ended
                continue

    def _reading(self) -> Reading:
        house = self.house
        assert house.process is not None
        sample = house._sample("soak")
        wal = house.file.with_name(house.file.name + "-wal")
        return Reading(
            t=sample.t,
            rss=sample.rss,
            own=_resident(house.process.pid),
            handles=sample.handles,
            threads=sample.threads,
            children=sample.children,
            wal=wal.stat().st_size if wal.exists() else 0,
            cpu=_cpu(house.process.pid),
        )


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _cpu(pid: int) -> float:
    """Seconds of the process and of all children, ended or not."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(folder.name) == pid:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == pid:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def a_soak(folder: Path, feeds: int, seed: int) -> AsyncIterator[Soak]:
    ledger, chance = Ledger(folder), random.Random(seed)
    hook = Hook(notes=notes("hook", ledger))
    flaky = FlakyHook(notes=notes("flaky", ledger), chance=random.Random(seed))
    farm = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.soak_feeds", str(folder)),
        *("--feeds", str(feeds), "--seed", str(seed)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    assert farm.stdout is not None
    served = [SoakFeed(**each) for each in json.loads(await farm.stdout.readline())]
    unused = Outlet("/unused", ledger)
    house = House(folder=folder, ledger=ledger, outlet=unused, bystanders=[], hook=hook)
    async with (
        _serving(hook._talk) as hook.port,
        _serving(flaky._talk) as flaky.port,
        smtp_sink(Mailbox, notes=notes("mail", ledger)) as mail,
    ):
        _write(house, served, {"hook": hook.port, "flaky": flaky.port, "mail": mail.port})
        try:
            yield Soak(house=house, farm=farm, feeds=served, chance=chance)
        finally:
            if house.runs_now:
                await house.kill()
            farm.kill()
            await farm.wait()


def _write(house: House, feeds: list[SoakFeed], ports: Mapping[str, int]) -> None:
    tables = "".join(f'[[feeds]]\nname = "{feed.name}"\nurl = "{feed.url}"\n' for feed in feeds)
    house.config.write_text(CONFIG.format(interval=INTERVAL, **ports) + tables)
    house.rules.parent.mkdir()
    house.rules.write_text(RULE)


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


async def soak(folder: Path, minutes: float, quiet: float, feeds: int, seed: int) -> dict[str, Any]:
    """The raw figures of a run; *quiet*: how many of its *minutes*."""
    async with a_soak(folder, feeds, seed) as run:
        listening = asyncio.create_task(run.listen())
        await run.torment(minutes - quiet)
        await run.rest(quiet)
        listening.cancel()
        code = await run.house.stop(within=60)
        if code:
            say(f"it ended with {code}\n{run.house.last_lines()}")
    violations = soak_report.violations(folder, run.feeds)  # leaves the ledger that is judged
    figures = soak_report.figures(
        read(folder), soak_report.published(folder), run.feeds, run.readings, run.quiet
    )
    return {
        "minutes": minutes,
        "quiet": quiet,
        "feeds": feeds,
        "seed": seed,
        "clock jumps": LIBRARY is not None,
        "load": os.getloadavg()[1],
        "exit code": code,
        **figures,
        "violations": violations,
        "readings": [asdict(each) for each in run.readings],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--quiet", type=float, help="minutes without kills, of all; a third")
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file for the raw figures")
    parser.add_argument("--keep", type=Path, help="new folder for database, ledgers and logs")
    options = parser.parse_args()
    minutes = options.minutes
    quiet = minutes / 3 if options.quiet is None else min(options.quiet, minutes)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        found = asyncio.run(soak(folder, minutes, quiet, options.feeds, options.seed))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    print(soak_report.told(found))
    sys.exit(bool(soak_report.missed(found)))


if __name__ == "__main__":
    main()
