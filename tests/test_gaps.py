"""Gaps between two visits: when one is seen, how it is told, what older pages give back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.feeds import gaps
from monitor.feeds.gaps import Window
from monitor.feeds.parse import Parser
from monitor.model import Entry, Feed, Oddity, Suspicion
from tests.builders import NOW, a_feed, an_entry, minutes
from tests.replay import SNAPSHOTS, replay, snapshots

LAST = NOW - timedelta(hours=4)
POLLED = a_feed(name="DSCA", baseline_at=LAST, succeeded_at=LAST)


def listed(*hours_ago: float | None) -> tuple[Entry, ...]:
    """A document's entries, by when they were published."""
    return tuple(
        an_entry(
            f"Entry {number}",
            key=f"g:{number}",
            published_at=None if hours is None else NOW - timedelta(hours=hours),
        )
        for number, hours in enumerate(hours_ago)
    )


TEN = listed(*(0.1 * n for n in range(10)))
SEEN = {
    "nothing is known": (POLLED, TEN, (), True),
    "the last one is known": (POLLED, TEN, (9,), False),
    "a pinned one on top is known": (POLLED, TEN, (0,), True),
    "two on top": (POLLED, TEN, (0, 1), False),
    "without dates": (POLLED, listed(None, None, None), (), True),
    "it reaches back": (POLLED, listed(1, 2, 3, 5), (), False),
    "one entry says nothing": (POLLED, listed(1), (), False),
    "no entries": (POLLED, (), (), False),
    "the first visit": (replace(POLLED, baseline_at=None), TEN, (), False),
    "all are known": (POLLED, TEN, range(10), False),
}


@pytest.mark.parametrize(("feed", "entries", "known", "seen"), SEEN.values(), ids=SEEN)
def test_when_a_gap_is_seen(
    feed: Feed, entries: Sequence[Entry], known: Sequence[int], seen: bool
) -> None:
    keys = {f"g:{number}" for number in known}
    assert (gaps.found(feed, entries, keys, NOW) is not None) is seen


def test_an_entry_known_by_another_key_is_known() -> None:
    entries = (*listed(1, 2), an_entry("x", keys=("g:x", "p:1")))
    assert gaps.found(POLLED, entries, {"p:1"}, NOW) is None


def test_the_window_is_from_the_last_visit_to_the_oldest_entry() -> None:
    window = gaps.found(POLLED, listed(0.5, 2, None), (), NOW)
    assert window == Window(begin=LAST, end=NOW - timedelta(hours=2))
    assert gaps.found(POLLED, listed(None, None), (), NOW) == Window(begin=LAST, end=NOW)


WINDOW = Window(begin=LAST, end=NOW - timedelta(hours=2))


def test_gaps_within_a_day_are_one() -> None:
    feed = gaps.after(POLLED, POLLED, WINDOW)
    assert (feed.gap_from, feed.gap_until, feed.gap_told) == (LAST, WINDOW.end, False)
    feed = replace(feed, gap_told=True)
    later = Window(begin=NOW, end=NOW + timedelta(hours=1))
    again = gaps.after(feed, feed, later)
    assert (again.gap_from, again.gap_until, again.gap_told) == (LAST, later.end, True)
    much_later = Window(begin=NOW + timedelta(days=2), end=NOW + timedelta(days=3))
    other = gaps.after(feed, feed, much_later)
    assert (other.gap_from, other.gap_told) == (much_later.begin, False)


def test_the_document_of_another_feed_is_no_gap() -> None:
    odd = replace(POLLED, suspicion=Suspicion(oddity=Oddity.ANOTHER), suspected_since=NOW)
    assert gaps.after(POLLED, odd, WINDOW) == odd


@pytest.mark.parametrize(
    ("wait", "expected"), [(60, 30), (3, 2), (1, 1)], ids=["half", "not under the bound", "short"]
)
def test_the_next_visit_is_sooner(wait: float, expected: float) -> None:
    feed = replace(POLLED, next_poll_at=NOW + minutes(wait))
    assert gaps.sooner(feed, minutes(2), NOW).next_poll_at == NOW + minutes(expected)


def test_a_gap_is_told_once_with_its_window() -> None:
    feed = gaps.after(POLLED, POLLED, WINDOW)
    feed, alert = gaps.report(feed, ("fms-ukraine",), NOW)
    assert alert is not None
    assert alert.title == "Possible gap in DSCA 13 Feb 06:00–08:00 UTC"
    assert "Rules that look only there: fms-ukraine." in alert.text
    assert gaps.report(feed, (), NOW) == (feed, None)


def test_a_paused_feed_is_not_told() -> None:
    feed = replace(gaps.after(POLLED, POLLED, WINDOW), paused=True)
    assert gaps.report(feed, (), NOW)[1] is None


@pytest.mark.parametrize(
    ("begin", "end", "words"),
    [
        (NOW, NOW + minutes(90), "13 Feb 10:00–11:30"),
        (NOW, NOW + timedelta(days=1), "13 Feb 10:00–14 Feb 10:00"),
    ],
)
def test_a_window_in_words(begin: datetime, end: datetime, words: str) -> None:
    assert gaps.span(begin, end) == words


def test_what_an_older_page_gives_back() -> None:
    page = listed(2.5, None, 3, 9, 3.5)
    assert gaps.missed(page, {"g:4"}, WINDOW) == page[:3]  # neither too old nor below the known
    assert gaps.missed(page, {"g:0"}, WINDOW) == ()
    assert gaps.reaches(page, {"g:4"}, WINDOW)
    assert gaps.reaches(page, (), WINDOW)  # by its dates
    assert not gaps.reaches(page[:3], (), WINDOW)


def test_of_a_sitemap_only_what_was_published_in_the_window_counts() -> None:
    site = listed(1, 2.5, None, 3, 9, 3.5)
    assert gaps.within(site, {"g:5"}, WINDOW) == (site[1], site[3])


@pytest.mark.skipif(not SNAPSHOTS.exists(), reason="needs the corpus")
async def test_the_series_with_a_short_window_has_gaps(tmp_path: Path) -> None:
    parser = Parser(size=1)
    polls = snapshots("npr-2024-04")[:20]
    try:
        ledger = await replay(polls, rules=NOTHING, folder=tmp_path, parser=parser)
    finally:
        await parser.aclose()
    found = [warning for poll in ledger.polls for warning in poll.warnings if "gap" in warning]
    turned_over = sum(poll.new == poll.entries for poll in ledger.polls[1:])
    assert (turned_over, len(found)) == (13, 14)  # once, a pinned entry was known
    assert ledger.feed is not None
    assert ledger.feed.gap_from is not None


NOTHING = """
[[rule]]
name = "nothing"
query = "quetzalcoatlus"
"""
