"""Entries read without feedparser: exactly what it finds, or left to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from monitor.feeds import document, ordinary
from monitor.feeds.pieces import cut
from tests.made_feeds import NAMESPACES, documents
from tests.thorough import examples, scaled

URL = "https://feed.example/x/feed.xml"
HEADER = {"final_url": URL, "content_type": "application/xml"}
DECLARED = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
TITLE, LINK = "<title>Ministers meet</title>", "<link>https://news.example/1</link>"


def rss(*inside: str, root: str = "") -> bytes:
    items = "".join(f"<item>{each}</item>" for each in inside)
    head = f"<rss version='2.0'{DECLARED}{root}><channel><title>F</title>"
    return f"{head}{items}</channel></rss>".encode()


def atom(*inside: str, root: str = "") -> bytes:
    entries = "".join(f"<entry>{each}</entry>" for each in inside)
    head = f"<feed xmlns='http://www.w3.org/2005/Atom'{DECLARED}{root}><title>F</title>"
    return f"{head}{entries}</feed>".encode()


def without(found: dict[str, Any]) -> dict[str, Any]:
    """What matters to a reader: whether a listing may be kept is another question."""
    return {name: value for name, value in found.items() if name != "clean"}


def is_ordinary(body: bytes) -> bool:
    pieces = cut(body)
    assert pieces is not None
    found = ordinary.entries(pieces, URL)
    return found is not None and all(each is not None for each in found)


ORDINARY = {
    "the least": TITLE + LINK,
    "a title with markup": "<title>a &lt;b&gt;x&lt;/b&gt; b</title>" + LINK,
    "a title with an entity": "<title>Tom &amp;amp; Jerry &amp;nbsp; x</title>" + LINK,
    "a relative link": TITLE + "<link>/relative?a=1&amp;b;=2</link>",
    "a guid before the link": "<guid>https://other.example/</guid>" + TITLE + LINK,
    "a guid that is no link": TITLE + LINK + "<guid isPermaLink='false'>x 1</guid>",
    "content before the description": TITLE
    + LINK
    + "<content:encoded>long &lt;p&gt;text</content:encoded><description>short</description>",
    "content alone": TITLE + LINK + "<content:encoded>long</content:encoded>",
    "several authors": TITLE + LINK + "<dc:creator>Ann</dc:creator><dc:creator>Ben</dc:creator>",
    "an author with an address": TITLE + LINK + "<author>a@b.example (Ann)</author>",
    "categories": TITLE
    + LINK
    + "<category domain='d'>x</category><category/><category>x</category>"
    "<dc:subject>y</dc:subject>",
    "a date it can read": TITLE + LINK + "<pubDate>Wed, 02 Oct 2024 15:00:00 GMT</pubDate>",
    "a date only feedparser can": TITLE + LINK + "<pubDate>2024-W40-3</pubDate>",
    "two dates": TITLE + LINK + "<pubDate>2024-10-02</pubDate><dc:date>2024-10-03</dc:date>",
    "pictures": TITLE
    + LINK
    + "<media:content url='x' lang='fr'><media:title>t</media:title><media:credit>c</media:credit>"
    "</media:content><media:thumbnail url='y'/>",
    "a picture's text": TITLE
    + LINK
    + "<description>d</description><media:description>m</media:description>",
    "a picture's text before the description": TITLE
    + LINK
    + "<media:content><media:description type='plain'>m &lt;b>x&lt;/b></media:description>"
    "</media:content><description>d &lt;b>x&lt;/b></description>",
    "a picture's text before the description, and content": TITLE
    + LINK
    + "<media:description>m</media:description><description>a &lt; b</description>"
    "<content:encoded>e</content:encoded><media:description>n</media:description>",
    "a deep text after the content": TITLE
    + LINK
    + "<content:encoded>e</content:encoded><description>d</description>"
    "<media:group><media:description>m</media:description></media:group>",
    "a deep text before a description after the content": TITLE
    + LINK
    + "<content:encoded>e</content:encoded><media:group>"
    "<media:description>m</media:description></media:group><description>d</description>",
    "three descriptions": TITLE
    + LINK
    + "<description>a</description><description>b</description><description>c</description>",
    "two contents": TITLE
    + LINK
    + "<content:encoded>a</content:encoded><content:encoded>longer</content:encoded>",
    "no title": LINK + "<description>d</description>",
    "an empty title": "<title> </title>" + LINK,
    "no link but a guid": TITLE + "<guid isPermaLink='true'> https://news.example/1 </guid>",
    "no link but a guid that is no address": TITLE + "<guid>tag:x,2026:1</guid>",
    "the address of an image": TITLE + LINK + "<image>https://x.example/y.png</image>",
    "a podcast": TITLE
    + LINK
    + "<itunes:author>Ann</itunes:author><itunes:summary>s &lt;b>x&lt;/b></itunes:summary>"
    "<itunes:image href='x'/><itunes:explicit>no</itunes:explicit><itunes:block>yes</itunes:block>"
    "<itunes:subtitle>t</itunes:subtitle><description>d</description><itunes:duration>9"
    "</itunes:duration>",
    "keywords": TITLE + LINK + "<media:keywords>a, b,,a</media:keywords>",
    "what nobody knows": TITLE + LINK + "<x:byline a='1'>By Ann</x:byline><x:more>z</x:more>",
    "text encoded twice": "<title>cafÃ©</title>" + LINK,
    "Windows letters": "<title>\x93quoted\x94</title>" + LINK,
    "a link of Atom's": TITLE + LINK + "<atom:link rel='self' href='z'/>",
    "a comment inside": "<title>One<!-- x --> two</title>" + LINK,
}


@pytest.mark.parametrize("inside", ORDINARY.values(), ids=ORDINARY)
def test_is_read_as_feedparser_reads_it(inside):
    body = rss(inside, TITLE + LINK)
    assert is_ordinary(body)
    assert document.read(HEADER, body) == document.reference(HEADER, body)


DOUBTFUL = {
    "no link": TITLE,
    "no link, and a guid that is none": TITLE + "<guid isPermaLink='false'>1</guid>",
    "no title but a picture's": LINK + "<media:title>t</media:title>",
    "an empty title and a picture's": "<title> </title>" + LINK + "<media:title>t</media:title>",
    "two titles": TITLE + TITLE + LINK,
    "two links": TITLE + LINK + LINK,
    "a language of its own": "<title xml:lang='fr'>a</title>" + LINK,
    "an alternate link of Atom's": TITLE + LINK + "<atom:link href='https://a.example/'/>",
    "Atom within RSS": TITLE + LINK + "<atom:summary>a</atom:summary>",
    "an image": TITLE + LINK + "<image><url>x</url><title>y</title></image>",
    "a prefix used for something else": TITLE
    + LINK
    + "<dc:creator xmlns:dc='http://other.example/'>a</dc:creator>",
    "an element of no known namespace": TITLE + LINK + "<title xmlns='http://y.example/'>b</title>",
    "an image and a picture's title": TITLE + LINK + "<image>x</image><media:title>t</media:title>",
    "a source and a picture's title": TITLE
    + LINK
    + "<source url='s'>S</source><media:title>t</media:title>",
}


@pytest.mark.parametrize("inside", DOUBTFUL.values(), ids=DOUBTFUL)
def test_is_left_to_feedparser(inside):
    body = rss(TITLE + LINK, inside)
    assert not is_ordinary(body)
    assert without(document.read(HEADER, body)) == without(document.reference(HEADER, body))


LINKED = "<title>Ministers meet</title><link href='https://news.example/1'/>"
OF_ATOM = {
    "the least": LINKED,
    "HTML": "<title type='html'>a &lt;b&gt;x&lt;/b&gt;</title><link href='/p'/>",
    "several links": LINKED
    + "<link rel='replies' thr:count='3' href='r'/><link rel='enclosure' href='e'/>",
    "a summary after the content": LINKED
    + "<content type='html' xml:base='http://c.example/'>&lt;p&gt;c</content><summary>s</summary>",
    "no link": "<title>t</title><id>tag:x,2026:1</id>",
    "a film": LINKED
    + "<media:group><media:title>m</media:title><media:description>d &lt;b>x&lt;/b>"
    "</media:description></media:group>",
    "a film with a summary": LINKED
    + "<media:group><media:description>d</media:description></media:group><summary>s</summary>"
    "<content type='html'>c</content>",
    "content alone": LINKED + "<content>plain &lt;x&gt;</content>",
    "an author": LINKED
    + "<author><name>Ann</name><email>a@b.example</email><x:image src='i'/></author>",
    "terms": LINKED + "<category term='a' scheme='s'/><category term='b' label='B'/>",
    "dates": LINKED + "<published>2024-10-02T15:00:00Z</published><updated>2024-10-03</updated>",
}


@pytest.mark.parametrize("root", ["", " xml:lang='en_GB'", " xml:base='http://b.example/x/'"])
@pytest.mark.parametrize("inside", OF_ATOM.values(), ids=OF_ATOM)
def test_atom_is_read_as_feedparser_reads_it(inside, root):
    body = atom(inside, LINKED, root=root)
    assert is_ordinary(body)
    assert document.read(HEADER, body) == document.reference(HEADER, body)


def test_an_entry_after_which_feedparser_is_confused_is_not_read_apart():
    odd = TITLE + LINK + "<subtitle><atom:link/><media:title>t</media:title></subtitle>"
    body = rss(odd, TITLE + LINK, root=" lang='nl'")
    found = document.read(HEADER, body)
    assert without(found) == without(document.reference(HEADER, body))
    assert not found["clean"]  # the next document is read as a whole, too


def test_content_in_the_head_is_remembered_by_feedparser_for_the_first_entry():
    spoken = "<itunes:summary>s</itunes:summary>"
    entry = TITLE + LINK + "<description>d</description>" + spoken
    body = rss(entry, entry).replace(b"<title>F", f"{spoken * 2}<title>F".encode(), 1)
    found = document.read(HEADER, body)
    assert without(found) == without(document.reference(HEADER, body))
    assert [each["content"] for each in found["entries"]] == ["", "s"]


@scaled
@given(documents())
@settings(
    max_examples=examples(150, 600),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_any_document_is_read_as_feedparser_reads_it(body):
    assert without(document.read(HEADER, body)) == without(document.reference(HEADER, body))


def test_a_blog_with_a_thousand_labels_is_read_as_feedparser_reads_it():
    labels = "".join(f"<category term='{n}'/>" for n in range(1_000))
    more = "<category>a</category><link rel='hub' href='https://h.example/'/>"
    body = atom(LINKED).replace(b"<title>F", f"{labels}{more}<title>F".encode(), 1)
    assert document.read(HEADER, body) == document.reference(HEADER, body)
    within = "<subtitle><![CDATA[<category>a</category>]]></subtitle>"
    body = atom(LINKED).replace(b"<title>F", f"{within}<title><![CDATA[<category/>]]>".encode(), 1)
    assert document.read(HEADER, body) == document.reference(HEADER, body)
