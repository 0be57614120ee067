"""What a feed has shown of when it publishes."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.feeds import rhythm as rhythms
from monitor.model import Gap, Rhythm, Word
from monitor.store.rhythms import dump, load
from tests.builders import NOW, minutes

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = NOW.replace(day=3, hour=0)  # 3 February 2025


def watched(
    times: Sequence[datetime],
    *,
    start: datetime = MONDAY,
    end: datetime = MONDAY + 28 * DAY,
    every: timedelta = HOUR,
) -> Rhythm:
    """The rhythm after visits from *start* to *end*, each of which finds what is new of *times*."""
    rhythm, waiting = rhythms.learn(Rhythm(), (), start), sorted(times)
    now = start
    while now < end:
        now += every
        new = [at for at in waiting if at <= now]
        waiting = waiting[len(new) :]
        rhythm = rhythms.learn(rhythm, new, now)
    return rhythm


def office(weeks: int = 4) -> list[datetime]:
    """Two entries an hour, Monday to Friday, 9 to 17."""
    days = [MONDAY + n * DAY for n in range(7 * weeks) if n % 7 < 5]
    return [day + h * HOUR + minutes(m) for day in days for h in range(9, 17) for m in (5, 35)]


def weekly(weeks: int = 4) -> list[datetime]:
    return [MONDAY + n * 7 * DAY + DAY + 14 * HOUR + minutes(2) for n in range(weeks)]


def steady(an_hour: int, hours: int = 28 * 24) -> list[datetime]:
    return [MONDAY + n * HOUR / an_hour for n in range(1, hours * an_hour)]


# --- rates


def test_a_feed_nothing_is_known_of_has_the_usual_rate() -> None:
    assert rhythms.rate(Rhythm(), NOW) == rhythms.USUAL


def test_its_own_word_stands_in_until_more_is_known() -> None:
    daily = Rhythm(word=Word(update_every=DAY))
    assert rhythms.rate(daily, NOW) == pytest.approx(1 / 24)


@pytest.mark.parametrize(
    ("times", "at", "least", "most"),
    [
        (steady(4), 14 * HOUR, 3.5, 4.5),
        (steady(4), 5 * DAY + 3 * HOUR, 3.5, 4.5),
        (office(), 28 * DAY + 14 * HOUR, 1.6, 2.6),
        (office(), 28 * DAY + 3 * HOUR, 0, 0.1),
        (office(), 33 * DAY + 14 * HOUR, 0, 0.1),
        (weekly(), 29 * DAY + 14 * HOUR, 0.04, 1),
        (weekly(), 31 * DAY + 3 * HOUR, 0, 0.01),
        ([], 28 * DAY, 0, 0.01),
    ],
    ids=[
        "steady",
        "steady, any time",
        "office hours",
        "office at night",
        "office at the weekend",
        "weekly, at its hour",
        "weekly, else",
        "nothing ever",
    ],
)
def test_rate(times: list[datetime], at: timedelta, least: float, most: float) -> None:
    assert least <= rhythms.rate(watched(times), MONDAY + at) <= most


def test_a_first_document_teaches_at_once() -> None:
    listed = [at for at in office() if at < MONDAY + 10 * DAY]
    rhythm = rhythms.learn(Rhythm(), listed, MONDAY + 10 * DAY)
    noon, night = MONDAY + 10 * DAY + 12 * HOUR, MONDAY + 10 * DAY + 3 * HOUR
    assert rhythms.rate(rhythm, noon) > 5 * rhythms.rate(rhythm, night)
    assert rhythms.observed(rhythm) > 7 * DAY


def test_an_old_pinned_entry_of_a_first_document_does_not_count() -> None:
    pinned = [MONDAY - 400 * DAY, MONDAY - 80 * DAY]
    rhythm = rhythms.learn(Rhythm(), [*pinned, *steady(2, 12)], MONDAY + 12 * HOUR)
    assert rhythms.rate(rhythm, MONDAY + 13 * HOUR) == pytest.approx(2, rel=0.3)


def test_dates_without_a_time_teach_no_hours() -> None:
    rhythm = rhythms.learn(Rhythm(), [MONDAY + n * DAY for n in range(20)], MONDAY + 20.5 * DAY)
    midnight, noon = MONDAY + 28 * DAY, MONDAY + 28 * DAY + 12 * HOUR
    assert rhythms.rate(rhythm, midnight) == pytest.approx(rhythms.rate(rhythm, noon), rel=0.2)


def test_what_appears_with_an_old_date_counts_as_just_come() -> None:
    rhythm = watched([], end=MONDAY + DAY)
    after = rhythms.learn(rhythm, [MONDAY - 9 * DAY], MONDAY + DAY + HOUR)
    assert after.last_at == MONDAY + DAY


def test_a_rush_raises_the_rate_and_passes() -> None:
    calm, now = watched(steady(1)), MONDAY + 28 * DAY
    rush = rhythms.learn(calm, [now + minutes(n) for n in range(30)], now + minutes(30))
    usual = rhythms.rate(calm, now + minutes(30))
    assert rhythms.rate(rush, now + minutes(30)) > 4 * usual
    assert rhythms.rate(rush, now + 30 * HOUR) < 1.2 * usual


def test_a_new_pace_is_learnt_within_weeks() -> None:
    times = [*steady(4), *(MONDAY + 28 * DAY + n * DAY for n in range(60))]
    rhythm = watched(times, end=MONDAY + 88 * DAY, every=6 * HOUR)
    assert rhythms.rate(rhythm, MONDAY + 88.5 * DAY) < 0.5


def test_visits_without_news_are_noted_once_an_hour() -> None:
    rhythm = watched([], end=MONDAY + DAY)
    assert rhythms.learn(rhythm, (), MONDAY + DAY + minutes(59)) is rhythm
    assert rhythms.learn(rhythm, (), MONDAY + DAY + minutes(60)) != rhythm


def test_a_clock_set_back_begins_anew() -> None:
    rhythm = rhythms.learn(watched(steady(1)), (), MONDAY)
    assert (rhythm.learnt_at, rhythms.rate(rhythm, MONDAY)) == (MONDAY, rhythms.USUAL)


# --- gaps


def test_gaps_are_measured_by_the_clock_and_by_their_hours() -> None:
    rhythm = watched(office())
    night = max(gap for gap in (g.length for g in rhythm.gaps) if gap < DAY)
    assert night == 16.5 * HOUR
    assert rhythms.longest_gap(rhythm, MONDAY + 28 * DAY) == 64.5 * HOUR  # the weekend
    assert max(gap.expected for gap in rhythm.gaps) < 5  # of two an hour: 129 entries by the clock


def test_entries_that_come_together_leave_no_gap() -> None:
    noon = MONDAY + 12 * HOUR
    rhythm = watched([noon, noon, noon + timedelta(seconds=5)], end=MONDAY + DAY)
    assert rhythm.gaps == ()


def test_longest_gaps_are_forgotten_after_a_quarter() -> None:
    times = [MONDAY + HOUR, MONDAY + 10 * DAY, *(MONDAY + n * DAY for n in range(11, 130))]
    early = watched(times, end=MONDAY + 20 * DAY)
    assert rhythms.longest_gap(early, MONDAY + 20 * DAY) == 10 * DAY - HOUR
    assert rhythms.longest_gap(early, MONDAY + 101 * DAY) == DAY
    later = watched(times, end=MONDAY + 130 * DAY, every=DAY)
    assert rhythms.longest_gap(later, MONDAY + 130 * DAY) == DAY


def gaps(*expected: float) -> Rhythm:
    return Rhythm(gaps=tuple(Gap(ended_at=NOW, length=HOUR, expected=each) for each in expected))


@pytest.mark.parametrize(
    ("rhythm", "share", "usual"),
    [
        (gaps(), 0.99, -math.log(0.01)),
        (gaps(1, 2, 3), 0.99, -math.log(0.01)),
        (gaps(1, 2, 30), 0.99, 30),
        (gaps(*range(100)), 0.99, 98),
        (gaps(*range(100)), 0.9, 89),
    ],
    ids=["none known", "regular", "one long", "99 of 100", "90 of 100"],
)
def test_usual_gap(rhythm: Rhythm, share: float, usual: float) -> None:
    assert rhythms.usual_gap(rhythm, share) == pytest.approx(usual)


def test_the_end_of_a_gap_waits_for_the_feeds_own_hours() -> None:
    rhythm, friday = watched(office()), MONDAY + 25 * DAY + 17 * HOUR
    assert rhythms.reached(rhythm, friday, 4.6) > MONDAY + 28 * DAY + 8 * HOUR
    tuesday = MONDAY + 29 * DAY + 9 * HOUR
    assert rhythms.reached(rhythm, tuesday, 4.6) < tuesday + 4 * HOUR


def test_reached_and_expected_are_each_others_inverse() -> None:
    rhythm = watched(office())
    for entries in (0.5, 4.6, 30, 200):
        end = rhythms.reached(rhythm, NOW, entries)
        assert rhythms.expected(rhythm, NOW, end) == pytest.approx(entries, rel=1e-3)


OFFICE = watched(office())


@settings(max_examples=50)
@given(start=st.integers(0, 10**7), seconds=st.integers(-10, 3 * 10**6))
def test_what_is_expected_of_weeks_and_days_is_the_sum_of_their_hours(
    start: int, seconds: int
) -> None:
    begin = MONDAY + timedelta(seconds=start)
    end = begin + timedelta(seconds=seconds)
    hours = rhythms.hours_between(begin, end)
    slowly = sum(part * rhythms.Profile.of(OFFICE).at(at) for at, part in hours)
    assert rhythms.expected(OFFICE, begin, end) == pytest.approx(slowly)


def test_a_feed_that_hardly_writes_is_not_waited_for_longer_than_a_year() -> None:
    never = Rhythm(word=Word(update_every=36_500 * DAY))
    assert rhythms.reached(never, NOW, 4.6) == NOW + 365 * DAY


# --- always


@pytest.mark.parametrize("make", [steady, lambda n: office(), lambda n: weekly()])
def test_it_is_kept_as_it_was_but_for_rounding(make: Callable[[int], list[datetime]]) -> None:
    rhythm = replace(watched(make(3)), listed=20, word=Word(ttl=HOUR, skip_days=frozenset({5, 6})))
    text = dump(rhythm)
    assert len(text) < 6_000
    again = load(text)
    assert dump(again) == text
    assert rhythms.rate(again, NOW) == pytest.approx(rhythms.rate(rhythm, NOW), rel=0.01)
    assert (again.word, again.listed, again.last_at) == (rhythm.word, 20, rhythm.last_at)


def test_what_has_learnt_nothing_takes_no_room() -> None:
    assert (dump(Rhythm()), load("")) == ("", Rhythm())


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.integers(0, 200))
def test_rates_are_positive_and_the_json_bounded_whatever_comes(seed: int, count: int) -> None:
    chance = random.Random(seed)
    rhythm, now = Rhythm(), NOW
    for _ in range(5):
        times = [now - timedelta(hours=chance.expovariate(0.01)) for _ in range(count)]
        rhythm = rhythms.learn(rhythm, times, now)
        now += timedelta(hours=chance.expovariate(0.05))
    assert rhythms.rate(rhythm, now) > 0
    assert len(rhythm.gaps) <= rhythms.GAPS
    assert len(rhythm.longest) <= rhythms.LONGEST
    assert len(dump(rhythm)) < 8_000
