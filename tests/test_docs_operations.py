"""docs/operations.md: its configuration loads, its metrics and words are those of the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor import config
from monitor.logfold import TOLD, WINDOW
from monitor.logwriter import ROOM
from monitor.pipeline import sight
from monitor.settings import HeartbeatSettings
from tests.test_deploy_metrics import exported

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "operations.md").read_text("utf-8")
FEED = '[[feeds]]\nname = "A"\nurl = "https://a.example/feed"\n'
URL = "https://hc.example.org/ping/1"


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL))
@pytest.mark.parametrize("commented", [True, False])
def test_its_tables_load(tmp_path: Path, block: str, commented: bool) -> None:
    text = block if commented else re.sub(r"^# ", "", block, flags=re.MULTILINE)
    (tmp_path / "config.toml").write_text(FEED + text, "utf-8")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "heartbeat").write_text(URL)
    loaded = config.load(tmp_path / "config.toml", {})
    if "[heartbeat]" in block:
        assert loaded.heartbeat == HeartbeatSettings(url=URL)
    if "[metrics]" in block:
        assert loaded.metrics is not None
        assert loaded.metrics.hosts == (() if commented else ("monitor.example.org",))


def test_the_shipped_watchers_work_once_the_marks_are_taken_away(tmp_path: Path) -> None:
    shipped = (ROOT / "config.toml").read_text("utf-8")
    (table,) = re.findall(r"# \[heartbeat\].*?(?=\n\n# ---)", shipped, re.DOTALL)
    (tmp_path / "config.toml").write_text(FEED + re.sub(r"(?m)^# ", "", table), "utf-8")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "heartbeat").write_text(URL)
    loaded = config.load(tmp_path / "config.toml", {})
    assert loaded.heartbeat == HeartbeatSettings(url=URL)
    assert loaded.metrics is not None


def test_its_metrics_are_all_there_are() -> None:
    section = TEXT.partition("## Health and metrics")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(monitor_\w+)`", section))
    have = {re.sub(r"_(bucket|count|sum)$", "", name) for name in exported()}
    assert named == have


def test_its_figures_are_those_of_the_program() -> None:
    assert f"A complaint that repeats is logged {_words(TOLD)} times" in TEXT
    assert f"in the same {_words(WINDOW.total_seconds() / 60)} minutes is counted" in TEXT
    assert f"up to {ROOM >> 20} MB of lines wait" in TEXT
    minutes = _words(sight.PATIENCE.total_seconds() / 60)
    assert f"none has answered for {minutes} minutes" in TEXT
    assert f"at least {_words(sight.MANY)} have begun to fail" in TEXT


def _words(number: float) -> str:
    return {3: "three", 5: "five", 10: "ten"}[int(number)]
