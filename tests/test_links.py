"""Links that stay what they are, whatever they are joined to."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest
from feedparser.urls import _urljoin
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.links import is_whole

BASES = ["", "https://feed.example/x/feed.xml", "http://other.example", "no address"]
PARTS = [
    "http", "https", "HTTP", ":", "//", "/", "a.example", "A.example", ":80", "p", "..", ".", ";",
    "?", "#", "x=1", "&", "%20", " ", "\t", "é", "[::1]", "@", "=", "\\", "|",
]  # fmt: skip
LINKS = st.lists(st.sampled_from(PARTS), max_size=12).map("".join)


@given(LINKS | LINKS.map("https://a.example".__add__), st.sampled_from(BASES))
def test_what_is_whole_stays_as_it_is(link: str, base: str) -> None:
    if is_whole(link):
        assert urljoin(base, link) == _urljoin(base, link) == link


@pytest.mark.parametrize(
    "link",
    [
        "https://www.news.example/2026/11/a-title_1.html?utm_source=rss&x=1#part",
        "http://news.example:8080/",
        "https://news.example",
        "https://news.example/a,b/(c)",
    ],
)
def test_usual_links_are_whole(link: str) -> None:
    assert is_whole(link)


@pytest.mark.parametrize(
    "link",
    ["/relative", "//host.example/p", "HTTP://a.example/", "https://a.example/p?", "https:///p"],
)
def test_others_are_joined(link: str) -> None:
    assert not is_whole(link)
