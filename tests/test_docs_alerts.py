"""docs/alerts.md is true: its configuration is read, its services are known."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.alerts.addresses import validate_url
from monitor.config import load
from monitor.settings import Config

PAGE = (Path(__file__).parents[1] / "docs" / "alerts.md").read_text()
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
ADDRESSES = re.findall(r"^\|[^|]*\| `([a-z-]+://[^`]+)`", PAGE, re.MULTILINE)
HEAD = """
[[feeds]]
name = "NATO"
url = "https://nato.example/feed"
tags = ["official"]
[[channels]]
name = "desk-slack"
url = "json://example.org"
"""


def read(folder: Path, block: str) -> Config:
    """The configuration with *block*: tables of its own, or keys of a channel."""
    lone = "" if block.lstrip().startswith("[") else '[[channels]]\nname = "x"\n'
    address = 'url = "json://example.org"\n' if "[[channels]]" in lone + block else ""
    path = folder / "config.toml"
    path.write_text(f"{HEAD}{lone}{block}{address}")
    return load(path, {})


@pytest.mark.parametrize("block", BLOCKS, ids=[block.split("\n")[0] for block in BLOCKS])
def test_the_configuration_on_the_page_is_read(tmp_path: Path, block: str) -> None:
    assert read(tmp_path, block).channels


def test_there_are_blocks_and_addresses_to_try() -> None:
    assert len(BLOCKS) >= 4
    assert len(ADDRESSES) >= 8


@pytest.mark.parametrize("address", ADDRESSES, ids=[each.split(":")[0] for each in ADDRESSES])
def test_the_services_on_the_page_are_known(address: str) -> None:
    example = {"slack-bot://xoxb-…/C0123ABCD": "slack-bot://xoxb-1234-abcdefgh/C0123ABCD"}
    assert validate_url(example.get(address, address).replace("…", "x")) is None
