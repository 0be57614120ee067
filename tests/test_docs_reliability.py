"""docs/reliability.md: its table lists the faults that tests declare, no more and no fewer."""

from __future__ import annotations

from tests.faults.fault import Fault, declared
from tests.faults.table import PAGE, listed, rewritten, section

RESULTS = {"python": "3.11", "sqlite": "3.40", "system": "Linux, 2 cores", "tests": {}}
KILL = Fault(number=1, name="kill −9", injected="SIGKILL", holds="nothing is lost")


def a_test(**changes: object) -> dict[str, object]:
    found = {"fault": 1, "name": "kill −9", "outcome": "passed", "held": ["60 kills, 0 lost"]}
    return found | {"mode": "scaled", "date": "2026-11-26", "reason": ""} | changes


def row(*tests: dict[str, object]) -> str:
    results = RESULTS | {"tests": dict(enumerate(tests))}
    return section([KILL], results).splitlines()[-1]


def test_the_table_lists_what_is_declared() -> None:
    assert listed(PAGE.read_text()) == [(each.number, each.name) for each in declared()]


def test_a_fault_that_held_is_told_with_its_figures() -> None:
    assert row(a_test()).endswith("| held, scaled, 2026-11-26: 60 kills, 0 lost |")


def test_one_that_failed_is_not_hidden_by_one_that_held() -> None:
    assert "**FAILED** 1 of 2" in row(a_test(), a_test(outcome="failed", held=[]))


def test_one_that_could_not_be_done_says_why() -> None:
    told = row(a_test(outcome="skipped", held=[], reason="needs libfaketime"))
    assert "not run: needs libfaketime" in told


def test_one_without_results_says_so() -> None:
    assert "not run yet" in row()


def test_a_page_is_rewritten_between_its_marks() -> None:
    page = "before\n<!-- faults: begin -->\noutdated\n<!-- faults: end -->\nafter\n"
    table = section([KILL], RESULTS)
    assert "outdated" not in rewritten(page, table)
    assert rewritten(rewritten(page, table), table).startswith("before\n<!--")
    assert rewritten(page, table).endswith("-->\nafter\n")
    assert listed(rewritten(page, table)) == [(1, "kill −9")]
