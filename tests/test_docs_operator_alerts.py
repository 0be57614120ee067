"""docs/operations.md explains each alert that the monitor can raise about itself, by its title.

Titles are found in the source: the fixed words of the ``title`` of each ``operator_alert(…)``.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "operations.md").read_text("utf-8")
SAMPLES = "sample.py"  # shows how a notice looks; raises none
OTHERWISE = ["The new", "templates are", "NOT live:"]  # of templates that is said in other words


def rows() -> list[str]:
    """What the table says that the monitor says, without marks."""
    section = TEXT.partition("## What the monitor says about itself")[2].partition("\n## ")[0]
    cells = re.findall(r"(?m)^\| (.*?) \| ", section)
    return [title.replace("*", "") for cell in cells for title in cell.split(" · ")]


def titles() -> dict[str, list[str]]:
    """Where an alert is made, and a wording of its title → its fixed words, in order."""
    found = {}
    for path in sorted((ROOT / "monitor").rglob("*.py")):
        text = path.read_text("utf-8")
        if "ids.operator_alert(" in text and path.name != SAMPLES:
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            module = importlib.import_module(name)
            for expression in expressions(ast.parse(text)):
                for number, words in enumerate(wordings(expression, module), start=1):
                    words = [each for each in words if re.search(r"\w", each)]
                    found[f"{name}:{expression.lineno} {number}"] = words
    return {where: words for where, words in found.items() if words != OTHERWISE}


def expressions(module: ast.Module) -> Iterator[ast.expr]:
    """What is given as a title; if that is only called ``title``, what that stands for."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "ids.operator_alert":
            (title,) = (each.value for each in node.keywords if each.arg == "title")
            if not isinstance(title, ast.Name):
                yield title
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "title":
            yield node.value


def wordings(expression: ast.expr, module: ModuleType) -> list[list[str]]:
    """Fixed words in order, for each way in which the expression may come out."""
    if isinstance(expression, ast.Constant):
        return [[str(expression.value).strip()]]
    if isinstance(expression, ast.FormattedValue):
        return wordings(expression.value, module)
    if isinstance(expression, ast.IfExp):
        return wordings(expression.body, module) + wordings(expression.orelse, module)
    if isinstance(expression, ast.JoinedStr):
        parts = [wordings(each, module) for each in expression.values]
        return [list(itertools.chain(*each)) for each in itertools.product(*parts)]
    if isinstance(expression, ast.Subscript):  # of a table of names
        table = getattr(module, ast.unparse(expression.value))
        return [[name] for name in table.values()] if isinstance(table, dict) else [[]]
    value = getattr(module, ast.unparse(expression), None)
    return [[value.strip()]] if isinstance(value, str) else [[]]


def is_told(words: list[str], row: str) -> bool:
    """Whether *row* has *words*, in this order."""
    return re.search(".*".join(map(re.escape, words)), row) is not None


@pytest.mark.parametrize("words", titles().values(), ids=titles().keys())
def test_each_alert_about_the_monitor_is_explained(words: list[str]) -> None:
    assert [row for row in rows() if is_told(words, row)], f"not in docs/operations.md: {words}"


def test_all_places_are_found() -> None:
    found = titles()
    assert ["No news from"] in found.values()
    assert ["looks right again"] in found.values()
    assert ["feeds have news again"] in found.values()
    assert len(found) >= 25


def test_nothing_is_explained_that_is_never_told() -> None:
    told = list(titles().values())
    idle = [row for row in rows() if not any(is_told(words, row) for words in told)]
    headings = ["it says", "---", "Feeds", "Channels", "Your files", "The database"]
    in_its_place = [
        "An alert that cannot be read any more"
    ]  # its row is damaged: store/rows_out.py
    assert [row for row in idle if row not in headings + in_its_place] == []
