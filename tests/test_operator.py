"""What the monitor tells of its channels."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.alerts import operator
from monitor.events import Welcomed
from monitor.model import (
    Accepted,
    AlertKind,
    ChannelState,
    DeliveryKind,
    DeliveryState,
    Refused,
    Scope,
    Severity,
)
from monitor.settings import Channel
from tests.builders import NOW, a_delivery, an_alert, an_entry, minutes

DESK = Channel(name="desk", kind="json")
FAILING = ChannelState(
    channel="mail",
    target="mail/anna@example.org",
    failures=3,
    failing_since=NOW - minutes(31),
    last_error="it answers 503",
)
DOWN = Refused(detail="it answers 503", scope=Scope.CHANNEL)


def test_a_stopped_channel_says_why_what_it_means_and_what_to_do() -> None:
    refused = Refused(detail="it answers 404", retryable=False, scope=Scope.CHANNEL)
    alert = operator.channel_stopped(refused, FAILING, NOW)
    assert (alert.kind, alert.severity) == (AlertKind.OPERATOR, Severity.CRITICAL)
    assert alert.title.startswith("mail refuses")
    why, means, todo = alert.text.splitlines()
    assert why == "Why: it answers 404."
    assert means.startswith("What it means: ")
    assert todo.endswith("python3 run_monitor.py send-test mail")


def test_a_stopped_recipient_is_named() -> None:
    refused = Refused(detail="550 no such user", retryable=False, scope=Scope.TARGET)
    alert = operator.channel_stopped(refused, FAILING, NOW)
    assert alert.title.startswith("mail/anna@example.org refuses")


@pytest.mark.parametrize(
    ("state", "told"),
    [
        pytest.param(FAILING, True, id="three failures, half an hour"),
        pytest.param(replace(FAILING, failures=2), False, id="two failures"),
        pytest.param(
            replace(FAILING, failing_since=NOW - minutes(29)), False, id="not yet half an hour"
        ),
        pytest.param(replace(FAILING, stopped=True), False, id="stopped: told already"),
        pytest.param(replace(FAILING, failing_since=None), False, id="healthy"),
    ],
)
def test_when_failing_is_told(state: ChannelState, told: bool) -> None:
    assert (operator.channel_failing(state, NOW) is not None) is told


def test_one_outage_is_one_alert_and_the_next_is_another() -> None:
    first = operator.channel_failing(FAILING, NOW)
    later = operator.channel_failing(replace(FAILING, failures=9), NOW + timedelta(hours=5))
    other = operator.channel_failing(replace(FAILING, failing_since=NOW - minutes(99)), NOW)
    assert first is not None
    assert later is not None
    assert other is not None
    assert first.id == later.id != other.id
    assert "31 minutes" in first.title
    assert "6 hours" in later.title


@pytest.mark.parametrize(
    ("before", "told"),
    [
        pytest.param(FAILING, True, id="was reported as failing"),
        pytest.param(replace(FAILING, stopped=True), True, id="was stopped"),
        pytest.param(replace(FAILING, failures=1), False, id="hiccup"),
    ],
)
def test_recovery_is_told_where_the_trouble_was(before: ChannelState, told: bool) -> None:
    after = ChannelState(channel="mail", target=before.target, accepted_at=NOW)
    alerts = operator.raised_by([], Accepted(), before, after, NOW)
    assert [alert.severity for alert in alerts] == ([Severity.NORMAL] if told else [])


def test_a_parked_message_on_a_failing_channel_gives_both_alerts() -> None:
    rows = [a_delivery(state=DeliveryState.PARKED, last_error="no answer in time")]
    alerts = operator.raised_by(rows, DOWN, FAILING, FAILING, NOW)
    assert ["has taken no message" in alert.title for alert in alerts] == [True, False]
    assert "will not be delivered" in alerts[1].title
    assert "set aside; the last answer: no answer in time" in alerts[1].text


def test_undelivered_counts_alerts_and_names_targets() -> None:
    entries = [an_entry(f"Story {n}") for n in range(12)]
    rows = [
        a_delivery(an_alert(entry), target=target, state=DeliveryState.EXPIRED)
        for entry in entries
        for target in ("desk", "night")
    ]
    alert = operator.undelivered(rows, NOW)
    assert alert is not None
    assert alert.title == "12 alerts for desk, night will not be delivered"
    assert "could not be sent for 14 days" in alert.text
    assert "and 2 more" in alert.text
    assert operator.undelivered(rows[::-1], NOW) == alert


def test_a_refused_notice_is_no_news() -> None:
    """Else a target that refuses every text has the next one written, for ever."""
    refused = Refused(detail="HTTP 422", retryable=False)
    row = a_delivery(state=DeliveryState.REFUSED, kind=DeliveryKind.NOTICE)
    healthy = ChannelState(channel="desk", target="desk")
    assert operator.raised_by([row], refused, healthy, healthy, NOW) == ()
    news = replace(row, kind=DeliveryKind.FIRST)
    assert len(operator.raised_by([news, row], refused, healthy, healthy, NOW)) == 1


def test_only_a_dead_channel_is_dead() -> None:
    failing = operator.channel_failing(FAILING, NOW)
    recovered = operator.channel_recovered(FAILING, NOW)
    assert failing is not None
    assert recovered is not None
    assert operator.dead_channel(failing) == "mail/anna@example.org"
    assert operator.dead_channel(recovered) == ""
    assert operator.dead_channel(an_alert()) == ""


# --- hello


def test_hello_where_what_was_there_is_sent() -> None:
    alert = operator.welcome(DESK, replace(welcomed(0), sent=True), NOW)
    assert alert.text.startswith("What they held already and matched is on its way")


def welcomed(count: int, **changes: int) -> Welcomed:
    alerts = tuple(an_alert(an_entry(f"Story {n}")) for n in range(count))
    values = {"feeds": 38, "failing": 0, "rules": 14, "entries": 612} | changes
    return Welcomed(**values, would_have=alerts, channels=("desk",))


def test_hello_shows_what_would_have_come() -> None:
    alert = operator.welcome(DESK, welcomed(3, failing=2), NOW)
    assert alert.title == "Watching 38 feeds with 14 rules"
    assert alert.text.splitlines() == [
        "3 stories of the last 7 days would have alerted:",
        *(f"· Story {n} (Example Defence; rule nato)" for n in range(3)),
        "They were there before you came and are not sent again.",
        "2 feeds do not answer yet: python3 run_monitor.py status says why.",
        "New stories come here: at once.",
    ]


def test_hello_is_short_when_there_was_much() -> None:
    lines = operator.welcome(DESK, welcomed(25), NOW).text.splitlines()
    assert lines[0].startswith("25 stories")
    assert "· and 15 more" in lines
    assert len(lines) == 14


def test_hello_when_there_was_nothing() -> None:
    alert = operator.welcome(DESK, welcomed(0, feeds=1, rules=1), NOW)
    assert alert.title == "Watching 1 feed with 1 rule"
    assert alert.text.startswith("Nothing of the last 7 days would have alerted.")
