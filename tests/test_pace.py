"""How long to wait for the next visit of a feed that works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.feeds import pace
from monitor.feeds.pace import KEPT_SHARE, Bounds
from monitor.feeds.rhythm import expected, learn, rate
from monitor.model import Rhythm, Word
from monitor.settings import PollSettings
from tests.builders import NOW, feed_settings, minutes
from tests.test_rhythm import DAY, HOUR, MONDAY, office, steady, watched, weekly

BOUNDS = Bounds.of(PollSettings())
FRESH = MONDAY + 28 * DAY  # the Monday after four weeks watched
RHYTHMS = {"office": watched(office()), "weekly": watched(weekly()), "busy": watched(steady(8))}


def visits(
    rhythm: Rhythm, start: datetime, end: datetime, bounds: Bounds = BOUNDS
) -> list[datetime]:
    """Of a feed that publishes nothing meanwhile."""
    times = [start]
    while times[-1] < end:
        times.append(times[-1] + pace.wait(rhythm, times[-1], bounds))
    return times


def intervals(times: Sequence[datetime]) -> list[timedelta]:
    return [late - early for early, late in pairwise(times)]


def test_the_usual_feed_is_visited_at_the_interval_people_set() -> None:
    assert pace.wait(Rhythm(), NOW, BOUNDS) == minutes(15)
    hourly = Bounds.of(PollSettings(interval=HOUR))
    assert pace.wait(Rhythm(), NOW, hourly) == HOUR


def test_a_busy_feed_is_visited_more_often_than_a_quiet_one() -> None:
    calm = {name: replace(each, recent=0, recent_expected=0) for name, each in RHYTHMS.items()}
    noon = FRESH + 12 * HOUR
    busy, weekly_ = (pace.wait(calm[name], noon, BOUNDS) for name in ("busy", "weekly"))
    assert busy < minutes(10) < minutes(30) < weekly_


def test_an_office_feed_is_visited_in_its_hours() -> None:
    times = visits(RHYTHMS["office"], FRESH, FRESH + 7 * DAY)
    at_work = [at for at in times if at.weekday() < 5 and 9 <= at.hour < 17]
    assert len(at_work) > len(times) / 2  # in 40 of 168 hours


def test_a_wait_begun_at_night_ends_when_the_office_opens() -> None:
    rhythm = RHYTHMS["office"]
    for start in (FRESH + 5 * HOUR, FRESH - 9 * HOUR, FRESH - 30 * HOUR):
        times = visits(rhythm, start, FRESH + 10.5 * HOUR)
        assert any(FRESH + 9 * HOUR < at < FRESH + 9.75 * HOUR for at in times)


def test_a_rush_is_followed_at_once() -> None:
    rhythm = RHYTHMS["office"]
    rush = learn(rhythm, [FRESH + minutes(n) for n in range(20)], FRESH + minutes(20))
    at = FRESH + minutes(20)
    assert pace.wait(rush, at, BOUNDS) < pace.wait(rhythm, at, BOUNDS) / 2


# --- bounds


@pytest.mark.parametrize("name", RHYTHMS)
@pytest.mark.parametrize("start", [0, 3, 9, 30, 130])
def test_neither_bound_is_crossed(name: str, start: int) -> None:
    own = feed_settings(min_interval=minutes(12), max_interval=minutes(25))
    bounds = Bounds.of(PollSettings(), own)
    for gap in intervals(visits(RHYTHMS[name], FRESH + start * HOUR, FRESH + 60 * HOUR, bounds)):
        assert minutes(12) <= gap <= minutes(25)


@pytest.mark.parametrize("listed", [3, 10, 30])
@pytest.mark.parametrize("name", ["office", "busy"])
def test_a_visit_comes_before_a_third_of_the_list_is_new(name: str, listed: int) -> None:
    """But for the shortest interval, which people set."""
    rhythm = replace(RHYTHMS[name], listed=listed, recent=0, recent_expected=0)
    for early, late in pairwise(visits(rhythm, FRESH, FRESH + 2 * DAY)):
        kept = expected(rhythm, early, late) <= listed / KEPT_SHARE + 1e-6
        assert kept or late - early == BOUNDS.shortest


def test_a_list_that_rolls_over_in_minutes_is_visited_as_often_as_allowed() -> None:
    crowd = learn(Rhythm(listed=5), [NOW - minutes(n / 4) for n in range(400)], NOW)
    assert pace.wait(crowd, NOW, BOUNDS) == BOUNDS.shortest


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.floats(0, 2000), max_size=60),
    st.integers(0, 100),
    st.timedeltas(timedelta(0), timedelta(days=9)),
    st.sets(st.integers(0, 23)),
)
def test_whatever_was_learnt_the_bounds_hold(
    hours_ago: list[float], listed: int, ttl: timedelta, skip: set[int]
) -> None:
    word = Word(ttl=ttl, skip_hours=frozenset(skip))
    times = [NOW - timedelta(hours=ago) for ago in hours_ago]
    rhythm = learn(Rhythm(listed=listed, word=word), times, NOW)
    assert BOUNDS.shortest <= pace.wait(rhythm, NOW, BOUNDS) <= BOUNDS.longest


# --- the feed's own word


def word(**changes: object) -> Rhythm:
    return Rhythm(word=Word(**changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rhythm", "max_age", "expected_wait"),
    [
        (word(ttl=HOUR), None, HOUR),
        (word(ttl=minutes(5)), None, minutes(15)),
        (word(), 2 * HOUR, 2 * HOUR),
        (word(ttl=3 * HOUR), 2 * HOUR, 3 * HOUR),
        (word(skip_hours=frozenset({10, 11})), None, 2 * HOUR + minutes(15)),
        (word(skip_days=frozenset({NOW.weekday()})), None, 14 * HOUR + minutes(15)),
        (word(skip_hours=frozenset(range(24))), None, DAY),
    ],
    ids=["ttl", "a short ttl", "max-age", "the longer", "hours", "days", "all hours: a day"],
)
def test_word(rhythm: Rhythm, max_age: timedelta | None, expected_wait: timedelta) -> None:
    assert pace.wait(rhythm, NOW, BOUNDS, max_age=max_age) == expected_wait


def test_a_feed_said_to_change_daily_is_visited_less_until_it_is_known() -> None:
    assert minutes(20) < pace.wait(word(update_every=DAY), NOW, BOUNDS) < HOUR


def test_a_ttl_that_would_lose_entries_is_not_obeyed() -> None:
    rhythm = replace(RHYTHMS["busy"], listed=6, word=Word(ttl=6 * HOUR))
    assert rate(rhythm, FRESH) > 6
    assert pace.wait(rhythm, FRESH, BOUNDS) < minutes(20)


def test_a_feeds_own_interval_is_its_pace() -> None:
    fixed = Bounds.of(PollSettings(), feed_settings(interval=minutes(7)))
    for rhythm in (*RHYTHMS.values(), word(ttl=HOUR)):
        assert pace.wait(rhythm, FRESH, fixed, max_age=HOUR) == minutes(7)


def test_bounds_that_leave_no_choice_are_the_pace() -> None:
    every = PollSettings(min_interval=minutes(1), max_interval=minutes(1))
    for rhythm in (*RHYTHMS.values(), word(ttl=HOUR)):
        assert pace.wait(rhythm, FRESH, Bounds.of(every), max_age=HOUR) == minutes(1)
