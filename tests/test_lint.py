"""What linting warns of, and what it leaves in peace."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from monitor.model import Entry
from monitor.rules.lint import Known, lint
from monitor.rules.load import RuleSet, load, read_folder
from monitor.rules.trial import backtest
from tests.builders import NOW, an_entry

TODAY = NOW.date()


def rules(text: str) -> RuleSet:
    return load({"a.toml": text.encode()})


def one(body: str, lists: str = "") -> RuleSet:
    return rules(f'{lists}\n[[rule]]\nname = "r"\n{body}')


def told(found: RuleSet, known: Known | None = None) -> list[str]:
    problems = lint(found, TODAY, known)
    assert all(problem.warning and problem.remedy for problem in problems)
    return [problem.what for problem in problems]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("query = 'NOT football'", "it only says what must not be there"),
        ("query = 'nato OR NOT football'", "it only says what must not be there"),
        ("query = '/DDG-\\d+/'", "runs on every story"),
        ("query = '/DDG-\\d+/ OR navy'", "runs on every story"),
        ("any = ['/DDG-\\d+/']\nfeed = 'Navy'", "runs on every story"),
        ("any = ['war*']", '"war*" fits many words'),
        ("any = ['nato', 'otan']\nnone = ['otan']", '"otan" is excluded'),
        ("any = ['NATO']\nnone = ['nato']", '"nato" is excluded, so "NATO"'),
        ("query = '(aid NEAR/3 ship) AND navy NOT aid'", '"aid" is excluded'),
        ("any = ['WHO', 'World Health Organization']", '"WHO" is also an English word'),
        ("any = ['SAFE']\nin = ['title']", '"SAFE" is also an English word'),
        ("any = ['WHO']\nnone = ['concert']", '"WHO" is also an English word'),
        ("any = ['nato']\nreview_by = 2025-02-12", "reviewed by 12 February 2025"),
        ("any = ['Kyiv, Lviv']", '"Kyiv, Lviv" is one phrase'),
        ("query = 'arms AND (Kyiv; Lviv)'", '"Kyiv; Lviv" is one phrase'),
    ],
)
def test_warns_of(body: str, what: str) -> None:
    found = told(one(body))
    assert len(found) == 1
    assert what in found[0]


@pytest.mark.parametrize(
    "body",
    [
        "feed = 'DSCA'\nnone = ['football']",
        "query = '/DDG-\\d+/ AND (commission* OR launch*)'",
        "query = '/DDG-\\d+/ NEAR/5 navy'",
        "any = ['sanction*', 'ally']",
        "query = 'buy* NEAR/5 tank'",
        "query = 'nato NOT title:nato'",
        "any = ['nato']\nnone = ['NATO']",
        "any = ['sale']\nnone = ['=Sale']",
        "any = ['aid package']\nnone = ['aid']\nenabled = false",
        "query = 'WHO NEAR/5 health'",
        "any = ['WHO']\nall = ['health']",
        "any = ['=WHO']",
        "any = ['NATO']",
        "any = ['nato']\nreview_by = 2025-02-13",
        "any = ['nato']\nchannels = []",
        "threshold = 2\n[rule.score]\nnato = 2\nfootball = -5",
    ],
)
def test_says_nothing_of(body: str) -> None:
    assert told(one(body)) == []


def test_the_shipped_rules_are_clean() -> None:
    folder = Path(__file__).parents[1] / "rules"
    assert lint(load(read_folder(str(folder))), TODAY) == []


def test_an_unused_list_is_named_with_its_place() -> None:
    found = one(
        "any = ['@fms']", '[lists]\nfms = ["FMS", "@dsca"]\ndsca = ["DSCA"]\nukraine = ["Kyiv"]'
    )
    assert [str(problem) for problem in lint(found, TODAY)] == [
        'a.toml:4: warning: list "ukraine": no rule uses it; write @ukraine in a rule, or delete it'
    ]


def test_the_list_of_what_is_worth_reading_is_used_by_the_monitor_itself() -> None:
    found = one("any = ['FMS']", '[lists]\nworth_reading = ["@dsca"]\ndsca = ["DSCA"]')
    assert lint(found, TODAY) == []


def test_a_comma_in_a_list_that_many_rules_use_is_told_once() -> None:
    found = rules(
        "[lists]\nx = ['Kyiv, Lviv', 'S&P, Inc.', '36,000']\n"
        "[[rule]]\nname = 'one'\nquery = '@x AND drone'\n"
        "[[rule]]\nname = 'two'\nquery = '@x AND missile'\n"
    )
    assert [str(problem) for problem in lint(found, TODAY)] == [
        'a.toml:3: warning: rule "one": "Kyiv, Lviv" is one phrase: these words side by side; write'
        " OR between them, or each in quotation marks of its own; a phrase needs no comma",
        'a.toml:3: warning: rule "one": "S&P, Inc." is one phrase: these words side by side; write'
        " OR between them, or each in quotation marks of its own; a phrase needs no comma",
    ]


def test_twins_are_named_however_they_are_written() -> None:
    found = rules(
        "[lists]\nx = ['drone', 'interceptor']\n"
        "[[rule]]\nname = 'one'\nany = ['@x']\n"
        "[[rule]]\nname = 'two'\nquery = 'drone OR interceptor'\n"
        "[[rule]]\nname = 'three'\nquery = 'drone AND interceptor'\n"
    )
    assert [str(problem) for problem in lint(found, TODAY)] == [
        'a.toml:6: warning: rule "two": looks for the same as "one" (a.toml:3);'
        " keep one, or make them differ"
    ]


def test_an_owner_is_missed_only_where_rules_have_owners() -> None:
    alone = "[[rule]]\nname = 'one'\nany = ['drone']\n"
    owned = "[[rule]]\nname = 'two'\nany = ['tank']\nowner = 'desk'\n"
    assert told(rules(alone)) == []
    assert told(rules(alone + owned)) == ["it has no owner, other rules do"]


def test_rules_without_an_owner_are_told_as_one() -> None:
    alone = "".join(f"[[rule]]\nname = 'r{n}'\nany = ['drone{n}']\n" for n in range(6))
    owned = "[[rule]]\nname = 'two'\nany = ['tank']\nowner = 'desk'\n"
    assert told(rules(alone + owned)) == [
        "it has no owner, nor have r1, r2, r3 and 2 more; other rules do"
    ]


# --- what the rules did


def entries(titles: list[str], *, days: int = 1) -> list[Entry]:
    """*titles* spread evenly over the last *days*."""
    step = timedelta(days=days - 1) / max(len(titles) - 1, 1)
    return [
        an_entry(title, key=str(n), summary="", first_seen_at=NOW - n * step)
        for n, title in enumerate(titles)
    ]


def past(body: str, titles: list[str], *, days: int = 1, max_per_day: float = 50) -> list[str]:
    found = one(body)
    history = backtest(found, None, entries(titles, days=days))
    return told(found, Known(history=history, max_per_day=max_per_day))


def test_a_term_that_alone_makes_most_matches() -> None:
    titles = ["arms sale"] * 18 + ["drone and sale"] * 4 + ["drone"] * 2
    found = past("any = ['sale', 'drone', 'interceptor']", titles)
    assert found == []
    found = past("any = ['sale', 'drone', 'interceptor']", titles + ["a sale"] * 16)
    assert found == ['"sale" alone makes 34 of its 40 matches']


def test_the_other_side_of_and_is_no_company() -> None:
    found = past("query = '(sale OR drone) AND army'", ["army sale"] * 30)
    assert found == ['"sale" alone makes 30 of its 30 matches']


def test_few_matches_say_nothing() -> None:
    assert past("any = ['sale', 'drone']", ["arms sale"] * 19) == []


def test_a_single_term_is_meant_to_make_all_matches() -> None:
    assert past("any = ['sale']", ["arms sale"] * 40) == []


@pytest.mark.parametrize(
    ("days", "found"),
    [(91, ["it has matched none of the 3 stories of 91 days"]), (90, [])],
    ids=["ninety days later", "too early to say"],
)
def test_a_rule_that_never_fires(days: int, found: list[str]) -> None:
    assert past("any = ['interceptor']", ["sale", "sale", "sale"], days=days) == found


@pytest.mark.parametrize(
    ("limit", "found"), [(4, ["it matches 5.0 stories a day"]), (5, [])], ids=["over", "not over"]
)
def test_a_rule_that_fires_too_often(limit: float, found: list[str]) -> None:
    assert past("any = ['sale']", ["sale"] * 50, days=10, max_per_day=limit) == found


def test_no_stored_entries_say_nothing() -> None:
    assert past("any = ['sale']", []) == []


def test_a_date_is_all_it_needs_of_the_clock() -> None:
    assert lint(one("any = ['nato']\nreview_by = 2025-03-01"), date(2025, 3, 2))
