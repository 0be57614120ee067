"""What a feed says of its own pace."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.feeds import document, word
from monitor.model import Word

HOUR = timedelta(hours=1)
SY = "http://purl.org/rss/1.0/modules/syndication/"


def read(channel: str, *, item: str = "", after: str = "") -> Word:
    """Of a document with *channel* before its entry, *item* in it, *after* behind it."""
    body = (
        f'<?xml version="1.0"?><rss version="2.0" xmlns:sy="{SY}"><channel><title>T</title>'
        f"{channel}<item><guid>1</guid><title>One</title>{item}</item>{after}</channel></rss>"
    )
    found: dict[str, Any] = document.read({}, body.encode())
    return word.read(found["word"])


def hours(*numbers: int | str) -> str:
    return f"<skipHours>{''.join(f'<hour>{n}</hour>' for n in numbers)}</skipHours>"


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("", Word()),
        ("<ttl>60</ttl>", Word(ttl=HOUR)),
        ("<ttl>soon</ttl>", Word()),
        ("<ttl>0</ttl>", Word()),
        ("<ttl>99999999999</ttl>", Word()),
        (hours(0, 1, 23), Word(skip_hours=frozenset({0, 1, 23}))),
        (hours(24, " 3 ", "x", 77), Word(skip_hours=frozenset({0, 3}))),
        (
            "<skipDays><day>Saturday</day><day>sunday</day><day>Doomsday</day></skipDays>",
            Word(skip_days=frozenset({5, 6})),
        ),
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", Word(update_every=HOUR)),
        (
            "<sy:updatePeriod> Daily </sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>",
            Word(update_every=6 * HOUR),
        ),
        (
            "<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>",
            Word(update_every=HOUR),
        ),
        ("<sy:updateFrequency>4</sy:updateFrequency>", Word()),
    ],
    ids=[
        "nothing",
        "ttl in minutes",
        "no number",
        "zero",
        "too large",
        "hours",
        "24 is midnight, nonsense is left out",
        "days",
        "hourly",
        "four times a day",
        "frequency zero counts as one",
        "a frequency of nothing",
    ],
)
def test_word(channel: str, expected: Word) -> None:
    assert read(channel) == expected


def test_it_may_stand_behind_the_entries() -> None:
    assert read("", after=hours(5)).skip_hours == {5}


def test_the_text_of_an_entry_does_not_speak_for_the_feed() -> None:
    text = f"<description><![CDATA[{hours(*range(24))}]]></description>"
    assert read("", item=text) == Word()


def test_a_json_feed_says_nothing() -> None:
    feed = b'{"version":"https://jsonfeed.org/version/1.1","title":"T","items":[]}'
    assert word.read(document.read({}, feed)["word"]) == Word()
