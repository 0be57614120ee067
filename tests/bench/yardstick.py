"""What the obvious script takes for visits like those of ``capacity``: how fast the machine is.

    python -m tests.bench.yardstick [--feeds 60]

Prints CPU milliseconds a visit: 65 % of them find nothing changed, 30 % no news, 5 % a new entry;
over plain connections that are kept.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path

from monitor import logs
from tests.bench.rounds import SHARE, Figures, contest, nowhere

ROOT = Path(__file__).parents[2]
UNCHANGED, SAME, TOUCHED, NEWS = 0.65, 0.15, 0.15, 0.05  # of the visits


def of_the_mix(figures: Figures) -> float:
    """CPU milliseconds of the obvious script for a visit."""
    same = figures.per_feed(figures.toy, "200, the same bytes")
    some_news = figures.per_feed(figures.toy, "200, 20 % with news")
    news = (some_news - (1 - SHARE) * same) / SHARE
    return (
        UNCHANGED * figures.per_feed(figures.toy, "304")
        + SAME * same
        + TOUCHED * figures.per_feed(figures.toy, "200, only the feed's date differs")
        + NEWS * news
    )


def measured() -> float:
    """The same, in a process of its own: what it takes in memory is not ours."""
    command = [sys.executable, "-m", "tests.bench.yardstick"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--feeds", type=int, default=60)
    asked = arguments.parse_args()
    logs.set_up(terminal=False, write=nowhere)
    print(f"{of_the_mix(asyncio.run(contest(asked.feeds, 2))):.3f}")


if __name__ == "__main__":
    main()
