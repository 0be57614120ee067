"""Files replaced whole: mode, links, leftovers, failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.wholefile import replace_file


def test_the_mode_of_a_file_stays_and_a_new_one_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "alerts.xml"
    replace_file(path, b"one")
    assert path.stat().st_mode & 0o777 == 0o644
    path.chmod(0o600)
    replace_file(path, b"two")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"two", 0o600)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.xml").write_bytes(b"one")
    link = tmp_path / "alerts.xml"
    link.symlink_to("real.xml")
    replace_file(link, b"two")
    assert link.is_symlink()
    assert (tmp_path / "real.xml").read_bytes() == b"two"


def test_what_a_killed_run_left_is_no_trap(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"mine")
    (tmp_path / ".alerts.xml.new").symlink_to(secret)
    replace_file(tmp_path / "alerts.xml", b"two")
    assert secret.read_bytes() == b"mine"
    assert (tmp_path / "alerts.xml").read_bytes() == b"two"


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "alerts.xml"
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(path, b"two")
    assert [each.name for each in tmp_path.iterdir()] == ["alerts.xml"]
