"""Documents that can be read and look wrong, and how long they are doubted."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from monitor.feeds import document, suspicion
from monitor.feeds.suspicion import ACCEPTED_AFTER
from monitor.model import Feed, Oddity, ParsedFeed, RawEntry, Suspicion
from tests.builders import NOW, a_feed, raw_entry
from tests.replay import SNAPSHOTS, snapshots


def a_document(count: int = 20, title: str = "Defence", **changes: object) -> ParsedFeed:
    words = changes.pop("words", "Ministers meet")
    entries = tuple(raw_entry(guid=str(n), title=f"{words} {n}") for n in range(count))
    return ParsedFeed(version="rss20", title=title, entries=entries, **changes)  # type: ignore[arg-type]


QUARTER = timedelta(minutes=15)


def after(*documents: tuple[ParsedFeed, int], step: timedelta = QUARTER) -> tuple[Feed, datetime]:
    """A feed once these came, with so many known entries in each, and the time of the last."""
    feed, now = a_feed(), NOW
    for number, (parsed, known) in enumerate(documents):
        now = NOW + step * number
        feed = suspicion.after(feed, parsed, known, now)
    return feed, now


USUAL = (a_document(), 0)

ODD = {
    "cut off": ((a_document(3, complete=False), 3), Oddity.CUT_OFF),
    "no entry left": ((a_document(0), 0), Oddity.EMPTIED),
    "a tenth left": ((a_document(2), 2), Oddity.EMPTIED),
    "more than a tenth left": ((a_document(3), 3), None),
    "UTF-8 read as Windows-1252": ((a_document(words="Itâ€™s Ã©tÃ©"), 20), Oddity.GARBLED),
    "UTF-8 read as Windows-1251": ((a_document(words="РџСЂРёРІРµС‚"), 20), Oddity.GARBLED),
    "unreadable bytes": ((a_document(words="caf\ufffd"), 20), Oddity.GARBLED),
    "French": ((a_document(words="ÂGE D’OR : « Été » à São Paulo — Âme"), 20), None),
    "Russian capitals": ((a_document(words="РОССИЯ И СССР, РС"), 20), None),
    "another feed": ((a_document(title="Cooking"), 0), Oddity.ANOTHER),
    "another title, the same entries": ((a_document(title="Defence News"), 19), None),
    "the same title, new entries": ((a_document(), 0), None),
    "no title": ((a_document(title=""), 0), None),
    "as always": ((a_document(), 19), None),
}


@pytest.mark.parametrize(("last", "oddity"), ODD.values(), ids=ODD)
def test_what_looks_wrong(last: tuple[ParsedFeed, int], oddity: Oddity | None) -> None:
    feed, now = after(USUAL, last)
    assert feed.suspicion.oddity is oddity
    assert feed.suspected_since == (now if oddity else None)


def test_two_garbled_entries_in_a_long_document_are_none() -> None:
    few = tuple(raw_entry(guid=str(n), title="Itâ€™s") for n in range(2))
    parsed = a_document(40)
    feed, _ = after((ParsedFeed(version="rss20", entries=parsed.entries + few), 0))
    assert feed.suspected_since is None


def test_a_feed_that_never_had_entries_is_not_doubted() -> None:
    assert after((a_document(0), 0), (a_document(0), 0))[0].suspected_since is None


def test_what_is_said() -> None:
    assert after(USUAL, (a_document(1), 1))[0].suspicion.detail == "only 1 entry left of 20"
    assert after(USUAL, (a_document(0), 0))[0].suspicion.detail == "no entry is left of 20"
    garbled = after((a_document(4, words="Itâ€™s here"), 0))[0].suspicion.detail
    assert garbled == 'the letters of 4 of 4 entries are garbled, as in "Itâ€™s here 0"'
    other = after(USUAL, (a_document(title="Cooking"), 0))[0].suspicion.detail
    assert other == 'the document is titled "Cooking", not "Defence"'


def test_a_doubt_lasts_since_its_first_document_and_ends_with_a_right_one() -> None:
    cut = (a_document(3, complete=False), 3)
    feed, _ = after(USUAL, cut, cut, cut)
    assert feed.suspected_since == NOW + QUARTER
    feed, _ = after(USUAL, cut, cut, USUAL)
    assert feed.suspected_since is None
    assert feed.suspicion.oddity is Oddity.CUT_OFF  # so that its end can be told
    feed, _ = after(USUAL, cut, cut, USUAL, USUAL)
    assert feed.suspicion == Suspicion(title="Defence", entries=20)


def test_another_feeds_document_stays_one_when_its_entries_are_known() -> None:
    cooking = (a_document(title="Cooking"), 0)
    feed, _ = after(USUAL, cooking, (a_document(title="Cooking"), 20))
    assert feed.suspicion.oddity is Oddity.ANOTHER
    feed, _ = after(USUAL, cooking, (a_document(), 20))
    assert feed.suspected_since is None


@pytest.mark.parametrize(
    "other", [a_document(2), a_document(title="Cooking")], ids=["few", "title"]
)
def test_after_a_week_the_feed_is_like_that(other: ParsedFeed) -> None:
    feed, _ = after(USUAL, (other, 0), (other, 0), step=ACCEPTED_AFTER)
    assert feed.suspected_since is None
    assert (feed.suspicion.title, feed.suspicion.entries) == (other.title, len(other.entries))


def test_a_document_that_is_cut_off_is_never_like_that() -> None:
    cut = (a_document(3, complete=False), 3)
    feed, _ = after(USUAL, cut, cut, cut, step=ACCEPTED_AFTER)
    assert feed.suspected_since is not None


@pytest.mark.skipif(not SNAPSHOTS.exists(), reason="needs the corpus")
def test_the_series_whose_letters_are_garbled_now_and_then() -> None:
    doubted = []
    feed = a_feed()
    for at, body in snapshots("philstar-mojibake-2021-09"):
        read = document.read({"final_url": "https://philstar.example/rss"}, body)
        entries = tuple(
            RawEntry(title=each["title"], summary=each["summary"]) for each in read["entries"]
        )
        parsed = ParsedFeed(version="rss20", title=read["title"], entries=entries)
        feed = suspicion.after(feed, parsed, 1, at)
        if feed.suspected_since is not None:
            doubted.append((f"{at:%d %H:%M}", feed.suspicion.oddity))
    assert doubted == [("20 08:32", Oddity.GARBLED)]
    assert not suspicion.lasts(feed, at)
