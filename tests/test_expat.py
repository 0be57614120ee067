"""Old XML parsers are warned of, wherever people look."""

from __future__ import annotations

import pyexpat
from pathlib import Path

import pytest

from monitor import expat
from monitor.cli import invoke
from monitor.store.sqlite import SqliteStore
from tests.test_backups import CONFIG

OLD, NEW = "expat_2.5.0", "expat_2.6.0"


@pytest.mark.parametrize(
    ("version", "warned"),
    [
        ("expat_2.4.9", True),
        (OLD, True),
        (NEW, False),
        ("expat_2.10.1", False),
        ("expat_3.0.0", False),
        ("something else", False),
    ],
)
def test_which_are_old(version: str, warned: bool) -> None:
    assert bool(expat.warning(version)) is warned


@pytest.mark.parametrize("command", ["check", "status", "once"])
@pytest.mark.parametrize("version", [OLD, NEW])
def test_it_is_said_where_people_look(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    version: str,
) -> None:
    monkeypatch.setattr(pyexpat, "EXPAT_VERSION", version)
    (tmp_path / "config.toml").write_text(CONFIG.replace("[[feeds]]", "[[feeds]]\nenabled = false"))
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.toml").write_text('[[rule]]\nname = "nato"\nany = ["NATO"]\n')
    SqliteStore.open(str(tmp_path / "monitor.db")).close()
    invoke([command, "--config", str(tmp_path / "config.toml")])
    said = "".join(capfd.readouterr())
    assert ("reads XML with expat 2.5.0" in said) is (version == OLD)
