"""docs/performance.md: what it names is there, and the bench finds its marks in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.cli.bench import PARTS
from tests.bench.page import written

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
TEXT = PAGE.read_text("utf-8")


@pytest.mark.parametrize("part", [part for part in PARTS if part != "all"])
def test_each_part_has_its_place(part: str) -> None:
    assert "| what |" in written(TEXT, {part: "| what |"})


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)", TEXT))))
def test_what_it_links_to_is_there(link: str) -> None:
    assert (PAGE.parent / link).exists()


@pytest.mark.parametrize("module", sorted(set(re.findall(r"-m (tests\.bench\.\w+)", TEXT))))
def test_the_benches_it_names_are_there(module: str) -> None:
    assert (PAGE.parents[1] / f"{module.replace('.', '/')}.py").exists()
