"""One monitor for one database, whatever became of the last one."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.errors import AlreadyRunning, StoreRefused
from monitor.store.lock import Lock

ROOT = Path(__file__).parents[1]
HOLD = "import sys; from monitor.store.lock import Lock; Lock(sys.argv[1]).__enter__(); print(1, flush=True); sys.stdin.read()"  # noqa: E501


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "data" / "monitor.db")


@pytest.fixture
def holder(database: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, database],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"1\n"
        yield child
        child.kill()


def test_it_names_its_process_in_the_file(database):
    with Lock(database):
        assert Path(f"{database}.lock").read_text() == f"{os.getpid()}\n"


def test_a_second_monitor_is_told_whom_to_stop(database, holder):
    with pytest.raises(AlreadyRunning, match=f"process {holder.pid}.*kill {holder.pid}"):
        Lock(database).__enter__()


def test_a_second_one_leaves_the_first_ones_number(database, holder):
    with pytest.raises(AlreadyRunning):
        Lock(database).__enter__()
    assert Path(f"{database}.lock").read_text() == f"{holder.pid}\n"


def test_a_killed_holder_leaves_no_lock(database, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with Lock(database):
        assert Path(f"{database}.lock").read_text() == f"{os.getpid()}\n"


def test_it_can_be_taken_again_once_let_go(database):
    for _ in range(2):
        with Lock(database):
            pass


def test_a_stale_longer_number_is_overwritten_whole(database):
    Path(database).parent.mkdir()
    Path(f"{database}.lock").write_text("123456789012\n")
    with Lock(database):
        assert Path(f"{database}.lock").read_text() == f"{os.getpid()}\n"


def test_a_link_to_the_database_is_the_same_database(database, tmp_path):
    link = tmp_path / "link.db"
    link.symlink_to(database)
    with Lock(database), pytest.raises(AlreadyRunning):
        Lock(str(link)).__enter__()


def test_no_number_is_made_up_for_a_holder_that_has_not_written_its_own(database):
    Path(database).parent.mkdir()
    handle = os.open(f"{database}.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(AlreadyRunning) as raised:
        Lock(database).__enter__()
    assert "kill" not in str(raised.value)
    os.close(handle)


def test_a_file_system_without_locks_is_not_taken_for_a_second_monitor(database, monkeypatch):
    def no_locks(handle: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(StoreRefused, match="local disk"):
        Lock(database).__enter__()


def test_a_place_that_is_no_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreRefused, match="cannot write here"):
        Lock(str(tmp_path / "file" / "monitor.db")).__enter__()
