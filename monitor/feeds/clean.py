"""Text cleaned once, at the border: what no sink, store or terminal should ever see.  Pure."""

from __future__ import annotations

import re
import unicodedata

from selectolax.lexbor import LexborHTMLParser

MAX_HTML = 256 << 10  # characters: deep nesting makes cleaners quadratic

# C0 and C1 controls but tab and newline, bidi controls, noncharacters.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe"
    "\uffff]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile(r"\r\n?|\u2028|\u2029|\x85")
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[ \n]*")

_BLOCKS = (
    "address, article, aside, blockquote, br, dd, div, dl, dt, figcaption, figure, footer, h1, h2,"
    " h3, h4, h5, h6, header, hr, li, main, nav, ol, p, pre, section, table, td, th, tr, ul"
)
_HIDDEN = ("script", "style", "template", "noscript", "iframe", "object", "svg", "math", "head")
_MARKUP = re.compile(r"<[a-zA-Z/!]|&[a-zA-Z#]")


def clean_text(text: str) -> str:
    """*text* without controls, lone surrogates and bidi marks; line ends are newlines; NFC."""
    text = _SURROGATES.sub("\ufffd", _BREAKS.sub("\n", text))
    return unicodedata.normalize("NFC", _UNWANTED.sub("", text))


def one_line(text: str) -> str:
    return " ".join(clean_text(text).split())


def html_to_text(html: str) -> str:
    """What a reader sees of *html*: paragraphs on lines of their own, nothing of scripts."""
    if not _MARKUP.search(html):
        return _tidy(html)
    tree = LexborHTMLParser(html[:MAX_HTML])
    tree.strip_tags(list(_HIDDEN), recursive=True)
    for block in tree.css(_BLOCKS):
        block.insert_before("\n")
        block.insert_after("\n")
    return _tidy(tree.body.text() if tree.body is not None else "")


def _tidy(text: str) -> str:
    return _LINES.sub("\n", _SPACES.sub(" ", clean_text(text))).strip()
