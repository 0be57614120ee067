"""How a feed fares, in words a person can act on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.feeds.condition import State, condition, explain, sentence
from monitor.model import FailureReason, Feed, Oddity, Suspicion
from tests.builders import NOW, a_feed, minutes

HOUR = timedelta(hours=1)


def failing(lasting: timedelta = HOUR, **changes: Any) -> Feed:
    values: dict[str, Any] = {
        "failures": 3,
        "failing_since": NOW - lasting,
        "failure": FailureReason.HTTP_SERVER,
        "failure_detail": "the server has an error of its own (HTTP 500)",
        "succeeded_at": NOW - timedelta(hours=3),
        "polled_at": NOW,
    }
    return a_feed(**(values | changes))


def polled(**changes: Any) -> Feed:
    return a_feed(polled_at=NOW, succeeded_at=NOW, **changes)


MOVED = {"moved_to": "https://new.example/feed", "moved_count": 3}
STATES = {
    "never polled": (a_feed(), State.NEW),
    "works": (polled(), State.HEALTHY),
    "paused, whatever it did": (failing(paused=True), State.PAUSED),
    "HTTP 500": (failing(), State.FAILING),
    "HTTP 403": (failing(failure=FailureReason.FORBIDDEN), State.BLOCKED),
    "a login page": (failing(failure=FailureReason.LOGIN), State.BLOCKED),
    "HTTP 410": (failing(failure=FailureReason.GONE), State.GONE),
    "cut off": (
        polled(suspicion=Suspicion(oddity=Oddity.CUT_OFF, detail="cut"), suspected_since=NOW),
        State.SUSPICIOUS,
    ),
    "cut off, and failing since": (
        failing(suspicion=Suspicion(oddity=Oddity.CUT_OFF), suspected_since=NOW),
        State.FAILING,
    ),
    "looked wrong once": (polled(suspicion=Suspicion(oddity=Oddity.CUT_OFF)), State.HEALTHY),
    "silent": (polled(quiet_since=NOW - timedelta(days=6)), State.QUIET),
    "moved": (polled(**MOVED), State.HEALTHY),
}


@pytest.mark.parametrize(("feed", "state"), STATES.values(), ids=STATES)
def test_the_state_of_a_feed(feed: Feed, state: State) -> None:
    assert condition(feed).state is state


def test_a_healthy_feed_needs_no_words() -> None:
    assert explain(polled(), NOW) == "healthy"


def test_a_move_is_told_with_the_command_that_accepts_it() -> None:
    assert explain(polled(name="NATO", **MOVED), NOW) == (
        "healthy: It has moved for good to https://new.example/feed."
        " Accept it with: python3 run_monitor.py feeds accept-move 'NATO'"
    )


def test_two_redirects_are_no_move() -> None:
    assert explain(polled(moved_to="https://new.example/feed", moved_count=2), NOW) == "healthy"


def test_since_when_a_feed_is_quiet() -> None:
    text = explain(polled(quiet_since=NOW - timedelta(days=6)), NOW)
    assert text.startswith("quiet for 6 days: Nothing new for longer than is usual for it.")


@pytest.mark.parametrize("reason", FailureReason)
def test_every_reason_is_explained(reason: FailureReason) -> None:
    text = explain(failing(failure=reason, failure_detail="it went wrong"), NOW)
    state, _, words = text.partition(" for 1 hour: It went wrong. ")
    assert state in ("failing", "blocked", "gone")
    assert words.endswith(".")
    assert "\n" not in text
    assert len(words.split(". ")) >= 2  # what it means, what to do


@pytest.mark.parametrize("oddity", Oddity)
def test_every_oddity_has_a_remedy(oddity: Oddity) -> None:
    suspicion = Suspicion(oddity=oddity, detail="it looks odd")
    text = explain(polled(suspicion=suspicion, suspected_since=NOW - minutes(60)), NOW)
    assert text.startswith("suspicious for 1 hour: It looks odd. ")
    assert text.endswith(".")


@pytest.mark.parametrize(
    ("lasting", "words"),
    [
        (timedelta(seconds=30), "failing for less than a minute: "),
        (timedelta(seconds=-30), "failing for less than a minute: "),
        (minutes(1), "failing for 1 minute: "),
        (minutes(59), "failing for 59 minutes: "),
        (timedelta(hours=47), "failing for 1 day: "),
        (timedelta(days=9), "failing for 9 days: "),
    ],
)
def test_how_long_it_lasts(lasting: timedelta, words: str) -> None:
    assert explain(failing(lasting), NOW).startswith(words)


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ("it answers 503", "It answers 503."),
        ("the answer breaks off. ", "The answer breaks off."),
        ("rss.example.org is not found", "rss.example.org is not found."),
        ("refused.", "Refused."),
        (" ", "It does not answer."),
    ],
    ids=["capital", "one full stop", "the name of a host stays", "one word", "nothing"],
)
def test_a_detail_becomes_a_sentence(detail: str, told: str) -> None:
    assert sentence(detail) == told
