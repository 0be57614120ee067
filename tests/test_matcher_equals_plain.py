"""The matcher finds what the plain evaluator finds: the same rules, the same places."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Entry
from monitor.rules.load import load
from monitor.rules.match import Matcher, compile_rules
from monitor.rules.syntax import parse
from monitor.rules.tree import (
    And,
    AtLeast,
    Field,
    Label,
    Near,
    Node,
    Not,
    Or,
    Regex,
    Scope,
    Score,
    Term,
)
from tests.builders import a_rule, an_entry
from tests.plain_evaluator import evaluate
from tests.thorough import thorough

ARTICLES = Path(__file__).parents[2] / "shared" / "corpus" / "articles"
EVERY = 400  # texts of the corpus: one of them is tried

WORDS = [
    "nato",
    "NATO",
    "Nato",
    "SAM",
    "sam",
    "aid",
    "aids",
    "F-16",
    "F16",
    "arms",
    "sale",
    "sales",
]
WORDS += ["Kyiv", "U.S.", "US", "us", "café", "anti-tank", "북약", "北约", "policy", "policies"]

texts = st.lists(st.sampled_from([*WORDS, ".", "\n", "F 16", "NATO's"]), max_size=14).map(" ".join)
terms = st.builds(
    Term,
    text=st.one_of(
        st.sampled_from([*WORDS, "arm*", "pol?cy", "*ales"]),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(" ".join),
    ),
    exact=st.just(False),
) | st.builds(Term, text=st.sampled_from(WORDS), exact=st.just(True))
word_lists = st.lists(terms, min_size=1, max_size=3).map(lambda parts: Or(parts=tuple(parts)))
sides = terms | word_lists
nears = st.builds(
    Near,
    left=sides,
    right=sides,
    distance=st.sampled_from([None, 1, 2, 5]),
    ordered=st.just(False),
) | st.builds(
    Near, left=sides, right=sides, distance=st.sampled_from([1, 3]), ordered=st.just(True)
)
leaves = (
    terms
    | word_lists
    | nears
    | st.builds(AtLeast, count=st.integers(1, 3), part=sides)
    | st.builds(Regex, pattern=st.sampled_from([r"F-?\d+", r"(?i)nato\w*", r"[A-Z]{3,}"]))
    | st.builds(Label, key=st.just("tag"), values=st.sampled_from([("press",), ("official", "us")]))
    | st.builds(
        Score,
        weights=st.lists(
            st.tuples(sides, st.sampled_from([-3.0, 1.0, 2.0])), min_size=1, max_size=3
        ).map(tuple),
        threshold=st.sampled_from([1.0, 3.0]),
    )
)


def grown(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    parts = st.lists(nodes, min_size=1, max_size=3).map(tuple)
    fields = st.sampled_from([frozenset({Field.TITLE}), frozenset({Field.SUMMARY, Field.AUTHOR})])
    return (
        st.builds(And, parts=parts)
        | st.builds(Or, parts=parts)
        | st.builds(Not, part=nodes)
        | st.builds(Scope, fields=fields, part=nodes)
    )


nodes = st.recursive(leaves, grown, max_leaves=6)
entries = st.builds(
    lambda title, summary, content, tags: an_entry(
        title, summary=summary, content=content, feed_tags=tags, author="NATO press"
    ),
    texts,
    texts,
    texts,
    st.sampled_from([frozenset(), frozenset({"press"})]),
)


def compiled(conditions: dict[str, Node]) -> Matcher:
    return compile_rules([(a_rule(name), node) for name, node in conditions.items()])


def assert_same(matcher: Matcher, conditions: dict[str, Node], entry: Entry) -> int:
    """Both ways give the same; the number of rules that match."""
    found = {match.rule.name: set(match.hits) for match in matcher.match(entry)}
    expected = {
        name: hits
        for name, node in conditions.items()
        if (hits := evaluate(node, entry)) is not None
    }
    assert found == expected
    return len(found)


@settings(max_examples=150, deadline=None)
@given(st.lists(nodes, min_size=1, max_size=4), entries)
def test_made_rules_on_made_texts(rules: list[Node], entry: Entry) -> None:
    conditions = {f"rule {n}": node for n, node in enumerate(rules)}
    assert_same(compiled(conditions), conditions, entry)


QUERIES = [
    "NATO",
    "sanction* NEAR/10 (Russia* OR Kremlin OR Moscow) NOT title:football",
    '"Foreign Military Sale" OR FMS OR (arms NEAR/4 (sale OR deal OR export*))',
    "ATLEAST/3 (Ukraine OR Kyiv OR Zelensky*)",
    "(president OR minister) BEFORE/6 (said OR told OR announce*)",
    "(US OR U.K. OR EU) NEAR/S (billion OR million)",
    r"/\b[A-Z]{2,5}-\d{1,3}\b/ AND (missile OR tank OR jet)",
    "title:(NATO OR war) AND NOT summary:football",
    "state NEAR/3 department NEAR/8 (approve* OR notif*)",
    "=Apple OR =Patriot",
]


def corpus_texts() -> Iterator[Entry]:
    for path in sorted(ARTICLES.glob("*.jsonl.gz")):
        with gzip.open(path, "rt") as lines:
            for number, line in enumerate(lines):
                if number % EVERY:
                    continue
                row = json.loads(line)
                title = str(row.get("title") or row.get("headline") or "")
                text = str(row.get("text") or row.get("description") or row.get("summary") or "")
                yield an_entry(title, summary=text[:4000], key=f"{path.name}:{number}")


@thorough
@pytest.mark.skipif(not ARTICLES.exists(), reason="the corpus is not here")
def test_real_rules_on_real_texts() -> None:
    rules = {query: parse(query, {}) for query in QUERIES}
    shipped = Path(__file__).parents[1] / "rules"
    loaded = load({path.name: path.read_bytes() for path in shipped.glob("*.toml")})
    rules |= {
        each.rule.name: each.condition
        for each in loaded.rules
        if not any(key in str(each.condition) for key in ("Label(",))
    }
    matcher = compiled(rules)
    matched = sum(assert_same(matcher, rules, entry) for entry in corpus_texts())
    assert matched > 10
