"""Waiting for the lock of another connection: as long as asked, unless called off."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest

from monitor.store.patience import Patience


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a database that another one has locked."""
    path = tmp_path / "x.db"
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as ours,
    ):
        other.execute("BEGIN IMMEDIATE")
        yield ours


def test_it_gives_up_after_its_time(ours: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        Patience(timedelta(milliseconds=20)).begin(ours)


def test_whoever_waits_is_called_off(ours: sqlite3.Connection) -> None:
    patience, began = Patience(timedelta(minutes=5)), monotonic()
    threading.Timer(0.05, patience.lose).start()
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        patience.begin(ours)
    assert monotonic() - began < 30


def test_later_ones_do_not_wait_at_all(ours: sqlite3.Connection) -> None:
    patience = Patience(timedelta(minutes=5))
    patience.lose()
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        patience.begin(ours)
    assert ours.execute("PRAGMA busy_timeout").fetchone() == (0,)


def test_after_one_that_was_in_vain_others_wait_for_a_turn_only(ours: sqlite3.Connection) -> None:
    patience = Patience(timedelta(seconds=3))
    began = monotonic()
    for _ in range(3):
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            patience.begin(ours)
    assert 3 <= monotonic() - began < 3 + 2 * 2.5


def test_what_can_wait_for_another_time_does_not_wait(ours: sqlite3.Connection) -> None:
    patience, began = Patience(timedelta(minutes=5)), monotonic()
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        patience.begin(ours, now=True)
    assert monotonic() - began < 1
    assert not patience._in_vain  # whoever has to wait has all its time


def test_what_is_no_lock_is_raised_at_once() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute("BEGIN")
        with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
            Patience(timedelta(minutes=5)).begin(db)
