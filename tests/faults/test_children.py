"""What happens to the child processes that parse and send: killed, or not to be had."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.fault import fault, scaled
from tests.faults.house import House, _children, a_house
from tests.faults.ledgers import Life

Held = Callable[[object], None]


def _doing(house: House, what: str) -> Iterator[int]:
    """Children of the program whose function is *what*."""
    assert house.process is not None
    for pid in _children(house.process.pid):
        with suppress(OSError):
            if what.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                yield pid


async def _slain(house: House, what: str, seconds: float) -> int:
    """Kill such children again and again while stories come; how many were."""
    count = 0
    end = house.ledger.now + seconds
    while house.ledger.now < end:
        house.outlet.publish()
        for pid in _doing(house, what):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                count += 1
                for what_ in ("end", "start"):  # what a child was doing may be done again
                    house.ledger.write(Life(t=house.ledger.now, what=what_, detail=what))
        await asyncio.sleep(0.4)
    return count


@fault(
    3,
    "kill −9 of parser children",
    injected="each one found, every 0.4 s (scaled: 10 s), while stories come",
    holds="a failure of the feed it was reading, alone; replaced; nothing lost",
    ci=True,
)
async def test_parsers_are_killed(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house:
        await house.settled_in()
        async with house.holding_up("feeds whose parser was killed are tried again later"):
            count = await _slain(house, "feeds.document:read", scaled(ci=4, scaled=10, full=120))
            # Waits grow fourfold: five failures fit into two minutes, and are followed by 256 s.
            await house.settled(within=scaled(ci=120, scaled=120, full=300))
        assert count
        held(f"{count} killed; {await house.audit()}")


@fault(
    4,
    "kill −9 of sender children",
    injected="each one found, every 0.4 s (scaled: 10 s), while a slow channel takes messages",
    holds="tried again with the same id; nothing lost",
    ci=True,
)
async def test_senders_are_killed(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house:
        await house.settled_in()
        house.hook.slow, house.hook.mode = 0.3, "slow"
        count = await _slain(house, "apprise_child:send", scaled(ci=4, scaled=10, full=120))
        await house.settled(within=180)
        assert count
        held(f"{count} killed; {await house.audit(given_up=['parked'])}")


@fault(
    42,
    "process limit",
    injected="RLIMIT_NPROC 1 on the running program, its children killed: none can be started",
    holds="failures that are told, no end of the program; it goes on by itself when they may be",
)
async def test_no_process_to_be_had(tmp_path: Path, held: Held) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare (util-linux)")
    async with a_house(tmp_path) as house:
        house.before = ("unshare", "--map-root-user")  # the true root has no limit
        await house.settled_in()
        assert house.process is not None
        pid = house.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NPROC)
        async with house.holding_up("no processes"):
            resource.prlimit(pid, resource.RLIMIT_NPROC, (1, before[1]))
            count = await _slain(house, "monitor.sandbox", 4)
            resource.prlimit(pid, resource.RLIMIT_NPROC, before)
            await house.recovers(within=60)
            await house.settled(within=120)
        failed = [line for line in house.logged("polled") if line["result"] == "failed"]
        held(f"{count} killed, {len(failed)} polls failed; {await house.audit()}")
