"""Where a web page keeps its feeds: what it names, what it links to, where they usually are.  Pure.

``read`` runs in a child process: the page is anybody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from monitor.feeds.address import place, wrong_with
from monitor.feeds.clean import one_line

MAX_PAGE = 2 << 20  # bytes; feeds are named at the top
MAX_NAMED = 10
MAX_LINKED = 8
MAX_TITLE = 120

# What sites and their programs use: WordPress, Hugo, Jekyll, Ghost, Drupal, Blogger, TYPO3, Medium.
_USUAL = ("feed", "rss", "rss.xml", "atom.xml", "feed.xml", "index.xml", "feeds/posts/default")
_BELOW = ("feed", "rss.xml")  # below the page's own path: a section of a site
_TYPES = frozenset(
    [
        "application/rss+xml",
        "application/atom+xml",
        "application/feed+json",
        "application/rdf+xml",
        "application/xml",
        "text/xml",
    ]
)
_LOOKS = re.compile(r"(?:^|[/._-])(?:rss|atom|feeds?|rdf)(?:$|[/._\d-])|\.(?:rss|rdf|atom)$", re.I)
_SAYS = re.compile(r"(?:rss|atom)(?:[ -]?feeds?)?|(?:news|web)?[ -]?feeds?", re.I)
_CHARSET = re.compile(rb"""charset\s*=\s*["']?([A-Za-z0-9_.:-]{2,40})""", re.I)


class How(StrEnum):
    """Why an address may be a feed; the surest first."""

    NAMED = "named by the page"
    LINKED = "linked on the page"
    USUAL = "a usual place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An address that may be a feed."""

    url: str
    title: str = ""
    how: How


def read(header: Mapping[str, Any], body: bytes) -> list[dict[str, Any]]:
    """The wire form of ``candidates``; *header* has final_url and content_type."""
    html = _decoded(body[:MAX_PAGE], str(header.get("content_type") or ""))
    return [asdict(each) for each in candidates(html, str(header["final_url"]))]


def candidates(html: str, url: str) -> tuple[Candidate, ...]:
    """What may be the feeds of the page *html* at *url*, each once, the likeliest first."""
    tree = LexborHTMLParser(html)
    base = tree.css_first("base[href]")
    here = _joined(url, (base.attributes.get("href") if base else "") or "") or url
    found = [*_first(MAX_NAMED, _named(tree, here)), *_first(MAX_LINKED, _linked(tree, here))]
    return _each_once([*found, *usual_places(url)], but=url)


def usual_places(url: str) -> tuple[Candidate, ...]:
    """Where the feeds of the site of *url* would be if it is made as most are."""
    path = urlsplit(url).path
    if "." in path.rpartition("/")[2]:  # a page, not a folder
        path = path.rpartition("/")[0]
    path = path.strip("/")
    below = [urljoin(url, f"/{path}/{each}") for each in _BELOW] if path else []
    root = [urljoin(url, f"/{each}") for each in _USUAL]
    return tuple(Candidate(url=each, how=How.USUAL) for each in [*below, *root])


def _named(tree: LexborHTMLParser, here: str) -> Iterator[Candidate]:
    """<link rel="alternate" type="application/rss+xml" href="…">."""
    for node in tree.css("link[href]"):
        known = node.attributes
        relations = (known.get("rel") or "").lower().split()
        kind = (known.get("type") or "").partition(";")[0].strip().lower()
        if "feed" in relations or ("alternate" in relations and kind in _TYPES):
            yield from _candidate(here, known, known.get("title") or "", How.NAMED)


def _linked(tree: LexborHTMLParser, here: str) -> Iterator[Candidate]:
    """<a href="/news/rss.xml">RSS</a>."""
    for node in tree.css("a[href]"):
        known = node.attributes
        text = one_line(node.text(deep=True) or known.get("title") or "")
        path = urlsplit(_joined(here, known.get("href") or "")).path
        if _LOOKS.search(path) or _SAYS.fullmatch(text):
            yield from _candidate(here, known, text, How.LINKED)


def _candidate(
    here: str, known: Mapping[str, str | None], title: str, how: How
) -> Iterator[Candidate]:
    url = _joined(here, known.get("href") or "")
    if url:
        yield Candidate(url=url, title=one_line(title)[:MAX_TITLE], how=how)


def _joined(here: str, href: str) -> str:
    """The web address that *href* means; "" if it means none."""
    try:
        url = urldefrag(urljoin(here, href.strip()))[0]
    except ValueError:
        return ""
    return "" if wrong_with(url) else url


def _first(number: int, found: Iterable[Candidate]) -> list[Candidate]:
    return [each for each, _ in zip(found, range(number), strict=False)]


def _each_once(found: Iterable[Candidate], *, but: str) -> tuple[Candidate, ...]:
    """*found* without repetitions, and without the page itself."""
    each_once: dict[str, Candidate] = {}
    for each in found:
        each_once.setdefault(place(each.url), each)
    each_once.pop(place(but), None)
    return tuple(each_once.values())


def _decoded(body: bytes, content_type: str) -> str:
    found = _CHARSET.search(content_type.encode("ascii", "replace")) or _CHARSET.search(body[:2048])
    try:
        return body.decode(found[1].decode() if found else "utf-8", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")
