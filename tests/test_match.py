"""The text rules of the language, and what the matcher reports."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import ConfigError
from monitor.model import Entry, Match
from monitor.rules.load import load
from monitor.rules.match import compile_rules, language_of
from monitor.rules.syntax import parse, parse_term
from monitor.rules.tree import And, Everything, Label, Node, Term
from tests.builders import a_rule, an_entry

EXAMPLES = Path(__file__).parents[2] / "shared" / "reference" / "examples.toml"


def matches(node: Node, entry: Entry, **options: Any) -> list[Match]:
    return compile_rules([(a_rule(), node)], **options).match(entry)


def finds(term: str, title: str) -> bool:
    entry = an_entry(title, summary="")
    return bool(matches(parse_term(term, {}), entry))


@pytest.mark.parametrize(
    ("term", "title", "found"),
    [
        # whole words
        ("nato", "senator and signatory", False),
        ("nato", "Nato, NATO and nato", True),
        ("sale", "wholesale", False),
        # capitals in the rule mean capitals in the text
        ("NATO", "nato beans", False),
        ("NATO", "Nato chief speaks", True),
        ("SAM", "Sam Smith sings", False),
        ("SAM", "SAMs moved", True),
        ("SAM", "S.A.M. crews", True),
        ("FMS", "the FMs of the G-20", False),
        ("US", "who are us fans", False),
        ("US", "the U.S. said", True),
        ("U.S.", "the US said", True),
        ("WHO", "who said so", False),
        ("WHO", "WHO SAID SO IN GENEVA", True),
        ("Taurus", "taurus the zodiac sign", True),
        ("=Taurus", "taurus the zodiac sign", False),
        ("=Apple", "Apples", False),
        ('="Storm Shadow"', "Storm Shadow hits", True),
        ('="Storm Shadow"', "storm shadow hits", False),
        # plural one way, possessive always
        ("Foreign Military Sale", "Foreign Military Sales approved", True),
        ("arms", "an arm", False),
        ("policy", "policies", True),
        ("missile", "missile's range", True),
        ("missile", "missiles’ range", True),
        ("coach", "coaches", True),
        # hyphens
        ("F-16", "F16s arrive", True),
        ("F-16", "F 16 jets", True),
        ("F-16", "F‑16 jets", True),
        ("anti-tank", "antitank weapons", True),
        ("anti-tank", "anti tank weapons", True),
        ("Northrop Grumman", "Northrop-Grumman bids", True),
        # accents and scripts
        ("Zelensky*", "ZELENSKYY speaks", True),
        ("Rüstungsexport*", "Rustungsexporte steigen", True),
        ("Lodz", "in Łódź", True),
        ("北约", "北约秘书长", True),
        ("나토", "나토는", True),
        # wildcards
        ("sanction*", "sanctioned", True),
        ("organi?ation", "organisation", True),
        ("organi?ation", "organiation", False),
        ("*defence", "air-defence", True),
        ("counter-terror*", "counter-terrorism law", True),
        ("counter-terror*", "counter terrorists", True),
        ("counter-terror*", "counterterrorism law", True),
        ("counter-terror*", "counter measures", False),
        ("Su-3*", "two Su‑34 jets", True),
        ("*-backed force", "an Iran-backed force", True),
        # one or many within a phrase
        ("arms sale(s) package", "arms sale package", True),
        ("arms sale(s) package", "two arms sales packages", True),
        ("Rule(s) and Hearing", "Notice of Rule(s) and Hearing", True),
        # invisible signs
        ("cooperate", "co\u00adoperate", True),
        ("NATO’s", "NATO plan", True),
    ],
)
def test_a_term(term: str, title: str, found: bool) -> None:
    assert finds(term, title) is found


@pytest.mark.parametrize(
    ("query", "title", "found"),
    [
        ("arms NEAR/2 Kyiv", "arms for old Kyiv", True),
        ("arms NEAR/1 Kyiv", "arms for old Kyiv", False),
        ("Kyiv NEAR/2 arms", "arms for old Kyiv", True),
        ("Kyiv BEFORE/2 arms", "arms for old Kyiv", False),
        ("arms BEFORE/2 Kyiv", "arms for old Kyiv", True),
        ("sale NEAR/5 sale", "one sale", False),
        ("arms NEAR/S Kyiv", "Arms came. Kyiv waits.", False),
        ("ATLEAST/2 nato", "nato and nato", True),
        ("ATLEAST/2 (nato OR alliance)", "nato and the alliance", True),
        ("ATLEAST/3 nato", "nato and nato", False),
        ("a NOT b", "a c", True),
        ("a NOT b", "a b", False),
        ("NOT b", "a c", True),
        ("(a OR b) AND c", "b c", True),
        ("/[A-Z]{3}-\\d+/", "Navy christens DDG-125", True),
        ("/przemys\\w+/", "przemysł zbrojeniowy", True),
        ("/[[:upper:]]{3}-[[:digit:]]+/", "Navy christens DDG-125", True),
        ("title:arms", "arms", True),
        ("summary:arms", "arms", False),
    ],
)
def test_a_query(query: str, title: str, found: bool) -> None:
    assert bool(matches(parse(query, {}), an_entry(title, summary=""))) is found


def test_words_of_two_fields_are_never_near() -> None:
    entry = an_entry("arms", summary="Kyiv")
    assert not matches(parse("arms NEAR/1000 Kyiv", {}), entry)


@pytest.mark.parametrize(
    ("term", "title", "marked"),
    [
        ("F-16", "New F‑16s for Kyiv’s army", "F‑16s"),
        ("NATO", "L’OTAN: NATO’s chief", "NATO"),
        ("US", "the U.S. said", "U.S."),
        ("cooperate", "to co\u00adoperate", "co\u00adoperate"),
    ],
)
def test_hits_point_into_the_original_text(term: str, title: str, marked: str) -> None:
    (match,) = matches(parse_term(term, {}), an_entry(title, summary=""))
    (hit,) = match.hits
    assert title[hit.start : hit.end] == marked
    assert (hit.field, hit.term) == ("title", term)


class TestLabels:
    entry = an_entry("x", feed_tags=frozenset({"official"}), language="de", author="A. Smith")

    @pytest.mark.parametrize(
        ("label", "found"),
        [
            (Label(key="feed", values=("example defence",)), True),
            (Label(key="feed", values=("Other",)), False),
            (Label(key="tag", values=("press", "official")), True),
            (Label(key="language", values=("de",)), True),
            (Label(key="author", values=("a. smith",)), True),
            (Label(key="url", values=("*://www.example.org/*",)), True),
            (Label(key="url", values=("*/sport/*",)), False),
        ],
    )
    def test_conditions(self, label: Label, found: bool) -> None:
        assert bool(matches(label, self.entry)) is found

    def test_everything_from_a_feed_tells_the_feed_as_its_reason(self) -> None:
        node = And(parts=(Everything(), Label(key="feed", values=("Example Defence",))))
        (match,) = matches(node, self.entry)
        assert [(hit.field, hit.term) for hit in match.hits] == [("feed", "Example Defence")]

    def test_the_language_is_detected_where_the_feed_is_silent(self) -> None:
        silent = replace(self.entry, language="")
        asked: list[str] = []

        def detect(text: str) -> str:
            asked.append(text)
            return "de"

        label = Label(key="language", values=("de",))
        assert matches(label, silent, detect=detect)
        assert not matches(label, silent)
        assert language_of(self.entry, detect) == "de"
        assert len(asked) == 1

    def test_the_language_is_not_detected_for_rules_that_do_not_ask(self) -> None:
        def detect(text: str) -> str:
            raise AssertionError("nobody asked")

        assert matches(Term(text="x"), replace(self.entry, language=""), detect=detect)


def test_frequencies_change_the_covers_and_not_the_matches() -> None:
    node = parse("the AND NATO", {})
    entry = an_entry("the NATO", summary="")
    plain, priced = (
        compile_rules([(a_rule(), node)]),
        compile_rules([(a_rule(), node)], {"the": 1000, "nato": 3}),
    )
    assert plain.match(entry) == priced.match(entry)


def test_ten_thousand_repeats_stay_bounded() -> None:
    entry = an_entry("x", summary="arms sale " * 10_000)
    assert matches(parse("arms NEAR/5 sale", {}), entry)


@pytest.mark.skipif(not EXAMPLES.exists(), reason="the reference is not here")
def test_the_reference_examples() -> None:
    data = tomllib.loads(EXAMPLES.read_text())
    text = EXAMPLES.read_text().partition("# ----")[0]
    rules = load({"examples.toml": text.encode()})
    for case in data["case"]:
        language = case.get("language", "en")
        entry = an_entry(case["title"], summary=case["summary"], language=language)
        names = [match.rule.name for match in rules.matcher.match(entry)]
        assert sorted(names) == sorted(case["want"]), case["title"]


def test_a_hundred_rules_report_in_their_order() -> None:
    rules = [(a_rule(f"r{n:03}"), Term(text="NATO")) for n in range(100)]
    names = [match.rule.name for match in compile_rules(rules).match(an_entry("NATO"))]
    assert names == [f"r{n:03}" for n in range(100)]


def test_a_rule_that_is_wrong_never_reaches_the_matcher() -> None:
    with pytest.raises(ConfigError, match="look-around"):
        load({"a.toml": b"[[rule]]\nname = 'a'\nquery = '/(?=x)y/'\n"})
