"""Which alerts a silence mutes, and what is told when it is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.alerts.silence import described, muting, names_rule, silence_over
from monitor.model import AlertKind, Excerpt, Severity, Silence, Update
from tests.builders import (
    NOW,
    a_rule,
    a_silence,
    an_alert,
    an_operator_alert,
    an_update,
    minutes,
)

ALERT = an_alert(
    rule=a_rule("fms-ukraine", severity=Severity.HIGH),
    title="Łódź buys U.S. tanks",
    story_id="aaaa",
    outlet="Politico",
    excerpts=(Excerpt(field="summary", text="The film society met in Kyiv."),),
)
UPDATE = an_update(
    title="Statement on drones",
    outlet="Ministry",
    excerpts=(Excerpt(field="summary", text="A second sentence."),),
)


def mutes(update: Update | None = None, **fits: Any) -> bool:
    return muting(ALERT, update, [a_silence(**fits)], NOW) is not None


def of(*names: str) -> frozenset[str]:
    return frozenset(names)


@pytest.mark.parametrize(
    ("fits", "muted"),
    [
        pytest.param({}, True, id="nothing named: everything"),
        pytest.param({"rules": of("fms-ukraine")}, True, id="its rule"),
        pytest.param({"rules": of("fms-*")}, True, id="rules that begin so"),
        pytest.param({"rules": of("fms")}, False, id="a name is meant whole"),
        pytest.param({"rules": of("nato", "fms-ukraine")}, True, id="one of two rules"),
        pytest.param({"stories": of("aaaa")}, True, id="its story"),
        pytest.param({"stories": of("aaa")}, False, id="another story"),
        pytest.param({"feeds": of("Politico")}, True, id="its feed"),
        pytest.param({"feeds": of("Polit*")}, False, id="no signs in the names of feeds"),
        pytest.param({"severities": frozenset({Severity.HIGH})}, True, id="its severity"),
        pytest.param({"severities": frozenset({Severity.LOW})}, False, id="another severity"),
        pytest.param({"texts": ("tanks",)}, True, id="a word of the headline"),
        pytest.param({"texts": ("tank",)}, False, id="words are whole"),
        pytest.param({"texts": ("lodz BUYS",)}, True, id="whatever case and accents"),
        pytest.param({"texts": ("US tanks",)}, True, id="dotted or not"),
        pytest.param({"texts": ("film society",)}, True, id="a phrase of a sentence"),
        pytest.param({"texts": ("society film",)}, False, id="in this order"),
        pytest.param({"texts": ("tanks the",)}, False, id="not over the end of a headline"),
        pytest.param({"texts": ("…",)}, False, id="no word at all"),
        pytest.param({"rules": of("fms-ukraine"), "feeds": of("NATO")}, False, id="all must fit"),
        pytest.param({"rules": of("fms-ukraine"), "feeds": of("Politico")}, True, id="all do fit"),
    ],
)
def test_what_fits(fits: dict[str, Any], muted: bool) -> None:
    assert mutes(**fits) is muted


@pytest.mark.parametrize(
    ("fits", "muted"),
    [
        pytest.param({"feeds": of("Ministry")}, True, id="the feed of the update"),
        pytest.param({"feeds": of("Politico")}, True, id="the feed of its story"),
        pytest.param({"texts": ("drones",)}, True, id="headline of the update"),
        pytest.param({"texts": ("second sentence",)}, True, id="sentence of the update"),
        pytest.param({"texts": ("tanks",)}, True, id="headline of its story"),
        pytest.param({"stories": of("aaaa")}, True, id="story"),
        pytest.param({"feeds": of("BBC")}, False, id="neither feed"),
    ],
)
def test_updates_are_muted_too(fits: dict[str, Any], muted: bool) -> None:
    assert mutes(UPDATE, **fits) is muted


@pytest.mark.parametrize(
    ("changes", "muted"),
    [
        pytest.param({}, True, id="from the moment it was made"),
        pytest.param({"created_at": NOW + minutes(1)}, False, id="the clock was set back"),
        pytest.param({"ends_at": NOW}, False, id="its end has come"),
        pytest.param({"ends_at": NOW + timedelta(microseconds=1)}, True, id="up to its end"),
        pytest.param({"ended_at": NOW}, False, id="its owner was told that it is over"),
    ],
)
def test_when_it_is_in_force(changes: dict[str, Any], muted: bool) -> None:
    assert mutes(**changes) is muted


def test_the_first_that_fits_is_named() -> None:
    silences = [a_silence(id="a", rules=of("nato")), a_silence(id="b"), a_silence(id="c")]
    found = muting(ALERT, None, silences, NOW)
    assert found is not None
    assert found.id == "b"
    assert muting(ALERT, None, [], NOW) is None


@pytest.mark.parametrize("kind", [AlertKind.OPERATOR, AlertKind.DIGEST])
def test_what_the_monitor_says_itself_is_never_muted(kind: AlertKind) -> None:
    assert muting(an_operator_alert(), None, [a_silence()], NOW) is None
    assert muting(an_alert(kind=kind), None, [a_silence()], NOW) is None


@pytest.mark.parametrize(
    ("pattern", "rule", "fits"),
    [
        ("fms", "fms", True),
        ("*", "fms", True),
        ("fms-*", "fms-", True),
        ("*-ukraine", "fms-ukraine", True),
        ("f*-uk*ne", "fms-ukraine", True),
        ("f*s*s", "fms", False),
        ("fms*fms", "fms", False),
        ("a**b", "ab", True),
        ("a*b*a", "aba", True),
        ("a*b*b*a", "aba", False),
        ("[f]ms", "fms", False),
        ("fm?", "fms", False),
        ("FMS", "fms", False),
    ],
)
def test_names_of_rules(pattern: str, rule: str, fits: bool) -> None:
    assert names_rule(pattern, rule) is fits


@pytest.mark.parametrize(
    ("silence", "words"),
    [
        pytest.param(a_silence(), "everything", id="everything"),
        pytest.param(a_silence(rules=of("b", "a")), "rule a or b", id="rules"),
        pytest.param(
            a_silence(
                stories=of("aaaa"),
                feeds=of("Politico"),
                severities=frozenset({Severity.HIGH, Severity.LOW}),
                texts=("film \x1bsociety",),
            ),
            'story aaaa, feed Politico, severity low or high, text "film society"',
            id="all kinds",
        ),
    ],
)
def test_what_it_mutes_in_words(silence: Silence, words: str) -> None:
    assert described(silence) == words


@pytest.mark.parametrize(
    ("muted", "count", "todo"),
    [
        pytest.param(0, "It has muted no alerts.", "There is nothing to do.", id="none"),
        pytest.param(1, "It has muted 1 alert.", "deliveries list --state silenced", id="one"),
        pytest.param(12, "It has muted 12 alerts.", "--silence 5171e0ce00000001", id="many"),
    ],
)
def test_its_end_is_told_with_what_it_muted(muted: int, count: str, todo: str) -> None:
    over = a_silence(rules=of("fms-ukraine"), muted=muted)
    alert = silence_over(over, NOW)
    assert alert.title == "Silence over: rule fms-ukraine (anna: too noisy)"
    assert alert.text.startswith(count)
    assert todo in alert.text
    assert alert.id == silence_over(over, NOW + minutes(5)).id
