"""The command line: what is printed, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from monitor import cli, errors
from monitor.cli import COMMANDS, invoke, selftest
from monitor.model import ChannelState, Delivery, DeliveryState, Finished, Match
from monitor.pipeline.noted import ALIVE
from monitor.settings import FeedSettings
from monitor.store.sqlite import SqliteStore
from tests.builders import NOW, a_delivery, a_rule, an_alert, an_entry, an_outcome

CONFIG = """
[monitor]
database = "monitor.db"
timezone = "Europe/Brussels"
[[feeds]]
name = "Example Defence"
url = "https://user:canary-password@feeds.example.org/defence.xml"
tags = ["press"]
[[feeds]]
name = "Dead"
url = "https://dead.example.org/rss"
[[feeds]]
name = "Off"
url = "https://off.example.org/rss"
enabled = false
reason = "later"
[[channels]]
name = "desk"
url = "${SLACK_WEBHOOK}"
"""
HOSTILE = "Ministers [red]meet[/red] \x1b[2J at NATO"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def stored(config: Path) -> Path:
    """One entry that alerted, one feed that fails, one delivery that waits."""
    store = SqliteStore.open(str(config.parent / "monitor.db"))
    settings = [
        FeedSettings(
            name="Example Defence",
            url="https://user:canary-password@feeds.example.org/defence.xml",
            tags=frozenset({"press"}),
        ),
        FeedSettings(name="Dead", url="https://dead.example.org/rss"),
    ]
    store.sync_feeds(settings, NOW)
    feeds = store.claim_due(0, 10, NOW + timedelta(days=1), timedelta(minutes=10))
    now = datetime.now(UTC)
    for feed in feeds:
        if feed.name == "Dead":
            broken = replace(
                feed, polled_at=now, failures=4, failing_since=now, failure_detail="404 Not Found"
            )
            store.commit([an_outcome(feed=broken)])
            continue
        entry = an_entry(HOSTILE, feed=feed, summary="Łódź buys tanks.")
        alert = an_alert(entry, a_rule("fms"))
        match = Match(rule=a_rule("fms"), entry_id=entry.id, hits=())
        outcome = an_outcome(
            entry,
            feed=replace(feed, polled_at=now, succeeded_at=now),
            matches=(match,),
            alerts=(alert,),
            deliveries=(a_delivery(alert, target="desk"),),
        )
        assert store.commit([outcome]) == [True]
    store.close()
    return config


def run(config: Path, *arguments: str) -> int:
    return invoke(["--config", str(config), *arguments])


# --- the frame


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke([name, "--help"]) == 0
    assert "Usage: run_monitor.py" in capsys.readouterr().out


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in COMMANDS)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from monitor.cli import invoke; invoke(['--help']); "
        "heavy = {'httpx', 'apprise', 'feedparser', 'pydantic', 'sqlite_utils', 'structlog'}; "
        "sys.exit(bool(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_an_unknown_command_says_what_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["chek"]) == 2
    assert 'There is no command "chek". Did you mean "check"?' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["feeds", "ad"], 'There is no command "ad". Did you mean "add"?'),
        (["silence", "lst"], 'There is no command "lst". Did you mean "list"?'),
        (["rules", "xyz"], 'There is no command "xyz". There are '),
    ],
)
def test_a_mistyped_command_of_a_group_is_guessed(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(words) == 2
    assert said in capsys.readouterr().err


@click.command()
@click.argument("name")
def failing(name: str) -> None:
    """Fails as told."""
    if name == "ConfigError":
        raise errors.ConfigError([errors.Problem(file="x.toml", line=3, what="it is wrong")])
    raise getattr(errors, name)("the reason")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("MonitorError", 1),
        ("ConfigError", 2),
        ("StoreBusy", 1),
        ("StoreRefused", 3),
        ("AlreadyRunning", 4),
    ],
)
def test_exit_codes(
    name: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "failing", (__name__, "failing", ""))
    assert invoke(["failing", name]) == code
    told = capsys.readouterr().err
    assert "the reason" in told or "x.toml:3: it is wrong" in told
    assert "Traceback" not in told


def test_a_missing_configuration_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "none.toml", "status") == 2
    assert "there is no such file; name yours with --config PATH" in capsys.readouterr().err


def test_the_configuration_may_be_named_before_or_after_the_command(
    stored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["--config", "/nowhere", "entries", "list", "--config", str(stored)]) == 0
    assert invoke(["entries", "--config", str(stored), "list"]) == 0
    assert capsys.readouterr().out.count("Ministers") == 2


def test_a_reader_that_stops_early_ends_it_quietly(stored: Path) -> None:
    root = Path(__file__).parents[1]
    command = [sys.executable, "run_monitor.py", "--config", str(stored), "entries", "list"]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 1


# --- looking


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        (["entries", "list", "--feed", "Deaf"], 'There is no feed "Deaf". Did you mean "Dead"?'),
        (["search", "Kyiv", "--feed", "xx"], 'There is no feed "xx". `feeds list` shows all'),
        (["alerts", "list", "--rule", "fmz"], 'There is no rule "fmz". Did you mean "fms"?'),
        (["deliveries", "list", "--rule", "xx"], 'There is no rule "xx". `check` shows all rules.'),
    ],
)
def test_a_slip_in_a_name_does_not_look_like_silence(
    stored: Path, command: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (stored.parent / "rules").mkdir()
    (stored.parent / "rules" / "a.toml").write_text('[[rule]]\nname = "fms"\nany = ["arms"]\n')
    assert run(stored, *command) == 2
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize("command", [["status"], ["entries", "list"], ["feeds", "list"]])
def test_before_the_first_run_there_is_nothing_to_show(
    config: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(config, *command) == 1
    told = capsys.readouterr().err
    assert "Nothing has been polled yet" in told
    assert "python3 run_monitor.py" in told
    assert not (config.parent / "monitor.db").exists()


def test_status_says_what_is_wrong(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(stored, "status") == 0
    text = capsys.readouterr().out
    assert text.startswith("Monitor: no sign of life: never; it is not running, stuck, or cannot")
    assert "Feeds: 1 of 2 healthy, 1 switched off" in text
    assert "Dead\tnever\tfailing for " in text
    assert ": 404 Not Found. It has never worked since it was added." in text
    assert "desk\tnever\tnothing sent yet" in text
    assert "Waiting to be sent: 1 delivery; given up: none." in text


def test_status_says_that_the_monitor_lives(
    stored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(SqliteStore.open(str(stored.parent / "monitor.db"))) as store:
        store.set_note(ALIVE, datetime.now(UTC).isoformat())
    assert run(stored, "status") == 0
    assert capsys.readouterr().out.startswith("Monitor: alive, ")
    assert run(stored, "status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["alive"] is True


def test_status_shows_gaps_of_the_last_days(
    stored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = SqliteStore.open(str(stored.parent / "monitor.db"))
    now = datetime.now(UTC).replace(hour=12, minute=0)
    for feed, age in zip(
        store.claim_due(0, 9, now + timedelta(days=3), timedelta(1)), (1, 9), strict=True
    ):
        end = now - timedelta(days=age)
        gap = replace(feed, gap_from=end - timedelta(hours=2), gap_until=end)
        store.commit([an_outcome(feed=gap)])
    store.close()
    assert run(stored, "status") == 0
    (line,) = [each for each in capsys.readouterr().out.splitlines() if "gap" in each]
    assert line.startswith("Possible gap in ")
    assert line.endswith("10:00–12:00 UTC.")


def test_status_as_json(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(stored, "status", "--json") == 0
    value = json.loads(capsys.readouterr().out)
    assert {feed["name"]: feed["failures"] for feed in value["feeds"]} == {
        "Example Defence": 0,
        "Dead": 4,
        "Off": 0,
    }
    assert value["deliveries"]["queued"] == 1


def test_a_stopped_channel_is_shown(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = SqliteStore.open(str(stored.parent / "monitor.db"))
    (queued,) = store.claim_deliveries(NOW + timedelta(days=1), 10)
    refused: Delivery = replace(
        queued.delivery, state=DeliveryState.REFUSED, attempts=1, last_error="no such hook"
    )
    state = ChannelState(
        channel="desk", target="desk", failures=1, last_error="no such hook", stopped=True
    )
    store.finish([Finished(deliveries=(refused,), at=NOW, state=state)])
    store.close()
    assert run(stored, "status") == 0
    text = capsys.readouterr().out
    assert "stopped: no such hook" in text
    assert "Waiting to be sent: no deliveries; given up: 1." in text


def test_entries_are_listed_and_shown(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(stored, "entries", "list", "--json") == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert run(stored, "entries", "show", entry["id"][:6]) == 0
    text = capsys.readouterr().out
    assert "Łódź buys tanks." in text
    assert entry["id"] in text


@pytest.mark.parametrize("command", ["list", "show"])
def test_feed_text_is_neither_markup_nor_commands_to_the_terminal(
    stored: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = an_entry(HOSTILE, url="https://www.example.org/news/1")
    arguments = [entry.url] if command == "show" else []
    assert run(stored, "entries", command, *arguments) == 0
    text = capsys.readouterr().out
    assert "[red]meet[/red]" in text
    assert "\x1b" not in text


def test_alerts_are_listed_and_shown(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(stored, "alerts", "list", "--rule", "fms", "--json") == 0
    (alert,) = json.loads(capsys.readouterr().out)
    assert run(stored, "alerts", "show", alert["id"]) == 0
    text = capsys.readouterr().out
    assert "Example Defence" in text
    assert "desk: waiting, due now" in text


@pytest.mark.parametrize("noun", ["entries", "alerts"])
def test_an_unknown_id_is_said(stored: Path, noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(stored, noun, "show", "ffffffffffffffff") == 1
    assert "There is no" in capsys.readouterr().err


def test_feeds_are_listed_with_their_state(
    stored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(stored, "feeds", "list") == 0
    rows = [row.split("\t") for row in capsys.readouterr().out.splitlines()]
    states = {row[0]: row[2] for row in rows}
    assert states["Example Defence"] == "healthy"
    assert "404 Not Found. It has never worked since it was added." in states["Dead"]
    assert states["Off"] == "switched off: later"


@pytest.mark.parametrize(
    "command",
    [["feeds", "list", "--json"], ["status", "--json"], ["status"], ["feeds", "list"]],
    ids=" ".join,
)
def test_no_password_of_a_feed_is_shown(
    stored: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(stored, *command) == 0
    assert "canary" not in capsys.readouterr().out


def test_a_span_must_be_a_duration(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(stored, "entries", "list", "--since", "yesterday") == 2
    assert "number and a unit" in capsys.readouterr().err
    assert run(stored, "entries", "list", "--since", "24h") == 0


# --- the program's own checks


@pytest.mark.parametrize(
    ("code", "passed", "shown"),
    [
        ("print('all is well')", True, "demo     ok"),
        ("print('line 7: odd'); raise SystemExit(1)", False, "line 7: odd"),
    ],
    ids=["passes", "fails"],
)
def test_a_check_shows_its_output_only_when_it_fails(
    code: str, passed: bool, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert selftest.run_step(selftest.Step("demo", ("-c", code))) is passed
    text = capsys.readouterr().out
    assert shown in text
    assert ("all is well" in text) is False


# --- send-test with templates of one's own


LOOPS = (
    "{% for each in stories %}{{ each.title }}{% endfor %}{{ notices|map(attribute='title')|join }}"
)


@pytest.mark.parametrize(
    ("template", "shown", "said"),
    [
        pytest.param(f"Our desk: {LOOPS}", "Our desk: A sample alert", "", id="a good one"),
        pytest.param("{{ titel }}", "The Example Times, ", "'titel' is not known", id="a bad one"),
    ],
)
def test_send_test_sends_in_ones_own_layout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], template: str, shown: str, said: str
) -> None:
    (tmp_path / "config.toml").write_text("")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/plain.txt").write_text(template)
    assert invoke(["send-test", "terminal", "--config", str(tmp_path / "config.toml")]) == 0
    told = capsys.readouterr()
    assert shown in told.out
    assert said in told.err
