"""Web pages that come instead of a feed: what they are taken for, and what is said of them."""

from __future__ import annotations

import pytest

from monitor.feeds import document
from monitor.feeds.wrongpage import seen
from monitor.model import FailureReason
from tests.replay import SNAPSHOTS, snapshots

HERE = "https://news.example/world/"
NAMES_ONE = '<link rel="alternate" type="application/rss+xml" href="/feed.xml">'
ASKS = "<form><input type='password'></form>"

PAGES = {
    "CloudFront": ("<title>ERROR: x</title><h1>403 ERROR</h1>The request", FailureReason.FORBIDDEN),
    "Akamai": ("<title>Access Denied</title><h1>Access Denied</h1>", FailureReason.FORBIDDEN),
    "Cloudflare": ("<title>Just a moment...</title><p>Checking", FailureReason.FORBIDDEN),
    "nginx": ("<title>403 Forbidden</title><h1>403 Forbidden</h1>", FailureReason.FORBIDDEN),
    "Cloudflare, blocked": ("<title>Attention Required!</title>", FailureReason.FORBIDDEN),
    "a login": (f"<title>Members</title>{ASKS}", FailureReason.LOGIN),
    "a front page with a login and a feed": (f"{NAMES_ONE}{ASKS}", FailureReason.HTML),
    "a story about a refusal": ("<p>Ministry says access denied to port", FailureReason.HTML),
    "a front page": ("<title>News</title><p>News of the day", FailureReason.HTML),
    "nothing at all": ("", FailureReason.HTML),
}


@pytest.mark.parametrize(("html", "reason"), PAGES.values(), ids=PAGES)
def test_what_a_page_is_taken_for(html: str, reason: FailureReason) -> None:
    assert seen(f"<html>{html}".encode(), HERE)[0] is reason


LINKS = {
    "from the root": (NAMES_ONE, "https://news.example/feed.xml"),
    "relative": ("<link rel=alternate type=application/atom+xml href=atom>", f"{HERE}atom"),
    "JSON Feed": (
        "<link rel='alternate home' type='Application/Feed+JSON' href='//b.example/j'>",
        "https://b.example/j",
    ),
    "the second": (
        f"<link rel=alternate type=application/rss+xml href='feed:x'>{NAMES_ONE}",
        "https://news.example/feed.xml",
    ),
}


@pytest.mark.parametrize(("html", "url"), LINKS.values(), ids=LINKS)
def test_the_feed_a_page_names_is_told(html: str, url: str) -> None:
    _, detail = seen(html.encode(), HERE)
    assert detail == f"a web page came instead of a feed; it names one: {url}"


NO_LINKS = {
    "another language": "<link rel=alternate hreflang=de href=/de>",
    "a style sheet": "<link rel=stylesheet type=application/rss+xml href=/x>",
    "no address": "<link rel=alternate type=application/rss+xml>",
    "an impossible address": "<link rel=alternate type=application/rss+xml href='http://[x/'>",
    "a script": "<link rel=alternate type=application/rss+xml href='javascript:x'>",
    "the page itself": f"<link rel=alternate type=application/rss+xml href='{HERE}'>",
}


@pytest.mark.parametrize("html", NO_LINKS.values(), ids=NO_LINKS)
def test_what_names_no_feed(html: str) -> None:
    assert "names one" not in seen(html.encode(), HERE)[1]


@pytest.mark.skipif(not SNAPSHOTS.exists(), reason="needs the corpus")
def test_the_series_of_a_refusal_that_answers_200() -> None:
    read = [document.read({}, body) for _, body in snapshots("latimes-outage-2021-09")]
    refused = [each for each in read if each.get("failed") == FailureReason.FORBIDDEN]
    assert (len(read), len(refused)) == (76, 71)
    assert refused[0]["detail"].startswith(
        'the site refuses us with a page that says "403 ERROR The request could not be satisfied.'
    )
