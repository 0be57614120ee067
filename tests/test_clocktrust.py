"""Two witnesses against a wrong clock: one that only ticks, and the dates of publishers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.clocktrust import Reading, Verdict, judge
from tests.builders import NOW

HOUR, DAY, YEARS = timedelta(hours=1), timedelta(days=1), timedelta(days=365 * 50)
BEFORE = Reading(NOW, HOUR)


@pytest.mark.parametrize(
    ("wall", "ticked", "published", "verdict"),
    [
        pytest.param(DAY, DAY, DAY, Verdict.SURE, id="both clocks and the feeds agree"),
        pytest.param(DAY, DAY, -5 * DAY, Verdict.SURE, id="a quiet week"),
        pytest.param(DAY + HOUR / 60, DAY, DAY, Verdict.SURE, id="a small correction"),
        pytest.param(DAY, DAY, None, Verdict.ALONE, id="no feed gives dates"),
        pytest.param(DAY, DAY, -9 * DAY, Verdict.DOUBTED, id="all dates are old"),
        pytest.param(YEARS, DAY, DAY, Verdict.JUMPED, id="set 50 years ahead"),
        pytest.param(YEARS, DAY, None, Verdict.JUMPED, id="set ahead, no dates"),
        pytest.param(-YEARS, DAY, DAY, Verdict.JUMPED, id="set 50 years back"),
    ],
)
def test_verdict(wall, ticked, published, verdict):
    newest = None if published is None else NOW + published
    assert judge(BEFORE, Reading(NOW + wall, HOUR + ticked), newest)[0] is verdict


def test_wrong_since_before_the_start_is_doubted_for_as_long_as_it_runs():
    """Nothing jumps: only the feeds know."""
    reading = Reading(NOW + YEARS, HOUR)
    for _ in range(100):
        later = Reading(reading.wall + DAY, reading.ticked + DAY)
        verdict, reading = judge(reading, later, NOW)
        assert verdict is Verdict.DOUBTED
        reading = later


def test_a_jump_to_the_right_time_is_believed_once_publishers_agree():
    jumped = Reading(NOW + 100 * DAY, HOUR)
    verdict, before = judge(BEFORE, jumped, NOW)
    assert (verdict, before) == (Verdict.JUMPED, BEFORE)
    verdict, before = judge(before, jumped, NOW + 100 * DAY)
    assert verdict is Verdict.JUMPED
    assert judge(before, jumped, NOW + 100 * DAY)[0] is Verdict.SURE


def test_a_jump_is_forgiven_when_the_clock_is_put_back():
    ahead, right = Reading(NOW + YEARS, HOUR), Reading(NOW + HOUR, 2 * HOUR)
    _, before = judge(BEFORE, ahead, NOW)
    assert judge(before, right, NOW)[0] is Verdict.SURE
