"""docs/rules.md is true: every example in it is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.rules.files import RuleTable
from monitor.rules.load import load
from monitor.rules.match import compile_rules
from monitor.rules.syntax import parse
from tests.builders import a_rule, an_entry

PAGE = (Path(__file__).parents[1] / "docs" / "rules.md").read_text()
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if re.match(r"\| `.*\|.*\|.*\|$", line) and line.count(" | ") == 2
]


def test_the_rule_files_on_the_page_load_together_with_their_examples() -> None:
    rules = load({f"block{n}.toml": block.encode() for n, block in enumerate(BLOCKS)})
    assert len(rules.rules) == 7
    assert all(each.examples for each in rules.rules)
    assert rules.warnings == ()


@pytest.mark.parametrize(("query", "finds", "misses"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_of_a_table(query: str, finds: str, misses: str) -> None:
    matcher = compile_rules([(a_rule(), parse(query.strip("`"), {}))])
    for text in finds.split(" / "):
        assert matcher.match(an_entry(text, summary="")), f"{query} should find {text!r}"
    for text in misses.split(" / "):
        assert not matcher.match(an_entry(text, summary="")), f"{query} finds {text!r}"


def test_there_are_as_many_rows_as_on_the_page() -> None:
    assert len(ROWS) == 28


def test_every_key_of_a_rule_is_described() -> None:
    keys = {info.alias or name for name, info in RuleTable.model_fields.items()} - {"name"}
    described = set(re.findall(r"`(?:\[rule\.)?(\w+)\]?`", PAGE))
    assert keys <= described, keys - described
