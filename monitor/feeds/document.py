"""A document → its entries, as JSON values.  Runs in a child process; the one user of feedparser.

feedparser raises on small inputs, hangs on others, opens files named by the body, and returns half
an entry from a document that was cut off: the first two are the sandbox's work, the others ours.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import feedparser
from feedparser.mixin import _FeedParserMixin

from monitor.feeds import charset, jsonfeed, ordinary, sitemap, websub, word, wrongpage
from monitor.feeds.clean import html_to_text, one_line
from monitor.feeds.entryform import as_told, capped
from monitor.feeds.older import older_page
from monitor.feeds.pieces import Pieces, cut
from monitor.feeds.screen import screened
from monitor.model import FailureReason

MAX_ENTRIES = 10_000
MAX_AUTHOR = 1_000
_split_author = _FeedParserMixin._sync_author_detail


def _split_short_author(self: Any, key: str = "author") -> None:
    """Its search for an address in a name takes quadratic time."""
    if len(str(dict.get(self._get_context(), key) or "")) <= MAX_AUTHOR:
        _split_author(self, key)


_FeedParserMixin._sync_author_detail = _split_short_author

# A relative guid resolved against the address would change when the feed moves.
_FeedParserMixin.can_be_relative_uri = frozenset(_FeedParserMixin.can_be_relative_uri) - {"id"}

_HTML_START = re.compile(
    rb"(?:\s|<\?xml[^>]{0,200}\?>|<!--.{0,2000}?-->)*<(?:!doctype\s+html|html)\b", re.I | re.S
)
_FEED_INSIDE = re.compile(rb"<(?:rss|feed|rdf:RDF)\s[^>]{0,400}(?:version|xmlns)")
_ROOT = re.compile(rb"<([A-Za-z_][A-Za-z0-9_.:-]{0,60})[\s/>]")
_ANOTHER = re.compile(rb"</(?:rss|feed|rdf:RDF)\s*>\s*<(?:\?xml|rss|feed|rdf:RDF)[\s>]")
# Blogs list all their labels in the head; feedparser compares each with all, and nobody asks.
_CATEGORY = re.compile(rb"<category(?:\s[^<>]*)?(?:/>|>[^<]*</category\s*>)")
_NOTHING_SAID: Mapping[str, Any] = {
    "version": "", "title": "", "language": None, "word": {}, "complete": True, "older": None,
    "links": [], "entries": [],
}  # fmt: skip


def read(header: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """The wire form of ParsedFeed or ParseFailed; *header* has final_url and content_type.

    "in_that_code" says that the content type is right about the code of *body*, "only_entries" that
    nobody asks what the feed says of itself.
    """
    return _read(header, body, quickly=_with_ordinary_entries)


def reference(header: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """As ``read``, but entries of all shapes by feedparser: what ``read`` must equal."""
    return _read(header, body, quickly=lambda header, body: None)


Quickly = Callable[[Mapping[str, Any], bytes], dict[str, Any] | None]


def _read(header: Mapping[str, Any], body: bytes, *, quickly: Quickly) -> dict[str, Any]:
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n\0")[:1]
    if start in (b"{", b"["):
        return _from_json(body)
    url = str(header.get("final_url") or "")
    html = _HTML_START.match(body.removeprefix(b"\xef\xbb\xbf")[:8_000])
    if html and not _FEED_INSIDE.search(body):
        return _failed(*wrongpage.seen(body, url))
    if sitemap.is_one(body):
        return _from_sitemap(body)
    plain, content_type, broken = body, header.get("content_type"), 0
    if not header.get("in_that_code"):
        plain, content_type, broken = charset.in_utf8(body, content_type)
    if content_type == charset.UTF8 and not broken:
        found = quickly(header, plain)
        if found is not None:
            return found
    return _by_feedparser({**header, "content_type": content_type}, plain, _read_as(broken))


def _by_feedparser(
    header: Mapping[str, Any], body: bytes, notes: Sequence[str] = ()
) -> dict[str, Any]:
    """The wire form of an XML document; *notes* are said of it."""
    url = str(header.get("final_url") or "")
    few, left_out = _first_entries(body)
    seen = screened(few)
    if seen is None:
        return _no_feed("its XML declaration does not end")
    document = _parse(header, seen.body)
    if not document.get("version") and not document.entries:
        if b"<html" in body[:100_000].lower():
            return _failed(*wrongpage.seen(body, url))
        return _no_feed(_seen(body))
    return _parsed(document, body, url, [*seen.notes, *notes, *_left_out(left_out)])


def _with_ordinary_entries(header: Mapping[str, Any], body: bytes) -> dict[str, Any] | None:
    """As ``_by_feedparser``, of a document in UTF-8, without asking it about ordinary entries; None
    if that gains nothing, or if it sees something else in the rest than we do."""
    pieces = cut(body)
    if pieces is None or len(pieces.entries) > MAX_ENTRIES:
        return None
    url = str(header.get("final_url") or "")
    ours = ordinary.entries(pieces, url)
    if ours is None:  # nothing of it may be read apart from the rest, now or later
        utf8 = {**header, "content_type": charset.UTF8}
        return {**_by_feedparser(utf8, body), "clean": False}
    rest = tuple(piece for piece, entry in zip(pieces.entries, ours, strict=True) if entry is None)
    if len(rest) == len(ours):
        return None
    found = dict(_NOTHING_SAID)
    if rest or not header.get("only_entries"):
        head = not header.get("only_entries")
        utf8 = {**header, "content_type": charset.UTF8}
        found = _by_feedparser(utf8, _without_categories(pieces).only(rest, whole_head=head))
        if not found.get("clean") or len(found["entries"]) != len(rest):
            return None
    theirs = iter(found["entries"])
    read_, warnings = capped([as_told(entry, url) for entry in ours if entry is not None])
    quick = iter(read_)
    entries = [next(theirs if entry is None else quick) for entry in ours]
    return {**found, "entries": entries, "warnings": warnings, "clean": not warnings}


def _without_categories(pieces: Pieces) -> Pieces:
    """*pieces* without what the feed is about, unless it might stand within a text."""
    if b"<![CDATA[" in pieces.head or b"xhtml" in pieces.head:
        return pieces
    return replace(pieces, head=_CATEGORY.sub(b"", pieces.head))


def _from_json(body: bytes) -> dict[str, Any]:
    found = jsonfeed.read(body, max_entries=MAX_ENTRIES)
    if found is None:
        return _no_feed(_seen(body))
    entries, warnings = capped(found["entries"])
    return {**found, "entries": entries, "warnings": [*found["warnings"], *warnings]}


def _from_sitemap(body: bytes) -> dict[str, Any]:
    entries, warnings = capped(sitemap.read(body, max_entries=MAX_ENTRIES))
    if not entries:
        return _no_feed("it is a sitemap without dated pages")
    told: dict[str, Any] = {"version": "sitemap", "title": "", "language": None, "word": {}}
    return {**told, "complete": True, "entries": entries, "warnings": warnings}


def _parse(header: Mapping[str, Any], body: bytes) -> Any:
    return feedparser.parse(
        io.BytesIO(body),  # bytes that look like a path would be opened
        sanitize_html=False,
        resolve_relative_uris=False,
        response_headers={
            # Without a base, one entry's xml:base leaks into the next.
            "content-location": header.get("final_url") or "",
            "content-type": header.get("content_type") or "application/xml",
        },
    )


def _seen(body: bytes) -> str:
    """The beginning of what was there instead of a feed, for a person to recognise."""
    text = one_line(html_to_text(body[:20_000].decode("utf-8", "replace")))
    return f'it begins "{text[:100]}"' if text else "there is no text in it"


def _failed(reason: FailureReason, detail: str) -> dict[str, Any]:
    return {"failed": reason.value, "detail": detail}


def _no_feed(why: str) -> dict[str, Any]:
    return _failed(FailureReason.NOT_A_FEED, f"what came is not a feed: {why}")


def _first_entries(body: bytes) -> tuple[bytes, int]:
    """*body* without the entries beyond the limit, and how many those are.

    They are cut out before parsing: feedparser would take all its time for what is thrown away.
    """
    for name in (b"item", b"entry"):
        starts = [found.start() for found in re.finditer(rb"<" + name + rb"[\s>]", body)]
        if len(starts) > MAX_ENTRIES:
            tail = body.rfind(b"</" + name)
            end = body.find(b">", tail) + 1
            return body[: starts[MAX_ENTRIES]] + body[end:], len(starts) - MAX_ENTRIES
    return body, 0


def _left_out(count: int) -> list[str]:
    total = MAX_ENTRIES + count
    return [f"only the first {MAX_ENTRIES} of {total} entries were read"] if count else []


def _read_as(broken: int) -> list[str]:
    """What is said of a document in UTF-8 that is not quite that."""
    many = "1 character" if broken == 1 else f"{broken} characters"
    return [f"{many} of its UTF-8 broken, shown as \ufffd"] if broken else []


def _parsed(document: Any, body: bytes, url: str, notes: list[str]) -> dict[str, Any]:
    feed, found = document.feed, list(document.entries)
    complete, last_whole = _ending(body, bool(document.bozo))
    if not complete and found and not last_whole:
        found.pop()
    entries, warnings = capped([as_told(each, url) for each in found])
    warnings = [*notes, *warnings]
    if not complete:
        warnings.append("the document is cut off; its unfinished entry waits for the next poll")
    elif document.bozo and not found:
        warnings.append("the document is not well-formed")
    if document.bozo and _ANOTHER.search(body):
        warnings.append("there are two documents in one; the entries of both were read")
    return {
        "version": document.get("version") or "unknown",
        "title": one_line(str(feed.get("title") or "")),
        "language": feed.get("language") or None,
        "word": word.said(feed, body),
        "complete": complete,
        "older": _older(feed, url),
        "links": websub.of_interest(_links(feed)),
        "warnings": warnings,
        "clean": not (document.bozo or warnings),
        "entries": entries,
    }


def _older(feed: Any, url: str) -> str | None:
    return older_page(_links(feed), str(feed.get("generator") or ""), url)


def _links(feed: Any) -> list[tuple[str, str]]:
    return [(str(each.get("rel")), str(each.get("href"))) for each in feed.get("links") or ()]


def _ending(body: bytes, bozo: bool) -> tuple[bool, bool]:
    """Whether the document has its end, and whether its last entry has."""
    plain = body.replace(b"\0", b"") if b"\0" in body[:200] else body  # UTF-16 and UTF-32
    root = _ROOT.search(plain[:20_000])
    if root is None or not bozo:
        return True, True  # well-formed, or in a code where we cannot look
    known = root[1].lower().rpartition(b":")[2] in (b"rss", b"feed", b"rdf")
    closed = plain.rfind(b"</" + root[1]) if known else -1  # else it begins in the middle
    name = b"entry" if plain.rfind(b"</entry") > plain.rfind(b"</item") else b"item"
    opened = max(plain.rfind(b"<" + name + end) for end in (b">", b" ", b"\n", b"\t"))
    return closed > opened, plain.rfind(b"</" + name) > opened
