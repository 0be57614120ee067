"""Entries of ordinary shape, read without feedparser: what it would find in them, ten times faster.

Most entries are a title, a link, a guid, some text, names and dates, in elements that stand side
by side.  Those are read here, by the C parser of the standard library.  Whatever is not certain to
mean the same to feedparser – an element it has a handler for and we have none, one within another,
one too many, a language or a base of its own – is doubt, and the entry is left to feedparser.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError, XMLParser

from feedparser.urls import make_safe_absolute_uri

from monitor.feeds.elementform import ATOM, PREFIXES, TAKEN, Doubt
from monitor.feeds.elements import BASE, LANGUAGE, Found, Reader
from monitor.feeds.pieces import Pieces

_DEFAULT = re.compile(rb"""xmlns\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_DECLARED = re.compile(rb"""xmlns:([\w.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
# Of these in the head feedparser remembers up to the end of the first entry that it saw content.
_CONTENT_IN_HEAD = re.compile(
    rb"<(?:content|fullitem|[\w.-]+:(?:encoded|fullitem))[\s/>]"
    rb"|<(?:[\w.-]+:)?summary[\s>].*<(?:[\w.-]+:)?(?:description|summary)[\s>]",
    re.S,
)
_WITH_ELEMENTS = ("group", "content", "author", "contributor", "source")


def entries(pieces: Pieces, url: str) -> list[Found | None] | None:
    """The entries of a document in UTF-8, in order; None for those feedparser must read.

    None for all: one of them may change how feedparser reads those after it.
    """
    nobody: list[Found | None] = [None] * len(pieces.entries)
    parser = XMLParser(encoding="utf-8")  # whatever the document declares: see ``charset``
    try:
        parser.feed(pieces.only(pieces.entries, whole_head=False))
        root = parser.close()
    except (ParseError, ValueError):
        return nobody
    atom = root.tag == f"{{{ATOM}}}feed"
    parent = root if atom else root.find("channel")
    if parent is None or len(parent) != len(pieces.entries) or not (atom or root.tag == "rss"):
        return nobody
    if not all(map(_stands_apart, parent)) or _CONTENT_IN_HEAD.search(pieces.head):
        return None
    if not _is_ordinary(pieces.context):
        return nobody
    around = (root,) if atom else (root, parent)
    url, language = _base_of(around, url), _language_of(around)
    bare = _has_bare_others(pieces.context)
    return [
        _entry(each, piece, Reader(url=url, language=language, atom=atom, bare_others=bare))
        for each, piece in zip(parent, pieces.entries, strict=True)
    ]


def _entry(element: Element, piece: bytes, reader: Reader) -> Found | None:
    if b"xmlns" in piece:
        if not _is_ordinary(piece):
            return None
        reader.bare_others |= _has_bare_others(piece)
    try:
        return reader.read(element)
    except Doubt:
        return None


def _stands_apart(entry: Element) -> bool:
    """Whether feedparser is done with an entry at its end: of elements within elements where it
    expects text it forgets to leave some."""
    for child in entry:
        if len(child):
            local = str(child.tag).rpartition("}")[2]
            kind = child.attrib.get("type", "").lower()
            if local not in _WITH_ELEMENTS and kind not in ("xhtml", "application/xhtml+xml"):
                return False
    return True


def _is_ordinary(context: bytes) -> bool:
    """Whether all declared prefixes are feedparser's own, or none of its business."""
    for name, one, other in _DECLARED.findall(context):
        prefix, uri = (each.decode("utf-8", "replace").lower() for each in (name, one or other))
        if "backend.userland.com/rss" in uri:
            return False
        if uri not in PREFIXES and prefix in TAKEN:
            return False
    return True


def _has_bare_others(part: bytes) -> bool:
    """Whether elements without a prefix may be of a namespace unknown to feedparser."""
    uris = (one or other for one, other in _DEFAULT.findall(part))
    return any(uri.decode("utf-8", "replace").lower() not in PREFIXES for uri in uris)


def _base_of(around: tuple[Element, ...], url: str) -> str:
    for each in around:
        base = next((each.attrib[name] for name in BASE if name in each.attrib), url)
        url = make_safe_absolute_uri(url, base) or url
    return str(url)


def _language_of(around: tuple[Element, ...]) -> str | None:
    language: str | None = None
    for each in around:
        said = next((each.attrib[name] for name in LANGUAGE if name in each.attrib), None)
        if said is not None:
            language = said.replace("_", "-") or None
    return language
