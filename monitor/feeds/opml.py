"""OPML ↔ lists of feeds.  Pure: bytes in, bytes out.  Folders are tags, nested ones are several.

Read with expat: it gives line numbers, and entities of a file's own are refused before they are
expanded.  Two of three lists that people publish hold a bare ``&``, ``<`` or ``"`` in a
description; those are read as what is meant.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

from monitor.errors import ConfigError, Problem
from monitor.feeds.address import host_of, place, wrong_with
from monitor.feeds.clean import one_line

MAX_SIZE = 20 << 20  # bytes
MAX_DEPTH = 100  # outlines within outlines
MAX_NAME = 80  # as in config.toml

_ADDRESS = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|#[^\n]*\n)*https?://", re.I)
_BARE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)")
_TAG = re.compile(rb'(\s.*?")(\s*/?>\s*(?:<[/!].*)?)', re.DOTALL)
_VALUE = re.compile(rb'(?<==)"(.*?)"(?=\s+[\w:.-]+="|\s*\Z)', re.DOTALL)
_OUTLINE = b"<outline"
_MENDED = 1 << 20  # bytes: what is guessed at may take a while


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A feed in a list."""

    url: str
    name: str
    tags: tuple[str, ...] = ()  # the outermost folder first
    enabled: bool = True  # False: isComment
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedList:
    """What a list holds, each feed once, and what in it is no feed that can be polled."""

    feeds: tuple[Outline, ...]
    left_out: tuple[Problem, ...] = ()
    mended: bool = False  # it is not well-formed; what was meant was clear


def read(name: str, raw: bytes) -> FeedList:
    """The feeds in *raw*, the content of the file *name*; raises ConfigError that says where.

    A plain list will do as well: an address a line, and, after a space, what to call it.
    """
    if len(raw) > MAX_SIZE:
        what = f"larger than {MAX_SIZE >> 20} MB"
        _refuse(name, None, what, "a list of feeds is never so long: is it the right file?")
    if not raw.strip():
        _refuse(name, None, "the file is empty", "export the list again from where it comes")
    if _ADDRESS.match(raw):
        return _each_once(name, _plain(name, raw.decode("utf-8", "replace")), mended=False)
    try:
        return _each_once(name, _Reader(name).read(raw), mended=False)
    except expat.ExpatError as error:
        return _mended(name, raw, error)


def write(title: str, feeds: Iterable[Outline]) -> bytes:
    """An OPML 2.0 document; feeds of the same tags share a folder."""
    root = ElementTree.Element("opml", version="2.0")
    head = ElementTree.SubElement(root, "head")
    ElementTree.SubElement(head, "title").text = one_line(title)
    body = ElementTree.SubElement(root, "body")
    folders: dict[tuple[str, ...], ElementTree.Element] = {(): body}
    for feed in feeds:
        parent = body
        for depth in range(1, len(feed.tags) + 1):
            path, text = feed.tags[:depth], one_line(feed.tags[depth - 1])
            if path not in folders:
                folders[path] = ElementTree.SubElement(parent, "outline", text=text, title=text)
            parent = folders[path]
        text = one_line(feed.name)
        known = {"text": text, "title": text, "type": "rss", "xmlUrl": feed.url}
        off = {} if feed.enabled else {"isComment": "true"}
        ElementTree.SubElement(parent, "outline", known | off)
    ElementTree.indent(root)
    declaration = b'<?xml version="1.0" encoding="utf-8"?>\n'
    document = ElementTree.tostring(root, encoding="unicode")
    return declaration + document.encode() + b"\n"


def named_apart(feeds: Iterable[Outline], taken: Collection[str]) -> tuple[Outline, ...]:
    """*feeds* under names that nobody has: "News", "News (bbc.co.uk)", "News (bbc.co.uk, 2)"."""
    used = {name.casefold() for name in taken}
    named = []
    for feed in feeds:
        name = next(each for each in _names(feed) if each.casefold() not in used)
        used.add(name.casefold())
        named.append(replace(feed, name=name))
    return tuple(named)


def _names(feed: Outline) -> Iterator[str]:
    host = host_of(feed.url)
    by_host = feed.name != host and len(host) < MAX_NAME // 2
    yield feed.name
    if by_host:
        yield _called(feed.name, host)
    for number in count(2):
        yield _called(feed.name, f"{host}, {number}" if by_host else str(number))


def _called(name: str, more: str) -> str:
    return f"{name[: MAX_NAME - len(more) - 3].rstrip()} ({more})"


# --- reading


