"""Fields of all conformance documents: ours against feedparser's own, and against gofeed's.

    python -m tests.bench.conformance [--show REASON]

feedparser runs in a process without our code, on the same bytes and headers.  Its texts go through
our cleaning (``feeds/clean.py``), its moments are compared as moments; all else must be equal, or
falls under a reason of the table in docs/feeds.md.  Exit status 1 if a difference has no reason.
gofeed's suite holds what its authors expect of a document, as JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from monitor.feeds import document
from monitor.feeds.clean import html_to_text, one_line

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "conformance"
URL = "https://news.example/feeds/world.xml"
KINDS = (".xml", ".rss", ".atom", ".json", ".rdf", ".html")
FEEDPARSER = """
import calendar, io, json, sys
import feedparser

def moment(entry, name):
    parsed = dict.get(entry, name + "_parsed")
    return None if parsed is None else calendar.timegm(parsed)

def entry(e):
    get = lambda name: dict.get(e, name)
    kind = lambda name: (get(name + "_detail") or {}).get("type", "text/html")
    created = None if get("published") else "created"
    return {
        "guid": get("id"), "link": get("link"),
        "title": [get("title"), kind("title")], "summary": [get("summary"), kind("summary")],
        "content": [[c.get("value"), c.get("type", "text/html")] for c in get("content") or ()],
        "author": get("author"), "categories": [t.get("term") for t in get("tags") or ()],
        "language": (get("title_detail") or {}).get("language"),
        "published_at": moment(e, created or "published"), "updated_at": moment(e, "updated"),
        "published": get(created or "published"), "updated": get("updated"),
    }

for path in sys.stdin.read().split("\\n"):
    headers = {"content-location": sys.argv[1], "content-type": "application/xml"}
    with open(path, "rb") as file:
        body = io.BytesIO(file.read())
    try:
        d = feedparser.parse(body, response_headers=headers, sanitize_html=False,
                             resolve_relative_uris=False)
    except Exception as error:
        print(json.dumps({"raised": type(error).__name__}))
        continue
    print(json.dumps({
        "version": d.get("version", ""), "bozo": bool(d.bozo), "title": d.feed.get("title"),
        "language": d.feed.get("language"), "entries": [entry(e) for e in d.entries],
    }))
"""


def documents() -> list[Path]:
    found = (path for path in sorted(CORPUS.rglob("*")) if path.suffix in KINDS)
    return [path for path in found if not _is_expectation(path)]


def _is_expectation(path: Path) -> bool:
    """Whether a JSON file is what another project expects of the document beside it."""
    if path.suffix != ".json":
        return False
    beside = path.name.removesuffix(".json").removesuffix(".serde")
    return ".serde" in path.name or any(
        path.with_name(beside + kind).exists() for kind in ("", *KINDS[:-1]) if kind != ".json"
    )


def theirs(paths: list[Path]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", FEEDPARSER, URL],
        input="\n".join(map(str, paths)), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def ours(path: Path) -> dict[str, Any]:
    header = {"final_url": URL, "content_type": "application/xml"}
    try:
        return document.read(header, path.read_bytes())
    except Exception as error:  # as the sandbox takes it
        return {"failed": "raised", "detail": type(error).__name__}


# --- comparing with feedparser


def text(value: str | None, kind: str) -> str:
    """As ``feeds/document.py`` cleans a text of this type."""
    if kind in ("text/html", "application/xhtml+xml"):
        return html_to_text(value or "")
    return html_to_text((value or "").replace("&", "&amp;").replace("<", "&lt;"))


def expected(entry: dict[str, Any]) -> dict[str, Any]:
    """feedparser's entry in our form."""
    summary = text(*entry["summary"])
    content = max((text(*each) for each in entry["content"]), key=len, default="")
    return {
        **{name: entry[name] for name in ("guid", "link", "published_at", "updated_at")},
        "title": " ".join(text(*entry["title"]).split()),
        "summary": summary,
        "content": "" if content == summary else content,
        "author": one_line(entry["author"] or ""),
        "categories": [one_line(term or "") for term in entry["categories"]],
        "language": entry["language"],
    }


def differences(mine: dict[str, Any], his: dict[str, Any]) -> Iterator[tuple[str, Any, Any, str]]:
    """(field, ours, feedparser's, reason or "") of two readings of one document."""
    for name in ("title", "language"):
        value = one_line(his[name] or "") if name == "title" else his[name] or None
        if mine[name] != value:
            yield f"feed {name}", mine[name], value, ""
    for one, other in zip(mine["entries"], his["entries"], strict=True):
        for name, value in expected(other).items():
            if (one[name] or None) != (value or None):
                yield name, one[name], value, reason(name, one, other)


