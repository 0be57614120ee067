"""What the elements of an ordinary entry say, as feedparser would understand them; else Doubt.

The rules are those of feedparser 6.0.14 (``mixin.py``, ``namespaces/``), oddities included; its own
tables and functions are used wherever it has them.  ``tests/test_ordinary.py`` compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element

from feedparser.datetimes import _parse_date
from feedparser.html import _cp1252
from feedparser.mixin import _FeedParserMixin
from feedparser.urls import _urljoin

from monitor.feeds import dates
from monitor.feeds.links import is_whole

ATOM = "http://www.w3.org/2005/Atom"
_XML = "{http://www.w3.org/XML/1998/namespace}"
LANGUAGE, BASE = (f"{_XML}lang", "lang"), (f"{_XML}base", "base")  # attributes
PREFIXES = {uri.lower(): prefix for uri, prefix in _FeedParserMixin.namespaces.items()}
_HANDLED = frozenset(
    name.removeprefix("_start_").removeprefix("_end_")
    for name in dir(_FeedParserMixin)
    if name.startswith(("_start_", "_end_"))
)
# Prefixes that mean something to feedparser wherever they come from, and those with which an
# element could overwrite what we keep ("title:detail").
TAKEN = frozenset(name.partition("_")[0] for name in _HANDLED if "_" in name).union(
    ("title", "summary", "content", "author", "published", "updated", "created", "guid")
)
_IN_ATOM = f"{{{ATOM.lower()}"
_MEDIA_SCHEME = "http://search.yahoo.com/mrss/category_schema"
# Elements with handlers in feedparser that change nothing of what we keep.
_HARMLESS = {
    "media_content", "media_credit", "media_group", "media_license", "media_player",
    "media_rating", "media_restriction", "media_thumbnail", "dc_publisher", "dc_rights",
    "enclosure", "source", "comments", "rights", "image", "itunes_image", "itunes_subtitle",
    "itunes_explicit", "itunes_block",
}  # fmt: skip
_NESTING = ("media_content", "media_group")  # may hold other elements of media RSS
# After one of these within an entry feedparser has forgotten that there was a title.
_FORGETFUL = frozenset(("source", "image"))
_CONTROLS = re.compile("[\x80-\x9f]")
_READ = frozenset(("href", "rel", "type", "term", "scheme", "label", "domain"))  # attributes

_DEEPEST = 1_000  # deeper than what we look into
_PLAIN, _HTML = "text/plain", "text/html"

Found = dict[str, Any]  # as an entry of feedparser's, with what ``document`` looks at


class Doubt(Exception):
    """feedparser might see it another way."""


@dataclass(slots=True)
class Reader:
    """Reads one entry."""

    url: str  # of the document
    language: str | None
    atom: bool
    bare_others: bool  # elements of unknown namespaces may be without a prefix
    found: Found = field(default_factory=dict)
    once: set[str] = field(default_factory=set)
    link: str = ""
    media_titles: bool = False
    has_content: bool = False
    summary_depth: int = _DEEPEST

    def read(self, entry: Element) -> Found:
        """Raises Doubt."""
        if entry.attrib:
            raise Doubt
        for child in entry:
            self._child(child)
        if not self.link:
            raise Doubt  # feedparser then takes that of a file or of a page about the entry
        if self.media_titles and not (self.found.get("title") and self.once.isdisjoint(_FORGETFUL)):
            raise Doubt  # it then takes the title of a picture
        self.found["link"] = self.link
        return self.found

    def _child(self, child: Element) -> None:
        name = self._name(child)
        handler = (_ATOM_HANDLERS if self.atom else _RSS_HANDLERS).get(name)
        if handler is not None:
            handler(self, child)
            return
        self.once.add(name)
        self._harmless(child, name)

    def _harmless(self, child: Element, name: str, depth: int = 0) -> None:
        """Nothing of what *child* says is kept, and it changes the meaning of nothing else; but
        descriptions are."""
        if name == "media_title":
            self.media_titles = True
        elif name == "media_description":
            self._describe(child, _HTML, depth)
        elif name not in _HARMLESS and ("_" not in name or name in _HANDLED):
            raise Doubt
        if len(child) and name not in _NESTING:
            raise Doubt
        for inner in child:
            within = self._name(inner)
            if not within.startswith("media_"):
                raise Doubt
            self._harmless(inner, within, depth + 1)

    def _name(self, element: Element) -> str:
        name = _named(str(element.tag), self.atom, self.bare_others)
        if name is None:
            raise Doubt
        return name

    def _absolute(self, link: str) -> str:
        return link if is_whole(link) else str(_urljoin(self.url, link))

    def only(self, name: str) -> None:
        """*name* may come once: of two, feedparser takes now the first, now the last."""
        if name in self.once:
            raise Doubt
        self.once.add(name)

    # --- elements of both

    def category(self, child: Element, scheme: str | None = None) -> None:
        attributes = _plain(child)
        term, label = attributes.get("term"), attributes.get("label")
        scheme = attributes.get("scheme", scheme or attributes.get("domain"))
        self._tag(term, scheme, label)
        value = _text(child)
        tags = self.found.setdefault("tags", [])
        if value and tags and not tags[-1]["term"]:
            tags[-1]["term"] = value
        elif value:
            self._tag(value, None, None)

    def media_category(self, child: Element) -> None:
        self.category(child, _MEDIA_SCHEME)

    def media_keywords(self, child: Element) -> None:
        if len(child):
            raise Doubt
        if not child.attrib:
            for term in _text(child).split(","):
                self._tag(term.strip(), None, None)

    def _tag(self, term: str | None, scheme: str | None, label: str | None) -> None:
        tags = self.found.setdefault("tags", [])
        tag = {"term": term, "scheme": scheme, "label": label}
        if (term or scheme or label) and tag not in tags:
            tags.append(tag)

    def date(self, child: Element, key: str) -> None:
        self.only(key)
        text = self.found[key] = _text(child)
        if text and dates.read(text) is None:  # else its reading is not asked for
            self.found[f"{key}_parsed"] = _parse_date(text)

    def guid(self, child: Element) -> None:
        """It is the link, too, while there is no other and it does not deny it."""
        self.only("guid")
        self.found["id"] = _text(child)
        said = [value for name, value in child.attrib.items() if name.lower() == "ispermalink"]
        if len(said) > 1:
            raise Doubt
        if said in ([], ["true"]):
            self.link = self.link or self.found["id"]

    def description(self, child: Element) -> None:
        self._describe(child, _HTML)

    def summary(self, child: Element) -> None:
        self._describe(child, _PLAIN)

    def content(self, child: Element) -> None:
        self._add_content(child, _PLAIN)

    def encoded(self, child: Element) -> None:
        self._add_content(child, _HTML)

    def _describe(self, child: Element, default: str, depth: int = 0) -> None:
        """The first description is the summary.  The second counts as content where there is none,
        others take the place of the first, but for one that stands deeper within the entry."""
        if "summary" in self.found and not self.has_content:
            self._add_content(child, _PLAIN)
            return
        self.found["summary_detail"] = {"type": self._kind(child, default)}
        if depth <= self.summary_depth:
            self.summary_depth = depth
            self.found["summary"] = _text(child)

    def _add_content(self, child: Element, default: str) -> None:
        self.has_content = True
        kind, value = self._kind(child, default), _text(child)
        self.found.setdefault("content", []).append({"value": value, "type": kind})
        self.found.setdefault("summary", value)

    def _kind(self, child: Element, default: str) -> str:
        """The content type of a text; of others than plain text and HTML there is doubt."""
        without_effect = (*LANGUAGE, *BASE) if self.atom else ()
        if not child.attrib.keys() <= {"type", *without_effect} or len(child):
            raise Doubt
        kind = str(_FeedParserMixin.map_content_type(child.attrib.get("type", default)))
        if kind not in (_PLAIN, _HTML):
            raise Doubt
        html = kind == _PLAIN and not self.atom and _FeedParserMixin.looks_like_html(_raw(child))
        return _HTML if html else kind

    def title(self, child: Element) -> None:
        self.only("title")
        if not child.attrib.keys() <= {"type"}:
            raise Doubt
        kind = self._kind(child, _PLAIN)
        self.found["title"] = _text(child)
        self.found["title_detail"] = {"type": kind, "language": self.language}

    # --- RSS

    def rss_link(self, child: Element) -> None:
        self.only("link")
        text = _raw(child)
        if child.attrib or not text:
            raise Doubt
        output = _repaired(self._absolute(text)).replace("&amp;", "&")
        self.link = re.sub("&([A-Za-z0-9_]+);", r"&\g<1>", output)

    def linked(self, child: Element) -> None:
        """A link of Atom's within RSS."""
        attributes = _plain(child)
        if attributes.get("rel", "alternate").lower() == "alternate" or "href" not in attributes:
            raise Doubt
        if len(child):
            raise Doubt

    def rss_author(self, child: Element) -> None:
        self.found["author"] = _text(child)

    # --- Atom

    def atom_link(self, child: Element) -> None:
        attributes = _plain(child)
        if "href" not in attributes or len(child) or "url" in attributes or "uri" in attributes:
            raise Doubt
        if attributes.get("rel", "alternate").lower() != "alternate":
            return
        kind = _FeedParserMixin.map_content_type(attributes.get("type", "text/html"))
        if kind in _FeedParserMixin.html_types:
            self.link = self._absolute(attributes["href"])

    def atom_author(self, child: Element) -> None:
        self.only("author")
        parts: dict[str, str] = {}
        for inner in child:
            name = self._name(inner)
            if name in parts or len(inner):
                raise Doubt
            if name not in ("name", "uri", "email"):
                self._harmless(inner, name)
            parts[name] = _raw(inner)
        if child.attrib or not parts.get("name") or (child.text or "").strip():
            raise Doubt
        email = parts.get("email")
        self.found["author"] = f"{parts['name']} ({email})" if email else parts["name"]


