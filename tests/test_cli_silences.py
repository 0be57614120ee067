"""``silence add|list|end`` as people type them, beside what the store keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.cli import invoke
from monitor.model import DeliveryState, Finished, RuleSetRecord, Severity, Silence
from monitor.settings import FeedSettings
from monitor.store.sqlite import SqliteStore
from tests.builders import a_delivery, a_rule, an_alert, an_entry, an_operator_alert, an_outcome

CONFIG = """
[monitor]
database = "monitor.db"
timezone = "Europe/Brussels"
[[feeds]]
name = "Reuters"
url = "https://reuters.example/feed"
[[channels]]
name = "desk"
url = "terminal://"
"""
RULES = b"""
[[rule]]
name = "fms-ukraine"
any = ["Ukraine"]
[[rule]]
name = "fms-poland"
any = ["Poland"]
"""


@contextmanager
def opened(config: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore.open(str(config.parent / "monitor.db"))) as store:
        yield store


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Three alerts of today, one of them about the monitor itself, and one of last month."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    now = datetime.now(UTC)
    with opened(path) as store:
        files = {"fms.toml": RULES.decode()}
        store.save_rule_set(RuleSetRecord(version="1", files=files, loaded_at=now))
        store.sync_feeds([FeedSettings(name="Reuters", url="https://reuters.example/feed")], now)
        (feed,) = store.claim_due(0, 1, now, timedelta(minutes=10))
        entries = [an_entry(title, feed=feed) for title in ("Ukraine", "Poland", "Ukraine, old")]
        ages = (timedelta(hours=1), timedelta(hours=2), timedelta(days=30))
        names = ("fms-ukraine", "fms-poland", "fms-ukraine")
        alerts = [
            an_alert(entry, a_rule(name), created_at=now - age, outlet="Reuters")
            for entry, name, age in zip(entries, names, ages, strict=True)
        ]
        alerts.append(an_operator_alert(now=now))
        rows = tuple(a_delivery(alert, created_at=now, due_at=now) for alert in alerts)
        store.commit([an_outcome(*entries, feed=feed, alerts=tuple(alerts), deliveries=rows)])
    return path


def run(config: Path, *arguments: str) -> int:
    return invoke(["--config", str(config), "silence", *arguments])


def add(config: Path, *arguments: str) -> int:
    return run(config, "add", *arguments, "--reason", "too noisy", "--owner", "anna")


def kept(config: Path) -> list[Silence]:
    with opened(config) as store:
        return store.silences(ended=True)


def test_it_says_what_it_mutes_until_when_and_what_it_would_have_muted(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(config, "--rule", "fms-ukraine", "--severity", "normal", "--for", "4h") == 0
    (silence,) = kept(config)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Silence {silence.id} mutes rule fms-ukraine, severity normal"
    assert lines[1].startswith("until ")
    assert lines[1].endswith("(anna: too noisy).")
    assert lines[2] == "Of 2 alerts in the last 7 days it would have muted 1."
    assert silence.ends_at - silence.created_at == timedelta(hours=4)
    assert silence.severities == {Severity.NORMAL}


@pytest.mark.parametrize(
    ("arguments", "what", "would"),
    [
        pytest.param(["--rule", "fms-*"], "rule fms-*", 2, id="all rules that begin so"),
        pytest.param(["--feed", "Reuters"], "feed Reuters", 2, id="feed"),
        pytest.param(["--text", "poland"], 'text "poland"', 1, id="text"),
        pytest.param(["--everything"], "everything", 2, id="everything"),
        pytest.param(
            ["--rule", "fms-poland", "--text", "Kyiv"], "rule fms-poland", 0, id="all fit"
        ),
    ],
)
def test_what_can_be_named(
    config: Path, arguments: list[str], what: str, would: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(config, *arguments, "--until", "07:00") == 0
    told = capsys.readouterr().out
    assert f"mutes {what}" in told
    assert f"it would have muted {would or 'none'}." in told


def test_a_story_is_named_by_its_beginning_and_kept_whole(config: Path) -> None:
    with opened(config) as store:
        story = store.stories()[0]
    assert add(config, "--story", story.id[:8], "--for", "90d") == 0
    assert kept(config)[0].stories == {story.id}


def test_a_story_that_is_joined_to_another_stays_muted_there(config: Path) -> None:
    with opened(config) as store:
        names = [story.id for story in store.stories()]
    for name in names[:2]:
        assert add(config, "--story", name, "--for", "4h") == 0
    assert invoke(["--config", str(config), "stories", "join", *names]) == 0
    with opened(config) as store:
        (joined,) = store.stories()
    assert [silence.stories for silence in kept(config)] == [{joined.id}, {joined.id}]


def test_until_is_in_the_zone_of_the_monitor(config: Path) -> None:
    day = (datetime.now(UTC) + timedelta(days=20)).date()
    assert add(config, "--rule", "fms-ukraine", "--until", f"{day} 07:00") == 0
    end = kept(config)[0].ends_at
    assert end.hour in (5, 6)  # summer or winter in Brussels
    assert end.date() == day


def test_the_owner_is_who_typed_it(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "ben")
    assert run(config, "add", "--everything", "--for", "1h", "--reason", "test") == 0
    assert kept(config)[0].owner == "ben"


@pytest.mark.parametrize(
    ("arguments", "code", "answer"),
    [
        pytest.param(["--for", "4h"], 2, "name what to mute", id="nothing named"),
        pytest.param(
            ["--everything", "--rule", "fms-ukraine", "--for", "4h"],
            2,
            "alone",
            id="and everything",
        ),
        pytest.param(["--everything"], 2, "say how long", id="no end"),
        pytest.param(
            ["--everything", "--for", "4h", "--until", "07:00"], 2, "one of the two", id="two ends"
        ),
        pytest.param(["--everything", "--for", "91d"], 2, "90 days at most", id="too long"),
        pytest.param(["--everything", "--for", "0s"], 2, "over already", id="no time at all"),
        pytest.param(
            ["--everything", "--until", "2020-01-01 07:00"], 2, "over already", id="in the past"
        ),
        pytest.param(
            ["--everything", "--until", "tomorrow"], 2, "write a moment as", id="no moment"
        ),
        pytest.param(
            ["--rule", "fms-ukrain", "--for", "4h"],
            2,
            'There is no rule "fms-ukrain". Did you mean "fms-ukraine"?',
            id="misspelt rule",
        ),
        pytest.param(
            ["--rule", "nato-*", "--for", "4h"], 2, 'no rule "nato-*"', id="no such rules"
        ),
        pytest.param(
            ["--feed", "Reuter", "--for", "4h"], 2, 'Did you mean "Reuters"?', id="misspelt feed"
        ),
        pytest.param(["--story", "ffff", "--for", "4h"], 1, 'no story "ffff"', id="no such story"),
        pytest.param(["--text", "…", "--for", "4h"], 2, "there is no word in it", id="no word"),
        pytest.param(["--severity", "big", "--for", "4h"], 2, "'low', 'normal'", id="severity"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_stored(
    config: Path,
    arguments: list[str],
    code: int,
    answer: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert add(config, *arguments) == code
    assert answer in " ".join(capsys.readouterr().err.split())
    assert kept(config) == []


def test_a_reason_is_needed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "add", "--everything", "--for", "1h") == 2
    assert "--reason" in capsys.readouterr().err
    assert run(config, "add", "--everything", "--for", "1h", "--reason", " ") == 2
    assert "something that others will understand" in capsys.readouterr().err


def test_they_are_listed_with_what_they_muted(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(config, "--rule", "fms-ukraine", "--for", "4h") == 0
    (silence,) = kept(config)
    mute(config, silence)
    capsys.readouterr()
    assert run(config, "list") == 0
    until, what, owner, reason, muted, name = capsys.readouterr().out.rstrip("\n").split("\t")
    assert not until.startswith("over")
    assert (what, owner, reason) == ("rule fms-ukraine", "anna", "too noisy")
    assert (muted, name) == ("2", silence.id)
    assert run(config, "list", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["rules"], told["severities"], told["muted"]) == (["fms-ukraine"], [], 2)


def mute(config: Path, silence: Silence) -> None:
    """What the deliver loop does with alerts of the rule fms-ukraine."""
    with opened(config) as store:
        claimed = store.claim_deliveries(datetime.now(UTC), 10)
        muted = [
            replace(each.delivery, state=DeliveryState.SILENCED, silence_id=silence.id)
            for each in claimed
            if each.alert.rule_name == "fms-ukraine"
        ]
        store.finish([Finished(deliveries=tuple(muted), at=datetime.now(UTC))])


def test_one_is_ended_sooner(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(config, "--rule", "fms-ukraine", "--for", "4h") == 0
    (silence,) = kept(config)
    mute(config, silence)
    capsys.readouterr()
    assert run(config, "end", silence.id[:6]) == 0
    told = capsys.readouterr().out
    assert f"Silence {silence.id} is over: rule fms-ukraine (anna: too noisy)." in told
    assert f"deliveries list --state silenced --silence {silence.id}" in told
    assert kept(config)[0].ended_at is None  # the monitor tells its owner, and then notes it
    assert run(config, "end", silence.id) == 1
    assert "It was over already" in capsys.readouterr().err
    assert run(config, "list") == 0
    assert capsys.readouterr().out == ""
    assert run(config, "list", "--all") == 0
    assert capsys.readouterr().out.startswith("over: ")
    assert run(config, "end", "ffff") == 1
    assert 'There is no silence "ffff"' in capsys.readouterr().err


def test_status_shows_what_is_muted(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(config, "--rule", "fms-ukraine", "--for", "4h") == 0
    (silence,) = kept(config)
    capsys.readouterr()
    assert invoke(["--config", str(config), "status"]) == 0
    line = next(x for x in capsys.readouterr().out.splitlines() if x.startswith("Silence"))
    assert line.startswith(f"Silence {silence.id} until ")
    assert line.endswith(": rule fms-ukraine (anna: too noisy), none muted so far.")
    assert invoke(["--config", str(config), "status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["silences"][0]["id"] == silence.id
