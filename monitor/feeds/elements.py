"""What the elements of an ordinary entry say, as feedparser would understand them; else Doubt.

The rules are those of feedparser 6.0.14 (``mixin.py``, ``namespaces/``), oddities included; its own
tables and functions are used wherever it has them.  ``tests/test_ordinary.py`` compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from feedparser.datetimes import _parse_date
from feedparser.mixin import _FeedParserMixin
from feedparser.urls import _urljoin

from monitor.feeds import dates
from monitor.feeds.elementform import HANDLED, Doubt, attributes_of, named, raw, repaired, text_of
from monitor.feeds.links import is_whole

_XML = "{http://www.w3.org/XML/1998/namespace}"
LANGUAGE, BASE = (f"{_XML}lang", "lang"), (f"{_XML}base", "base")  # attributes
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

_DEEPEST = 1_000  # deeper than what we look into
_PLAIN, _HTML = "text/plain", "text/html"

Found = dict[str, Any]  # as an entry of feedparser's, with what ``document`` looks at


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
        elif name not in _HARMLESS and ("_" not in name or name in HANDLED):
            raise Doubt
        if len(child) and name not in _NESTING:
            raise Doubt
        for inner in child:
            within = self._name(inner)
            if not within.startswith("media_"):
                raise Doubt
            self._harmless(inner, within, depth + 1)

    def _name(self, element: Element) -> str:
        name = named(str(element.tag), self.atom, self.bare_others)
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
        attributes = attributes_of(child)
        term, label = attributes.get("term"), attributes.get("label")
        scheme = attributes.get("scheme", scheme or attributes.get("domain"))
        self._tag(term, scheme, label)
        value = text_of(child)
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
            for term in text_of(child).split(","):
                self._tag(term.strip(), None, None)

    def _tag(self, term: str | None, scheme: str | None, label: str | None) -> None:
        tags = self.found.setdefault("tags", [])
        tag = {"term": term, "scheme": scheme, "label": label}
        if (term or scheme or label) and tag not in tags:
            tags.append(tag)

    def date(self, child: Element, key: str) -> None:
        self.only(key)
        text = self.found[key] = text_of(child)
        if text and dates.read(text) is None:  # else its reading is not asked for
            self.found[f"{key}_parsed"] = _parse_date(text)

    def guid(self, child: Element) -> None:
        """It is the link, too, while there is no other and it does not deny it."""
        self.only("guid")
        self.found["id"] = text_of(child)
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
            self.found["summary"] = text_of(child)

    def _add_content(self, child: Element, default: str) -> None:
        self.has_content = True
        kind, value = self._kind(child, default), text_of(child)
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
        html = kind == _PLAIN and not self.atom and _FeedParserMixin.looks_like_html(raw(child))
        return _HTML if html else kind

    def title(self, child: Element) -> None:
        self.only("title")
        if not child.attrib.keys() <= {"type"}:
            raise Doubt
        kind = self._kind(child, _PLAIN)
        self.found["title"] = text_of(child)
        self.found["title_detail"] = {"type": kind, "language": self.language}

    # --- RSS

    def rss_link(self, child: Element) -> None:
        self.only("link")
        text = raw(child)
        if child.attrib or not text:
            raise Doubt
        output = repaired(self._absolute(text)).replace("&amp;", "&")
        self.link = re.sub("&([A-Za-z0-9_]+);", r"&\g<1>", output)

    def linked(self, child: Element) -> None:
        """A link of Atom's within RSS."""
        attributes = attributes_of(child)
        if attributes.get("rel", "alternate").lower() == "alternate" or "href" not in attributes:
            raise Doubt
        if len(child):
            raise Doubt

    def rss_author(self, child: Element) -> None:
        self.found["author"] = text_of(child)

    # --- Atom

    def atom_link(self, child: Element) -> None:
        attributes = attributes_of(child)
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
            parts[name] = raw(inner)
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
