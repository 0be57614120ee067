"""What ``feeds show`` says of a feed and its hub."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.cli.hubs import stands
from monitor.model import HubState
from monitor.settings import WebSubSettings
from tests.builders import NOW, a_subscription, minutes
from tests.replay import config_of

WANTED = WebSubSettings(callback="https://desk.example.org/w", host="127.0.0.1", port=8480)
HELD = {"callback": "https://desk.example.org/w/t0ken", "until": NOW + timedelta(days=9)}
HUB = "https://hub.example.org/"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({}, f"not subscribed yet; the running monitor will ask {HUB}", id="new"),
        pytest.param(
            {"state": HubState.JOINING},
            f"asked {HUB}, which has not asked back yet",
            id="asked",
        ),
        pytest.param(
            HELD | {"state": HubState.JOINED},
            f"subscribed until 2025-02-22 11:00, by hub {HUB}",
            id="subscribed",
        ),
        pytest.param(
            HELD | {"state": HubState.JOINED, "pushed_at": NOW - minutes(3), "ignored": 1},
            f"subscribed until 2025-02-22 11:00, by hub {HUB}; last push 3 min ago;"
            " 1 push without a good signature ignored",
            id="with pushes",
        ),
        pytest.param(
            HELD | {"detail": "no connection", "due_at": NOW + minutes(10)},
            f"subscribed until 2025-02-22 11:00, by hub {HUB}; renewing failed: no connection",
            id="renewing failed",
        ),
        pytest.param(
            {"detail": "no connection", "due_at": NOW + minutes(10)},
            f"not subscribed: no connection ({HUB}); next try 2025-02-13 11:10; polled as usual",
            id="failed",
        ),
        pytest.param(HELD | {"state": HubState.LEAVING}, f"leaving {HUB}", id="leaving"),
    ],
)
def test_how_a_feed_stands(tmp_path, changes, told):
    settings = replace(config_of(tmp_path), websub=WANTED)
    said = stands(a_subscription(**changes), settings, NOW)
    assert said == told
    assert "t0ken" not in said


def test_without_a_hub(tmp_path):
    settings = config_of(tmp_path)
    assert stands(None, settings, NOW) == ""
    wanted = replace(settings, websub=WANTED)
    assert stands(None, wanted, NOW) == "not subscribed: the feed names no hub"


def test_without_websub(tmp_path):
    said = stands(a_subscription(), config_of(tmp_path), NOW)
    assert said == f"offered by {HUB}, not used: config.toml has no [websub]"
