"""Crash points: what they do when asked, that they do nothing else, and that all are reached."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.crashpoint import KILLED, POINTS

ROOT = Path(__file__).parents[1]
SCRIPT = "from monitor.crashpoint import crashpoint\nfor n in range(3): {}; print(n, flush=True)"


def reached(wanted: str, name: str = "before-send") -> subprocess.CompletedProcess[str]:
    """A process that reaches *name* three times, and prints 0, 1, 2."""
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.format(f"crashpoint({name!r})")],
        env={"MONITOR_CRASHPOINT": wanted, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize(
    ("wanted", "code", "printed"),
    [
        pytest.param("", 0, "0\n1\n2\n", id="nothing is asked for"),
        pytest.param("after-send:1", 0, "0\n1\n2\n", id="another place"),
        pytest.param("before-send:4", 0, "0\n1\n2\n", id="not reached so often"),
        pytest.param("before-send", KILLED, "", id="the first time"),
        pytest.param("before-send:2", KILLED, "0\n", id="the second time"),
        pytest.param("before-send:2:term", -signal.SIGTERM, "0\n", id="SIGTERM"),
        pytest.param("before-send:2:block0.1", 0, "0\n1\n2\n", id="stands still for a while"),
    ],
)
def test_what_is_asked_for_is_done_when_its_place_is_reached(
    wanted: str, code: int, printed: str
) -> None:
    done = reached(wanted)
    assert (done.returncode, done.stdout) == (code, printed)


def test_it_may_die_a_little_later() -> None:
    script = SCRIPT.format("crashpoint('before-send')") + "\nimport time; time.sleep(20)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"MONITOR_CRASHPOINT": "before-send:1:late50", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stdout) == (KILLED, "0\n1\n2\n")


def test_every_point_is_reached_somewhere_and_none_is_unknown() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "monitor").rglob("*.py"))
    assert set(re.findall(r'\bcrashpoint\("([\w-]+)"\)', code)) == set(POINTS)
