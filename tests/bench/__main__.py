"""``run_monitor.py bench``: measure, print tables, and write them into a page if asked."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.farm import farming
from tests.bench.page import write
from tests.bench.report import LONG, PARTS, Measured, Size
from tests.bench.tables import as_markdown, as_text, machine

ROOT = Path(__file__).parents[2]
QUICK = Size(feeds=36, repeat=2, alerts=60, minutes=0.0, many=660, interval=4.0, endured=2.0)


def main() -> None:
    asked = arguments().parse_args()
    if asked.memory:
        one_round(asked.memory)
        return
    names = [name for name in PARTS if name not in LONG] if asked.what == "all" else [asked.what]
    about = f"{time.strftime('%Y-%m-%d')}, {machine()}; load {os.getloadavg()[0]:.1f} at the start."
    print(f"{about}\n", flush=True)
    found: dict[str, Measured] = {}
    for name in names:
        found[name] = PARTS[name](QUICK if asked.quick else Size())
        print(as_text(found[name].table), flush=True)
    if asked.write:
        parts = {name: f"{as_markdown(each.table)}\n\n{about}" for name, each in found.items()}
        pictures = {k: v for each in found.values() for k, v in each.pictures.items()}
        write(asked.write, parts, pictures)
    sys.stdout.flush()
    os._exit(0)  # as the daemon ends: name look-ups may still hang


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run_monitor.py bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--quick", action="store_true", help="less of everything, rougher figures")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="docs/performance.md")
    parser.add_argument("--memory", type=int, metavar="FEEDS", help="only the memory of a round")
    return parser


def one_round(feeds: int) -> None:
    """A first round and one without news, each in a fresh process: what it takes is printed."""
    with farming(feeds, "--made") as base, tempfile.TemporaryDirectory() as folder:
        for name in ("cold", "304"):
            print(f"{name}: {_cycle([f'{folder}/m.db', base, str(feeds)])}", flush=True)


def _cycle(words: Sequence[str]) -> str:
    command = [sys.executable, "-m", "tests.bench.cycle", *words]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    )
    return done.stdout.strip().splitlines()[-1]


if __name__ == "__main__":
    main()
