"""Documents that hypothesis makes: ordinary ones, and those with something odd in them."""

from __future__ import annotations

from hypothesis import strategies as st

NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "media": "http://search.yahoo.com/mrss/",
    "atom": "http://www.w3.org/2005/Atom",
    "itunes": "http://www.itunes.com/DTDs/PodCast-1.0.dtd",
    "thr": "http://purl.org/syndication/thread/1.0",
    "x": "http://x.example/ns",
}
TEXTS = [
    "Plain words", "", "<![CDATA[<b>bold</b> &amp; more]]>", "a &lt;b&gt;x&lt;/b&gt; b",
    "Tom &amp; Jerry", "&lt;p&gt;Hi&lt;/p&gt; &amp;nbsp; x", "http://a.example/p?x=1&amp;y=2",
    "/relative/p", "caf\u00e9 \u2019", "caf\u00c3\u00a9", "\u0093x",
    "Wed, 02 Oct 2024 15:00:00 GMT", "2024-10-02T15:00:00Z", "yesterday", "a@b.example (Ann)",
    "  spaced \n out ", "x,y , z",
    "&#128512; &#x2014;", "javascript:alert(1)", "tag:x,2024:1", "<![CDATA[</item>]]>",
    "<!-- <item> -->", "<b>within</b>",
]  # fmt: skip
ATTRIBUTES = [
    'type="html"', 'type="text"', 'type="xhtml"', 'type="text/plain"', 'href="http://l.example/1"',
    'href="rel/2"', 'rel="alternate"', 'rel="self"', 'rel="replies"', 'url="http://u.example/"',
    'isPermaLink="false"', 'domain="d"', 'term="t"', 'scheme="s"', 'label="l"',
    'xml:lang="fr_FR"', 'xml:base="http://base.example/"', 'lang="de"', 'mode="base64"',
    'thr:count="3"', 'x:href="q"', 'TYPE="html"', 'xmlns="http://y.example/d"',
    'xmlns:dc="http://other.example/"',
]  # fmt: skip
RSS = [
    "title", "link", "guid", "description", "pubDate", "author", "category", "source", "enclosure",
    "comments", "content:encoded", "dc:creator", "dc:date", "dc:subject", "atom:link",
    "media:content", "media:description", "media:title", "media:group", "media:keywords",
    "itunes:author", "itunes:summary", "itunes:image", "itunes:explicit", "x:byline", "image",
    "summary",
]  # fmt: skip
ATOM = [
    "title", "link", "id", "summary", "content", "updated", "published", "author", "category",
    "rights", "source", "dc:creator", "media:group", "media:content",
    "media:description", "media:title", "content:encoded", "image", "x:byline", "contributor",
]  # fmt: skip
ATOM_AUTHOR = "<name>Ann</name><uri>http://a.example/</uri>"


@st.composite
def _elements(draw: st.DrawFn, names: list[str], depth: int = 0) -> str:
    name = draw(st.sampled_from(names))
    attributes = draw(st.lists(st.sampled_from(ATTRIBUTES), max_size=1)) * draw(st.integers(0, 1))
    if name == "link" and names is ATOM:
        attributes = [f'href="http://l.example/{draw(st.integers(0, 2))}"']
    text = draw(st.sampled_from(TEXTS))
    if name == "author" and names is ATOM:
        text = draw(st.sampled_from([ATOM_AUTHOR, "", "<name></name><email>a@b.example</email>"]))
    if depth < 2 and name in ("media:group", "media:content"):
        text = "".join(draw(st.lists(_elements(names, depth + 1), max_size=2)))
    return f"<{name}{''.join(f' {each}' for each in attributes)}>{text}</{name}>"


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """RSS or Atom, of a few entries; most of them are ordinary."""
    atom = draw(st.booleans())
    names, tag = (ATOM, "entry") if atom else (RSS, "item")
    entries = ""
    for number in range(draw(st.integers(1, 4))):
        usual = [
            f"<title>{draw(st.sampled_from(TEXTS[:6]))}</title>",
            f'<link href="http://l.example/{number}"/>' if atom else "<link>http://l/1</link>",
            f"<id>g{number}</id>" if atom else f"<guid>g{number}</guid>",
        ]
        more = draw(st.lists(_elements(names), max_size=4))
        entries += f"<{tag}>{''.join(draw(st.permutations([*usual, *more])))}</{tag}>"
        entries += draw(st.sampled_from(["", "\n", "", "<!-- between -->", "<x:odd/>"]))
    declared = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    declared += draw(st.sampled_from(["", "", "", ' xml:lang="en_GB"', ' xml:base="http://b/x/"']))
    if atom:
        root = f'<feed xmlns="http://www.w3.org/2005/Atom"{declared}><title>F</title>'
        return f'<?xml version="1.0"?>{root}{entries}</feed>'.encode()
    root = f'<rss version="2.0"{declared}><channel><title>F</title><language>en</language>'
    return f'<?xml version="1.0"?>{root}{entries}</channel></rss>'.encode()
