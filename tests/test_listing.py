"""Reading only what is new in a document: when, and that it comes to the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from monitor.feeds.listing import Reading
from monitor.feeds.parse import Parser, Read
from monitor.model import NOTHING_LISTED, Fetched, Listing, ParsedFeed
from tests.bench.delta import CORPUS, check
from tests.thorough import thorough

URL = "https://news.example/feed.xml"


def item(number: int, title: str = "", more: str = "") -> str:
    return (
        f"<item><guid>g{number}</guid><title>{title or f'Story {number}'}</title>"
        f"<link>https://news.example/{number}</link>{more}</item>"
    )


def rss(items: Sequence[str], *, head: str = "", root: str = "<rss version='2.0'>") -> Fetched:
    body = f"{root}<channel><title>News</title>{head}{''.join(items)}</channel></rss>"
    return Fetched(body=body.encode(), final_url=URL, content_type="application/rss+xml")


TEN = [item(number) for number in range(10)]


async def listed(parser: Parser, fetched: Fetched) -> Listing:
    read = await parser.read(fetched, NOTHING_LISTED)
    assert read.listing != NOTHING_LISTED
    return read.listing


def parsed(read: Read) -> ParsedFeed:
    assert isinstance(read.parsed, ParsedFeed)
    return read.parsed


@pytest.fixture
async def parsing():
    parser = Parser(size=1)
    yield parser
    await parser.aclose()


async def test_only_new_entries_are_read(parsing):
    before = await listed(parsing, rss(TEN))
    read = await parsing.read(rss([item(10), *TEN[:9]]), before)
    assert [raw.guid for raw in parsed(read).entries] == ["g10"]
    assert (parsed(read).left_out, parsed(read).listed) == (9, 10)
    assert parsed(read).title == "News"
    again = await parsing.read(rss([item(11), item(10), *TEN[:8]]), read.listing)
    assert [raw.guid for raw in parsed(again).entries] == ["g11"]


async def test_an_edited_entry_is_read_again(parsing):
    before = await listed(parsing, rss(TEN))
    read = await parsing.read(rss([item(0, "Corrected"), *TEN[1:]]), before)
    assert [raw.title for raw in parsed(read).entries] == ["Corrected"]
    back = await parsing.read(rss(TEN), read.listing)
    assert [raw.title for raw in parsed(back).entries] == ["Story 0"]


async def test_another_date_of_the_feed_is_no_reason_to_read_anything(parsing):
    before = await listed(parsing, rss(TEN, head="<pubDate>Mon</pubDate><ttl>60</ttl>"))
    read = await parsing.read(rss(TEN, head="<pubDate>Tue</pubDate><ttl>60</ttl>"), before)
    assert (parsed(read).entries, parsed(read).left_out) == ((), 10)
    assert read.listing == before
    assert parsed(read).word.ttl is not None  # as it was said


async def test_a_new_head_is_read_without_its_entries(parsing):
    before = await listed(parsing, rss(TEN))
    read = await parsing.read(rss(TEN, head="<language>fr</language><ttl>5</ttl>"), before)
    assert (parsed(read).entries, parsed(read).left_out) == ((), 10)
    assert parsed(read).language == "fr"
    assert parsed(read).word.ttl is not None
    assert read.listing != before


WHOLE = {
    "most entries are new": rss([item(n) for n in range(20, 25)] + TEN[:5]),
    "another root tag": rss([item(10), *TEN[:9]], root="<rss version='2.0' xml:lang='de'>"),
    "another address": replace(rss([item(10), *TEN[:9]]), final_url="https://other.example/"),
    "another declaration": rss(
        [item(10), *TEN[:9]], root="<?xml version='1.0' encoding='us-ascii'?><rss version='2.0'>"
    ),
    "a key that is listed already": rss([item(3, "Another of that name"), *TEN]),
    "letters that are garbled": rss([item(10, "donâ€™t"), *TEN[:9]]),
    "broken off": replace(rss([item(10), *TEN[:9]]), body=rss([item(10), *TEN[:9]]).body[:-30]),
    "no longer well-formed": rss([item(10, more="<b>&nbsp;</b>"), *TEN[:9]]),
}


@pytest.mark.parametrize("document", WHOLE.values(), ids=WHOLE)
async def test_everything_is_read_when_there_is_doubt(parsing, document):
    before = await listed(parsing, rss(TEN))
    read = await parsing.read(document, before)
    assert parsed(read).left_out == 0
    assert parsed(read) == await parsing.parse(document)


async def test_a_document_that_was_complained_of_leaves_no_listing(parsing):
    read = await parsing.read(rss([item(1, more="<b>&nbsp;</b>"), *TEN[2:]]), NOTHING_LISTED)
    assert len(parsed(read).entries) == 9
    assert read.listing == NOTHING_LISTED


@pytest.mark.parametrize(
    ("new", "of", "in_part"),
    [(1, 2, True), (2, 3, True), (2, 2, False), (4, 9, True), (5, 9, False), (0, 5, True)],
)
async def test_how_many_may_be_new(parsing, new, of, in_part):
    old = [item(n) for n in range(of - new)] or [item(99)]
    before = await listed(parsing, rss(old))
    fresh = [item(100 + n) for n in range(new)]
    reading = Reading.of(rss([*fresh, *old][:of]), before)
    assert reading is not None
    assert reading.in_part is in_part


@pytest.mark.parametrize(
    "folder",
    [
        "snapshots/csis-2025-10",
        pytest.param("feeds", marks=thorough),
        pytest.param("conformance", marks=thorough),
        pytest.param("snapshots/npr-2024-04", marks=thorough),
    ],
)
def test_real_documents_come_to_the_same(folder):
    if not (CORPUS / folder).is_dir():
        pytest.skip("needs ../shared/corpus")
    checked = check(CORPUS / folder, series=folder.startswith("snapshots"))
    assert checked.different == []
    assert checked.counts["pairs: in part"]
