"""Names, attributes and texts of XML elements, as feedparser's handlers would get them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from xml.etree.ElementTree import Element

from feedparser.html import _cp1252
from feedparser.mixin import _FeedParserMixin

ATOM = "http://www.w3.org/2005/Atom"
PREFIXES = {uri.lower(): prefix for uri, prefix in _FeedParserMixin.namespaces.items()}
HANDLED = frozenset(
    name.removeprefix("_start_").removeprefix("_end_")
    for name in dir(_FeedParserMixin)
    if name.startswith(("_start_", "_end_"))
)
# Prefixes that mean something to feedparser wherever they come from, and those with which an
# element could overwrite what we keep ("title:detail").
TAKEN = frozenset(name.partition("_")[0] for name in HANDLED if "_" in name).union(
    ("title", "summary", "content", "author", "published", "updated", "created", "guid")
)
_IN_ATOM = f"{{{ATOM.lower()}"
_CONTROLS = re.compile("[\x80-\x9f]")
_READ = frozenset(("href", "rel", "type", "term", "scheme", "label", "domain"))  # attributes


class Doubt(Exception):
    """feedparser might see it another way."""


@lru_cache(maxsize=1_000)
def named(tag: str, atom: bool, bare_others: bool) -> str | None:
    """An element's name as feedparser's handlers have it ("title", "dc_creator"); None in doubt."""
    uri, _, local = tag.lower().rpartition("}")
    if uri == _IN_ATOM:
        return local if atom else f"atom {local}"
    if not uri and not atom:
        return local
    prefix = PREFIXES.get(uri[1:], "other")
    bare = prefix == "other" and bare_others  # then feedparser knows it by ``local`` alone
    if not prefix or (bare and (local in HANDLED or local in TAKEN)):
        return None
    return f"{prefix}_{local}"


def attributes_of(element: Element) -> Mapping[str, str]:
    """The attributes, in doubt if feedparser would write their names in another way."""
    for name in element.attrib:
        uri, _, local = name.rpartition("}")
        foreign = uri and not PREFIXES.get(uri[1:].lower())
        if local != local.lower() or (foreign and local in _READ):
            raise Doubt
    return element.attrib


def raw(element: Element) -> str:
    """The text as it stands; in doubt if there are elements in it."""
    if len(element):
        raise Doubt
    return (element.text or "").strip()


def text_of(element: Element) -> str:
    """The text, mended."""
    return repaired(raw(element))


def repaired(text: str) -> str:
    """*text* as feedparser mends it: UTF-8 encoded twice, and controls that are Windows-1252."""
    if text.isascii():
        return text
    with suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(_cp1252) if _CONTROLS.search(text) else text
