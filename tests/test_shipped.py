"""What is shipped works as it stands: the configuration, the rules, the README's examples."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from monitor.cli import COMMANDS, invoke
from monitor.cli.check import examine
from monitor.config import load
from monitor.rules.load import load as load_rules
from monitor.rules.load import read_folder

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "config.toml"


def test_check_finds_nothing_in_what_is_shipped() -> None:
    settings, rules, problems = examine(CONFIG)
    assert [str(problem) for problem in problems] == []
    assert settings is not None
    assert rules is not None


def test_check_says_so_and_shows_where_each_rule_goes(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["check", "--config", str(CONFIG)]) == 0
    text = capsys.readouterr().out
    assert "fms\thigh\tterminal" in text
    assert "no problems, no warnings." in text


def test_alerts_need_no_account() -> None:
    config = load(CONFIG, {})
    assert [channel.kind for channel in config.channels] == ["terminal"]
    assert config.default_channels is None


def test_feeds_whose_address_is_not_known_are_off_and_say_why() -> None:
    config = load(CONFIG, {})
    assert sum(feed.enabled for feed in config.feeds) > 25
    assert all(feed.reason for feed in config.feeds if not feed.enabled)
    assert all(not feed.enabled for feed in config.feeds if "news.google.com" in feed.url)


def test_the_feeds_that_rules_name_exist() -> None:
    names = {feed.name for feed in load(CONFIG, {}).feeds}
    for path in (ROOT / "rules").glob("*.toml"):
        for rule in tomllib.loads(path.read_text("utf-8")).get("rule", []):
            feed = rule.get("feed", [])
            assert {feed} if isinstance(feed, str) else set(feed) <= names


def test_every_rule_has_two_examples_of_each_kind() -> None:
    for path in (ROOT / "rules").glob("*.toml"):
        for rule in tomllib.loads(path.read_text("utf-8")).get("rule", []):
            assert len(rule["must_match"]) >= 2, rule["name"]
            assert len(rule["must_not_match"]) >= 2, rule["name"]
            assert "channels" not in rule, rule["name"]


def test_the_commented_channels_work_once_filled_in(tmp_path: Path) -> None:
    """Taking away "# " is all there is to do."""
    lines = CONFIG.read_text("utf-8").splitlines()
    wanted = ("[[channels]]", "name", "url =", "[channels.mail]", "server", "port", "user")
    wanted += ("password_file", "from", "to =", "[[routes]]", "severity", "channels =", "continue")
    wanted += ("contact", "monitor_reports_to", "default_channels")
    wanted += ("[channels.webhook]", "secret_file")
    filled = [
        line.removeprefix("# ") if line.removeprefix("# ").startswith(wanted) else line
        for line in lines
    ]
    path = tmp_path / "config.toml"
    path.write_text("\n".join(filled), "utf-8")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/mail-password").write_text("hunter2-long")
    (tmp_path / "secrets/soc").write_text("0123456789abcdef")
    hook = "https://hooks.slack.com/services/T0000000/B0000000/XXXXXXXXXXXX"
    bot = "slack-bot://xoxb-12345678/C0123ABCD"
    config = load(path, {"SLACK_WEBHOOK": hook, "SLACK_BOT": bot})
    assert [(channel.name, channel.kind) for channel in config.channels] == [
        ("desk-mail", "mailtos"),
        ("desk-slack", "slack"),
        ("desk-bot", "slack-bot"),
        ("soc", "webhook"),
    ]
    assert config.monitor_reports_to == ("desk-mail",)
    assert config.routes[0].channels == ("desk-slack",)


def readme_blocks(kind: str) -> list[str]:
    text = (ROOT / "README.md").read_text("utf-8")
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def test_the_readme_channels_are_valid(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(readme_blocks("toml")[0], "utf-8")
    config = load(
        tmp_path / "config.toml",
        {"SLACK_WEBHOOK": "https://hooks.slack.com/services/T1/B1/x"},
        need_secrets=False,
    )
    assert [channel.name for channel in config.channels] == ["desk-mail", "desk-slack"]


def test_the_readme_rule_is_valid() -> None:
    files = {**read_folder(str(ROOT / "rules")), "readme.toml": readme_blocks("toml")[1].encode()}
    assert "fms-ukraine" in {each.rule.name for each in load_rules(files).rules}


def test_the_readme_names_commands_that_exist() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"run_monitor\.py ([a-z][a-z-]*)", text))
    assert named <= set(COMMANDS)
