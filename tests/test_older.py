"""Where a feed says, or is known, to keep its older entries."""

from __future__ import annotations

import json

import pytest

from monitor.feeds import document
from monitor.feeds.older import older_page, same_site

HERE = "https://news.example/feed?cat=7"
WORDPRESS = "https://wordpress.org/?v=6.4.3"
ARCHIVE = ("prev-archive", "/2025/01")
PLACES = {
    "none": ([], "", None),
    "an archive": ([("next", "/2"), ARCHIVE], "", "https://news.example/2025/01"),
    "a next page": ([("self", "/1"), ("next", "?page=2")], "", "https://news.example/feed?page=2"),
    "WordPress": ([], WORDPRESS, "https://news.example/feed?cat=7&paged=2"),
    "WordPress, but it says where": ([ARCHIVE], WORDPRESS, "https://news.example/2025/01"),
    "no web address": ([("next", "mailto:x@example.org")], "", None),
    "an impossible address": ([("next", "http://[x/")], "", None),
    "the first of two": ([("next", "/a"), ("next", "/b")], "", "https://news.example/a"),
}


@pytest.mark.parametrize(("links", "generator", "url"), PLACES.values(), ids=PLACES)
def test_the_next_older_page(links: list[tuple[str, str]], generator: str, url: str | None) -> None:
    assert older_page(links, generator, HERE) == url


def test_wordpress_counts_on() -> None:
    assert older_page([], WORDPRESS, "https://a.example/feed/?paged=4") == (
        "https://a.example/feed/?paged=5"
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/feed", "https://a.example/feed?paged=2", True),
        ("https://a.example/feed", "http://A.example:80/x", False),
        ("https://a.example/feed", "https://b.example/feed", False),
        ("https://a.example/feed", "https://a.example:8443/feed", False),
        ("https://a.example/feed", "https://a.example:x/", False),
    ],
)
def test_only_the_feeds_own_host_is_asked(one: str, other: str, same: bool) -> None:
    assert same_site(one, other) is same


ITEM = "<item><guid>1</guid><title>t</title></item>"
ATOM_LINK = '<atom:link rel="prev-archive" href="/old.xml"/>'
DOCUMENTS = {
    "RSS with an Atom link": f"<rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom'>"
    f"<channel><title>x</title>{ATOM_LINK}{ITEM}</channel></rss>",
    "Atom": "<feed xmlns='http://www.w3.org/2005/Atom'><link rel='next' href='/old.xml'/>"
    "<entry><id>1</id><title>t</title></entry></feed>",
    "JSON Feed": json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": "x",
            "next_url": "https://news.example/old.xml",
            "items": [{"id": "1", "content_text": "t"}],
        }
    ),
}


@pytest.mark.parametrize("body", DOCUMENTS.values(), ids=DOCUMENTS)
def test_it_is_read_from_the_document(body: str) -> None:
    found = document.read({"final_url": HERE}, body.encode())
    assert found["older"] == "https://news.example/old.xml"


def test_a_wordpress_feed_is_known_by_its_generator() -> None:
    body = f"<rss version='2.0'><channel><generator>{WORDPRESS}</generator>{ITEM}</channel></rss>"
    found = document.read({"final_url": "https://news.example/feed/"}, body.encode())
    assert found["older"] == "https://news.example/feed/?paged=2"
