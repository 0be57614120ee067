"""Who hears of edits to a rule, and in how many messages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.pipeline.in_force import joint_problems
from monitor.pipeline.notices import APART, LISTED, live, together
from monitor.rules.load import load
from monitor.rules.trial import backtest
from monitor.settings import Channel, Config, Target
from tests.builders import NOW
from tests.replay import config_of

RULE = "[[rule]]\nname = '{}'\nany = ['tank']\nowner = '{}'\nchannels = ['desk']\n"


MAIL = Channel(name="mail", targets=(Target(name="mail/anna@example.org", url="mailto://x/"),))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    known = config_of(tmp_path)
    return replace(known, channels=(*known.channels, MAIL))


@pytest.mark.parametrize("owner", ["", "desk", "anna@example.org", "mail/anna@example.org"])
def test_owners_that_can_be_told(config: Config, owner: str) -> None:
    rules = load({"a.toml": RULE.format("one", owner).encode()})
    assert joint_problems(config, rules) == []


@pytest.mark.parametrize(
    ("owner", "remedy"),
    [
        ("dest", 'did you mean "desk"? Until then the operators hear of its edits'),
        ("nobody-we-know", "until then the operators hear of its edits"),
    ],
)
def test_an_owner_that_cannot_be_told_is_a_warning(config: Config, owner: str, remedy: str) -> None:
    rules = load({"a.toml": RULE.format("one", owner).encode()})
    (problem,) = joint_problems(config, rules)
    assert problem.warning
    assert problem.what == f'config.toml has no channel or recipient "{owner}"'
    assert problem.remedy == remedy


@pytest.mark.parametrize("count", [1, APART, APART + 1, LISTED, LISTED + 2])
def test_many_rules_that_came_at_once_are_one_message(count: int) -> None:
    text = "".join(RULE.format(f"r{n}", "desk") for n in range(count))
    rules = load({"a.toml": text.encode()})
    names = [each.rule.name for each in rules.rules]
    result = backtest(rules, None, [], names)
    alerts = [live(name, result, "last 7 days", NOW, name) for name in names]
    told = together(alerts, NOW)
    if count <= APART:
        assert told == alerts
        return
    (alert,) = told
    assert alert.title == f"{count} rules are live"
    lines = [f"· {name} is live: last 7 days 0 matches" for name in names]
    more = [f"· and {count - LISTED} more"] if count > LISTED else []
    assert alert.text.splitlines()[:-1] == [*lines[:LISTED], *more]
