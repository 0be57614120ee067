"""The benches that run the daemon's own loops still can: one short run, as people start it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.thorough import thorough

ROOT = Path(__file__).parents[1]


@thorough
def test_alerts_published_are_timed_at_the_webhook() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.latency", "--alerts", "3", "--minutes", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "polled at once" in done.stdout
    assert " ms" in done.stdout
