"""``routes test``: what would become of an alert at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts.forecast import Forecast, Known, forecast, unsure
from monitor.model import ChannelState, Severity
from monitor.settings import Channel, FeedSettings, Route, Target
from monitor.timetable import Timetable, read_hours, read_slot
from tests.builders import a_rule
from tests.replay import config_of
from tests.test_plan import silence

BRUSSELS = ZoneInfo("Europe/Brussels")
NIGHT = datetime(2025, 2, 13, 23, 0, tzinfo=BRUSSELS).astimezone(UTC)
DAY = datetime(2025, 2, 13, 12, 0, tzinfo=BRUSSELS).astimezone(UTC)
FEED = FeedSettings(url="https://x.example", name="NATO", tags=frozenset({"official"}))


def told(at: datetime, known: Known | None = None, **channel: Any) -> list[str]:
    values = {"name": "desk", "targets": (Target(name="desk", url="x"),)} | channel
    config = replace(config_of(Path("/nowhere")), channels=(Channel(**values),))
    rule = a_rule("fms", severity=Severity.HIGH)
    return [each.what for each in forecast(rule, FEED, config, known or Known(), at)]


@pytest.mark.parametrize(
    ("at", "channel", "expected"),
    [
        pytest.param(DAY, {}, "sent at once", id="at once"),
        pytest.param(
            DAY,
            {"digest": Timetable((read_slot("07:30"),))},
            "waiting until Fri 14 Feb 2025, 07:30 CET (digest)",
            id="digest",
        ),
        pytest.param(
            NIGHT,
            {"quiet_hours": (read_hours("22:00-07:00"),)},
            "waiting until Fri 14 Feb 2025, 07:00 CET (quiet hours)",
            id="quiet hours",
        ),
    ],
)
def test_when_it_would_be_sent(at: datetime, channel: dict[str, Any], expected: str) -> None:
    assert told(at, **channel) == [expected]


def test_a_silence_is_named_with_its_end_and_reason() -> None:
    known = Known(silences=[silence(rules={"fms"}, created_at=DAY, ends_at=NIGHT)])
    assert told(DAY, known) == [
        "silenced until Thu 13 Feb 2025, 23:00 CET by rule fms (anna: noise)"
    ]
    assert told(NIGHT, known) == ["sent at once"]


def test_silences_of_words_may_or_may_not_mute_it() -> None:
    known = Known(silences=[silence(texts=("tank",), created_at=DAY, ends_at=NIGHT)])
    assert told(DAY, known) == ["sent at once"]
    (said,) = unsure(known, DAY)
    assert 'text "tank"' in said


def test_a_dead_channel_says_so_and_who_is_told_instead() -> None:
    state = ChannelState(
        channel="desk", target="desk", failures=1, stopped=True, last_error="it answers 404"
    )
    known = Known(states={"desk": state})
    assert told(DAY, known) == ["sent at once, but the channel is stopped: it answers 404"]
    (said,) = told(DAY, known, fallback="mail")
    assert said.endswith("; sent to mail meanwhile")


def test_routes_by_the_feeds_tags_are_followed() -> None:
    one, two = (Channel(name=n, targets=(Target(name=n, url="x"),)) for n in ("one", "two"))
    routes = (Route(feed_tags=frozenset({"official"}), channels=("two",)),)
    config = replace(config_of(Path("/nowhere")), channels=(one, two), routes=routes)
    found = forecast(a_rule(), FEED, config, Known(), DAY)
    assert found == (Forecast(target="two", what="sent at once"),)
    assert len(forecast(a_rule(), None, config, Known(), DAY)) == 2
    assert forecast(a_rule(channels=()), FEED, config, Known(), DAY) == ()
