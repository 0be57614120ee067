"""Silences beyond a feed's own rhythm: when they are told, once, and in which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from statistics import mean, median

import pytest

from monitor.feeds import quiet
from monitor.model import FailureReason, Feed, Rhythm, Severity
from tests.bench.quiet import ALLOWED, HOUR, KINDS, simulate
from tests.builders import NOW
from tests.silent import DAY, TWICE_A_DAY, days, learnt, visited
from tests.thorough import thorough


@pytest.fixture(scope="module")
def regular() -> Feed:
    return learnt(TWICE_A_DAY, NOW)


def after(feed: Feed, silence: timedelta) -> Feed:
    return visited(feed, [], NOW + HOUR, NOW + silence)


@pytest.mark.parametrize(
    ("hours", "unusual"), [(0, False), (11, False), (12, True), (72, True)], ids=str
)
def test_a_regular_feed_is_silent_for_too_long(regular: Feed, hours: int, unusual: bool) -> None:
    assert quiet.is_unusual(after(regular, hours * HOUR)) is unusual


def test_told_once_with_the_figures_and_once_when_news_comes_again(regular: Feed) -> None:
    now = NOW + 3 * DAY
    feed, alert = quiet.report(after(regular, 3 * DAY), ("fms-ukraine",), now)
    assert alert is not None
    assert alert.title == "DSCA: nothing for 3.5 days; longest in 90 days: 13 hours"
    assert alert.severity is Severity.NORMAL
    assert "its newest entry came 12 Feb 2025 21:00 UTC" in alert.text
    assert "Rules that look only there: fms-ukraine." in alert.text
    assert feed.quiet_since == NOW - 13 * HOUR
    assert quiet.report(feed, (), now + DAY) == (feed, None)
    feed = visited(feed, [now + HOUR], now + HOUR, now + 2 * HOUR)
    feed, alert = quiet.report(feed, (), now + 2 * HOUR)
    assert alert is not None
    assert alert.title == "DSCA has news again, after 3.6 days"
    assert feed.quiet_since is None
    assert quiet.report(feed, (), now + 2 * HOUR) == (feed, None)


EXCUSED = {
    "it fails": {"failures": 1, "failure": FailureReason.TIMEOUT},
    "it is paused": {"paused": True},
    "it never answered in full": {"succeeded_at": None},
    "nothing is learnt": {"rhythm": Rhythm()},
    "it is known for days only": {"rhythm": None},
}


@pytest.mark.parametrize("changes", EXCUSED.values(), ids=EXCUSED)
def test_who_is_not_told(regular: Feed, changes: dict[str, object]) -> None:
    silent = after(regular, 4 * DAY)
    assert quiet.is_unusual(silent)
    if changes == {"rhythm": None}:
        changes = {"rhythm": replace(silent.rhythm, began_at=NOW - 7 * DAY)}
    assert quiet.report(replace(silent, **changes), (), NOW + 4 * DAY)[1] is None


def test_a_silence_shorter_than_a_weekend_is_told_by_its_hours() -> None:
    busy = [at for at in days(-60, 0, *range(-2, 8)) if at.weekday() < 5]
    monday = NOW + 4 * DAY + 8 * HOUR
    feed = learnt(busy, NOW)
    friday = visited(feed, days(0, 2, *range(-2, 8)), NOW + HOUR, monday - 10 * HOUR)
    assert not quiet.is_unusual(friday)  # after the weekend
    silent = visited(friday, [], monday - 9 * HOUR, monday + 2 * HOUR)
    _, alert = quiet.report(silent, (), monday)
    assert alert is not None
    assert alert.title.startswith("DSCA: nothing for ")


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(minutes=60), "1 hour"),
        (timedelta(minutes=90), "1.5 hours"),
        (timedelta(hours=71), "71 hours"),
        (timedelta(days=6), "6 days"),
        (timedelta(days=6, hours=11), "6.5 days"),
    ],
)
def test_figures(time: timedelta, words: str) -> None:
    assert quiet.figure(time) == words


SHARE = (
    "poisson, 3 a day",
    pytest.param("weekly", marks=thorough),
    "bursty",
)  # tests/bench/quiet.py has all of them


@pytest.mark.parametrize("kind", SHARE)
@thorough
def test_false_alarms_and_delay_of_simulated_feeds(kind: str) -> None:
    results = [simulate(KINDS[kind], seed, 150 * DAY, 2 * HOUR) for seed in range(5)]
    assert mean(each.false_alarms for each in results) <= 1
    assert median(each.delay for each in results) <= ALLOWED