class _Reader:
    """One pass over a document."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._folders: list[str] = []  # of the open outlines; "" for one without a name
        self._off: list[bool] = []  # isComment holds for what is inside, too
        self._begun = False
        self._feeds: list[Outline | Problem] = []
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.EntityDeclHandler = self._entity

    def read(self, raw: bytes) -> list[Outline | Problem]:
        self._parser.Parse(raw, True)
        return self._feeds

    @property
    def _line(self) -> int:
        return self._parser.CurrentLineNumber

    def _entity(self, *_: object) -> NoReturn:
        what = "it defines entities of its own (<!ENTITY …>), which are never read"
        _refuse(self._name, self._line, what, "delete the <!DOCTYPE …> with all that is in it")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._begun and tag.lower() != "opml":
            what = f"this is not OPML: it begins with <{tag[:40]}>"
            _refuse(self._name, self._line, what, _remedy(tag))
        self._begun = True
        if tag.lower() == "outline":
            self._outline({key.lower(): value.strip() for key, value in attributes.items()})

    def _outline(self, known: dict[str, str]) -> None:
        if len(self._folders) >= MAX_DEPTH:
            what = f"more than {MAX_DEPTH} outlines within each other"
            _refuse(self._name, self._line, what, "no list of feeds needs that")
        name = one_line(known.get("title") or known.get("text") or "")
        off = known.get("iscomment", "").lower() == "true" or (bool(self._off) and self._off[-1])
        found = self._feed(known, name, off=off)
        if found is not None:
            self._feeds.append(found)
        self._folders.append("" if isinstance(found, Outline) else name[:MAX_NAME].strip())
        self._off.append(off)

    def _feed(self, known: dict[str, str], name: str, *, off: bool) -> Outline | Problem | None:
        url, kind = known.get("xmlurl", ""), known.get("type", "").lower()
        said = f'"{name or url}"'
        if not url and kind == "include":
            return self._left_out(f"{said} stands for another list", "import that one as well")
        if not url and kind in ("rss", "atom"):
            return self._left_out(f"{said} has no address (xmlUrl)", "look it up on its site")
        if not url:
            return None  # a folder, or a remark
        wrong = wrong_with(url)
        if wrong:
            return self._left_out(f"{said}: {wrong}", "only web addresses are polled")
        tags = tuple(dict.fromkeys(folder for folder in self._folders if folder))
        name = (name or host_of(url))[:MAX_NAME].strip()
        return Outline(url=url, name=name, tags=tags, enabled=not off, line=self._line)

    def _left_out(self, what: str, remedy: str) -> Problem:
        return _warning(self._name, self._line, what, remedy)

    def _end(self, tag: str) -> None:
        if tag.lower() == "outline":
            self._folders.pop()
            self._off.pop()


def _plain(name: str, text: str) -> list[Outline | Problem]:
    found: list[Outline | Problem] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        url, _, called = line.strip().partition(" ")
        if not url or url.startswith("#"):
            continue
        wrong = wrong_with(url)
        if wrong:
            found.append(_warning(name, number, wrong, "write one address a line"))
        else:
            called = one_line(called)[:MAX_NAME].strip() or host_of(url)
            found.append(Outline(url=url, name=called, line=number))
    return found


def _each_once(name: str, found: Sequence[Outline | Problem], *, mended: bool) -> FeedList:
    """*found* without feeds whose address was there before; those are named."""
    feeds: dict[str, Outline] = {}
    left_out: list[Problem] = []
    for each in found:
        if isinstance(each, Problem):
            left_out.append(each)
            continue
        first = feeds.setdefault(place(each.url), each)
        if first is not each:
            what = f'"{each.name}" has the address of "{first.name}" in line {first.line}'
            left_out.append(_warning(name, each.line, what, "delete one of the two"))
    return FeedList(feeds=tuple(feeds.values()), left_out=tuple(left_out), mended=mended)


def _mended(name: str, raw: bytes, error: expat.ExpatError) -> FeedList:
    """The list in *raw*, read as it was meant; *error*, in plain words, if that is not clear."""
    if len(raw) <= _MENDED:
        raw = _escaped(raw)  # every line stays where it is
        try:
            return _each_once(name, _Reader(name).read(raw), mended=True)
        except expat.ExpatError as other:
            error = other
    _refuse_xml(name, raw, error)


def _escaped(raw: bytes) -> bytes:
    """*raw* with ``&``, ``<`` and ``"`` escaped where they cannot be markup."""

    def value(found: re.Match[bytes]) -> bytes:
        return b'"' + found[1].replace(b"<", b"&lt;").replace(b'"', b"&quot;") + b'"'

    head, *outlines = _BARE.sub(b"&amp;", raw).split(_OUTLINE)
    for number, text in enumerate(outlines):
        tag = _TAG.fullmatch(text)
        if tag is not None:
            outlines[number] = _VALUE.sub(value, tag[1]) + tag[2]
    return _OUTLINE.join([head, *outlines])


# --- telling


def _refuse_xml(name: str, raw: bytes, error: expat.ExpatError) -> NoReturn:
    lines = raw.decode("utf-8", "replace").split("\n")
    shown = one_line(lines[error.lineno - 1])[:100] if error.lineno <= len(lines) else ""
    kind = raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if kind != b"<" and b"\0" not in raw[:4]:
        what = f'this is not OPML: it begins "{one_line(lines[0])[:60]}"'
        _refuse(name, None, what, "OPML is what other programs call an export of feeds")
    words = expat.errors.messages.get(error.code, "") or str(error)
    what = f"the XML is broken here ({words}){f': {shown}' if shown else ''}"
    remedy = "correct this line, or export the list again from where it comes"
    _refuse(name, error.lineno, what, remedy)


def _remedy(tag: str) -> str:
    kind = tag.lower().rpartition(":")[2]
    if kind in ("rss", "feed", "rdf"):
        return "it is a feed itself: watch it with `feeds add` and its address"
    if kind == "html":
        return "it is a web page: look there for a link to the list, and save that"
    return "OPML begins with <opml>"


def _refuse(name: str, line: int | None, what: str, remedy: str) -> NoReturn:
    raise ConfigError([Problem(file=name, line=line, what=what, remedy=remedy)])


def _warning(name: str, line: int | None, what: str, remedy: str) -> Problem:
    return Problem(file=name, line=line, what=what, remedy=remedy, warning=True)