def reason(name: str, one: dict[str, Any], other: dict[str, Any]) -> str:
    """Why our field differs from feedparser's, in the words of docs/feeds.md; "" if unknown."""
    mine, his = one[name], other[name]
    if name == "link" and mine and not his:
        return "link: the first of several, where none is marked"
    if name == "link" and his and mine == urljoin(URL, his.strip()):
        return "link: made absolute"
    if name == "guid" and his and his == urljoin(his, mine or ""):
        return "guid: kept as written, not made absolute"
    if name.endswith("_at"):
        return _reason_of_moment(mine, his, one[name.removesuffix("_at")])
    return ""


def _reason_of_moment(mine: float | None, his: float | None, written: str | None) -> str:
    if his is None:
        return "date: one that feedparser cannot read"
    if mine is None:
        return "date: a zone that is no zone, or a date that is none, is not guessed at"
    zone = (written or "").split()[-1:]
    return "date: the zone is read" if zone and zone[0].isalpha() else ""


# --- comparing with gofeed


def gofeed() -> Counter[str]:
    """How many values of gofeed's translator suite we read as its authors do."""
    count: Counter[str] = Counter()
    for path in sorted((CORPUS / "gofeed" / "translator").rglob("*.json")):
        source = path.with_suffix(".xml")
        if not source.exists():
            continue
        wanted, found = json.loads(path.read_text()), ours(source)
        items = wanted.get("items") or []
        same = len(items) == len(found.get("entries", []))
        count["entries: equal" if same else "entries: different"] += 1
        for item, entry in zip(items, found.get("entries", []), strict=False):
            for name, value in _gofeed_values(item):
                count[f"{name}: {'equal' if entry[name] == value else 'different'}"] += 1
    return count


def _gofeed_values(item: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if "title" in item:
        yield "title", " ".join(html_to_text(item["title"]).split())
    if "guid" in item:
        yield "guid", item["guid"]
    if "link" in item:
        yield "link", urljoin(URL, item["link"])
    if "description" in item:
        yield "summary", html_to_text(item["description"])
    for name, field in (("publishedParsed", "published_at"), ("updatedParsed", "updated_at")):
        if item.get(name):
            yield field, datetime.fromisoformat(item[name]).timestamp()


# --- the report


def main(show: str | None) -> int:
    paths = documents()
    kinds: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    fields = equal = 0
    for path, his in zip(paths, theirs(paths), strict=True):
        mine, name = ours(path), str(path.relative_to(CORPUS))
        kind = _kind(mine, his)
        kinds[kind] += 1
        if show == kind:
            print(name, mine.get("detail", ""))
        if kind != "well-formed":
            continue
        fields += 2 + 10 * len(his["entries"])
        for field, value, other, why in differences(mine, his):
            reasons[why or "no reason known"] += 1
            equal -= 1
            if not why or why == show:
                print(f"{name}: {field}: {str(value)[:200]!r}, feedparser {str(other)[:200]!r}")
    print(f"{len(paths)} documents")
    for kind, count in kinds.most_common():
        print(f"  {count:5}  {kind}")
    print(f"{fields} fields of well-formed ones, {fields + equal} equal to feedparser's")
    for why, count in reasons.most_common():
        print(f"  {count:5}  {why}")
    print("gofeed's expectations")
    for what, count in sorted(gofeed().items()):
        print(f"  {count:5}  {what}")
    return 1 if reasons["no reason known"] else 0


def _kind(mine: dict[str, Any], his: dict[str, Any]) -> str:
    """What the readings of a document have in common."""
    if "raised" in his:
        return "feedparser raises" + (", we too" if "failed" in mine else ", we read it")
    if "failed" in mine:
        return "no feed, or OPML" if not his["entries"] else "feedparser finds entries, we refuse"
    if mine["version"].startswith("json"):
        return "JSON Feed, which feedparser does not read"
    if len(mine["entries"]) != len(his["entries"]):
        return "other number of entries"
    return "ill-formed, same number of entries" if his["bozo"] else "well-formed"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", help="list the documents of a kind, or the fields of a reason")
    sys.exit(main(parser.parse_args().show))
