"""Rules tried on stored entries: gained, lost, kept, by rule, day and channel."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.model import Entry
from monitor.rules.load import RuleSet, load
from monitor.rules.trial import SHOWN, backtest
from tests.builders import NOW, an_entry

OLD = """
[[rule]]
name = "arms"
any = ["tank", "howitzer"]
channels = ["desk", "mail"]
[[rule]]
name = "gone"
any = ["ship"]
channels = ["desk"]
"""
NEW = """
[[rule]]
name = "arms"
any = ["tank", "drone"]
channels = ["desk", "mail"]
[[rule]]
name = "idle"
any = ["submarine"]
"""


def rules(text: str) -> RuleSet:
    return load({"a.toml": text.encode()})


def entries(*titles: str, hours: float = 1) -> list[Entry]:
    """The first now, each next one earlier."""
    return [
        an_entry(title, key=str(n), summary="", first_seen_at=NOW - n * timedelta(hours=hours))
        for n, title in enumerate(titles)
    ]


TITLES = ("Tanks arrive", "Howitzers arrive", "Drones arrive", "Ship arrives", "Nobody arrives")


def test_counts_what_an_edit_gains_loses_and_keeps() -> None:
    result = backtest(rules(NEW), rules(OLD), entries(*TITLES))
    counts = {name: (c.gained, c.lost, c.kept) for name, c in result.rules.items()}
    assert counts == {"arms": (1, 1, 1), "idle": (0, 0, 0), "gone": (0, 1, 0)}
    assert result.entries == 5
    assert result.changed


def test_shows_examples_of_each_kind() -> None:
    count = backtest(rules(NEW), rules(OLD), entries(*TITLES)).of("arms")
    for kind, title, term in (
        (count.gained_examples, "Drones arrive", "drone"),
        (count.lost_examples, "Howitzers arrive", "howitzer"),
        (count.kept_examples, "Tanks arrive", "tank"),
    ):
        ((entry, match),) = kind
        assert entry.title == title
        assert [hit.term for hit in match.hits] == [term]


def test_without_comparison_everything_is_gained() -> None:
    result = backtest(rules(NEW), None, entries(*TITLES))
    assert (result.of("arms").gained, result.of("arms").kept) == (2, 0)


def test_the_same_rules_change_nothing() -> None:
    assert not backtest(rules(NEW), rules(NEW), entries(*TITLES)).changed


def test_counts_days_and_channels_of_the_new_form() -> None:
    result = backtest(rules(NEW), rules(OLD), entries("Tank", "Tank", "Howitzer", "Tank", hours=7))
    today = NOW.date()
    assert result.of("arms").per_day == {today: 2, today - timedelta(days=1): 1}
    assert result.per_channel == {"desk": 3, "mail": 3}
    assert result.oldest == today - timedelta(days=1)


def test_counts_terms_that_were_found_together() -> None:
    result = backtest(rules(NEW), None, entries("Tank", "Tank and drone", "A tank"))
    assert result.of("arms").terms == {frozenset({"tank"}): 2, frozenset({"tank", "drone"}): 1}


@pytest.mark.parametrize("names", [("arms",), ("gone",)])
def test_only_rules_that_are_named(names: tuple[str, ...]) -> None:
    result = backtest(rules(NEW), rules(OLD), entries(*TITLES), names)
    assert set(result.rules) == set(names)


def test_the_best_examples_have_the_most_different_words() -> None:
    titles = ["Tank"] * 2 * SHOWN + ["Tank and drone"]
    examples = backtest(rules(NEW), None, entries(*titles)).of("arms").gained_examples
    assert len(examples) == SHOWN
    assert examples[0][0].title == "Tank and drone"


def test_a_rule_unknown_to_the_trial_has_counted_nothing() -> None:
    assert backtest(rules(NEW), None, []).of("no such").gained == 0
