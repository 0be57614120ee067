"""Text cleaned once, at the border: what no sink, store or terminal should ever see.  Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_HTML = 256 << 10  # characters: deep nesting makes cleaners quadratic

# C0 and C1 controls but tab and newline, bidi controls, noncharacters.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe"
    "\uffff]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile(r"\r\n?|\u2028|\u2029|\x85")
_ANY = re.compile("|".join(each.pattern for each in (_UNWANTED, _SURROGATES, _BREAKS)))

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "dd",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "td",
        "th",
        "tr",
        "ul",
    ]
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
MAX_DEPTH = 2_000  # of open elements, those without an end tag included
MAX_INLINE = 50  # levels of inline elements looked through for the block round them
_HIDDEN = ("script", "style", "template", "noscript", "iframe", "object", "svg", "math", "head")
_MARKUP = re.compile(r"<[a-zA-Z/!]|&[a-zA-Z#]")


def clean_text(text: str) -> str:
    """*text* without controls, lone surrogates and bidi marks; line ends are newlines; NFC."""
    plain = text.replace("\n", "").isprintable()  # most texts: nothing to look for
    if plain and text.isascii():
        return text
    if not plain and _ANY.search(text):
        text = _UNWANTED.sub("", _SURROGATES.sub("\ufffd", _BREAKS.sub("\n", text)))
    return unicodedata.normalize("NFC", text)


def one_line(text: str) -> str:
    return " ".join(clean_text(text).split())


def html_to_text(html: str) -> str:
    """What a reader sees of *html*: paragraphs on lines of their own, nothing of scripts."""
    if not _MARKUP.search(html):
        return _tidy(html)
    html = html[:MAX_HTML]
    if _is_deep(html):
        return _tidy(unescape(_TAG.sub("\n", html)))
    tree = LexborHTMLParser(html)
    tree.strip_tags(list(_HIDDEN), recursive=True)
    return _tidy("".join(_pieces(tree.body))) if tree.body is not None else ""


def _is_deep(html: str) -> bool:
    """Whether elements are nested deeper than anybody writes: parsing that is quadratic."""
    if html.count("<") <= MAX_DEPTH:
        return False
    depth = 0
    for tag in _TAG.finditer(html):
        depth += -1 if tag[0].startswith("</") else 1
        if depth > MAX_DEPTH:
            return True
    return False


def _pieces(body: LexborNode) -> Iterator[str]:
    """The texts in order, with a line break wherever one block ends or another begins."""
    last: int | None = None
    for node in body.traverse(include_text=True):
        if node.tag == "br":
            yield "\n"
        elif node.tag == "-text":
            block = _block_of(node)
            if last not in (None, block):
                yield "\n"
            last = block
            yield node.text(deep=False) or ""


def _block_of(node: LexborNode) -> int:
    """What tells the nearest block round *node* from others; bounded for hostile nesting."""
    parent = node.parent
    for _ in range(MAX_INLINE):
        if parent is None or parent.tag in _BLOCKS:
            break
        parent = parent.parent
    return 0 if parent is None else parent.mem_id


def _tidy(text: str) -> str:
    text = clean_text(text)
    if "\n" not in text:
        return " ".join(text.split())
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(filter(None, lines))
