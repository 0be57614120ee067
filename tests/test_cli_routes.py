"""``routes test`` as people type it."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.cli import invoke
from monitor.model import ChannelState, Finished, Silence
from monitor.store.sqlite import SqliteStore

CONFIG = """
[monitor]
database = "monitor.db"
timezone = "Europe/Brussels"
[[feeds]]
name = "NATO"
url = "https://nato.example/feed"
tags = ["official"]
[[channels]]
name = "desk"
url = "json://example.org/1"
[[channels]]
name = "morning"
url = "${NOT_SET}"
digest = "07:30"
quiet_hours = "22:00-07:00"
[[routes]]
feed_tags = ["official"]
channels = ["desk"]
"""
RULES = """
[[rule]]
name = "fms-ukraine"
severity = "high"
any = ["Ukraine"]
[[rule]]
name = "kept"
channels = []
any = ["Ukraine"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "fms.toml").write_text(RULES)
    return path


def asked(config: Path, *words: str) -> int:
    return invoke(["routes", "test", *words, "--config", str(config)])


def test_it_says_when_each_channel_is_told(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(config, "fms-ukraine", "--at", "2030-02-14 23:00") == 0
    assert capsys.readouterr().out.splitlines() == [
        "fms-ukraine, severity high, found Thu 14 Feb 2030, 23:00 CET:",
        "  desk     sent at once",
        "  morning  waiting until Fri 15 Feb 2030, 07:30 CET (digest)",
    ]


def test_it_follows_routes_by_feed_and_knows_silences_and_dead_channels(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    silence = Silence(
        id="5" * 16,
        rules=frozenset({"fms-ukraine"}),
        created_at=now,
        ends_at=now + timedelta(hours=2),
        reason="noise",
        owner="anna",
    )
    state = ChannelState(
        channel="desk", target="desk", failures=1, stopped=True, last_error="it answers 404"
    )
    with closing(SqliteStore.open(str(config.parent / "monitor.db"))) as store:
        store.finish([Finished(deliveries=(), state=state, at=now)])
        assert asked(config, "fms-ukraine", "--feed", "NATO") == 0
        out = capsys.readouterr().out
        assert "found in NATO" in out
        assert "  desk  sent at once, but the channel is stopped: it answers 404" in out
        assert "morning" not in out
        store.add_silence(silence)
    assert asked(config, "fms-ukraine", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert all("by rule fms-ukraine (anna: noise)" in each["what"] for each in found["targets"])


def test_a_rule_that_tells_nobody(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(config, "kept") == 0
    assert "nobody is told: the rule has channels = []" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fms-ukrain",), 'There is no rule "fms-ukrain". Did you mean "fms-ukraine"?'),
        (("kept", "--feed", "NATOO"), 'There is no feed "NATOO". Did you mean "NATO"?'),
        (("kept", "--at", "noon"), "--at: "),
    ],
)
def test_what_is_misspelt_gets_a_hint(
    config: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert asked(config, *words) == 2
    assert said in capsys.readouterr().err
