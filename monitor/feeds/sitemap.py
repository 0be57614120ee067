"""A news sitemap → its entries, as JSON values.  Runs in the child that reads documents.

Format: https://www.sitemaps.org/protocol.html, with Google's news extension.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from monitor.feeds import dates
from monitor.feeds.clean import one_line

_ROOT = re.compile(rb"(?:\s|<\?.{0,1000}?\?>|<!--.{0,2000}?-->)*<urlset[\s>]", re.DOTALL)


def is_one(body: bytes) -> bool:
    """Whether *body* begins like a sitemap."""
    return _ROOT.match(body.removeprefix(b"\xef\xbb\xbf")[:5_000]) is not None


def read(body: bytes, *, max_entries: int) -> list[dict[str, Any]]:
    """The newest *max_entries* pages with a date; none if it cannot be read."""
    try:
        root = ElementTree.fromstring(body)  # expat resolves nothing from outside
    except ElementTree.ParseError:
        return []
    entries = [_entry(node) for node in root if _name(node) == "url"]
    dated = [entry for entry in entries if entry["link"] and entry["published_at"] is not None]
    dated.sort(key=lambda entry: float(entry["published_at"]), reverse=True)
    return dated[:max_entries]


def _entry(node: ElementTree.Element) -> dict[str, Any]:
    found: dict[str, str] = {}
    for each in node.iter():
        found.setdefault(_name(each), one_line(each.text or ""))
    date = found.get("publication_date") or found.get("lastmod") or ""
    at = dates.read(date) if date else None
    return {
        "guid": None,
        "link": found.get("loc") or None,
        "title": found.get("title") or None,
        "summary": "",
        "content": "",
        "author": "",
        "categories": [],
        "language": found.get("language") or None,
        "published": date or None,
        "updated": None,
        "published_at": at.timestamp() if at else None,
        "updated_at": None,
    }


def _name(node: ElementTree.Element) -> str:
    """Without its namespace."""
    return str(node.tag).rpartition("}")[2]
