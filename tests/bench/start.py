"""How long ``status`` takes, and how long until the daemon is ready: 1 000 feeds, 1 000 rules.

    python -m tests.bench.start [--repeat 5]

Ready is when it would tell systemd so.  The least of the repeats counts, of wall and of CPU time,
the start of Python and the bootstrap included.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from monitor.config import load
from monitor.pipeline.shared import utc_now
from monitor.store.sqlite import SqliteStore
from tests.bench.cycle import Cost
from tests.bench.house import write_house
from tests.bench.tables import Table, printed

ROOT = Path(__file__).parents[2]
FEEDS = RULES = 1_000
LIMIT = 60.0  # seconds


def a_house(folder: Path) -> Path:
    """A configuration whose feeds are stored and not due, so that nothing is fetched."""
    urls = (f"http://f{n}.farm.test:1/feed" for n in range(FEEDS))
    config = write_house(folder, urls, rules=RULES, poll='first_poll = "no-alerts"')
    settings = load(config)
    store = SqliteStore.open(settings.database)
    store.sync_feeds(settings.feeds, utc_now())
    store.close()
    return config


def program(config: Path, *words: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "run_monitor.py", *words, "--config", str(config)],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def status(config: Path) -> Cost:
    began = time.perf_counter()
    process = program(config, "status")
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = code
    assert code == 0, "status failed"
    return Cost(wall=time.perf_counter() - began, cpu=usage.ru_utime + usage.ru_stime)


def ready(config: Path) -> Cost:
    with tempfile.TemporaryDirectory() as name, socket.socket(
        socket.AF_UNIX, socket.SOCK_DGRAM
    ) as manager:  # fmt: skip
        manager.bind(f"{name}/notify")
        manager.settimeout(LIMIT)
        began = time.perf_counter()
        process = program(config, NOTIFY_SOCKET=f"{name}/notify")
        try:
            assert manager.recv(4096).startswith(b"READY=1")
            spent = time.perf_counter() - began
            cpu = cpu_of(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LIMIT)
    return Cost(wall=spent, cpu=cpu)


def cpu_of(pid: int) -> float:
    """CPU seconds of a process, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def least(measure: Callable[[Path], Cost], config: Path, repeat: int) -> Cost:
    costs = [measure(config) for _ in range(repeat)]
    return Cost(wall=min(each.wall for each in costs), cpu=min(each.cpu for each in costs))


def table(repeat: int) -> Table:
    with tempfile.TemporaryDirectory() as name:
        config = a_house(Path(name) / "house")
        rows = [
            (what, f"{cost.wall:.2f} s", f"{cost.cpu:.2f} s")
            for what, cost in (
                ("`status`", least(status, config, repeat)),
                ("`run` until it is ready", least(ready, config, repeat)),
            )
        ]
    title = f"Start with {FEEDS} feeds and {RULES} rules"
    return Table(title=title, heads=("command", "wall", "CPU"), rows=rows)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--repeat", type=int, default=5)
    printed(table(arguments.parse_args().repeat))


if __name__ == "__main__":
    main()
