"""What is measured goes between its marks, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.page import NoMark, write, written
from tests.bench.tables import Table, as_markdown, as_text

PAGE = "# Title\n<!-- measured: poll -->\nold\n<!-- end -->\nwords\n"


def test_only_what_is_between_the_marks_is_replaced() -> None:
    new = written(PAGE, {"poll": r"new \1"})
    assert new == "# Title\n<!-- measured: poll -->\nnew \\1\n<!-- end -->\nwords\n"
    assert written(new, {"poll": "old"}) == PAGE


def test_a_page_without_the_mark_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    with pytest.raises(NoMark, match="measured: match"):
        write(page, {"poll": "new", "match": "new"}, {})
    assert page.read_text() == PAGE


def test_a_table_is_the_same_on_a_terminal_and_on_a_page() -> None:
    table = Table(title="T", heads=("what", "ms"), rows=[("a visit", "1.5"), ("b", "20")])
    assert as_text(table).splitlines()[2:] == [
        "what      ms",
        "-------  ---",
        "a visit  1.5",
        "b         20",
    ]
    assert as_markdown(table).splitlines()[2:] == [
        "| what | ms |",
        "| --- | ---: |",
        "| a visit | 1.5 |",
        "| b | 20 |",
    ]
