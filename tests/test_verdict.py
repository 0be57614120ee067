"""Examples written into rule files: the right table, the right place, nothing else changed."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import NotWritten
from monitor.rules.load import load
from monitor.rules.verdict import add_example, move_example

FILE = """\
# US arms sales
[lists]
fms = ["FMS"]

[[rule]]  # the programme
name = "fms"
any = ["@fms"]   # by its name
must_match = [
  "first FMS case",  # why
  # a second one
  "second FMS case",
]
must_not_match = ["a sale", "another"]

# what follows is about points
[[rule]]
name = "points"
threshold = 3
[rule.score]
drone = 3

# the last one
[[rule]]
name = "last"
query = 'interceptor'"""


def test_a_list_with_remarks_keeps_them() -> None:
    edited = add_example(FILE, "fms", "must_match", "third FMS case")
    assert edited == FILE.replace(
        '  "second FMS case",\n', '  "second FMS case",\n  "third FMS case",\n'
    )


def test_a_list_on_one_line_becomes_one_example_a_line() -> None:
    edited = add_example(FILE, "fms", "must_not_match", "Art fair")
    assert edited == FILE.replace(
        '["a sale", "another"]', '[\n  "a sale",\n  "another",\n  "Art fair",\n]'
    )


def test_a_new_list_comes_after_the_last_key_and_before_the_next_rules_remarks() -> None:
    edited = add_example(FILE, "fms", "unwanted_match", "Art fair")
    assert edited == FILE.replace(
        '["a sale", "another"]\n', '["a sale", "another"]\nunwanted_match = [\n  "Art fair",\n]\n'
    )


def test_a_rule_with_points_gets_it_above_them() -> None:
    edited = add_example(FILE, "points", "wanted_match", "Drones seen")
    rule = tomllib.loads(edited)["rule"][1]
    assert rule["score"] == {"drone": 3}
    assert rule["wanted_match"] == ["Drones seen"]


def test_a_last_rule_without_a_final_line_end() -> None:
    edited = add_example(FILE, "last", "must_match", "Interceptor bought")
    assert tomllib.loads(edited)["rule"][2]["must_match"] == ["Interceptor bought"]
    assert edited.startswith(FILE)


def test_a_table_leaves_out_what_is_empty() -> None:
    story = {"title": "FMS", "summary": "", "feed": "DSCA", "tags": ["us", "official"]}
    edited = add_example(FILE, "fms", "must_match", story)
    assert '  {title = "FMS", feed = "DSCA", tags = ["us", "official"]},\n' in edited


def test_an_example_is_written_once() -> None:
    once = add_example(FILE, "fms", "must_match", "third")
    assert add_example(once, "fms", "must_match", "third") == once


@pytest.mark.parametrize("begin", ["", "\ufeff"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_how_the_file_was_saved_stays(begin: str, end: str) -> None:
    text = begin + FILE.replace("\n", end)
    edited = add_example(text, "fms", "must_match", "third")
    expected = begin + add_example(FILE, "fms", "must_match", "third").replace("\n", end)
    assert edited == expected


@pytest.mark.parametrize(
    "text",
    [
        'rule = [{name = "fms", any = ["a b"]}]',
        '[[rule]]\nname = "fms"\nscore.drone = 3\nthreshold = 1\n',
        "[[rule]]\nname = 'fms'\nany = 'drone'\nmust_match = []\n",
        "[[rule]]\nname = 'fms'\nany = 'drone'\nmust_match = [ # none yet\n]\n",
        '[[rule]]\n  name = "fms"\n  any = ["x"]\n  [rule.score]\n  a = 1\n[lists]\nb = ["c"]\n',
    ],
    ids=["inline", "dotted points", "empty list", "empty list with a remark", "indented"],
)
def test_unusual_ways_of_writing(text: str) -> None:
    edited = add_example(text, "fms", "must_match", 'Say "drone" \\ twice')
    expected = tomllib.loads(text)
    expected["rule"][0]["must_match"] = ['Say "drone" \\ twice']
    assert tomllib.loads(edited) == expected


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(NotWritten, match='no rule "sfm"'):
        add_example(FILE, "sfm", "must_match", "x")


def test_an_example_that_passes_now_moves() -> None:
    before = add_example(FILE, "last", "wanted_match", "Interceptors bought")
    after = move_example(before, "last", 0, from_key="wanted_match", to_key="must_match")
    assert after == add_example(FILE, "last", "must_match", "Interceptors bought")


def test_the_other_examples_stay_where_they_are() -> None:
    after = move_example(FILE, "fms", 0, from_key="must_match", to_key="wanted_match")
    rule = tomllib.loads(after)["rule"][0]
    assert (rule["must_match"], rule["wanted_match"]) == (["second FMS case"], ["first FMS case"])
    assert "# a second one" in after


def test_only_an_example_that_is_there_moves() -> None:
    with pytest.raises(NotWritten, match="wanted_match"):
        move_example(FILE, "fms", 0, from_key="wanted_match", to_key="must_match")


# what a cleaned headline may hold: no control characters, no surrogates
HEADLINES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60)


@given(headline=HEADLINES, rule=st.sampled_from(["fms", "points", "last"]))
def test_any_headline_leaves_the_file_loadable(headline: str, rule: str) -> None:
    edited = add_example(FILE, rule, "unwanted_match", headline)
    loaded = load({"fms.toml": edited.encode()})
    named = loaded.named(rule)
    assert named is not None
    assert headline in [example.story.title for example in named.examples]
