"""What the last runs of the faults found, as JSON; ``test --faults`` asks for it to be written."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.faults.fault import MODE

RESULTS = Path(__file__).with_name("results.json")


class Results:
    """Collects the outcomes of one run."""

    def __init__(self) -> None:
        self._tests: dict[str, dict[str, Any]] = {}

    def add(self, report: pytest.TestReport) -> bool:
        """Whether *report* said what came of a fault."""
        told = "fault" in dict(report.user_properties)
        if told and (report.when == "call" or report.outcome != "passed"):
            self._tests[report.nodeid] = _outcome(report)
            return True
        return False

    def save(self) -> None:
        """To the file that ``MONITOR_FAULTS_RESULTS`` names; tests not run keep their entry."""
        where = os.environ.get("MONITOR_FAULTS_RESULTS")
        if not where or not self._tests:
            return
        path = Path(where)
        known = json.loads(path.read_text())["tests"] if path.exists() else {}
        told = {
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "system": f"{platform.system()}, {os.cpu_count()} cores",
            "tests": dict(sorted((known | self._tests).items())),
        }
        path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")


def _outcome(report: pytest.TestReport) -> dict[str, Any]:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    known = dict(report.user_properties)
    return {
        "fault": known["fault"],
        "name": known["name"],
        "outcome": report.outcome,
        "reason": reason,
        "held": [value for name, value in report.user_properties if name == "held"],
        "seconds": round(report.duration),
        "mode": MODE.value,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }
