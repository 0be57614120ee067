"""Folding: which complaints are one, and that every one is told or counted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.logfold import Folder, Repeated
from tests.test_supervisor import Clock

POLLED = {"event": "polled", "feed": "NATO", "detail": "HTTP 503, try 1", "level": "warning"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param({}, False, id="the same"),
        pytest.param({"detail": "HTTP 504, try 22"}, False, id="another number"),
        pytest.param({"timestamp": "later", "next_poll_at": "soon"}, False, id="another time"),
        pytest.param({"feed": "Reuters"}, True, id="another feed"),
        pytest.param({"detail": "no such host"}, True, id="another reason"),
        pytest.param({"event": "not sent"}, True, id="another event"),
        pytest.param({"level": "error"}, True, id="worse"),
        pytest.param({"problems": ["a.toml:3: no key"]}, True, id="another mistake"),
    ],
)
def test_what_is_the_same_complaint(change: dict[str, object], told: bool) -> None:
    folder = Folder(clock=Clock(), told=1)
    assert folder.admits(POLLED)
    assert folder.admits({**POLLED, **change}) is told


def test_a_count_comes_with_the_end_of_the_window_and_then_it_is_told_again() -> None:
    clock = Clock()
    folder = Folder(clock=clock, window=timedelta(minutes=10), told=1)
    assert [folder.admits(POLLED) for _ in range(4)] == [True, False, False, False]
    clock.now = 599
    assert folder.over() == []
    clock.now = 600
    assert folder.over() == [Repeated(event=POLLED, times=3, length=timedelta(minutes=10))]
    assert folder.over() == []
    assert folder.admits(POLLED)


def test_what_came_once_leaves_no_count() -> None:
    clock = Clock()
    folder = Folder(clock=clock, told=1)
    folder.admits(POLLED)
    clock.now = 10_000
    assert folder.over() == folder.rest() == []


def test_it_remembers_only_so_many_and_forgets_no_count() -> None:
    folder = Folder(clock=Clock(), most=3, told=1)
    admitted = 0
    for number in range(50):
        for _ in range(number % 5 + 1):
            admitted += folder.admits({"event": "polled", "feed": str(number)})
    counted = sum(each.times for each in folder.rest())
    assert admitted == 50
    assert admitted + counted == sum(number % 5 + 1 for number in range(50))


def test_the_first_few_are_told() -> None:
    folder = Folder(clock=Clock(), told=3)
    assert [folder.admits(POLLED) for _ in range(5)] == [True, True, True, False, False]
    assert [each.times for each in folder.rest()] == [2]
