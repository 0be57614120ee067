"""When people are told of a feed, once, and in which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.feeds import health, schedule
from monitor.feeds.health import NAMED, TOGETHER
from monitor.model import Alert, AlertKind, FailureReason, Feed, FetchFailed, NotModified, Severity
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


@pytest.mark.parametrize("reason", FailureReason)
def test_every_reason_is_explained(reason: FailureReason) -> None:
    text = health.explain(failing(failure=reason, failure_detail="it went wrong"), NOW)
    assert text.startswith("For 1 hour: It went wrong. ")
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text.split(". ")) >= 3  # what happened, what it means, what to do


def test_a_feed_that_works_needs_no_explaining() -> None:
    assert health.explain(a_feed(), NOW) == ""


@pytest.mark.parametrize(
    ("lasting", "words"),
    [
        (timedelta(seconds=30), "For less than a minute: "),
        (timedelta(seconds=-30), "For less than a minute: "),
        (minutes(1), "For 1 minute: "),
        (minutes(59), "For 59 minutes: "),
        (timedelta(hours=47), "For 1 day: "),
        (timedelta(days=9), "For 9 days: "),
    ],
)
def test_how_long_it_lasts(lasting: timedelta, words: str) -> None:
    assert health.explain(failing(lasting), NOW).startswith(words)


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
