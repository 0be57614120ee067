"""When a channel is told, as ``check`` prints it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts.times import times_of
from monitor.model import Severity
from monitor.settings import Channel, Updates
from monitor.timetable import Timetable, read_hours, read_slot


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "at once"),
        ({"updates": Updates.OFF}, "at once; no updates"),
        (
            {
                "digest": Timetable((read_slot("7:30"), read_slot("mon-fri 17:00"))),
                "at_once": frozenset({Severity.HIGH, Severity.CRITICAL}),
                "updates": Updates.DIGEST,
                "timezone": ZoneInfo("America/New_York"),
            },
            "digest 07:30, mon-fri 17:00; at once: high, critical; America/New_York;"
            " updates with the digest",
        ),
        (
            {
                "quiet_hours": (read_hours("22:00-07:00"), read_hours("sat,sun 00:00-24:00")),
                "at_once": frozenset({Severity.CRITICAL}),
                "fallback": "desk-mail",
            },
            "at once; quiet 22:00-07:00, sat,sun 00:00-24:00 (critical passes);"
            " if it fails: desk-mail",
        ),
        ({"digest": Timetable((read_slot("hourly"),))}, "digest hourly"),
    ],
    ids=["at once", "no updates", "digest", "quiet", "hourly"],
)
def test_times_in_words(settings: dict[str, Any], expected: str) -> None:
    assert times_of(Channel(name="desk", **settings)) == expected


@pytest.mark.parametrize(
    "text", ["07:30", "mon-fri 17:00", "sat,sun 09:05", "hourly", "tue hourly"]
)
def test_a_slot_is_named_as_it_is_written(text: str) -> None:
    assert str(read_slot(text)) == text
    assert read_slot(str(read_slot(text))) == read_slot(text)
