"""docs/feeds.md is true: its example loads, and every key of a feed is in it."""

from __future__ import annotations

import re
from pathlib import Path

import trustme

from monitor.config import load
from monitor.configfile import FeedTable, WebSubTable
from monitor.settings import ContentMode

PAGE = (Path(__file__).parents[1] / "docs" / "feeds.md").read_text()
SECTION = PAGE[PAGE.index("## Per feed") :]


def test_the_example_of_a_feed_is_valid(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(\[\[feeds\]\].*?)```", SECTION, re.DOTALL)[:1]
    (tmp_path / "config.toml").write_text(block)
    (tmp_path / "company-ca.pem").write_bytes(trustme.CA().cert_pem.bytes())
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/wire").write_text("hunter2-long")
    (feed,) = load(tmp_path / "config.toml", {"WIRE_KEY": "k"}).feeds
    assert dict(feed.access.headers).keys() == {"authorization", "x-api-key"}


def test_every_key_of_a_feed_is_described() -> None:
    described = set(re.findall(r"\w+", PAGE))
    assert set(FeedTable.model_fields) <= described


def test_every_kind_of_content_is_described() -> None:
    assert {f'`"{mode.value}"`' for mode in ContentMode} <= set(re.findall(r'`"\w+"`', SECTION))


def test_the_example_of_websub_is_valid(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(\[websub\].*?)```", PAGE, re.DOTALL)
    (tmp_path / "config.toml").write_text(block)
    found = load(tmp_path / "config.toml", {}).websub
    assert found is not None
    assert set(WebSubTable.model_fields) <= set(re.findall(r"\w+", block))