Handler = Callable[[Reader, Element], None]
_SHARED: Mapping[str, Handler] = {
    "category": Reader.category,
    "dc_subject": Reader.category,
    "media_category": Reader.media_category,
    "media_keywords": Reader.media_keywords,
    "title": Reader.title,
    "itunes_summary": Reader.summary,
    "content_encoded": Reader.encoded,
}
_RSS_HANDLERS: Mapping[str, Handler] = {
    **_SHARED,
    "link": Reader.rss_link,
    "atom link": Reader.linked,
    "guid": Reader.guid,
    "description": Reader.description,
    "author": Reader.rss_author,
    "itunes_author": Reader.rss_author,
    "dc_creator": Reader.rss_author,
    "pubdate": lambda reader, child: reader.date(child, "published"),
    "dc_date": lambda reader, child: reader.date(child, "updated"),
}
_ATOM_HANDLERS: Mapping[str, Handler] = {
    **_SHARED,
    "link": Reader.atom_link,
    "id": Reader.guid,
    "summary": Reader.summary,
    "content": Reader.content,
    "author": Reader.atom_author,
    "published": lambda reader, child: reader.date(child, "published"),
    "updated": lambda reader, child: reader.date(child, "updated"),
}


@lru_cache(maxsize=1_000)
def _named(tag: str, atom: bool, bare_others: bool) -> str | None:
    """An element's name as feedparser's handlers have it ("title", "dc_creator"); None in doubt."""
    uri, _, local = tag.lower().rpartition("}")
    if uri == _IN_ATOM:
        return local if atom else f"atom {local}"
    if not uri and not atom:
        return local
    prefix = PREFIXES.get(uri[1:], "other")
    bare = prefix == "other" and bare_others  # then feedparser knows it by ``local`` alone
    if not prefix or (bare and (local in _HANDLED or local in TAKEN)):
        return None
    return f"{prefix}_{local}"


def _plain(element: Element) -> Mapping[str, str]:
    """The attributes, in doubt if feedparser would write their names in another way."""
    for name in element.attrib:
        uri, _, local = name.rpartition("}")
        foreign = uri and not PREFIXES.get(uri[1:].lower())
        if local != local.lower() or (foreign and local in _READ):
            raise Doubt
    return element.attrib


def _raw(element: Element) -> str:
    if len(element):
        raise Doubt
    return (element.text or "").strip()


def _text(element: Element) -> str:
    return _repaired(_raw(element))


def _repaired(text: str) -> str:
    """*text* as feedparser mends it: UTF-8 encoded twice, and controls that are Windows-1252."""
    if text.isascii():
        return text
    with suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(_cp1252) if _CONTROLS.search(text) else text
