"""Every real feed and every conformance document, through the real child process.

The number of entries is compared with what feedparser alone made of it (MANIFEST.csv).
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.feeds.normalise import entries_of
from monitor.feeds.parse import Parser
from monitor.model import FailureReason, Fetched, ParsedFeed, ParseFailed
from tests.builders import NOW, a_feed
from tests.thorough import thorough

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not here")

# (entries by feedparser, entries by us) where they differ.
DIFFERENT = {
    # It ends inside a CDATA section: the unfinished entry is dropped, the next poll brings it.
    "conformance/feedparser/illformed/rss_incomplete_cdata.xml": (1, 0),
    # UTF-16 without a byte order mark or an XML declaration, told by its first two bytes.
    "conformance/simplepie/feed-utf16be.xml": (0, 1),
    "conformance/simplepie/feed-utf16le.xml": (0, 1),
    # JSON Feeds, which feedparser does not read.
    "conformance/feed-io/feed.json": (0, 4),
    "conformance/feed-rs/jsonfeed/jsonfeed_elastic_1.1.json": (0, 3),
    "conformance/feed-rs/jsonfeed/jsonfeed_spec_1.json": (0, 1),
    "conformance/feedjira/json_feed.json": (0, 20),
    "conformance/feedjira/json_feed_with_escaped_uris.json": (0, 30),
    "conformance/feedparser/json/example.json": (0, 2),
    "conformance/reader-lemon24/empty.json": (0, 1),
    "conformance/reader-lemon24/full.json": (0, 2),
    "conformance/reader-lemon24/invalid.json": (0, 8),
    "conformance/rsparser-netnewswire/allthis.json": (0, 12),
    "conformance/rsparser-netnewswire/jsonfeed-extension.json": (0, 3),
}


def documents(kind: str) -> list[dict[str, str]]:
    with (CORPUS / "MANIFEST.csv").open(newline="") as manifest:
        rows = [row for row in csv.DictReader(manifest) if row["path"].startswith(f"{kind}/")]
    kept = (".xml", ".rss", ".atom", ".json", ".rdf", ".html")
    return [r for r in rows if r["path"].endswith(kept) and ".serde." not in r["path"]]


Read = dict[str, ParsedFeed | ParseFailed]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def results() -> Read:
    """What our parser makes of every document, by path."""
    parser = Parser()
    paths = [row["path"] for kind in ("feeds", "conformance") for row in documents(kind)]
    found = {path: await read(parser, path) for path in paths}
    await parser.aclose()
    return found


async def read(parser: Parser, path: str) -> ParsedFeed | ParseFailed:
    body = (CORPUS / path).read_bytes()
    return await parser.parse(Fetched(body=body, final_url="https://news.example/feed"))


@pytest.mark.parametrize(("kind", "least"), [("feeds", 38), ("conformance", 1_100)])
@thorough
def test_as_many_entries_as_feedparser_finds(results: Read, kind: str, least: int) -> None:
    rows, wrong = documents(kind), {}
    assert len(rows) >= least
    for row in rows:
        result = results[row["path"]]
        found = len(result.entries) if isinstance(result, ParsedFeed) else 0
        theirs = int(row["entries"] or 0)
        if (theirs, found) != DIFFERENT.get(row["path"], (theirs, theirs)):
            wrong[row["path"]] = (theirs, found)
    assert wrong == {}


def test_no_conformance_document_harms_the_parser(results: Read) -> None:
    for row in documents("conformance"):
        result = results[row["path"]]
        if isinstance(result, ParseFailed):
            assert result.reason in (
                FailureReason.NOT_A_FEED,
                FailureReason.HTML,
                FailureReason.PARSER_RAISED,
            ), row["path"]
        else:
            entries_of(result, a_feed(), NOW)  # whatever they hold, they can be normalised


def test_real_feeds_keep_their_titles_links_and_dates(results: Read) -> None:
    undated = {}
    for row in documents("feeds"):
        result = results[row["path"]]
        assert isinstance(result, ParsedFeed)
        _, entries = entries_of(result, a_feed(), NOW.replace(year=2027))
        assert all(entry.title for entry in entries), row["path"]
        assert all(entry.url for entry in entries), row["path"]
        if missing := sum(entry.published_at is None for entry in entries):
            undated[row["path"].split("/")[1]] = missing
    # RSS 0.91 has no dates; three entries of CNN's feed have none either.
    assert undated == {"cnn-world": 3, "forbes": 10}


async def test_the_feed_that_begins_in_the_middle_is_seen_as_cut_off() -> None:
    parser = Parser()
    result = await read(parser, "feeds/guardian/2016-01-12-truncated.xml")
    await parser.aclose()
    assert isinstance(result, ParsedFeed)
    assert (len(result.entries), result.complete) == (187, False)
