"""A web page that came instead of a feed: a refusal, a page that names its feed, a login.  Pure."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from monitor.feeds.clean import html_to_text, one_line
from monitor.model import FailureReason

READ = 200_000  # bytes; what matters stands in the head, and pages may be of any size
SHOWN = 100

# What the gatekeepers say: CloudFront, Akamai, Cloudflare, Imperva, DataDome, and plain servers.
_REFUSAL = re.compile(
    r"(?:error\W{0,3})?(?:401|403)\b|access (?:to this page has been )?denied|forbidden"
    r"|just a moment|attention required|request blocked|pardon our interruption"
    r"|are you a (?:robot|human)|verify(?:ing)? (?:that )?you are (?:a )?human"
    r"|checking your browser|please enable (?:js|javascript|cookies)|you have been blocked",
    re.IGNORECASE,
)
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json")


def seen(body: bytes, url: str) -> tuple[FailureReason, str]:
    """What the page *body* at *url* means, and one line about it for people."""
    html = body[:READ].decode("utf-8", "replace")
    text = one_line(html_to_text(html[:20_000]))
    document = LexborHTMLParser(html)
    title = document.css_first("title")
    heading = one_line(title.text()) if title else ""
    shown = (text or heading)[:SHOWN]
    begins = f'it begins "{shown}"' if shown else "there is no text in it"
    if _REFUSAL.match(heading) or _REFUSAL.match(text):
        says = f'the site refuses us with a page that says "{shown}"'
        return FailureReason.FORBIDDEN, says
    feed = _named_feed(document, url)
    if feed:
        return FailureReason.HTML, f"a web page came instead of a feed; it names one: {feed}"
    if document.css_first("input[type=password]"):
        return FailureReason.LOGIN, f"a login page came instead of a feed: {begins}"
    return FailureReason.HTML, f"a web page came instead of a feed: {begins}"


def _named_feed(document: LexborHTMLParser, url: str) -> str:
    """The first feed the page links to in its head; "" for none, or if it is the page itself."""
    for link in document.css("link[rel~=alternate][href]"):
        if (link.attributes.get("type") or "").strip().lower() not in _FEED_TYPES:
            continue
        try:
            found = urljoin(url, one_line(link.attributes.get("href") or ""))
            web = urlsplit(found).scheme in ("http", "https")
        except ValueError:
            continue
        if web and found != url:
            return found
    return ""
