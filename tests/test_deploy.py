"""What lies in deploy/ fits the program it starts."""

from __future__ import annotations

import configparser
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.cli import COMMANDS, invoke
from monitor.errors import AlreadyRunning, ConfigError, StoreRefused
from monitor.pipeline.noted import ALIVE
from monitor.store.sqlite import SqliteStore
from monitor.supervisor import PATIENCE
from tests.test_backups import CONFIG

ROOT = Path(__file__).parents[1]
UNIT = (ROOT / "deploy" / "news-monitor.service").read_text()
CONTAINER = (ROOT / "deploy" / "Containerfile").read_text()


def unit() -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(UNIT)
    return parsed


def test_the_unit_starts_what_there_is_and_waits_longer_than_the_monitor_does() -> None:
    service = unit()["Service"]
    program = service["ExecStart"].split()[1].replace("/opt/news-monitor", str(ROOT))
    assert Path(program).exists()
    assert float(service["WatchdogSec"]) > PATIENCE.total_seconds()
    assert "DynamicUser" not in service  # backups and commands are run as the same user
    assert "setup" not in service["ExecStart"]


def test_the_unit_restarts_nothing_that_a_person_must_look_at() -> None:
    codes = set(map(int, unit()["Service"]["RestartPreventExitStatus"].split()))
    assert codes == {each.exit_code for each in (ConfigError, StoreRefused, AlreadyRunning)}


def test_the_container_copies_what_there_is_and_runs_as_nobody_special() -> None:
    copied = [
        name
        for line in re.findall(r"^COPY (.*)$", CONTAINER, re.MULTILINE)
        for name in line.split()[:-1]
    ]
    assert copied
    assert all((ROOT / name).exists() for name in copied)
    assert re.search(r"^USER monitor$", CONTAINER, re.MULTILINE)
    assert "run" in COMMANDS


@pytest.mark.parametrize(("age", "code"), [(1, 0), (20, 1), (None, 1)])
def test_the_health_check_of_the_container(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], age: int | None, code: int
) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    with closing(SqliteStore.open(str(tmp_path / "monitor.db"))) as store:
        if age is not None:
            at = datetime.now(UTC) - timedelta(minutes=age)
            store.set_note(ALIVE, at.isoformat())
    assert invoke(["status", "--healthy", "--config", str(tmp_path / "config.toml")]) == code
    said = capsys.readouterr().out
    assert said.startswith("alive, " if code == 0 else "no sign of life: ")
