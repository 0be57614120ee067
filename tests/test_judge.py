"""A verdict → the shortest example that says it, under a key that never breaks the file."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.rules.assemble import LoadedRule
from monitor.rules.judge import LONGEST, entry_from_text, judge
from monitor.rules.load import load
from monitor.rules.verdict import Story, add_example
from tests.builders import a_feed, an_entry

TEXT = """
[[rule]]
name = "r"
query = 'sale AND (Ukraine OR Kyiv)'
"""
FEED = a_feed(name="DSCA", tags=frozenset({"us"}))


def rule(text: str = TEXT) -> LoadedRule:
    return load({"a.toml": text.encode()}).rules[0]


def story(wanted: bool = True, text: str = TEXT, **entry: Any) -> tuple[str, Story]:
    values: dict[str, Any] = {"title": "News", "summary": "", "feed": FEED}
    judgement = judge(rule(text), an_entry(**(values | entry)), wanted=wanted)
    return judgement.wish.value, judgement.story


def test_a_headline_that_says_it_all() -> None:
    assert story(title="Sale to Ukraine", summary="Nothing more.") == (
        "must_match",
        "Sale to Ukraine",
    )


def test_the_summary_is_added_when_it_made_the_rule_true() -> None:
    assert story(title="A sale", summary="Kyiv is the buyer.") == (
        "must_match",
        {"title": "A sale", "summary": "Kyiv is the buyer."},
    )


def test_a_long_content_is_cut_round_the_words() -> None:
    content = "filler " * 500 + "The sale to Ukraine. " + "filler " * 500
    wish, told = story(content=content)
    assert wish == "must_match"
    assert isinstance(told, dict)
    assert "The sale to Ukraine." in told["content"]
    assert len(told["content"]) <= LONGEST


@pytest.mark.parametrize(
    ("wanted", "title", "wish"),
    [
        (True, "Sale to Ukraine", "must_match"),
        (True, "Weapons for Ukraine", "wanted_match"),
        (False, "Sale to Ukraine", "unwanted_match"),
        (False, "Weapons for Ukraine", "must_not_match"),
    ],
)
def test_what_fails_today_never_binds(wanted: bool, title: str, wish: str) -> None:
    assert story(wanted, title=title)[0] == wish


def test_words_too_far_apart_to_be_cut_stay_whole() -> None:
    content = "A sale. " + "filler " * 500 + "Kyiv."
    assert story(content=content)[0] == "must_match"


def test_the_feed_is_told_where_the_rule_asks_for_it() -> None:
    text = TEXT + 'feed = "BBC"\n'
    assert story(False, text, title="Sale to Ukraine") == (
        "must_not_match",
        {"title": "Sale to Ukraine", "feed": "DSCA"},
    )


def test_a_headline_that_is_typed_has_its_rest_below() -> None:
    entry = entry_from_text(" A sale \nKyiv is\nthe buyer. ")
    assert (entry.title, entry.summary) == ("A sale", "Kyiv is\nthe buyer.")


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize(
    "entry",
    [
        {"title": "Sale", "summary": "Kyiv", "author": "A", "language": "en"},
        {"title": "", "summary": "Sale to Ukraine"},
        {"title": 'Say "sale" \\ to Kyiv'},
        {"content": "sale " + "x" * 3 * LONGEST + " Kyiv"},
        {"title": "Weapons", "content": "y" * 3 * LONGEST},
    ],
    ids=["labels", "no title", "signs", "words far apart", "one long word"],
)  # fmt: skip
def test_a_verdict_leaves_the_file_loadable(wanted: bool, entry: dict[str, Any]) -> None:
    wish, told = story(wanted, **entry)
    load({"a.toml": add_example(TEXT, "r", wish, told).encode()})
