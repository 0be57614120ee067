"""The whole house of a fault test: feeds, sinks, and the program as a real process.

async with a_house(tmp_path) as house:
    await house.settled_in()                      # started, first message received
    house.outlet.publish()
    await house.kill()
    await house.run(crash="before-send:2")
    await house.settled()                         # all is stored and sent
    verdict = await house.audit(visible=["…"])    # stopped; INV1–8 hold
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest

from tests.faults import invariants
from tests.faults.ledgers import Ledger, Life, Meta, Sample, crowd
from tests.faults.outlets import Hook, Outlet, notes
from tests.servers import serving
from tests.sinks import _serving

ROOT = Path(__file__).parents[2]
PATIENCE = 90.0  # seconds until a test gives up waiting
CANARY = "c4n4ry-T0KEN-in-the-address"
_QUERY = """
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1], uri=True, timeout=5)
print(json.dumps(db.execute(sys.argv[2]).fetchall()))
"""
WAITING = "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'claimed')"

RULES = """
[[rule]]
name = "nato"
any = ["NATO"]
"""


def sentences(said: str) -> str:
    """What was said to a person, without the lines of the log."""
    lines = (line for line in said.splitlines() if not line.startswith("{"))
    return "\n".join(lines).strip()


@dataclass(slots=True, kw_only=True)
class House:
    """A folder with config, rules and ledgers; the process that runs now, if one does."""

    folder: Path
    ledger: Ledger
    outlet: Outlet
    bystanders: list[Outlet]
    hook: Hook
    process: asyncio.subprocess.Process | None = None
    database: str = "data/monitor.db"  # relative to the folder, or absolute
    seen_at: str = ""  # where the test finds it, if elsewhere
    before: tuple[str, ...] = ()  # put before every command
    runs: int = 0
    _streams: list[Any] = field(default_factory=list)

    # --- files

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def rules(self) -> Path:
        return self.folder / "rules" / "nato.toml"

    def hook_url(self, step: str = "200") -> str:
        return f"json://127.0.0.1:{self.hook.port}/hook/{CANARY}/{step}"

    def write_config(
        self, *, interval: str = "1s", channels: str = "", poll: str = "", extra: str = ""
    ) -> None:
        """*channels*: others than the hook, with their ``[[channels]]``."""
        feeds = "".join(
            f'[[feeds]]\nurl = "{each.url}"\nname = "{name}"\n'
            for name, each in self.named_outlets().items()
        )
        hook = f'[[channels]]\nname = "hook"\nurl = "{self.hook_url()}"\n'
        self.config.write_text(
            f'[monitor]\ndatabase = "{self.database}"\n'
            f'[poll]\ninterval = "{interval}"\n'
            f'min_interval = "{interval}"\nmax_interval = "{interval}"\n'
            f'per_host_gap = "0s"\nallow_private = ["127.0.0.0/8"]\n{poll}\n'
            f"{feeds}{channels or hook}{extra}"
        )

    def named_outlets(self) -> dict[str, Outlet]:
        others = {f"Bystander {n}": each for n, each in enumerate(self.bystanders, start=1)}
        return {"Outlet": self.outlet, **others}

    # --- the program

    @property
    def file(self) -> Path:
        """The database, as the test sees it."""
        return self.folder / (self.seen_at or self.database)

    async def run(
        self,
        *,
        crash: str = "",
        env: Mapping[str, str] | None = None,
        limits: Callable[[], None] | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> None:
        """Start it; *limits* is called in the child before."""
        self.runs += 1
        out, err = stdout, stderr
        if out is None:
            out = self._stream("stdout")
        if err is None:
            err = self._stream("stderr")
        self.ledger.write(Life(t=self.ledger.now, what="start", detail=crash, crowd=crowd()))
        self.process = await asyncio.create_subprocess_exec(
            *self._command("run"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            preexec_fn=limits,
            env=self._environment({"MONITOR_CRASHPOINT": crash} if crash else {}, env),
        )

    def _command(self, *arguments: str) -> list[str]:
        script = str(ROOT / "run_monitor.py")
        return [*self.before, sys.executable, script, *arguments, "--config", str(self.config)]

    def _environment(self, *more: Mapping[str, str] | None) -> dict[str, str]:
        found = {**os.environ, "PYTHONWARNINGS": "default"}
        for each in more:
            found |= each or {}
        return found

    def _stream(self, name: str) -> int:
        where = self.folder / "output"
        where.mkdir(exist_ok=True)
        self._streams.append((where / f"{self.runs:03}.{name}").open("wb"))
        return int(self._streams[-1].fileno())

    async def command(self, *arguments: str) -> tuple[int, str, str]:
        """Another command beside it: exit code, stdout, stderr."""
        process = await asyncio.create_subprocess_exec(
            *self._command(*arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment(),
        )
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
        return process.returncode or 0, out.decode(), err.decode()

    async def status(self) -> Any:
        """What ``status --json`` shows now; goes into the ledger."""
        _, out, err = await self.command("status", "--json")
        told = json.loads(out) if out else {"refused": err}
        self.ledger.status(told)
        return told

    async def ended(self, within: float = PATIENCE) -> int:
        """Wait for the program to end by itself; its exit code."""
        assert self.process is not None
        try:
            code = await asyncio.wait_for(self.process.wait(), within)
        except TimeoutError:
            pytest.fail(f"it did not end within {within:g} s\n{self.last_lines()}")
        self.ledger.write(Life(t=self.ledger.now, what="end", code=code, crowd=crowd()))
        while self._streams:
            self._streams.pop().close()
        return code

    async def stop(self, signum: int = signal.SIGTERM, within: float = 15.0) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signum)
        return await self.ended(within)

    async def kill(self) -> None:
        await self.stop(signal.SIGKILL)

    @property
    def runs_now(self) -> bool:
        return self.process is not None and self.process.returncode is None

    # --- waiting

    async def until(
        self, true: Callable[[], object | Awaitable[object]], what: str, within: float = PATIENCE
    ) -> None:
        """Wait until *true*; fails with the last lines of the log."""

        async def wait() -> None:
            while True:
                found = true()
                if await found if isawaitable(found) else found:
                    return
                await asyncio.sleep(0.03)

        try:
            await asyncio.wait_for(wait(), within)
        except TimeoutError:
            pytest.fail(f"waited {within:g} s in vain for {what}\n{self.last_lines()}")

    async def settled_in(self, **how: Any) -> None:
        """Started, the first round over, the first message of the channel received."""
        for each in (self.outlet, *self.bystanders):
            each.publish("Old", minutes_ago=600)
        await self.run(**how)
        await self.until(lambda: self.told("Watching"), "the first message")

    async def recovers(self, within: float = 10.0) -> float:
        """Publish, and wait until it is told; the seconds that took, *within* at the most."""
        began = self.ledger.now
        title = self.outlet.publish()
        words = title.removeprefix("NATO ")  # the hit is marked in the message
        await self.until(lambda: self.told(words), "news after the fault", within * crowd())
        return self.ledger.now - began

    async def polled(self, times: int = 1) -> None:
        gets = self.outlet.gets
        await self.until(lambda: self.outlet.gets >= gets + times, "a poll")

    async def settled(self, within: float = PATIENCE) -> None:
        """Everything that is listed is stored, every delivery is settled."""
        await self.until(lambda: not self.unstored(), "all entries to be stored", within)
        await self.until(lambda: self.query(WAITING) == [(0,)], "all to be sent", within)

    def unstored(self) -> set[str]:
        stored = self.stored()
        outlets = (self.outlet, *self.bystanders)
        return {link for each in outlets for link in each.links} - stored

    def stored(self) -> set[str]:
        return {str(row[0]) for row in self.query("SELECT url FROM entries")}

    def roll_over(self) -> None:
        """Feeds list what is not stored yet, and the newest of the rest."""
        for each in (self.outlet, *self.bystanders):
            each.roll_over(self.stored())

    # --- looking

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Lines of the running program, or the last one."""
        return [line for line in self.lines() if line.get("event") == event]

    def lines(self) -> list[dict[str, Any]]:
        found = []
        for line in self.said().split("\n"):
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"event": line})
        return found

    def said(self, stream: str = "stderr") -> str:
        path = self.folder / "output" / f"{self.runs:03}.{stream}"
        return path.read_text(errors="replace") if path.exists() else ""

    def last_lines(self) -> str:
        return "\n".join(self.said().split("\n")[-20:])

    def told(self, words: str) -> list[str]:
        return [text for text in self.hook.notes.texts if words in text]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Read-only: a connection that may write would tidy up after a crash."""
        if not self.file.exists():
            return []
        if self.before:  # its path means something else to us
            return self._query_inside(sql)
        with closing(sqlite3.connect(f"{self.file.as_uri()}?mode=ro", uri=True, timeout=5)) as db:
            try:
                return db.execute(sql).fetchall()
            except sqlite3.OperationalError:  # no tables yet
                return []

    def _query_inside(self, sql: str) -> list[tuple[Any, ...]]:
        uri = f"{(self.folder / self.database).as_uri()}?mode=ro"
        command = [*self.before, sys.executable, "-c", _QUERY, uri, sql]
        done = subprocess.run(command, capture_output=True, check=False)
        return [tuple(row) for row in json.loads(done.stdout)] if done.stdout else []

    @asynccontextmanager
    async def holding_up(self, why: str) -> AsyncIterator[None]:
        """For so long polls need not come: INV5 does not count it."""
        began = self.ledger.now
        try:
            yield
        finally:
            self.ledger.write(Life(t=began, what="fault", detail=why, until=self.ledger.now))

    async def sample(self, when: str, times: int = 3) -> None:
        """Write down memory, handles and children; "before" or "after" the fault."""
        for _ in range(times):
            self.ledger.write(self._sample(when))
            await self.polled()

    def _sample(self, when: str) -> Sample:
        assert self.process is not None
        pid = self.process.pid
        family = [pid, *_children(pid)]
        return Sample(
            t=self.ledger.now,
            when=when,
            rss=sum(_rss(each) for each in family),
            handles=len(list(Path(f"/proc/{pid}/fd").iterdir())),
            threads=len(list(Path(f"/proc/{pid}/task").iterdir())),
            children=len(family) - 1,
        )

    # --- the end

    async def audit(self, *, without: tuple[str, ...] = (), **meta: Any) -> invariants.Verdict:
        """Stop the program; fail unless the invariants hold.  *meta*: see ``ledgers.Meta``."""
        if self.runs_now:
            await self.until(lambda: self.logged("started"), "the start")  # else no order to stop
            assert await self.stop() == 0, self.last_lines()
        if self.seen_at:
            shutil.copy(self.file, self.folder / "audited.db")  # closed in order: without a log
        values = {
            "canaries": [CANARY],
            "database": "audited.db" if self.seen_at else self.database,
        }
        self.ledger.meta(Meta(**(values | meta)))
        verdict = invariants.check(self.folder, without=without)
        if verdict.violations:
            pytest.fail(f"{verdict}\n{self.folder}")
        return verdict


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *_children(child)]
    return found


def _rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


@asynccontextmanager
async def a_house(folder: Path, *, bystanders: int = 1, **config: Any) -> AsyncIterator[House]:
    """*config*: as ``House.write_config`` takes it."""
    ledger = Ledger(folder)
    outlet = Outlet("/feed", ledger)
    others = [Outlet(f"/bystander{n}", ledger, seed=n + 2) for n in range(bystanders)]
    hook = Hook(notes=notes("hook", ledger))
    routes = {each.path: each for each in (outlet, *others)}
    async with serving(routes) as server, _serving(hook._talk) as hook.port:
        for each in (outlet, *others):
            each.url = server.url(each.path)
        house = House(folder=folder, ledger=ledger, outlet=outlet, bystanders=others, hook=hook)
        house.rules.parent.mkdir()
        house.rules.write_text(RULES)
        house.write_config(**config)
        try:
            yield house
        finally:
            if house.runs_now:
                await house.kill()
