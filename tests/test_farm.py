"""The farm of the benches: what it serves changes as a publisher's feed does."""

from __future__ import annotations

import gzip
import re

import feedparser
import pytest

from tests.bench.farm import Farm
from tests.bench.patterns import Pattern, patterns

MADE = patterns(real=False)


def document(farm: Farm, feed: int = 0) -> bytes:
    return gzip.decompress(farm.packed(feed)[0])


def entries(raw: bytes) -> list[bytes]:
    return re.findall(rb"<(?:item|entry)>.*?</(?:item|entry)>", raw, re.S)


@pytest.fixture
def farm() -> Farm:
    return Farm(len(MADE), MADE)


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.kind)
def test_every_document_is_clean_and_lists_what_it_says(pattern: Pattern) -> None:
    found = feedparser.parse(pattern.document(3, pattern.count, 0, {}))
    assert not found.bozo
    assert len({entry.get("id") or entry.link for entry in found.entries}) == pattern.count


def test_news_comes_in_at_the_top_and_nothing_else_changes(farm: Farm) -> None:
    before = entries(document(farm))
    farm.publish(0, "ALERT")
    after = entries(document(farm))
    assert b"ALERT" in after[0]
    assert after[1:] == before[:-1]


def test_a_touch_changes_what_is_round_the_entries(farm: Farm) -> None:
    before, tag = document(farm), farm.packed(0)[1]
    farm.touch(0)
    assert document(farm) != before
    assert farm.packed(0)[1] != tag
    assert entries(document(farm)) == entries(before)


def test_some_publish_and_it_says_how_much(farm: Farm) -> None:
    before = [farm.packed(feed)[1] for feed in range(farm.count)]
    told = farm.control("/_ctl/advance?share=0.25")
    changed = sum(farm.packed(feed)[1] != before[feed] for feed in range(farm.count))
    assert changed == 3
    assert 3 <= told["entries"] <= 9


def test_after_a_reset_it_is_as_at_the_start(farm: Farm) -> None:
    before = document(farm)
    farm.publish(0)
    farm.control("/_ctl/reset")
    assert document(farm) == before
