"""Retry-After and Cache-Control, as servers write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.headers import LONGEST, links, max_age, retry_after
from tests.builders import NOW

RETRY_AFTER = {
    "nothing": (None, None),
    "empty": ("", None),
    "seconds": ("120", timedelta(minutes=2)),
    "seconds with space": (" 120 ", timedelta(minutes=2)),
    "none": ("0", None),
    "negative": ("-5", None),
    "a fraction": ("1.5", None),
    "other digits": ("\u0661\u0662", None),
    "too long": ("999999999", LONGEST),
    "far too long": ("9" * 5_000, LONGEST),
    "a date": ("Thu, 13 Feb 2025 10:30:00 GMT", timedelta(minutes=30)),
    "a date of 1994": ("Thursday, 13-Feb-25 10:30:00 GMT", timedelta(minutes=30)),
    "a date without zone": ("Thu, 13 Feb 2025 10:30:00", timedelta(minutes=30)),
    "the past": ("Thu, 13 Feb 2025 09:00:00 GMT", None),
    "a far date": ("Thu, 13 Feb 2031 09:00:00 GMT", LONGEST),
    "an impossible date": ("Thu, 31 Feb 2025 09:00:00 GMT", None),
    "an impossible zone": ("Thu, 13 Feb 2025 10:30:00 +99999999", None),
    "words": ("soon", None),
}


@pytest.mark.parametrize(("value", "wait"), RETRY_AFTER.values(), ids=RETRY_AFTER)
def test_retry_after(value: str | None, wait: timedelta | None) -> None:
    assert retry_after(value, NOW) == wait


@given(st.text() | st.from_regex(r"\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ [+-]?\w+", fullmatch=True))
def test_retry_after_is_never_more_than_a_day_and_never_raises(value: str) -> None:
    wait = retry_after(value, NOW)
    assert wait is None or timedelta(0) < wait <= LONGEST


MAX_AGE = {
    "nothing": (None, None),
    "something else": ("no-cache, no-store", None),
    "alone": ("max-age=600", timedelta(minutes=10)),
    "among others": ("public,max-age=600, must-revalidate", timedelta(minutes=10)),
    "in capitals": ("Max-Age=600", timedelta(minutes=10)),
    "quoted": ('max-age="600"', timedelta(minutes=10)),
    "zero": ("max-age=0", timedelta(0)),
    "of shared caches": ("s-max-age=60, s-maxage=60", None),
    "negative": ("max-age=-1", None),
    "a year": ("max-age=31536000", LONGEST),
    "absurd": (f"max-age={'9' * 5_000}", LONGEST),
}


@pytest.mark.parametrize(("value", "age"), MAX_AGE.values(), ids=MAX_AGE)
def test_max_age(value: str | None, age: timedelta | None) -> None:
    assert max_age(value) == age


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, ()),
        ("", ()),
        ("<https://hub.example/>; rel=hub", (("hub", "https://hub.example/"),)),
        (
            '<https://hub.example/>; rel="hub", </feed?a,b>; REL="self"',
            (("hub", "https://hub.example/"), ("self", "/feed?a,b")),
        ),
        (
            '<https://a.example/>; title="x, y"; rel="hub self"',
            (
                ("hub", "https://a.example/"),
                ("self", "https://a.example/"),
            ),
        ),
        ("<https://a.example/>", ()),
        ("https://a.example/; rel=hub", ()),
        ("<>; rel=hub", ()),
        ("<" * 60_000, ()),
        ("<a>;" + " " * 60_000, ()),
        ("<a>" + ";a=b" * 15_000 + ' rel="', ()),
    ],
)
def test_links(value: str | None, found: tuple[tuple[str, str], ...]) -> None:
    assert links(value) == found
