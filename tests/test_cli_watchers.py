"""What ``status`` says of the heartbeat and of the door for metrics."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from monitor.cli.watchers import Watchers
from monitor.pipeline.noted import Pulse
from monitor.settings import HeartbeatSettings, MetricsSettings
from monitor.terminal import print_json
from tests.builders import NOW, minutes

BEAT = HeartbeatSettings(url="https://hc.example.org/canary", interval=timedelta(minutes=5))
DOOR = MetricsSettings(host="127.0.0.1", port=9464)


def watchers(**changes: Any) -> Watchers:
    values = {"heartbeat": BEAT, "pulse": None, "metrics": None, "trouble": "", "old_expat": ""}
    return Watchers(**(values | changes))


def pulse(**changes: Any) -> Pulse:
    return Pulse(**({"at": NOW - minutes(1), "heard_at": NOW - minutes(1)} | changes))


@pytest.mark.parametrize(
    ("noted", "said"),
    [
        (None, "none yet."),
        (pulse(), "last heard 60 s ago."),
        (
            pulse(at=NOW - minutes(16), heard_at=NOW - minutes(16)),
            "last heard 16 min ago; the monitor does not run, or cannot write.",
        ),
        (
            pulse(heard_at=NOW - minutes(40), stopped_since=NOW - minutes(30), why="all 3 fail"),
            "stopped 30 min ago, because all 3 fail; last heard 40 min ago.",
        ),
        (
            pulse(heard_at=None, why="it answers HTTP 404"),
            "not heard: it answers HTTP 404; last heard never.",
        ),
    ],
)
def test_the_heartbeat(noted: Pulse | None, said: str) -> None:
    assert list(watchers(pulse=noted).lines(NOW)) == [f"Heartbeat every 5 min: {said}"]


@pytest.mark.parametrize(
    ("metrics", "trouble", "said"),
    [
        (DOOR, "", "http://127.0.0.1:9464/healthz and /metrics."),
        (MetricsSettings(host="::1", port=1), "", "http://[::1]:1/healthz and /metrics."),
        (DOOR, "cannot listen", "nobody can ask: cannot listen."),
    ],
)
def test_the_door(metrics: MetricsSettings, trouble: str, said: str) -> None:
    seen = watchers(heartbeat=None, metrics=metrics, trouble=trouble)
    assert list(seen.lines(NOW)) == [f"Health and metrics: {said}"]


def test_nothing_is_said_of_what_is_not_wanted() -> None:
    assert list(watchers(heartbeat=None, pulse=pulse(), trouble="old").lines(NOW)) == []


def test_json_has_it_all_but_the_secret(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(watchers(pulse=pulse(), metrics=DOOR, old_expat="old").as_plain())
    text = capsys.readouterr().out
    assert "canary" not in text
    told = json.loads(text)
    assert told["heartbeat"]["interval"] == 300
    assert told["metrics"] == {"host": "127.0.0.1", "port": 9464, "trouble": ""}
    assert told["old_expat"] == "old"
