"""docs/feeds.md, Arrival, is true: its options exist, its configuration is read."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from monitor.cli.feeds import feeds
from monitor.config import load
from monitor.feeds.opml import write

PAGE = (Path(__file__).parents[1] / "docs" / "feeds.md").read_text("utf-8")
ARRIVAL = PAGE.partition("## Arrival")[2].partition("\n## ")[0]


def test_the_options_of_add_are_those_on_the_page() -> None:
    told = set(re.findall(r"^\| `(--[a-z]+)", ARRIVAL, re.MULTILINE))
    add = feeds.get_command(click.Context(feeds), "add")
    assert add is not None
    known = {option for each in add.params for option in each.opts}
    assert told == {option for option in known if option.startswith("--")} - {"--config"}


@pytest.mark.parametrize("name", ["add", "remove", "pause", "resume", "show", "list", "import"])
def test_the_commands_on_the_page_exist(name: str) -> None:
    assert f"feeds {name}" in ARRIVAL or f"`{name}`" in ARRIVAL
    assert name in feeds.list_commands(click.Context(feeds))


def test_the_configuration_on_the_page_is_read(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", ARRIVAL, re.DOTALL)
    (tmp_path / "config.toml").write_text(block)
    (tmp_path / "feeds.opml").write_bytes(write("theirs", []))
    assert load(tmp_path / "config.toml", {}).feeds_from == (str(tmp_path / "feeds.opml"),)
