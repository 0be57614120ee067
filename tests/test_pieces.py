"""Cutting documents into entries: each piece means alone what it meant in its place, or no cut."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from monitor.feeds import charset, document
from monitor.feeds.pieces import MAX_PIECES, Pieces, cut
from tests.made_feeds import documents
from tests.thorough import examples, scaled

URL = "http://h.example/d/f.xml"
DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'
RSS = b'<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">'


def item(number: int, more: bytes = b"") -> bytes:
    return b"<item><guid>g%d</guid><title>T%d</title>%b</item>" % (number, number, more)


def rss(
    items: bytes, *, before: bytes = DECLARATION, root: bytes = RSS, channel: bytes = b"<channel>"
) -> bytes:
    return before + root + channel + b"<title>t</title>" + items + b"</channel></rss>"


def entry(number: int, more: bytes = b"") -> bytes:
    return b"<entry><id>g%d</id><title>T%d</title>%b</entry>" % (number, number, more)


def atom(entries: bytes, attributes: bytes = b"") -> bytes:
    root = b'<feed xmlns="http://www.w3.org/2005/Atom"' + attributes + b">"
    return b'<?xml version="1.0"?>' + root + b"<title>t</title>" + entries + b"</feed>"


def described(text: bytes) -> bytes:
    return b"<description>" + text + b"</description>"


TWO = item(1) + item(2)
CUT = {
    "plain": rss(TWO),
    "the end of an item within balanced CDATA": rss(
        item(1, described(b"<![CDATA[one]]>")) + item(2)
    ),
    "an item in an attribute": rss(item(1, b'<x a="&lt;/item&gt;"/>') + item(2)),
    "a prefix declared on the channel": rss(
        b"<item><guid>g1</guid><d:creator>Ann</d:creator></item>" + item(2),
        channel=b'<channel xmlns:d="http://purl.org/dc/elements/1.1/">',
    ),
    "a base on the root": atom(
        entry(1, b'<link href="a/b"/>') + entry(2), b' xml:base="http://b.example/q/"'
    ),
    "a base on one entry": atom(
        b'<entry xml:base="http://z.example/"><id>1</id><link href="p"/><title>x</title></entry>'
        + entry(2, b'<link href="c"/>')
    ),
    "a language on the root": atom(entry(1) + entry(2), b' xml:lang="pl"'),
    "a plain DOCTYPE": rss(TWO, before=DECLARATION + b'<!DOCTYPE rss PUBLIC "-//N//E" "x.dtd">'),
    "a byte order mark": b"\xef\xbb\xbf" + rss(TWO),
    "an entry's source": atom(entry(1, b"<source><id>s</id><title>S</title></source>") + entry(2)),
    "XHTML": atom(
        entry(
            1,
            b'<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>a</p></div>'
            b"</content>",
        )
        + entry(2)
    ),
    "comments between": rss(item(1) + b" <!-- and --> <!-- now -->\n" + item(2)),
    "a comment at the end": rss(TWO) + b"\n<!-- generated at noon -->\n",
    "a comment before the channel": rss(TWO, channel=b"\n<!-- x -->\n<channel>"),
    "an element before the channel": rss(TWO, channel=b'<meta content="noindex"/><channel>'),
    "something of the feed's after the items": rss(TWO + b"<copyright>me</copyright>"),
}
REFUSED = {
    "an item within CDATA": rss(item(1, described(b"<![CDATA[<item>x</item>]]>")) + item(2)),
    "the end of an item within CDATA": rss(item(1, described(b"<![CDATA[</item> and]]>"))),
    "CDATA parted in two": rss(item(1, described(b"<![CDATA[a]]]]><![CDATA[> </item> b]]>"))),
    "an item commented out": rss(item(1) + b"<!-- " + item(9) + b" -->" + item(2)),
    "the end of an item in a comment": rss(b"<item><!-- </item> --><title>T</title></item>"),
    "a CDATA mark in a comment": rss(item(1, b"<!-- <![CDATA[ -->") + item(2)),
    "an item in an item": rss(item(1, item(3)) + item(2)),
    "entities of its own": rss(
        TWO, before=b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY hi "hello">]>'
    ),
    "UTF-16": rss(TWO).decode().encode("utf-16"),
    "prefixed elements": b'<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry/></a:feed>',
    "RSS 1.0": b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b"<item/></rdf:RDF>",
    "channel data between items": rss(item(1) + b"<copyright>me</copyright>" + item(2)),
    "text between items": rss(item(1) + b"and" + item(2)),
    "an item without an end": rss(b"<item><guid>g1</guid><title>x</title>" + item(2)),
    "white space in an end tag": rss(b"<item><title>x</title></item >" + item(2)),
    "upper case": b"<RSS><CHANNEL><ITEM><TITLE>x</TITLE></ITEM></CHANNEL></RSS>",
    "no items": rss(b""),
    "items outside the channel": RSS + b"<channel></channel>" + TWO + b"</rss>",
    "items within another element": rss(b"<items>" + TWO + b"</items>"),
    "no end": rss(TWO).removesuffix(b"</rss>"),
    "two documents": rss(TWO) + rss(TWO),
    "a thousand too many": rss(b"<item></item>" * (MAX_PIECES + 1)),
    "nothing": b"",
    "a page": b"<!DOCTYPE html><html><body><item>x</item></body></html>",
}


def read(body: bytes) -> dict[str, Any]:
    header = {"final_url": URL, "content_type": charset.UTF8, "in_that_code": True}
    return document.reference(header, body)


def alone(pieces: Pieces, number: int, *, whole_head: bool) -> dict[str, Any]:
    return read(pieces.only((pieces.entries[number],), whole_head=whole_head))


@pytest.mark.parametrize("body", CUT.values(), ids=CUT)
def test_each_entry_alone_is_what_it_was_among_the_others(body):
    pieces, whole = cut(body), read(body)
    assert pieces is not None
    assert len(pieces.entries) == len(whole["entries"])
    assert pieces.only(pieces.entries, whole_head=True).endswith(pieces.tail)
    for number, entry in enumerate(whole["entries"]):
        assert alone(pieces, number, whole_head=False)["entries"] == [entry]
        with_head = alone(pieces, number, whole_head=True)
        assert {**with_head, "entries": whole["entries"]} == whole


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_is_not_cut(body):
    assert cut(body) is None


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(b"<lastBuildDate>Tue, 2 Oct 2024</lastBuildDate>", id="its date"),
        pytest.param(b"<!-- made in 0.21 s -->", id="a comment"),
        pytest.param(b"\n   \n", id="white space"),
    ],
)
def test_what_a_feed_says_of_itself_does_not_change_with(other):
    one, two = cut(rss(TWO)), cut(rss(other + TWO))
    assert one
    assert two
    assert one.about_itself() == two.about_itself()


def test_what_a_feed_says_of_itself_changes_with_its_title():
    one, two = cut(rss(TWO)), cut(rss(b"<ttl>5</ttl>" + TWO))
    assert one
    assert two
    assert one.about_itself() != two.about_itself()
    assert one.meaning() == two.meaning()


@scaled
@given(documents())
@settings(
    max_examples=examples(100, 600),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_any_document_is_cut_well_or_not_at_all(body):
    pieces = cut(body)
    header = {"final_url": URL, "content_type": charset.UTF8, "in_that_code": True}
    found = document.read(header, body)
    if pieces is None or not found.get("clean"):
        return
    assert len(pieces.entries) == len(found["entries"])
    for number, entry in enumerate(found["entries"]):
        assert alone(pieces, number, whole_head=False)["entries"] == [entry]
