"""``rules …`` and ``alerts irrelevant``: what is printed, what is written, with which exit code."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import invoke
from monitor.model import Entry, Match, RuleSetRecord
from monitor.rules.load import load, read_folder
from monitor.settings import FeedSettings
from monitor.store.sqlite import SqliteStore
from tests.builders import NOW, a_rule, an_alert, an_entry, an_outcome

CONFIG = """
[monitor]
database = "monitor.db"
timezone = "Europe/Brussels"
[[feeds]]
name = "Example Defence"
url = "https://feeds.example.org/defence.xml"
[[channels]]
name = "desk"
url = "json://localhost:9/"
"""
RULES = """\
# arms sales
[[rule]]
name = "sales"
query = 'title:(sale OR sold) AND (Ukraine OR Kyiv)'   # headlines
channels = ["desk"]

[[rule]]
name = "drones"
any = ["drone"]
feed = "Example Defence"
"""
SALE = "Tank sale to Ukraine"
DRONE = "Drone factory opens"
BORING = "Minister visits museum"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Rules, and a database with three entries, one of which alerted."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.toml").write_text(RULES)
    store = SqliteStore.open(str(tmp_path / "monitor.db"))
    settings = FeedSettings(name="Example Defence", url="https://feeds.example.org/defence.xml")
    store.sync_feeds([settings], NOW)
    (feed,) = store.claim_due(0, 1, NOW + timedelta(days=1), timedelta(minutes=10))
    now = datetime.now(UTC)

    def entry(title: str, number: int) -> Entry:
        seen = now - timedelta(seconds=number)  # of one day, but for three seconds of it
        url = f"https://www.example.org/news/{number}"
        return an_entry(title, feed=feed, key=str(number), first_seen_at=seen, url=url, summary="")

    entries = [entry(title, number) for number, title in enumerate((SALE, DRONE, BORING), 1)]
    rule = a_rule("drones")
    outcome = an_outcome(
        *entries,
        feed=feed,
        matches=(Match(rule=rule, entry_id=entries[1].id, hits=()),),
        alerts=(an_alert(entries[1], rule),),
    )
    assert store.commit([outcome]) == [True]
    store.close()
    return path


def run(config: Path, *arguments: str) -> int:
    return invoke(["--config", str(config), *arguments])


def rule_file(config: Path) -> Path:
    return config.parent / "rules" / "a.toml"


def rule(config: Path, number: int) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(rule_file(config).read_text())["rule"][number]
    return found


# --- explain


def test_explain_says_why_and_why_not(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "rules", "explain", "https://www.example.org/news/1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == SALE
    assert "sales matches  (a.toml:2)" in lines
    assert "  title: Tank »sale« to »Ukraine«" in lines
    assert "  drones: missing drone" in lines


def test_explain_shows_all_parts_of_a_rule_that_is_named(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(config, "rules", "explain", "--text", "Kyiv wins a sale", "--rule", "drones") == 0
    out = capsys.readouterr().out
    assert "drones does not match" in out
    assert "missing  drone\n" in out
    assert "feed is Example Defence: the feed is not known" in out
    assert "sales" not in out


def test_explain_as_json(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "rules", "explain", "--text", "Kyiv\nA sale", "--json") == 0
    told = {each["rule"]: each for each in json.loads(capsys.readouterr().out)["rules"]}
    assert told["sales"]["matched"] is False
    assert told["sales"]["missing"] == ["sale OR sold"]
    assert told["sales"]["source"] == "a.toml:2"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("explain",), 2, "name an entry"),
        (("explain", "x", "--text", "y"), 2, "one of the two"),
        (("explain", "nowhere"), 1, 'No feed has brought "nowhere"'),
        (("explain", "--text", "x", "--rule", "sale"), 2, 'Did you mean "sales"?'),
        (("missed", "drone", "--text", "x"), 2, 'Did you mean "drones"?'),
        (("backtest", "xyz"), 2, 'There is no rule "xyz"'),
        (("backtest", "--against", "nothing.toml"), 2, "the name of the present one: a.toml"),
        (("backtest", "--against", "last-good"), 1, "not taken over any rules"),
    ],
)
def test_what_cannot_be_done_is_said(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    assert run(config, "rules", *arguments) == code
    assert said in capsys.readouterr().err


def test_a_bad_rule_file_is_told_with_its_place(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule_file(config).write_text(RULES.replace("AND", "and"))
    assert run(config, "rules", "explain", "--text", "x") == 2
    assert "a.toml:4:" in capsys.readouterr().err


def test_a_headline_cannot_command_the_terminal(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(config, "rules", "explain", "--text", "sale \x1b[2J [red]in Kyiv[/red]") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[red]in" in out


# --- backtest


def test_backtest_counts_and_shows_examples(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(config, "rules", "backtest") == 0
    out = capsys.readouterr().out
    assert out.startswith("3 entries of the last 30 days.")
    assert "sales\t1\t0.0" in out
    assert "desk\t1" in out
    assert f"{SALE}  (Example Defence: sale, Ukraine)" in out


def test_backtest_against_an_earlier_file(
    config: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    (earlier / "a.toml").write_text(RULES.replace('"drone"', '"museum"'))
    arguments = ("rules", "backtest", "drones", "--against", str(earlier / "a.toml"))
    assert run(config, *arguments, "--exit-code") == 1
    out = capsys.readouterr().out
    assert "drones\t1\t0.0\t+1\t−1\t0" in out
    assert f"{BORING}  (Example Defence: Example Defence, museum)" in out
    assert run(config, *arguments) == 0
    capsys.readouterr()
    assert run(config, *arguments, "--json") == 0
    told = json.loads(capsys.readouterr().out)["rules"]["drones"]
    assert (told["gained"], told["lost"]) == (1, 1)
    assert [each["title"] for each in told["examples"]["lost"]] == [BORING]


def test_backtest_against_what_is_in_force(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = SqliteStore.open(str(config.parent / "monitor.db"))
    store.save_rule_set(RuleSetRecord(version="1", files={"a.toml": RULES}, loaded_at=NOW))
    store.close()
    rule_file(config).write_text(RULES.replace('"drone"', '"drone", "museum"'))
    assert run(config, "rules", "backtest", "--against", "last-good", "--exit-code") == 1
    assert "drones\t2\t0.1\t+1\t−0\t1" in capsys.readouterr().out


def test_nothing_changed_is_fine_for_ci(config: Path) -> None:
    against = str(rule_file(config))
    assert run(config, "rules", "backtest", "--against", against, "--exit-code") == 0


# --- lint


def test_lint_is_silent_about_good_rules(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "rules", "lint") == 0
    assert capsys.readouterr().out == "2 rules, no remarks.\n"


def test_lint_looks_at_files_and_at_what_rules_did(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule_file(config).write_text('[lists]\nx = ["y"]\n' + RULES)
    assert run(config, "rules", "lint", "--days", "1", "--max-per-day", "0.5") == 1
    out = capsys.readouterr().out
    assert 'a.toml:2: warning: list "x": no rule uses it' in out
    assert 'rule "drones": it matches 1.0 stories a day' in out


def test_check_lints_too(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule_file(config).write_text('[lists]\nx = ["y"]\n' + RULES)
    assert run(config, "check") == 0
    assert 'a.toml:2: warning: list "x": no rule uses it' in capsys.readouterr().out


def test_lint_needs_no_database(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "monitor.db").unlink()
    assert run(config, "rules", "lint", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


# --- verdicts


def test_an_irrelevant_alert_becomes_an_unwanted_example(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = SqliteStore.read_only(str(config.parent / "monitor.db"))
    (alert,) = [each.id for each in store.alerts()]
    store.close()
    assert run(config, "alerts", "irrelevant", alert) == 0
    out = capsys.readouterr().out
    assert 'found    drone: "Drone" in title' in out
    assert "Noted in a.toml under unwanted_match." in out
    assert rule(config, 1)["unwanted_match"] == [DRONE]
    assert rule_file(config).read_text().startswith(RULES)
    assert load(read_folder(str(config.parent / "rules"))).warnings  # a warning, not an error

    assert run(config, "alerts", "irrelevant", alert) == 0
    assert "Noted before" in capsys.readouterr().out


def test_a_missed_story_becomes_a_wanted_example_and_later_a_binding_one(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(config, "rules", "missed", "sales", "--text", "Kyiv buys howitzers") == 0
    assert "missing  title:(sale OR sold)" in capsys.readouterr().out
    assert rule(config, 0)["wanted_match"] == ["Kyiv buys howitzers"]

    assert run(config, "rules", "promote") == 0
    assert capsys.readouterr().out == "no examples promoted.\n"

    rule_file(config).write_text(rule_file(config).read_text().replace("OR sold", "OR buys"))
    assert run(config, "rules", "promote", "sales") == 0
    assert "sales, must_match: Kyiv buys howitzers" in capsys.readouterr().out
    assert rule(config, 0)["must_match"] == ["Kyiv buys howitzers"]
    assert "wanted_match" not in rule(config, 0)


def test_a_story_that_matches_by_now_binds_at_once(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(config, "rules", "missed", "sales", "https://www.example.org/news/1") == 0
    assert "The rule does that already" in capsys.readouterr().out
    assert rule(config, 0)["must_match"] == [SALE]


def test_a_file_behind_a_link_is_edited_where_it_is(config: Path, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere.toml"
    rule_file(config).rename(real)
    real.chmod(0o640)
    rule_file(config).symlink_to(real)
    assert run(config, "rules", "missed", "sales", "--text", SALE) == 0
    assert rule_file(config).is_symlink()
    assert SALE in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in rule_file(config).parent.iterdir()] == ["a.toml"]
