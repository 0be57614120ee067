"""``export``: everything, in order, and nothing in it that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from pathlib import Path

import pytest

from monitor.cli import invoke
from monitor.store.sqlite import SqliteStore
from tests.builders import NOW, a_delivery, an_alert, an_entry, an_outcome, feed_settings
from tests.test_backups import CONFIG

FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", " =1", "\r=1")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG)
    with closing(SqliteStore.open(str(tmp_path / "monitor.db"))) as store:
        store.sync_feeds([feed_settings()], NOW)
        (feed,) = store.feeds()
        entries = [an_entry(title, feed=feed) for title in ('NATO, "Kyiv"\nand more', *FORMULAS)]
        alerts = [an_alert(entry, title=entry.title) for entry in entries]
        rows = [a_delivery(alert) for alert in alerts]
        store.commit([an_outcome(*entries, feed=feed, alerts=alerts, deliveries=rows)])
    return tmp_path / "config.toml"


def exported(
    config: Path, capsys: pytest.CaptureFixture[str], kind: str, *words: str
) -> list[dict[str, str]]:
    assert invoke(["export", kind, *words, "--config", str(config)]) == 0
    out = capsys.readouterr().out
    if "jsonl" in words:
        return [json.loads(line) for line in out.splitlines()]
    return list(csv.DictReader(io.StringIO(out, newline="")))


@pytest.mark.parametrize("kind", ["entries", "alerts", "deliveries"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_everything_is_there(
    config: Path, capsys: pytest.CaptureFixture[str], kind: str, form: str
) -> None:
    found = exported(config, capsys, kind, "--format", form)
    assert len(found) == 1 + len(FORMULAS)
    assert all(row["id"] for row in found)


def test_times_are_iso_and_text_is_whole(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (first, *_) = exported(config, capsys, "entries")
    assert first["first_seen_at"] == "2025-02-13T10:00:00+00:00"
    assert first["title"] == 'NATO, "Kyiv"\nand more'
    assert first["feed"] == "Example Defence"


def test_severities_are_as_people_write_them(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {row["severity"] for row in exported(config, capsys, "alerts")} == {"normal"}
    assert invoke(["alerts", "list", "--json", "--config", str(config)]) == 0
    assert {each["severity"] for each in json.loads(capsys.readouterr().out)} == {"normal"}


@pytest.mark.parametrize("kind", ["entries", "alerts"])
def test_no_cell_is_a_formula(config: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    found = exported(config, capsys, kind)
    assert sum(row["title"].startswith("'") for row in found) == len(FORMULAS)
    cells = [cell.lstrip(" ") for row in found for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_what_is_older_is_left_out(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exported(config, capsys, "alerts", "--since", "1d") == []


def test_an_unknown_kind_is_wrong_use(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["export", "stories", "--config", str(config)]) == 2
    assert "entries" in capsys.readouterr().err
