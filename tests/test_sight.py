"""When the monitor is blind: a table of how feeds and channels stand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.model import ChannelState, Feed
from monitor.pipeline import sight
from monitor.pipeline.sight import Blind
from monitor.settings import Channel, Target
from tests.builders import NOW, a_feed, minutes


def fine(minutes_ago: float = 1) -> dict[str, Any]:
    at = NOW - minutes(minutes_ago)
    return {"polled_at": at, "succeeded_at": at}


def failing(since: float, failures: int = 1, succeeded: float | None = None) -> dict[str, Any]:
    good = NOW - minutes(succeeded) if succeeded is not None else None
    since_at = NOW - minutes(since)
    return {"failures": failures, "failing_since": since_at, "polled_at": NOW, "succeeded_at": good}


def feeds(*stands: dict[str, Any]) -> list[Feed]:
    return [a_feed(url=f"https://{n}.example/", name=str(n), **s) for n, s in enumerate(stands)]


@pytest.mark.parametrize(
    ("stands", "blind"),
    [
        pytest.param([], Blind.NO_FEEDS, id="no feed"),
        pytest.param([{"paused": True}], Blind.NO_FEEDS, id="all are paused"),
        pytest.param([{}, {}], None, id="not polled yet"),
        pytest.param([fine(), failing(5, 9)], None, id="one is dead"),
        pytest.param([failing(1)], None, id="the only one failed once"),
        pytest.param([failing(1, 2)], Blind.FEEDS, id="the only one failed twice"),
        pytest.param([failing(1, 2), failing(9, 7)], Blind.FEEDS, id="all failed twice"),
        pytest.param([failing(1, 2), {"paused": True}], Blind.FEEDS, id="paused ones do not count"),
        pytest.param([fine(11), *[failing(5)] * 3], Blind.FEEDS, id="three since the last success"),
        pytest.param([fine(9), *[failing(5)] * 3], None, id="the last success is young"),
        pytest.param([fine(11), *[failing(5)] * 2], None, id="two may be chance"),
        pytest.param([fine(60), *[failing(600, 50)] * 9], None, id="dead since long, others slow"),
    ],
)
def test_feeds(stands: list[dict[str, Any]], blind: Blind | None) -> None:
    found = sight.of_feeds(feeds(*stands), NOW)
    assert [each.what for each in found] == ([blind] if blind else [])


def channel(name: str, *targets: str) -> Channel:
    return Channel(name=name, targets=tuple(Target(name=t, url="json://x") for t in targets))


def state(target: str, **changes: Any) -> ChannelState:
    return ChannelState(channel=target.partition("/")[0], target=target, **changes)


DOWN = {"failures": 3, "failing_since": NOW - minutes(10)}


@pytest.mark.parametrize(
    ("states", "blind"),
    [
        pytest.param([], False, id="never used"),
        pytest.param([state("a", stopped=True)], False, id="another was never used"),
        pytest.param([state("a", stopped=True), state("m/1", **DOWN)], False, id="one recipient"),
        pytest.param(
            [state("a", stopped=True), state("m/1", **DOWN), state("m/2", stopped=True)],
            True,
            id="all are down",
        ),
        pytest.param(
            [state("a", stopped=True), state("m/1", **DOWN), state("m/2", accepted_at=NOW)],
            False,
            id="one works",
        ),
        pytest.param(
            [
                state("a", failures=1, failing_since=NOW - minutes(9)),
                state("m/1", **DOWN),
                state("m/2", **DOWN),
            ],
            False,
            id="one may come back",
        ),
    ],
)
def test_channels(states: list[ChannelState], blind: bool) -> None:
    channels = [channel("a", "a"), channel("m", "m/1", "m/2")]
    found = sight.of_channels(channels, states, NOW)
    assert [each.what for each in found] == ([Blind.CHANNELS] if blind else [])


def test_the_database_and_the_parts() -> None:
    assert sight.of_database(None, NOW) == sight.of_parts([]) == []
    (database,) = sight.of_database(NOW - timedelta(minutes=7), NOW)
    (parts,) = sight.of_parts(["poll", "deliver"])
    said = sight.said([database, parts])
    assert said == "the database cannot be written for 7 minutes; no progress: poll, deliver"
