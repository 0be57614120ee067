"""What templates are given: plain values, under the names of docs/templates.md."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts.sample import Sample, samples
from monitor.alerts.template_values import Values, values_of
from tests.builders import NOW

ALERT, BARE, DIGEST, NOTICE = samples(NOW)


def values(sample: Sample) -> Values:
    now = "Thu 13 Feb 2025, 11:00 CET"
    return values_of(sample.layout(ZoneInfo("Europe/Brussels"), now), now=now)


@pytest.mark.parametrize("sample", samples(NOW), ids=lambda sample: sample.name)
def test_values_are_plain(sample: Sample) -> None:
    assert json.loads(json.dumps(values(sample))) == values(sample)


def test_times_are_the_readers() -> None:
    assert values(ALERT)["now"] == "Thu 13 Feb 2025, 11:00 CET"
    assert values(ALERT)["stories"][0]["when"] == "Thu 13 Feb 2025, 11:00 CET"


def test_a_story_comes_with_its_parts() -> None:
    story = values(DIGEST)["stories"][0]
    assert (story["severity"], story["tag"]) == ("critical", "[CRITICAL]")
    assert story["title"] == "A notice: F-16 aircraft <for> a NATO ally & others"
    assert story["title_marked"] == "A notice: »F-16« aircraft <for> a NATO ally & others"
    assert story["title_html"] == (
        "A notice: <mark>F-16</mark> aircraft &lt;for&gt; a NATO ally &amp; others"
    )
    assert story["facts"] == "Poland · $425 million"
    assert story["sentences"][0]["html"].count("<mark>Foreign Military Sale</mark>") == 1
    assert story["also"][0].startswith("Also: The Other Times")
    assert len(story["labels"]) == 2
    assert story["rule"] == "sample"


def test_what_is_new_in_a_known_story() -> None:
    (known,) = [each for each in values(DIGEST)["stories"] if each["news"]]
    (news,) = known["news"]
    assert news["text"].startswith("Now from The Ministry")
    assert "»Foreign Military Sale«" in news["marked"]
    assert news["url"] == "https://example.org/ministry"


def test_notices_and_the_digest_stand_apart() -> None:
    found = values(DIGEST)
    assert len(found["stories"]) == 3
    assert [notice["tag"] for notice in found["notices"]] == ["[MONITOR]"]
    assert found["digest"]["title"] == "Digest"
    assert found["digest"]["paragraphs"] == ["41 of 42 feeds healthy."]
    assert found["intro"][0].startswith("Digest, Thu 13 Feb 2025, 11:00 CET: 3 stories")
    assert (values(ALERT)["digest"], values(ALERT)["intro"]) == (None, [])
    notice = values(NOTICE)
    assert notice["stories"] == []
    assert notice["notices"][0]["paragraphs"][0] == "Why: it answers 503."


def test_a_bare_headline_has_every_name() -> None:
    (bare,), (full, *_) = values(BARE)["stories"], values(DIGEST)["stories"]
    assert bare.keys() == full.keys()
    assert (bare["url"], bare["outlet"], bare["facts"]) == ("", "", "")
    assert bare["sentences"] == []
