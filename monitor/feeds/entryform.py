"""An entry as feedparser has it → JSON values: plain text, whole links, seconds, within limits."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

from monitor.feeds import dates
from monitor.feeds.clean import html_to_text, one_line
from monitor.feeds.links import is_whole

MAX_TITLE = 1_000
MAX_TEXT = 256_000
MAX_LINK = 4_000
MAX_CATEGORIES = 100

_HTML_TYPES = ("text/html", "application/xhtml+xml")


def as_told(entry: Any, url: str) -> dict[str, Any]:
    """An entry of feedparser's, or one in its form, of the document at *url*."""

    def get(name: str) -> Any:
        return dict.get(entry, name)  # feedparser's own get invents values

    summary = _text(get("summary"), get("summary_detail"))
    content = max((_text(c.get("value"), c) for c in get("content") or ()), key=len, default="")
    published, updated = get("published") or get("created"), get("updated")
    return {
        "guid": get("id") or None,
        "link": _link(entry, url),
        "title": " ".join(_text(get("title"), get("title_detail")).split()),
        "summary": summary,
        "content": "" if content == summary else content,
        "author": one_line(str(get("author") or "")),
        "categories": [one_line(tag.get("term") or "") for tag in get("tags") or ()],
        "language": (get("title_detail") or {}).get("language"),
        "published": published,
        "updated": updated,
        "published_at": _seconds(published, get("published_parsed") or get("created_parsed")),
        "updated_at": _seconds(updated, get("updated_parsed")),
    }


def _link(entry: Any, url: str) -> str | None:
    link = dict.get(entry, "link") or next(
        (each.get("href") for each in dict.get(entry, "links") or () if each.get("href")), None
    )
    if not link:
        return None
    link = str(link).strip()
    try:
        return link if is_whole(link) else urljoin(url, link)
    except ValueError:
        return None


def _text(value: Any, detail: Any) -> str:
    """Plain text; what says it is HTML, or looks like it, loses its tags."""
    kind = (detail or {}).get("type", "text/html")
    if kind in _HTML_TYPES:
        return html_to_text(str(value or ""))
    return html_to_text(str(value or "").replace("&", "&amp;").replace("<", "&lt;"))


def _seconds(text: Any, parsed: Any) -> float | None:
    """Seconds since 1970: our reading, else feedparser's where no zone name misled it."""
    if not text:
        return None
    found = dates.read(str(text))
    if found is not None:
        return found.timestamp()
    last = str(text).split()[-1:]
    if parsed is None or (last and last[0].isalpha() and last[0].upper() not in ("AM", "PM")):
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def capped(entries: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Entries within the limits, and a note of each limit that was reached."""
    limits = {"title": MAX_TITLE, "summary": MAX_TEXT, "content": MAX_TEXT, "author": MAX_TITLE}
    reached: dict[str, int] = {}
    for entry in entries:
        for name, limit in limits.items():
            if len(entry[name] or "") > limit:
                entry[name] = entry[name][: limit - 1] + "…"
                reached[name] = reached.get(name, 0) + 1
        if len(entry["link"] or "") > MAX_LINK:
            entry["link"] = None
            reached["link"] = reached.get("link", 0) + 1
        entry["categories"] = [each[:MAX_TITLE] for each in entry["categories"][:MAX_CATEGORIES]]
    return entries, [_of_limit(name, count) for name, count in reached.items()]


def _of_limit(name: str, count: int) -> str:
    many = "1 entry" if count == 1 else f"{count} entries"
    if name == "link":  # half a link leads nowhere
        return f"the link of {many} was left out: it is longer than {MAX_LINK} characters"
    return f"the {name} of {many} was cut: rules see what is left of it"
