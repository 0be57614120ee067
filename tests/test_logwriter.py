"""The log's thread: lines in order, and what becomes of them when they cannot be written."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.logwriter import LogWriter, to_stderr


class Target:
    """Takes lines while it is open, holds them up while it is blocked, refuses them when full."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.open = threading.Event()
        self.open.set()
        self.full = False

    def __call__(self, text: str) -> None:
        self.open.wait()
        if self.full:
            raise OSError(28, "No space left on device")
        self.taken.append(text.rstrip())


@pytest.fixture
def target() -> Iterator[Target]:
    made = Target()
    yield made
    made.open.set()


def writer(target: Target, **how: object) -> LogWriter:
    return LogWriter(target, lost="{} lost".format, **how)  # type: ignore[arg-type]


def test_lines_are_written_in_order(target: Target) -> None:
    lines = writer(target)
    for number in range(100):
        lines.put(str(number))
    lines.close()
    assert target.taken == [str(number) for number in range(100)]


def test_a_blocked_target_holds_up_nobody_and_what_was_dropped_is_said(target: Target) -> None:
    target.open.clear()
    lines = writer(target, room=1_000)
    began = time.monotonic()
    for number in range(5_000):
        lines.put(f"{number:04}")
    assert not lines.drain(0.01)
    assert time.monotonic() - began < 5
    target.open.set()
    assert lines.drain(10)
    kept = [each for each in target.taken if " " not in each]
    lost = sum(int(each.split()[0]) for each in target.taken if " " in each)
    assert 250 <= len(kept) <= 252
    assert kept == sorted(kept)
    assert lost == 5_000 - len(kept)


def test_neither_a_target_nor_a_summary_that_trips_ends_the_thread(target: Target) -> None:
    calls = 0

    def trips(text: str) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("a bug of a progress bar")
        target(text)

    def due() -> list[str]:
        raise RuntimeError("a summary that cannot be made")

    lines = LogWriter(trips, lost="{} lost".format, due=due)
    for number in range(3):
        lines.put(str(number))
    assert lines.drain(5)
    assert target.taken == ["1 lost", "1", "2"]


def test_a_full_disk_loses_lines_and_says_how_many_once_there_is_room(target: Target) -> None:
    lines = writer(target)
    target.full = True
    for each in ("a", "b", "c"):
        lines.put(each)
    lines.drain(10)
    target.full = False
    lines.put("d")
    lines.close()
    assert target.taken == ["3 lost", "d"]


def test_the_end_waits_only_so_long(target: Target) -> None:
    target.open.clear()
    lines = writer(target)
    lines.put("stuck")
    began = time.monotonic()
    lines.close(0.05)
    assert time.monotonic() - began < 2


def test_what_has_become_due_is_written_though_nothing_is_logged(target: Target) -> None:
    due = [["57 more"]]
    lines = writer(target, due=lambda: due.pop() if due else [], look_every=0.001)
    lines.put("first")
    deadline = time.monotonic() + 10
    while len(target.taken) < 2 and time.monotonic() < deadline:
        threading.Event().wait(0.001)
    lines.close()
    assert target.taken == ["first", "57 more"]


def test_stderr_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(OSError, match="closed"):
        to_stderr("x")


def test_the_real_stderr_is_written_past_its_buffer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with os.fdopen(writing, "w", encoding="ascii") as stream, os.fdopen(reading, "rb") as pipe:
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(sys, "__stderr__", stream)
        to_stderr("Ukraїna\n")
        many = threading.Thread(target=to_stderr, args=("x" * 200_000,))
        many.start()
        assert pipe.read(200_008) == b"Ukra?na\n" + b"x" * 200_000
        many.join(10)
