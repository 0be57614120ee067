"""Makes the table of docs/reliability.md from the faults declared and what the last runs found.

python -m tests.faults.table            # rewrites the section
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.faults.fault import Fault, declared
from tests.faults.results import RESULTS

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: begin -->\n", "<!-- faults: end -->\n"
LONGEST = 300  # characters of what held in one test


def section(faults: Iterable[Fault], results: Mapping[str, Any]) -> str:
    """The table, in Markdown."""
    tests = results["tests"].values()
    lines = [
        f"Python {results['python']}, SQLite {results['sqlite']}, {results['system']}.",
        "",
        "| # | Fault | How it is done | What must hold | Last run |",
        "|---|---|---|---|---|",
    ]
    for fault in faults:
        found = [test for test in tests if (test["fault"], test["name"]) == _key(fault)]
        cells = (str(fault.number), fault.name, fault.injected, fault.holds, _found(found))
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    return "\n".join([*lines, ""])


def _key(fault: Fault) -> tuple[int, str]:
    return fault.number, fault.name


def _found(tests: list[dict[str, Any]]) -> str:
    """What the tests of a fault found: all that held, or what did not."""
    if not tests:
        return "not run yet"
    failed = [test for test in tests if test["outcome"] == "failed"]
    if failed:
        return f"**FAILED** {len(failed)} of {len(tests)}, {failed[0]['date']}"
    skipped = [test for test in tests if test["outcome"] == "skipped"]
    if len(skipped) == len(tests):
        return f"not run: {skipped[0]['reason']}"
    held = [_short(each) for test in tests for each in test["held"]]
    passed = len(tests) - len(skipped)
    count = f" ({passed} tests)" if passed > 1 else ""
    first = next(test for test in tests if test["outcome"] == "passed")
    return f"held{count}, {first['mode']}, {first['date']}: {'; '.join(held[:2])}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def rewritten(page: str, table: str) -> str:
    """*page* with *table* between its marks."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}{table}{END}{tail}"


def listed(page: str) -> list[tuple[int, str]]:
    """The faults of the table in *page*: number and name."""
    _, _, rest = page.partition(BEGIN)
    rows = [line.split(" | ") for line in rest.partition(END)[0].splitlines()]
    return [
        (int(cells[0].removeprefix("| ")), cells[1])
        for cells in rows
        if cells[0].removeprefix("| ").isdigit()
    ]


def main() -> None:
    results = json.loads(RESULTS.read_text())
    table = section(declared(), results)
    PAGE.write_text(rewritten(PAGE.read_text(), table))
    sys.stdout.write(table)


if __name__ == "__main__":
    main()
