"""What of a document feedparser gets to see: what it would choke on is cut out before.  Pure.

feedparser and expat take quadratic time, or more, for what no publisher writes: thousands of
attributes on one element, elements nested ten thousand deep, entities that grow, an XML declaration
without an end.  Documents without any of that pass as they came.  Bytes in, bytes out: the search
is for ASCII, so *body* is in a code that contains it (see ``charset``).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

MAX_ATTRIBUTES = 300  # of one element
MAX_DEPTH = 500  # elements within each other
MAX_EXPANSION = 1 << 20  # bytes that all references to a document's own entities may become

_DECLARATION = re.compile(rb"\s*<\?xml[^>]{0,1000}?\?>")
_LONG_TAG = re.compile(rb"<[A-Za-z_:][^<]{1200,}")  # or a short one with long text behind it
_TAG_NAME = re.compile(rb"<[^\s<>/]+")
_ATTRIBUTE = re.compile(
    rb"""\s+[^\s=<>"'/]+(?:\s*=\s*(?:"[^"<]*"|'[^'<]*'|[^\s<>"']+))?""",
)
# CDATA and comments first: what is within them is no element.
_MARKUP = re.compile(
    rb"<!\[CDATA\[[^\]]*+(?:\](?!\]>)[^\]]*+)*+|<!--.*?(?:-->|\Z)"
    rb"|<(/?)([A-Za-z_:][^\s<>/]*)([^<>]*)>",
    re.S,
)
_ENTRIES = (b"item", b"entry")  # never within each other
# Quantifiers that never give back (a "+" behind them): nothing here may be searched twice.
_PROLOG = re.compile(rb"(?:\s++|<\?(?>.*?\?>)|<!--(?>.*?-->))*+", re.S)
_DOCTYPE = re.compile(
    rb"""<!DOCTYPE(?:[^\[>"']|"[^"]*+"|'[^']*+')*+"""
    rb"""(\[(?:[^\]"']|"[^"]*+"|'[^']*+')*+\]\s*+)?>"""
)
_ENTITY = re.compile(rb"""<!ENTITY\s++([^\s%"'<>]++)\s++("[^"]*+"|'[^']*+')\s*+>""")
_REFERENCE = re.compile(rb"&([A-Za-z_:][^\s;&<>]{0,100});")


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """A document that can be parsed, and what was left out of it, in words."""

    body: bytes
    notes: tuple[str, ...] = ()


def screened(body: bytes) -> Screened | None:
    """*body* without what parsers choke on; None if its XML declaration does not end."""
    declared = _after_declaration(body)
    if declared is None:
        return None
    notes = []
    for step, note in _STEPS:
        smaller = step(declared)
        if smaller is not declared:
            notes.append(note)
            declared = smaller
    return Screened(body=declared, notes=tuple(notes))


def _after_declaration(body: bytes) -> bytes | None:
    """*body* with one line break after its XML declaration: feedparser's search for its end is
    cubic.  None if it does not end within a kilobyte."""
    start = body.removeprefix(b"\xef\xbb\xbf")
    if start.lstrip()[:5] != b"<?xml":
        return body
    found = _DECLARATION.match(start)
    if found is None:
        return None
    return found[0].lstrip() + b"\n" + start[found.end() :].lstrip()


# --- entities


def _without_growth(body: bytes) -> bytes:
    """*body* without its entities if they are made of each other, or become too much."""
    prolog = _PROLOG.match(body)
    doctype = _DOCTYPE.match(body, prolog.end() if prolog else 0)
    if doctype is None or doctype[1] is None:
        return body
    entities = {name: value[1:-1] for name, value in _ENTITY.findall(doctype[1])}
    if not _grow(entities, body[doctype.end() :]):
        return body
    return body[: doctype.start(1)] + body[doctype.end(1) :]


def _grow(entities: dict[bytes, bytes], text: bytes) -> bool:
    if any(name in entities for each in entities.values() for name in _REFERENCE.findall(each)):
        return True
    if not entities:
        return False
    used = Counter(_REFERENCE.findall(text))
    return sum(len(value) * used[name] for name, value in entities.items()) > MAX_EXPANSION


# --- elements


def _with_few_attributes(body: bytes) -> bytes:
    """*body* with no more than the first so many attributes of each element."""
    kept, after = [], 0
    for tag in _LONG_TAG.finditer(body):
        first, last = _surplus(body, tag.start())
        if last > first >= after:
            kept.append(body[after:first])
            after = last
    return b"".join([*kept, body[after:]]) if kept else body


def _surplus(body: bytes, start: int) -> tuple[int, int]:
    """From where to where the attributes beyond the limit go, for the tag at *start*."""
    name = _TAG_NAME.match(body, start)
    end = first = name.end() if name else start
    count = 0
    while found := _ATTRIBUTE.match(body, end):
        end = found.end()
        count += 1
        if count <= MAX_ATTRIBUTES:
            first = end
    return first, end


def _not_too_deep(body: bytes) -> bytes:
    """*body* without the tags of elements that lie too deep; their text stays.

    An end tag ends all that is open within its element, as in documents that are not well-formed.
    """
    nest, kept, after = _Nest(), [], 0
    for found in _MARKUP.finditer(body):
        name = found[2]
        if name is None or nest.admits(name, ends=bool(found[1]), empty=found[3][-1:] == b"/"):
            continue
        kept.append(body[after : found.start()])
        after = found.end()
    return b"".join([*kept, body[after:]]) if kept else body


class _Nest:
    """The elements that are open at some place of a document."""

    def __init__(self) -> None:
        self._open: list[bytes] = []
        self._often: Counter[bytes] = Counter()  # how many elements of a name are open
        self._left_out: Counter[bytes] = Counter()

    def admits(self, name: bytes, *, ends: bool, empty: bool) -> bool:
        """Take the next tag; whether it is one of an element that is not too deep."""
        if ends:
            return self._end(name)
        if name in _ENTRIES and self._often[name]:
            self._end(name)  # the one before was never closed
        if len(self._open) >= MAX_DEPTH:
            self._left_out[name] += not empty
            return False
        if not empty:
            self._open.append(name)
            self._often[name] += 1
        return True

    def _end(self, name: bytes) -> bool:
        if self._left_out[name]:
            self._left_out[name] -= 1
            return False
        if self._often[name]:
            while (last := self._open.pop()) != name:
                self._often[last] -= 1
            self._often[name] -= 1
        return True


_STEPS = (
    (_without_growth, "its entities are made to grow without bounds; they were left out"),
    (_with_few_attributes, f"an element has more than {MAX_ATTRIBUTES} attributes; they were cut"),
    (_not_too_deep, f"elements lie more than {MAX_DEPTH} deep; only their text was read"),
)
