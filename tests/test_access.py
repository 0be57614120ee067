"""Who may change the database, and what the others are told."""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.cli import invoke
from monitor.errors import StoreRefused
from monitor.store.access import as_whom, may_write
from monitor.store.lock import Lock
from monitor.store.sqlite import SqliteStore

NOBODY = 65534
OWNER = 65533  # has no name on most machines

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that every user can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def user(uid: int) -> Iterator[None]:
    before = os.geteuid()
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(before)


def a_database(folder: Path, owner: int) -> Path:
    path = folder / "monitor.db"
    SqliteStore.open(str(path)).close()
    for each in (folder, *folder.iterdir()):
        os.chown(each, owner, -1)
    return path


@as_root
@pytest.mark.parametrize(
    ("owner", "told"),
    [
        pytest.param(0, "sudo -u root python3 run_monitor.py …", id="by name"),
        pytest.param(OWNER, f"sudo -u '#{OWNER}' python3 run_monitor.py …", id="by number"),
    ],
)
def test_the_wrong_user_is_told_the_right_one(folder: Path, owner: int, told: str) -> None:
    if owner == OWNER and owner in {each.pw_uid for each in pwd.getpwall()}:
        pytest.skip("somebody has this number")
    path = a_database(folder, owner)
    with user(NOBODY), pytest.raises(StoreRefused) as refused:
        SqliteStore.beside(str(path))
    assert str(refused.value).startswith(f"{path}: cannot write here; run it as the user")
    assert str(refused.value).endswith(told)
    with user(NOBODY), pytest.raises(StoreRefused, match=r"cannot write here.*sudo -u"):
        Lock(str(path)).__enter__()


@as_root
def test_a_command_of_the_wrong_user_ends_with_3(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = folder / "config.toml"
    config.write_text('[monitor]\ndatabase = "monitor.db"\n')
    a_database(folder, 0)
    command = ["silence", "add", "--everything", "--for", "4h", "--reason", "x", "--owner", "anna"]
    assert invoke(["silence", "--help"]) == 0  # imported while its files can be read
    with user(NOBODY):
        assert invoke(["--config", str(config), *command]) == 3
    told = capsys.readouterr().err
    assert "cannot write here; run it as the user the monitor runs as: sudo -u root" in told


@as_root
@pytest.mark.parametrize("command", [["status"], ["feeds", "list"]], ids=" ".join)
def test_a_folder_that_is_closed_to_this_user_is_said(
    folder: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    config, data = folder / "config.toml", folder / "data"
    config.write_text("[monitor]\nallow_empty = true\n")
    data.mkdir()
    a_database(data, OWNER)
    data.chmod(0o700)
    assert invoke([*command, "--help"]) == 0  # imported while its files can be read
    with user(NOBODY):
        assert invoke(["--config", str(config), *command]) == 3
    assert "cannot be read (Permission denied); run it as" in capsys.readouterr().err


def test_what_is_ones_own_needs_no_other_user(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    SqliteStore.open(str(path)).close()
    assert may_write(path)
    assert "is yours" in as_whom(path)


@as_root
def test_a_folder_of_the_system_is_no_reason_to_be_root(folder: Path) -> None:
    with user(NOBODY):
        told = as_whom(folder / "data" / "monitor.db")
    assert told == f"make {folder} writable for the user that runs the monitor"
