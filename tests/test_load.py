"""Rule files → RuleSet: what may be written, and how each mistake is told."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from monitor.errors import ConfigError, Problem
from monitor.model import Severity
from monitor.rules.load import RuleSet, changes, load, read_folder
from tests.builders import an_entry

FULL = """
[lists]
fms = ["Foreign Military Sale", "@agency"]
agency = ["DSCA"]

[[rule]]
name = "fms"
any = "@fms"
all = ["sale"]
none = ["furniture"]
in = ["title", "summary"]
language = "en"
severity = "high"
tags = ["us"]
channels = ["desk"]
owner = "anna@example.org"
note = "why"
review_by = 2026-12-31
backfill = "3d"
must_match = ["DSCA sale", { title = "News", summary = "A sale by DSCA", language = "en" }]
must_not_match = ["DSCA furniture sale", { title = "DSCA-Verkauf: sale", language = "de" }]

[[rule]]
name = "points"
threshold = 3
[rule.score]
"@fms" = 2
drone = 1.5

[[rule]]
name = "all of it"
feed = ["DSCA Major Arms Sales"]
enabled = false
"""


def rules(text: str | bytes, **others: str) -> RuleSet:
    raw = text if isinstance(text, bytes) else text.encode()
    return load({"a.toml": raw} | {f"{name}.toml": more.encode() for name, more in others.items()})


def problems(text: str | bytes, **others: str) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        rules(text, **others)
    assert all(problem.remedy for problem in caught.value.problems)
    return list(caught.value.problems)


def matching(found: RuleSet, title: str, **changes: str) -> list[str]:
    entry = an_entry(title, summary="", **changes)
    return [match.rule.name for match in found.matcher.match(entry)]


def one(body: str) -> str:
    return f'[[rule]]\nname = "r"\n{body}\n'


# --- what may be written


def test_a_file_with_everything() -> None:
    found = rules(FULL)
    fms, points, everything = found.rules
    assert fms.rule.severity is Severity.HIGH
    assert (fms.rule.channels, fms.rule.tags) == (("desk",), frozenset({"us"}))
    assert (fms.rule.owner, fms.rule.note, fms.rule.source) == (
        "anna@example.org",
        "why",
        "a.toml:6",
    )
    assert (fms.review_by, fms.backfill) == (date(2026, 12, 31), timedelta(days=3))
    assert [example.wish.value for example in fms.examples] == [
        "must_match", "must_match", "must_not_match", "must_not_match",
    ]  # fmt: skip
    assert points.rule.channels is None
    assert not everything.enabled
    assert found.files == {"a.toml": FULL}


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("DSCA drone sale", ["fms", "points"]),
        ("DSCA notice", []),
        ("Foreign Military Sales of drones", ["fms", "points"]),
        ("Furniture sale at DSCA", []),
    ],
)
def test_its_rules_match(title: str, names: list[str]) -> None:
    assert matching(rules(FULL), title) == names


def test_a_rule_with_labels_only_takes_everything_from_that_feed() -> None:
    found = rules(one('feed = "DSCA Major Arms Sales"'))
    assert matching(found, "Kuwait – anything", feed_name="DSCA Major Arms Sales") == ["r"]
    assert matching(found, "Kuwait – anything") == []


def test_lists_are_shared_by_all_files() -> None:
    found = rules(one('query = "@fms AND sale"'), lists='[lists]\nfms = ["DSCA"]')
    assert matching(found, "DSCA sale") == ["r"]


@pytest.mark.parametrize(
    ("lists", "title", "worth"),
    [
        pytest.param(
            'worth_reading = ["@arms", "NATO"]\narms = ["tank"]', "Tanks", True, id="term"
        ),
        pytest.param('worth_reading = ["NATO"]', "Senators", False, id="no term"),
        pytest.param('fms = ["DSCA"]', "DSCA", False, id="no such list"),
    ],
)
def test_which_entries_are_worth_reading(lists: str, title: str, worth: bool) -> None:
    found = rules(one('query = "drone"'), lists=f"[lists]\n{lists}")
    assert found.worth_reading(an_entry(title, summary="")) is worth


@pytest.mark.parametrize(
    "raw",
    [b"\xef\xbb\xbf" + one("any = 'drone'").encode(), one("any = 'drone'").replace("\n", "\r\n")],
    ids=["byte order mark", "windows"],
)
def test_files_as_editors_save_them(raw: bytes | str) -> None:
    assert matching(rules(raw), "A drone") == ["r"]


def test_an_empty_folder_is_for_the_caller_to_judge() -> None:
    assert load({}).rules == ()
    assert rules("# nothing yet").rules == ()


# --- mistakes


@pytest.mark.parametrize(
    ("text", "line", "what", "remedy"),
    [
        ("[[rules]]\nname = 'r'", 1, "begins with [[rule]], without s", "write [[rule]]"),
        ("[rule]\nname = 'r'\nany = ['x']", 1, "begins with two brackets", "write [[rule]]"),
        ("name = 'r'\nany = ['x']", 1, "outside any rule", "write [[rule]] above"),
        (
            one("threshold = 3\n[rule.score]\ndrone = 3\nseverity = 'high'"),
            6,
            "severity stands below [rule.score]",
            "move severity above the line [rule.score]",
        ),
        (
            one("[rule.score]\ndrone = 3\nthreshold = 3"),
            5,
            "threshold stands below [rule.score]",
            "move threshold above",
        ),
        (
            "[[rule]]\nname = 'r'\nany = ['x']\n[lists]\nfms = ['FMS']\nnone = ['y']",
            6,
            "it stands below [lists]",
            "move it up",
        ),
        (one("any = [“x”]"), 3, "typographic quotation mark", 'straight ones: "…"'),
        (one("any = ['L'OTAN']"), 3, "the apostrophe ends the text", '"L\'OTAN"'),
        (one("query = 'nato and ukraine'"), 3, "operators are written in capitals", "write AND"),
        (one("query = 'a AND ('"), 3, "term is missing", "add a word"),
        (one("query = 'titel:nato'"), 3, 'no field "titel"', 'did you mean "title:"?'),
        (one("any = ['@fsm']"), 3, 'no list "fsm"', 'did you mean "@fms"?'),
        (one("any = ['a',\n  'b',\n  '*']"), 5, "no word", "letters"),
        (one("any = ['x']\nserverity = 'low'"), 4, 'no key "serverity"', '"severity"?'),
        (one("any = ['x']\nseverity = 'hgih'"), 4, '"hgih" cannot be used', '"high"'),
        (one("any = ['x']\nin = ['titel']"), 4, "cannot be used", "fields are content"),
        (one("any = ['x']\nbackfill = '3 days'"), 4, '"3 days" cannot be used', '"3d"'),
        (one("any = ['x']\nreview_by = '2026-01-01'"), 4, "does not fit", "2026-12-31"),
        (one("any = ['x']\nmust_match = [{titel = 'x'}]"), 4, 'no key "titel"', '"title"?'),
        (one("any = []"), 3, "nothing in it", "write at least one"),
        (one("severity = 'low'"), 1, "says nothing about what to look for", "add any"),
        (one("none = ['football']"), 1, "says nothing about what to look for", "add any"),
        ("[[rule]]\nany = ['x']", 1, '"name" is missing', "add name"),
        (one("[rule.score]\ndrone = 3"), 3, "needs a threshold above 0", "add threshold"),
        (one("any = ['x']\nthreshold = 3"), 4, "a threshold without a score", "add score"),
        (one("threshold = 1\n[rule.score]\ndrone = -3"), 4, "points above 0", "give one"),
        ("rule = 3", 1, "3 does not fit here", "write a list"),
        ("rule = [3]", 1, "3 does not fit here", "write a table"),
        ("lists = ['x']", 1, "a list does not fit here", "write a table"),
        ("[lists]\nfms = ['FMS', 3]", 2, "3 does not fit here", "write text"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_once_with_its_line(text: str, line: int, what: str, remedy: str) -> None:
    (problem,) = problems(text, lists="[lists]\nfms = ['FMS']" if "@" in text else "")
    assert (problem.file, problem.line) == ("a.toml", line)
    assert what in problem.what
    assert remedy in problem.remedy


def test_a_query_is_shown_with_a_mark_under_the_fault() -> None:
    (problem,) = problems(one("query = 'nato and ukraine'"))
    assert str(problem) == (
        'a.toml:3:15: rule "r", query: operators are written in capitals: AND; write AND, or put'
        ' the phrase into quotation marks: "search and rescue"\n'
        "    query = 'nato and ukraine'\n"
        "                  ^"
    )


def test_a_query_over_many_lines_shows_the_one_with_the_fault() -> None:
    (problem,) = problems(one("query = '''\nnato AND\n(ukraine OR\n'''"))
    assert problem.line == 3
    assert "ukraine OR" in problem.excerpt


def test_all_mistakes_of_all_files_come_at_once() -> None:
    found = problems(
        one("any = ['x']\nseverity = 3"),
        b=one("query = 'a and b'"),
        c="[[rules]]",
        d="x = “y”",
    )
    assert [(problem.file, problem.line) for problem in found] == [
        ("a.toml", 4), ("b.toml", 3), ("c.toml", 1), ("d.toml", 1),
    ]  # fmt: skip


def test_what_does_not_fit_hides_no_other_mistake() -> None:
    """Nor does it bring any that would be gone with it."""
    found = problems(
        "[lists]\nempty = []\ngood = ['arms', '(']\n"
        "[[rule]]\nname = 'one'\nseverity = 'hig'\nquery = 'a AND (b'\n"
        "[[rule]]\nname = 'two'\nany = []\nmust_match = ['a story']\n"
        "[[rule]]\nname = 'three'\nany = ['@empty']\n"
        "[[rule]]\nname = 'four'\nthreshold = 'much'\nscore = {arms = 1}\n"
        "[[rule]]\nany = ['a || b']\n"
        "[[rule]]\nname = 'six'\nany = ['arms']\nmust_match = ['peace']\n",
        b="rule = ['text']\n",
    )
    assert [(problem.line, problem.where, problem.what) for problem in found] == [
        (2, 'list "empty"', "there is nothing in it"),
        (3, 'list "good"', "there is no word in this"),
        (6, 'rule "one", severity', '"hig" cannot be used'),
        (7, 'rule "one", query', "this ( is never closed"),
        (10, 'rule "two", any', "there is nothing in it"),
        (17, 'rule "four", threshold', '"much" does not fit here'),
        (19, "rule 5, name", '"name" is missing'),
        (20, "rule 5, any", "|| is no operator"),
        (24, 'rule "six", must_match', '"peace" does not match: not found arms'),
        (1, "rule 1", "a text does not fit here"),
    ]


def test_a_list_is_missed_where_all_lists_can_be_read() -> None:
    found = problems("[lists]\nfms = ['FMS']\n" + one("any = ['@fmss']\nseverity = 'hig'"))
    assert [problem.what for problem in found] == [
        'there is no list "fmss"',
        '"hig" cannot be used',
    ]


def test_one_name_for_two_rules_names_both_places() -> None:
    (problem,) = problems(one("any = ['x']"), b="# \n" + one("any = ['y']"))
    assert (problem.file, problem.line) == ("b.toml", 3)
    assert "a.toml:1 has a rule of this name already" in problem.what


def test_one_name_for_two_lists_names_both_places() -> None:
    (problem,) = problems("[lists]\nx = ['a b']", b="[lists]\nx = ['c d']")
    assert str(problem).startswith('b.toml:2: list "x": is already in a.toml:2')


def test_a_circle_of_lists_is_told_once_with_its_path() -> None:
    text = "[lists]\na = ['@b']\nb = ['@c', 'x y']\nc = ['@a']\n" + one("any = ['@b', '@a']")
    (problem,) = problems(text)
    assert problem.what == "uses itself: @a → @b → @c → @a"


def test_lists_may_be_used_before_they_are_written() -> None:
    found = rules(one("any = ['@a']") + "[lists]\na = ['@b']\nb = ['drone']")
    assert matching(found, "A drone") == ["r"]


def test_lists_nested_without_end_are_refused() -> None:
    chain = "".join(f"l{n} = ['@l{n + 1}']\n" for n in range(3000))
    found = problems(f"[lists]\n{chain}l3000 = ['x']\n")
    assert any("lists use one another" in problem.what for problem in found)


def test_lists_of_a_broken_file_are_not_missed_elsewhere() -> None:
    found = problems(one("any = ['@fms']"), lists="[lists]\nfms = [“FMS”]")
    assert [problem.file for problem in found] == ["lists.toml"]


# --- examples


def test_an_example_that_must_match_says_what_is_missing() -> None:
    (problem,) = problems(one("query = 'nato AND (aid OR help)'\nmust_match = ['NATO meets']"))
    assert (problem.line, problem.where) == (4, 'rule "r", must_match')
    assert problem.what == '"NATO meets" does not match: not found aid OR help'


def test_an_example_that_must_not_match_says_which_words_did_it() -> None:
    text = one("any = ['sale']\nmust_not_match = [\n  'Art fair',\n  'Furniture sales',\n]")
    (problem,) = problems(text)
    assert problem.line == 6
    assert problem.what == '"Furniture sales" matches: because of "sales"'


def test_wishes_are_warnings_until_they_come_true() -> None:
    found = rules(
        one(
            "any = ['sale']\n"
            "wanted_match = ['Arms deal', 'Arms sale']\n"
            "unwanted_match = ['Furniture sale', 'Art fair']"
        )
    )
    told = [(problem.where, problem.what) for problem in found.warnings]
    assert told == [
        ('rule "r", wanted_match', '"Arms deal" does not match: not found sale'),
        ('rule "r", wanted_match', '"Arms sale" does so now'),
        ('rule "r", unwanted_match', '"Furniture sale" matches: because of "sale"'),
        ('rule "r", unwanted_match', '"Art fair" does so now'),
    ]
    assert all(problem.warning for problem in found.warnings)
    assert "must_match" in found.warnings[1].remedy


def test_a_headline_is_enough_for_a_rule_about_one_feed() -> None:
    rules(one("feed = 'DSCA'\nany = ['tank']\nmust_match = ['Tanks for Poland']"))


def test_an_example_may_come_from_another_feed() -> None:
    text = one("feed = 'DSCA'\nmust_not_match = [{ title = 'x', feed = 'BBC' }]")
    assert rules(text).warnings == ()


def test_examples_of_rules_that_are_switched_off_count_too() -> None:
    assert problems(one("enabled = false\nany = ['sale']\nmust_match = ['x']"))


# --- changes


@pytest.mark.parametrize(
    ("body", "edited"),
    [
        ("any = ['tank', 'drone']", False),
        ("query = 'drone  OR tank'", False),
        ("any = ['@machines']", False),
        ("any = ['drone', 'tank']\nnote = 'why'", False),
        ("any = ['drone', 'tank']\nmust_match = ['Tank']", False),
        ("any = ['drone', 'tank', 'ship']", True),
        ("any = ['drone', 'tank']\nin = ['title']", True),
        ("any = ['drone', 'tank']\nseverity = 'high'", True),
        ("any = ['drone', 'tank']\nchannels = []", True),
        ("all = ['drone', 'tank']", True),
        ("any = ['drone', '=tank']", True),
    ],
)
def test_only_another_meaning_is_an_edit(body: str, edited: bool) -> None:
    lists = "[lists]\nmachines = ['tank', 'drone']\n"
    before, after = rules(lists + one("any = ['drone', 'tank']")), rules(lists + one(body))
    assert changes(before, after).edited == (("r",) if edited else ())


def test_rules_come_and_go() -> None:
    before = rules(one("any = ['x y']"), b="[[rule]]\nname = 'old'\nany = ['z y']")
    after = rules(one("any = ['x y']"), b="[[rule]]\nname = 'new'\nany = ['z y']")
    assert (changes(before, after).added, changes(before, after).removed) == (("new",), ("old",))


def test_a_rule_that_is_switched_off_is_removed() -> None:
    before, after = rules(one("any = ['x']")), rules(one("any = ['x']\nenabled = false"))
    assert changes(before, after).removed == ("r",)


def test_a_meaning_has_one_mark_in_every_process() -> None:
    program = (
        "from monitor.rules.load import load\n"
        f"print(load({{'a.toml': {FULL.encode()!r}}}).rules[0].fingerprint)"
    )
    marks = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert marks == {rules(FULL).rules[0].fingerprint + "\n"}


def test_the_version_is_that_of_names_and_texts() -> None:
    versions = {
        load({"a.toml": b""}).version,
        load({"b.toml": b""}).version,
        load({"a.toml": b"# x"}).version,
    }
    assert len(versions) == 3


# --- the folder


def test_reads_only_rule_files_in_order(tmp_path: Path) -> None:
    for name in ("b.toml", "a.toml", "notes.txt", ".a.toml.new"):
        (tmp_path / name).write_text(name)
    assert read_folder(str(tmp_path)) == {"a.toml": b"a.toml", "b.toml": b"b.toml"}


def test_says_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ConfigError) as caught:
        read_folder(str(tmp_path))
    told = [(problem.file, problem.what) for problem in caught.value.problems]
    assert told == [
        ("folder.toml", "cannot be read: is a directory"),
        ("gone.toml", "cannot be read: no such file or directory"),
    ]


@pytest.mark.parametrize(
    ("name", "what"), [("none", "there is no such folder"), ("file", "a file, not a folder")]
)
def test_says_when_there_is_no_folder(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=what):
        read_folder(str(tmp_path / name))


def test_rules_that_rely_on_a_feed_are_named_once_whatever_their_spelling() -> None:
    found = rules(
        '[[rule]]\nname = "both"\nfeed = "dsca news"\ntag = ["US"]\n'
        '[[rule]]\nname = "other"\nfeed = "NATO"\nany = ["us"]\n'
    )
    assert found.relying_on("DSCA  News", frozenset({"us", "press"})) == ("both",)
    assert found.relying_on("nato", frozenset({"US"})) == ("both", "other")
    assert found.relying_on("BBC", frozenset({"press"})) == ()


def test_many_rules_in_one_file() -> None:
    count = 3_000
    text = "[lists]\nfms = ['FMS', 'DSCA']\n" + "".join(
        f"[[rule]]\nname = 'rule {n}'\nquery = '@fms AND word{n}'\n" for n in range(count)
    )
    found = rules(text)
    assert matching(found, "FMS word1234") == ["rule 1234"]
    assert found.rules[-1].rule.source == f"a.toml:{3 * count}"
