"""What became of a delivery, in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts.fate import fate, when
from monitor.model import ChannelState, DeliveryState
from tests.builders import NOW, a_delivery, minutes  # NOW: Thu 13 Feb 2025, 11:00 in Brussels

BRUSSELS = ZoneInfo("Europe/Brussels")
S = DeliveryState
AGO = NOW - minutes(48)
STOPPED = ChannelState(channel="desk", target="desk", stopped=True, last_error="it answers 404")
BUSY = ChannelState(
    channel="desk", target="desk", not_before=NOW + minutes(20), last_error="it answers 429"
)


@pytest.mark.parametrize(
    ("row", "state", "words"),
    [
        pytest.param({}, None, "waiting, due now", id="due"),
        pytest.param(
            {"due_at": NOW + minutes(0.5)}, None, "waiting, due within a minute", id="soon"
        ),
        pytest.param({"due_at": NOW + minutes(90)}, None, "waiting until 12:30", id="held"),
        pytest.param(
            {"due_at": NOW + timedelta(hours=20.5)}, None, "waiting until Fri 07:30", id="digest"
        ),
        pytest.param(
            {"due_at": NOW + minutes(5), "attempts": 2, "last_error": "it answers\n503"},
            None,
            "waiting until 11:05, two tries so far: it answers 503",
            id="failed",
        ),
        pytest.param({}, STOPPED, "waiting until desk works again: it answers 404", id="stopped"),
        pytest.param(
            {}, BUSY, "waiting until 11:20: desk takes nothing: it answers 429", id="held back"
        ),
        pytest.param(
            {"due_at": NOW + minutes(30)}, BUSY, "waiting until 11:30", id="later by itself"
        ),
        pytest.param({"state": S.CLAIMED}, None, "being sent right now", id="claimed"),
        pytest.param({"state": S.ACCEPTED, "settled_at": AGO}, None, "sent 10:12", id="sent"),
        pytest.param({"state": S.ACCEPTED}, None, "sent", id="sent by an older monitor"),
        pytest.param(
            {"state": S.REFUSED, "last_error": "550 no such user"},
            None,
            "given up: refused: 550 no such user",
            id="refused",
        ),
        pytest.param(
            {"state": S.PARKED, "settled_at": AGO, "attempts": 5, "last_error": "no answer"},
            None,
            "given up 10:12: parked after five tries: no answer",
            id="parked",
        ),
        pytest.param({"state": S.EXPIRED}, None, "given up: not sent for 14 days", id="expired"),
        pytest.param(
            {"state": S.DISCARDED, "settled_at": AGO, "last_error": "by anna"},
            None,
            "discarded 10:12: by anna",
            id="discarded",
        ),
        pytest.param(
            {"state": S.SILENCED, "settled_at": AGO, "silence_id": "3f2a"},
            None,
            "muted 10:12 by silence 3f2a",
            id="silenced",
        ),
    ],
)
def test_fates(row: dict[str, Any], state: ChannelState | None, words: str) -> None:
    assert fate(a_delivery(**row), state, BRUSSELS, NOW) == words


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (NOW, "11:00"),
        (NOW + timedelta(hours=13), "Fri 00:00"),
        (NOW - timedelta(hours=12), "Wed 23:00"),
        (NOW + timedelta(days=6), "Wed 11:00"),
        (NOW + timedelta(days=7), "20 Feb 2025, 11:00"),
        (NOW - timedelta(days=7), "6 Feb 2025, 11:00"),
    ],
)
def test_times_are_said_as_short_as_they_are_clear(at: datetime, words: str) -> None:
    assert when(at, BRUSSELS, NOW) == words
