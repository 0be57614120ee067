"""Cuts an RSS or Atom document into its entries, without reading it.  Pure; bytes in, bytes out.

A feed mostly says what it said the last time.  Whoever has the pieces need only parse those that
are new, if – and this is what everything here is about – a piece means the same alone, between the
document's first and last tags, as it did among the others.  Where that is not certain there are no
pieces: the whole is parsed.  The body is in a code in which a byte below 0x80 is always ASCII.

The rules, and the measurements behind them: docs/performance.md, "Only what is new".
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from hashlib import sha256

MAX_PIECES = 10_000
HASH = 8  # bytes: two of a document's pieces are alike by chance once in 10^16

_BLANK = b" \t\r\n"
_MARK = b"\xef\xbb\xbf"
# What may stand before the root: a declaration, comments, other instructions, a plain DOCTYPE.
_BEFORE_ROOT = re.compile(
    rb"(?:\s++|<\?(?>.*?\?>)|<!--(?>.*?-->)|<!DOCTYPE[^\[<>]{0,500}+>)*+<(rss|feed)(?=[\s>])", re.S
)
_OPENING = {b"rss": re.compile(rb"<item(?=[\s>])"), b"feed": re.compile(rb"<entry(?=[\s>])")}
_CLOSING = {b"rss": b"</item>", b"feed": b"</entry>"}
_ENDING = {b"rss": re.compile(rb"</channel\s*>\s*</rss\s*>"), b"feed": re.compile(rb"</feed\s*>")}
_PAIRS = ((b"<![CDATA[", b"]]>"), (b"<!--", b"-->"))
_TAG = re.compile(rb"<(/?)[A-Za-z_][^<>]*?(/?)>")
_CHANNEL = re.compile(
    rb"(?:\s++|<!--(?>.*?-->)|<[A-Za-z_][^<>]{0,500}+(?<=/)>)*+<channel(?:\s[^<>]*)?>", re.S
)
_BETWEEN = re.compile(rb"(?:\s++|<!--(?>.*?-->))*+", re.S)  # entries
_TAG_END = re.compile(rb"""(?:[^<>"']|"[^"<]*+"|'[^'<]*+')*+>""")
_COMMENT = re.compile(rb"<!--.*?-->", re.S)
# Of the head only what does not change by itself tells whether it says the same as before.
_DATES = re.compile(
    rb"<(pubDate|lastBuildDate|updated|published|modified|dc:date|sy:updateBase)(?:\s[^<>]*)?>"
    rb"[^<]{0,200}</\1\s*>|<!--.*?-->",
    re.S,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """A document in pieces: ``head``, the entries, ``tail``."""

    context: bytes  # all of the head that an entry's meaning depends on
    head: bytes
    entries: tuple[bytes, ...]
    hashes: tuple[bytes, ...]  # of the entries
    tail: bytes
    closing: bytes  # what ends a document that begins with ``context``

    def only(self, entries: tuple[bytes, ...], *, whole_head: bool) -> bytes:
        """A document of these *entries* alone, with all that the feed says of itself or without."""
        if whole_head:
            return b"".join((self.head, *entries, self.tail))
        return b"".join((self.context, *entries, self.closing))

    def meaning(self) -> bytes:
        """``context``, but for comments: some tell the time."""
        return _COMMENT.sub(b"", self.context)

    def about_itself(self) -> bytes:
        """What the feed says of itself, but for dates, comments and white space."""
        parts = (_DATES.sub(b"", part) for part in (self.head, self.tail))
        return b"\0".join(b" ".join(part.split()) for part in parts)


def digest(part: bytes) -> bytes:
    """Tells parts of documents apart; ``HASH`` bytes."""
    return sha256(part).digest()[:HASH]


def cut(body: bytes, proven: Container[bytes] = ()) -> Pieces | None:
    """*body* in pieces; None if a piece might not mean alone what it means in its place.

    *proven* are hashes of entries that were cut well before: they are whole.
    """
    root = _BEFORE_ROOT.match(body.removeprefix(_MARK), 0, 20_000)
    if root is None or b"\0" in body:
        return None
    body, kind = body.removeprefix(_MARK), root[1]
    first = _OPENING[kind].search(body, root.end())
    context = _context(body, root, kind)
    if first is None or context is None or first.start() < len(context[0]):
        return None
    found = _entries(body, first.start(), kind, proven)
    if found is None:
        return None
    entries, hashes, end = found
    head, tail = body[: first.start()], body[end:]
    if b"</channel" in head or not (_is_balanced(head) and _is_end(tail, kind)):
        return None
    return Pieces(
        context=context[0],
        head=head,
        entries=tuple(entries),
        hashes=tuple(hashes),
        tail=tail,
        closing=context[1],
    )


def _context(body: bytes, root: re.Match[bytes], kind: bytes) -> tuple[bytes, bytes] | None:
    """From the start to the tag in which the entries stand, and what closes that."""
    end = _TAG_END.match(body, root.end())
    if end is None:
        return None
    if kind == b"feed":
        return body[: end.end()], b"</feed>"
    channel = _CHANNEL.match(body, end.end())
    if channel is None:
        return None
    return body[: channel.end()], b"</channel></rss>"


def _entries(
    body: bytes, start: int, kind: bytes, proven: Container[bytes]
) -> tuple[list[bytes], list[bytes], int] | None:
    """The entries from *start* on, one behind the other, their hashes, and where the last ends."""
    closing = _CLOSING[kind]
    entries: list[bytes] = []
    starts = [found.start() for found in _OPENING[kind].finditer(body, start)]
    if len(starts) > MAX_PIECES:
        return None
    end = start
    for begin in starts:
        if begin < end:
            return None  # one within the other, or the end of the last is not what we found
        if not (begin == end or body[end:begin].isspace() or _BETWEEN.fullmatch(body, end, begin)):
            return None
        end = body.find(closing, begin) + len(closing)
        if end < len(closing):
            return None
        entries.append(body[begin:end])
    hashes = [digest(entry) for entry in entries]
    # A cut within CDATA or a comment would show in the piece.
    unproven = (entry for entry, name in zip(entries, hashes, strict=True) if name not in proven)
    return (entries, hashes, end) if all(map(_is_balanced, unproven)) else None


def _is_balanced(part: bytes) -> bool:
    return all(part.count(opening) == part.count(closing) for opening, closing in _PAIRS)


def _is_end(tail: bytes, kind: bytes) -> bool:
    """Whether *tail* closes what ``context`` opens and nothing else, and then is over."""
    plain = _COMMENT.sub(b"", tail)
    ends = list(_ENDING[kind].finditer(plain))
    if len(ends) != 1 or plain[ends[0].end() :].strip(_BLANK) or not _is_balanced(tail):
        return False
    tags = _TAG.findall(plain)
    closing = sum(slash == b"/" for slash, _ in tags)
    opening = sum(slash == b"" == empty for slash, empty in tags)
    return bool(closing - opening == (2 if kind == b"rss" else 1))
