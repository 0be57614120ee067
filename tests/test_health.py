"""When people are told of a feed, once, and in which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.feeds import health, schedule
from monitor.feeds.health import NAMED, TOGETHER
from monitor.model import (
    Alert,
    AlertKind,
    FailureReason,
    Feed,
    FetchFailed,
    NotModified,
    Oddity,
    Severity,
    Suspicion,
)
from monitor.settings import PollSettings
from tests.builders import NOW, a_feed, minutes

LONG_ENOUGH = timedelta(minutes=61)
REFUSED = FetchFailed(reason=FailureReason.FORBIDDEN, detail="the server refuses us (HTTP 403)")


def failing(lasting: timedelta = LONG_ENOUGH, **changes: Any) -> Feed:
    values: dict[str, Any] = {
        "name": "NATO",
        "failures": 3,
        "failing_since": NOW - lasting,
        "failure": FailureReason.FORBIDDEN,
        "failure_detail": REFUSED.detail,
        "succeeded_at": NOW - lasting - minutes(15),
    }
    return a_feed(**(values | changes))


def told(feed: Feed, relying: tuple[str, ...] = ()) -> Alert:
    after, alert = health.report(feed, relying, NOW)
    assert alert is not None
    assert after == replace(feed, reported=not feed.reported)
    return alert


# --- when


WHEN = {
    "works": (a_feed(), False),
    "three failures, an hour": (failing(minutes(60)), True),
    "three failures, not yet an hour": (failing(minutes(59)), False),
    "an hour, but two failures": (failing(failures=2), False),
    "official: half an hour": (failing(minutes(30), tags=frozenset({"official"})), True),
    "official: not yet": (failing(minutes(29), tags=frozenset({"official"})), False),
    "gone: at once": (failing(minutes(0), failures=1, failure=FailureReason.GONE), True),
    "paused": (failing(paused=True), False),
    "told before": (failing(reported=True), False),
}


@pytest.mark.parametrize(("feed", "expected"), WHEN.values(), ids=WHEN)
def test_when_people_are_told(feed: Feed, expected: bool) -> None:
    after, alert = health.report(feed, (), NOW)
    assert (alert is not None) is expected
    assert after.reported is (expected or feed.reported)


def test_told_once_broken_and_once_recovered() -> None:
    feed, now, alerts = a_feed(name="NATO"), NOW, []
    for minute in range(0, 60 * 24 * 4, 15):
        now = NOW + minutes(minute)
        if minute < 60 * 24 * 3:
            feed = schedule.failed(feed, REFUSED, PollSettings(), now)
        else:
            feed = schedule.succeeded(
                feed, fetched=NotModified(), parsed=None, settings=PollSettings(), now=now
            )
        feed, alert = health.report(feed, (), now)
        alerts += [alert] if alert else []
    assert [alert.title for alert in alerts] == ["No news from NATO", "NATO answers again"]


def test_a_second_outage_is_another_alert() -> None:
    first = told(failing(minutes(61)))
    second = told(failing(minutes(90)))
    assert first.id != second.id


def test_the_same_outage_is_the_same_alert() -> None:
    feed = failing()
    _, again = health.report(feed, (), NOW + minutes(5))
    assert again is not None
    assert again.id == told(feed).id


# --- the words


def test_words_for_a_feed_that_broke() -> None:
    alert = told(failing(), ("fms-ukraine", "nato-spending"))
    assert alert.kind is AlertKind.OPERATOR
    assert alert.severity is Severity.HIGH
    assert alert.title == "No news from NATO"
    assert alert.text.splitlines() == [
        "Since 13 Feb 2025 08:44 UTC: The server refuses us (HTTP 403).",
        "What it means: Nothing is lost if it returns before its entries roll over.",
        "Rules that look only there: fms-ukraine, nato-spending.",
        "What to do: The site blocks programs. Ask the publisher, naming our User-Agent, or use"
        " another source for it.",
    ]


def test_words_for_a_feed_that_never_worked() -> None:
    assert "It has never worked since it was added." in told(failing(succeeded_at=None)).text


def test_words_for_a_feed_that_is_gone() -> None:
    text = told(failing(failure=FailureReason.GONE)).text
    assert "Nothing more will come from this address." in text
    assert "Nothing is lost" not in text


def test_words_for_a_feed_that_came_back() -> None:
    alert = told(a_feed(name="NATO", reported=True, polled_at=NOW))
    assert alert.title == "NATO answers again"
    assert alert.severity is Severity.NORMAL


# --- it answers, but looks wrong


def odd(lasting: timedelta = LONG_ENOUGH, oddity: Oddity = Oddity.CUT_OFF, **changes: Any) -> Feed:
    suspicion = Suspicion(oddity=oddity, detail="the document is cut off after 3 entries")
    return a_feed(
        name="NATO", suspicion=suspicion, suspected_since=NOW - lasting, polled_at=NOW, **changes
    )


ODD = {
    "an hour": (odd(), True),
    "not yet an hour": (odd(minutes(59)), False),
    "few entries, for hours": (odd(timedelta(hours=23), Oddity.EMPTIED), False),
    "few entries, for a day": (odd(timedelta(hours=24), Oddity.EMPTIED), True),
    "told before": (odd(reported=True), False),
    "paused": (odd(paused=True), False),
    "it fails by now": (odd(failures=1), False),
}


@pytest.mark.parametrize(("feed", "expected"), ODD.values(), ids=ODD)
def test_when_people_are_told_that_a_feed_looks_wrong(feed: Feed, expected: bool) -> None:
    _, alert = health.report(feed, (), NOW)
    assert (alert is not None) is expected


def test_words_for_a_feed_that_looks_wrong_and_for_its_end() -> None:
    alert = told(odd(), ("fms-ukraine",))
    assert alert.title == "NATO answers, but looks wrong"
    assert alert.text.splitlines() == [
        "Since 13 Feb 2025 08:59 UTC: The document is cut off after 3 entries.",
        "What it means: it is read all the same, but news may be missing.",
        "Rules that look only there: fms-ukraine.",
        "What to do: What is whole is read; open it in a browser, and tell the publisher if it ends"
        " too early there too.",
    ]
    over = told(replace(odd(reported=True), suspected_since=None))
    assert over.title == "NATO looks right again"
    assert over.text == "It was: the document is cut off after 3 entries."


def test_ten_that_look_wrong_are_one_message() -> None:
    alerts = [told(replace(odd(), name=f"Feed {n}", id=f"{n}")) for n in range(TOGETHER)]
    (alert,) = health.together(alerts, NOW)
    assert alert.title.startswith("10 feeds answer, but look wrong")
    assert "Feed 0, Feed 1" in alert.text


# --- it has moved


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_move_is_told_at_the_third_equal_redirect(count: int) -> None:
    feed = a_feed(name="NATO's", moved_to="https://new.example/feed", moved_count=count)
    alert = health.moved(feed, NOW)
    assert (alert is not None) is (count == 3)
    if alert is not None:
        assert "https://new.example/feed, 3 times in a row" in alert.text
        assert "feeds accept-move 'NATO'\\''s'" in alert.text


def test_a_move_is_not_told_again_by_a_failing_visit() -> None:
    moved = failing(moved_to="https://new.example/feed", moved_count=3)
    assert health.moved(moved, NOW) is None


# --- many at once


def broken(count: int, **changes: Any) -> list[Alert]:
    return [
        told(failing(name=f"Feed {n:02}", url=f"https://{n}.example.org/", **changes))
        for n in range(count)
    ]


def test_nine_are_told_one_by_one() -> None:
    alerts = broken(TOGETHER - 1)
    assert health.together(alerts, NOW) == tuple(alerts)


def test_ten_are_one_message() -> None:
    (alert,) = health.together(broken(TOGETHER), NOW)
    assert alert.title == "No news from 10 feeds: probably our network"
    assert alert.severity is Severity.CRITICAL
    assert "Feed 00, Feed 01" in alert.text
    assert "check this machine's network first" in alert.text


def test_a_long_list_is_shortened() -> None:
    (alert,) = health.together(broken(NAMED + 5), NOW)
    assert f"Feed {NAMED - 1:02} and 5 more." in alert.text
    assert f"Feed {NAMED:02}" not in alert.text


def test_ten_that_return_are_one_message_too() -> None:
    back = [
        told(a_feed(name=f"Feed {n}", url=f"https://{n}.example.org/", reported=True))
        for n in range(TOGETHER)
    ]
    other = told(failing())
    merged, kept = health.together([other, *back], NOW)
    assert merged.title == "10 feeds answer again"
    assert "Feed 0, Feed 1" in merged.text
    assert kept == other


def test_many_alerts_are_not_compared_with_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten thousand feeds that would be a hundred million times."""

    def compared(one: Alert, other: object) -> bool:
        raise AssertionError

    alerts = broken(TOGETHER)
    monkeypatch.setattr(Alert, "__eq__", compared)
    (alert,) = health.together(alerts, NOW)
    assert str(TOGETHER) in alert.title


def test_the_same_outage_merged_twice_is_one_alert() -> None:
    assert health.outage(broken(12), NOW).id == health.outage(broken(12), NOW + minutes(1)).id


class TestGathering:
    """Forty feeds that die together reach the hour one by one; they are told as one."""

    interval = timedelta(minutes=15)

    def feeds(self, count: int, first_minutes_ago: float) -> list[Feed]:
        gone = NOW - timedelta(minutes=first_minutes_ago)
        return [
            failing(
                timedelta(0),
                url=f"https://{n}.example/",
                failing_since=gone + timedelta(seconds=n * 20),
            )
            for n in range(count)
        ]

    @pytest.mark.parametrize(
        ("count", "minutes_ago", "waits"),
        [
            pytest.param(9, 61, False, id="nine are told one by one"),
            pytest.param(40, 61, True, id="forty, the first has just reached the hour"),
            pytest.param(40, 74, False, id="forty, all have"),
            pytest.param(40, 76, False, id="long enough"),
        ],
    )
    def test_waits(self, count: int, minutes_ago: float, waits: bool) -> None:
        assert health.gathering(self.feeds(count, minutes_ago), NOW, self.interval) is waits
