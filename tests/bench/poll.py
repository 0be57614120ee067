"""What a round of polls costs, against feedparser alone on the same bytes; start and idle costs.

    python tests/bench/poll.py [--feeds 100]

Feeds of real size on loopback: those of the corpus, else made ones.  CPU seconds are those of
whole processes, children and start-up included (``os.wait4``); wall times are impressions.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.servers import Behaviour, reply, serving

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT.parent / "shared" / "feed-templates"
IDLE = 20  # seconds over which idling is measured

CONFIG = """
[poll]
per_host_gap = "0s"
interval = "1h"
allow_private = ["127.0.0.0/8"]
"""

FEEDPARSER_ALONE = """
import io, sys
import feedparser
for path in sys.argv[1:]:
    feedparser.parse(io.BytesIO(open(path, "rb").read()))
"""


def made_feed(number: int) -> bytes:
    items = "".join(
        f"<item><guid>{number}-{n}</guid><title>Story {n} of feed {number}</title>"
        f"<link>https://news.example/{number}/{n}</link>"
        f"<description>{'Some words about ministers and arms. ' * 40}</description></item>"
        for n in range(30)
    )
    return f"<rss version='2.0'><channel><title>x</title>{items}</channel></rss>".encode()


def bodies(count: int) -> list[bytes]:
    found = [path.read_bytes() for path in sorted(TEMPLATES.glob("*.xml"))]
    return [found[n % len(found)] if found else made_feed(n) for n in range(count)]


def cpu_of(command: Sequence[str]) -> tuple[float, float]:
    """(CPU seconds with all children, wall seconds) of a command."""
    began = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, _, usage = os.wait4(process.pid, 0)
    return usage.ru_utime + usage.ru_stime, time.monotonic() - began


def write_house(folder: Path, urls: Sequence[str]) -> Path:
    feeds = "".join(f'[[feeds]]\nurl = "{u}"\nname = "feed {n}"\n' for n, u in enumerate(urls))
    config = folder / "config.toml"
    config.write_text(CONFIG + feeds)
    (folder / "rules").symlink_to(ROOT / "rules")
    return config


def feedparser_alone(folder: Path, documents: Sequence[bytes]) -> tuple[float, float]:
    paths = []
    for number, body in enumerate(documents):
        path = folder / f"{number}.xml"
        path.write_bytes(body)
        paths.append(str(path))
    return cpu_of([sys.executable, "-c", FEEDPARSER_ALONE, *paths])


async def idle(config: Path) -> tuple[float, float]:
    """(seconds from the start to the first feed stored, idle share of one core)."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "run_monitor.py", "--config", str(config), cwd=ROOT,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    while b'"polled"' not in await process.stderr.readline():
        pass
    started = time.monotonic() - began
    drain = asyncio.create_task(process.stderr.read())
    await asyncio.sleep(10)  # the first round
    before = _cpu(process.pid)
    await asyncio.sleep(IDLE)
    share = (_cpu(process.pid) - before) / IDLE
    process.send_signal(signal.SIGTERM)
    await process.wait()
    await drain
    return started, share


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--feeds", type=int, default=100)
    count = arguments.parse_args().feeds
    documents = bodies(count)
    routes: dict[str, Behaviour] = {f"/{n}": reply(body) for n, body in enumerate(documents)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with serving(routes) as server:
            config = write_house(folder, [server.url(f"/{n}") for n in range(count)])
            command = [sys.executable, "run_monitor.py", "once", "--config", str(config)]
            ours = await asyncio.to_thread(cpu_of, command)
            again = await asyncio.to_thread(cpu_of, command)
            theirs = await asyncio.to_thread(feedparser_alone, folder, documents)
            (folder / "fresh").mkdir()
            fresh = write_house(folder / "fresh", [server.url(f"/{n}") for n in range(count)])
            started, share = await idle(fresh)
    print(f"{count} feeds, {sum(map(len, documents)) / count / 1024:.0f} KiB each")
    print(f"feedparser alone          {theirs[0]:6.2f} s CPU  {theirs[1]:6.2f} s wall")
    print(f"once, everything new      {ours[0]:6.2f} s CPU  {ours[1]:6.2f} s wall"
          f"  = {ours[0] / theirs[0]:.2f} × feedparser alone")  # fmt: skip
    print(f"once, nothing due         {again[0]:6.2f} s CPU  {again[1]:6.2f} s wall")
    print(f"run, start to first poll  {started:6.2f} s wall")
    print(f"run, idle                 {share * 100:6.2f} % of a core")


if __name__ == "__main__":
    asyncio.run(main())
