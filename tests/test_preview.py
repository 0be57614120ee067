"""What a feed would bring, told before it is watched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.cli.preview import lines, pace, preview
from monitor.model import ParsedFeed
from monitor.rules.load import load
from tests.builders import NOW, an_entry, feed_settings, raw_entry

RULES = load({"r.toml": b'[[rule]]\nname = "nato"\nany = ["NATO"]\ntag = "press"\n'})


def told(*titles: str, tags: tuple[str, ...] = ("press",), rules: object = RULES) -> list[str]:
    entries = tuple(
        raw_entry(guid=title, title=title, published_at=NOW - timedelta(days=n))
        for n, title in enumerate(titles)
    )
    parsed = ParsedFeed(version="rss20", title="Daily", language="en-GB", entries=entries)
    chosen = feed_settings(tags=frozenset(tags))
    return list(lines(preview(parsed, chosen, rules, NOW), NOW))  # type: ignore[arg-type]


def test_title_language_newest_pace_and_matches_with_reasons() -> None:
    assert told("NATO meets", "Rain", "Sun") == [
        "Title     Daily",
        "Language  en",
        "Entries   3 entries",
        "Newest    0 s ago: NATO meets",
        "Pace      about 1 a day",
        "Rules     1 of these entries would have matched",
        "          nato: NATO meets (because of: press, NATO)",
    ]


def test_rules_see_the_tags_that_the_feed_will_have() -> None:
    assert told("NATO meets", tags=())[-1] == "Rules     none of these entries would have matched"


def test_of_many_matches_some_are_shown() -> None:
    said = told(*(f"NATO meets {n}" for n in range(14)))
    assert "Rules     14 of these entries would have matched" in said
    assert said[-1] == "          and 4 more"


def test_broken_rules_are_said_and_stop_nobody() -> None:
    assert told("Rain", rules=None)[-1].startswith("Rules     not tried: the rule files have")


@pytest.mark.parametrize(
    ("hours", "a_day"),
    [
        pytest.param([], None, id="nothing"),
        pytest.param([0], None, id="one"),
        pytest.param([0, 0], None, id="all at once"),
        pytest.param([0, None], None, id="one date"),
        pytest.param([0, 12, 24], 2.0, id="two a day"),
        pytest.param([0, 24 * 7], 1 / 7, id="one a week"),
    ],
)
def test_pace(hours: list[int | None], a_day: float | None) -> None:
    entries = [
        an_entry(str(n), published_at=None if hour is None else NOW - timedelta(hours=hour))
        for n, hour in enumerate(hours)
    ]
    found = pace(entries)
    assert found == (None if a_day is None else pytest.approx(a_day))
