"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/), which feedparser cannot read.

Strict about types where a wrong one would mislead, liberal about what is missing.
"""

from __future__ import annotations

import json
from typing import Any

from monitor.feeds import dates, websub
from monitor.feeds.clean import clean_text, html_to_text, one_line

VERSIONS = {
    "https://jsonfeed.org/version/1": "json1",
    "https://jsonfeed.org/version/1.1": "json11",
}


def read(body: bytes, *, max_entries: int) -> dict[str, Any] | None:
    """The wire form of ParsedFeed; None if *body* is no JSON Feed."""
    try:
        document = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        return None
    version = VERSIONS.get(str(document.get("version", "")).rstrip("/").replace("www.", ""))
    if version is None:
        return None
    items = [item for item in document["items"] if isinstance(item, dict)]
    warnings = []
    if len(items) > max_entries:
        warnings.append(f"only the first {max_entries} of {len(items)} entries were read")
    language = _string(document, "language")
    return {
        "version": version,
        "title": one_line(_string(document, "title") or ""),
        "language": language,
        "word": {},
        "complete": True,
        "older": _string(document, "next_url"),
        "links": websub.of_interest(_links(document)),
        "warnings": warnings,
        "entries": [_entry(item, language) for item in items[:max_entries]],
    }


def _links(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Its hubs and its own address, as relations of Atom."""
    hubs = [each for each in _list(document, "hubs") if isinstance(each, dict)]
    named = [("hub", _string(each, "url")) for each in hubs if each.get("type") == "WebSub"]
    named.append(("self", _string(document, "feed_url")))
    return [(relation, address) for relation, address in named if address]


def _entry(item: dict[str, Any], language: str | None) -> dict[str, Any]:
    content = clean_text(_string(item, "content_text") or "").strip()
    content = content or html_to_text(_string(item, "content_html") or "")
    summary = clean_text(_string(item, "summary") or "").strip()
    published, updated = _string(item, "date_published"), _string(item, "date_modified")
    return {
        "guid": _id(item.get("id")),
        "link": _string(item, "url") or _string(item, "external_url"),
        "title": one_line(_string(item, "title") or ""),
        "summary": summary or content,
        "content": content if summary and content != summary else "",
        "author": one_line(", ".join(_authors(item))),
        "categories": [one_line(tag) for tag in _list(item, "tags") if isinstance(tag, str)],
        "language": _string(item, "language") or language,
        "published": published,
        "updated": updated,
        "published_at": _seconds(published),
        "updated_at": _seconds(updated),
    }


def _id(value: Any) -> str | None:
    """Strings as they are; numbers, which the standard asks readers to accept, as text."""
    if isinstance(value, str):
        return _whole(value) or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def _authors(item: dict[str, Any]) -> list[str]:
    people = [*_list(item, "authors"), item.get("author")]
    named = [each for each in people if isinstance(each, dict)]
    return list(dict.fromkeys(name for each in named if (name := _string(each, "name"))))


def _string(item: dict[str, Any], name: str) -> str | None:
    value = item.get(name)
    return _whole(value) if isinstance(value, str) else None


def _whole(text: str) -> str:
    """Without lone surrogates, which JSON can spell and nothing else can take."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _list(item: dict[str, Any], name: str) -> list[Any]:
    value = item.get(name)
    return value if isinstance(value, list) else []


def _seconds(text: str | None) -> float | None:
    found = dates.read(text) if text else None
    return found.timestamp() if found else None
