"""The suite's own watch for secrets: it sees what is printed and logged, at DEBUG."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAYS = {
    "printed": "print('x ' + 'Canary-1')",
    "on_stderr": "print('canary', file=sys.stderr)",
    "logged": "logging.getLogger('monitor').debug('canary')",
    "structured": "structlog.get_logger().info('sent', detail='canary')",
    "chatty": "logging.getLogger('httpx').info('GET https://canary@x/')",
    "innocent": "print('nothing')",
}


def test_a_canary_in_the_output_fails_the_test(tmp_path: Path) -> None:
    tests = "".join(f"def test_{name}():\n    {says}\n" for name, says in SAYS.items())
    (tmp_path / "test_it.py").write_text(f"import logging, sys, structlog\n{tests}")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [*command, "-rA", str(tmp_path), "-c", str(tmp_path / "pytest.ini")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    outcomes = re.findall(r"^(PASSED|FAILED) .*::test_(\w+)", ran.stdout, re.MULTILINE)
    passed = {"chatty", "innocent"}
    assert {name for outcome, name in outcomes if outcome == "PASSED"} == passed
    assert {name for outcome, name in outcomes if outcome == "FAILED"} == SAYS.keys() - passed
    for where in ("stdout", "stderr", "log"):
        assert f"a secret of this test stands in: Captured {where} call" in ran.stdout
