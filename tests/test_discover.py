"""The feeds of a web page: named, linked, in usual places."""

from __future__ import annotations

import pytest

from monitor.feeds.discover import How, candidates, read, usual_places

HERE = "https://www.example.org/news/"
RSS = 'type="application/rss+xml"'


def found(html: str, url: str = HERE) -> list[tuple[str, str]]:
    """(address, why) of what the page itself tells."""
    return [
        (each.url, each.how.name) for each in candidates(html, url) if each.how is not How.USUAL
    ]


@pytest.mark.parametrize(
    ("html", "url"),
    [
        pytest.param(f'<link rel="alternate" {RSS} href="/f">', "https://www.example.org/f"),
        pytest.param(f'<link rel="alternate" {RSS} href="f">', f"{HERE}f", id="relative"),
        pytest.param(f'<LINK REL="Alternate" {RSS} HREF="f">', f"{HERE}f", id="capitals"),
        pytest.param(f"<link rel=alternate {RSS} href=f>", f"{HERE}f", id="no quotes"),
        pytest.param('<link rel="feed" href="f">', f"{HERE}f", id="rel feed"),
        pytest.param(
            f'<base href="https://b.example/"><link rel="alternate" {RSS} href="f">',
            "https://b.example/f",
            id="base",
        ),
        pytest.param(
            '<link rel="alternate" type="application/atom+xml; charset=utf-8" href="f">',
            f"{HERE}f",
            id="a type with a charset",
        ),
        pytest.param(
            f'<body><p><link rel="alternate" {RSS} href="f"></body>', f"{HERE}f", id="in the body"
        ),
    ],
)
def test_a_page_names_its_feeds(html: str, url: str) -> None:
    assert found(html) == [(url, "NAMED")]


@pytest.mark.parametrize(
    "html",
    [
        pytest.param('<link rel="alternate" hreflang="de" href="/de">', id="a language"),
        pytest.param('<link rel="alternate" type="application/json" href="/wp">', id="an API"),
        pytest.param('<link rel="stylesheet" href="/feed.css">', id="a style"),
        pytest.param(f'<link rel="alternate" {RSS} href="ftp://x/f">', id="no web address"),
        pytest.param(f'<link rel="alternate" {RSS} href="http://[x">', id="no address"),
        pytest.param('<a href="javascript:feed()">RSS</a>', id="a script"),
        pytest.param('<a href="mailto:feed@example.org">write</a>', id="a mail"),
        pytest.param('<a href="/feedback">Tell us</a>', id="feedback"),
        pytest.param('<a href="/atomic-energy">Energy</a>', id="atomic"),
        pytest.param('<a href="/newsfeeder">x</a>', id="part of a word"),
        pytest.param("", id="nothing"),
        pytest.param("<" * 5000, id="rubbish"),
    ],
)
def test_what_is_no_feed(html: str) -> None:
    assert found(html) == []


@pytest.mark.parametrize(
    "link",
    [
        '<a href="/f">RSS</a>',
        '<a href="/f">RSS feed</a>',
        '<a href="/f" title="Atom"></a>',
        '<a href="/f.rss">Latest</a>',
        '<a href="/rss/all">All</a>',
        '<a href="/feed.xml">All</a>',
        '<a href="/feed/"><img></a>',
    ],
)
def test_links_that_look_like_feeds(link: str) -> None:
    assert [how for _, how in found(link)] == ["LINKED"]


def test_the_likeliest_come_first_and_each_once() -> None:
    html = (
        '<a href="/rss.xml">RSS</a><a href="http://www.example.org/f/">RSS</a>'
        f'<link rel="alternate" {RSS} title=" All  news " href="/f">'
        f'<link rel="alternate" {RSS} href="/news">'
    )
    all_of_them = candidates(html, HERE)
    assert [(each.url, each.how.name) for each in all_of_them][:4] == [
        ("https://www.example.org/f", "NAMED"),
        ("https://www.example.org/rss.xml", "LINKED"),
        ("https://www.example.org/news/feed", "USUAL"),
        ("https://www.example.org/news/rss.xml", "USUAL"),
    ]
    assert all_of_them[0].title == "All news"
    assert len({each.url for each in all_of_them}) == len(all_of_them)


@pytest.mark.parametrize(
    ("url", "first"),
    [
        ("https://a.example", "https://a.example/feed"),
        ("https://a.example/", "https://a.example/feed"),
        ("https://a.example/world", "https://a.example/world/feed"),
        ("https://a.example/world/index.html", "https://a.example/world/feed"),
        ("https://a.example/world/?page=2", "https://a.example/world/feed"),
    ],
)
def test_usual_places(url: str, first: str) -> None:
    places = [each.url for each in usual_places(url)]
    assert places[0] == first
    assert "https://a.example/rss.xml" in places
    assert len(places) < 10


def test_a_page_with_thousands_of_links_gives_few() -> None:
    html = "".join(f'<a href="/rss/{n}">RSS</a>' for n in range(5_000))
    assert len(candidates(html, HERE)) < 20


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param("<link rel=feed href=f title=Łódź>".encode(), "text/html", id="utf-8"),
        pytest.param(
            "<link rel=feed href=f title=Łódź>".encode("iso-8859-2"),
            "text/html; charset=iso-8859-2",
            id="header",
        ),
        pytest.param(
            "<meta charset=iso-8859-2><link rel=feed href=f title=Łódź>".encode("iso-8859-2"),
            "text/html",
            id="page",
        ),
    ],
)
def test_titles_are_read_in_the_page_s_own_code(body: bytes, kind: str) -> None:
    first = read({"final_url": HERE, "content_type": kind}, body)[0]
    assert first == {"url": f"{HERE}f", "title": "Łódź", "how": "named by the page"}
    assert read({"final_url": HERE, "content_type": "text/html; charset=xyz"}, body)
