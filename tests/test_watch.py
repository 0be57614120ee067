"""Edits are noticed once, when the files hold still; by content, not by time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from monitor.errors import StoreBusy
from monitor.rules.watch import Stamp, Watcher, read_stamps


def look(folder: Path, watcher: Watcher, times: int = 1) -> list[bool]:
    return [watcher.observe(read_stamps(str(folder))) for _ in range(times)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.toml").write_text("one")
    return tmp_path


@pytest.fixture
def watcher(folder: Path) -> Watcher:
    started = Watcher()
    started.accept(read_stamps(str(folder)))
    return started


def test_nothing_happens_while_nothing_changes(folder: Path, watcher: Watcher) -> None:
    assert look(folder, watcher, 3) == [False, False, False]


def test_an_edit_is_noticed_once_at_the_second_look(folder: Path, watcher: Watcher) -> None:
    (folder / "a.toml").write_text("two")
    assert look(folder, watcher, 4) == [False, True, False, False]


def test_an_edit_that_could_not_be_taken_over_is_noticed_again(
    folder: Path, watcher: Watcher
) -> None:
    (folder / "a.toml").unlink()
    assert look(folder, watcher, 2) == [False, True]
    with pytest.raises(StoreBusy), watcher.taking_over():
        raise StoreBusy
    with watcher.taking_over():
        pass
    assert look(folder, watcher, 2) == [True, False]


def test_a_file_still_being_written_is_waited_for(folder: Path, watcher: Watcher) -> None:
    noticed = []
    for text in ("t", "tw", "two"):
        (folder / "a.toml").write_text(text)
        noticed += look(folder, watcher)
    assert noticed == [False, False, False]
    assert look(folder, watcher, 2) == [True, False]


def test_an_edit_that_is_taken_back_is_none(folder: Path, watcher: Watcher) -> None:
    (folder / "a.toml").write_text("two")
    assert look(folder, watcher) == [False]
    (folder / "a.toml").write_text("one")
    assert look(folder, watcher, 3) == [False, False, False]


def _replaced(folder: Path) -> None:
    (folder / "new").write_text("two")
    (folder / "new").replace(folder / "a.toml")


def _same_size_and_time(folder: Path) -> None:
    """As some network shares and rsync -t leave it."""
    before = (folder / "a.toml").stat()
    (folder / "a.toml").write_text("eno")
    os.utime(folder / "a.toml", ns=(before.st_atime_ns, before.st_mtime_ns))


def _link_swapped(folder: Path) -> None:
    """As Kubernetes mounts its config maps."""
    (folder / "v2").mkdir()
    (folder / "v2" / "a.toml").write_text("two")
    (folder / "link").symlink_to(folder / "v2" / "a.toml")
    (folder / "link").replace(folder / "a.toml")


@pytest.mark.parametrize(
    "edit",
    [
        _replaced,
        _same_size_and_time,
        _link_swapped,
        lambda folder: (folder / "b.toml").write_text("more"),
        lambda folder: (folder / "a.toml").unlink(),
        lambda folder: (folder / "a.toml").rename(folder / "c.toml"),
    ],
    ids=["inode replaced", "same size and time", "link swapped", "added", "removed", "renamed"],
)
def test_every_way_of_changing(folder: Path, watcher: Watcher, edit: object) -> None:
    assert callable(edit)
    edit(folder)
    assert look(folder, watcher, 3) == [False, True, False]


@pytest.mark.parametrize(
    "touch",
    [
        lambda folder: (folder / "a.toml").touch(),
        lambda folder: (folder / "a.toml.swp").write_text("x"),
        lambda folder: (folder / "notes.txt").write_text("x"),
    ],
    ids=["touched", "an editor's own file", "another file"],
)
def test_what_is_no_change(folder: Path, watcher: Watcher, touch: object) -> None:
    assert callable(touch)
    touch(folder)
    assert look(folder, watcher, 3) == [False, False, False]


def test_a_single_file_is_watched_as_well(folder: Path) -> None:
    watcher = Watcher()
    watcher.accept(read_stamps(str(folder / "a.toml")))
    (folder / "a.toml").write_text("two")
    assert look(folder / "a.toml", watcher, 3) == [False, True, False]


def test_a_folder_that_vanishes_is_a_change(folder: Path, watcher: Watcher) -> None:
    (folder / "a.toml").unlink()
    folder.rmdir()
    assert look(folder, watcher, 3) == [False, True, False]


def test_without_a_start_the_first_look_counts() -> None:
    watcher, stamps = Watcher(), {"a.toml": Stamp(3, "x")}
    assert [watcher.observe(stamps) for _ in range(3)] == [False, True, False]
