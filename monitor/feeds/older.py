"""Where a feed keeps its older entries: archive links (RFC 5005), JSON Feed's next_url, and
WordPress, which numbers the pages of every feed.  Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

RELATIONS = ("prev-archive", "next")  # RFC 5005 §4 and §3


def older_page(links: Iterable[tuple[str, str]], generator: str, url: str) -> str | None:
    """The address of the page after the one at *url*; *links*: (relation, address) of the feed."""
    by_relation = dict(reversed(list(links)))  # the first of each counts
    for relation in RELATIONS:
        if relation in by_relation:
            return _joined(url, by_relation[relation])
    return _paged(url) if "wordpress" in generator.lower() else None


def same_site(one: str, other: str) -> bool:
    """Whether both are on one host; an archive elsewhere is not asked for."""
    try:
        here, there = urlsplit(one), urlsplit(other)
        return (here.hostname, here.port) == (there.hostname, there.port)
    except ValueError:
        return False


def _paged(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    number = query.get("paged", "1")
    query["paged"] = str(int(number) + 1 if number.isdecimal() and len(number) < 6 else 2)
    return urlunsplit(parts._replace(query=urlencode(query), fragment=""))


def _joined(url: str, link: str) -> str | None:
    try:
        found = urljoin(url, link.strip())
        return found if urlsplit(found).scheme in ("http", "https") else None
    except ValueError:
        return None
