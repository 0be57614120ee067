"""Words of many scripts, folded for comparing, with offsets into the original text.  Pure.

The rules and their evidence are in docs/rules.md; in short: case and accents do not count, dotted
acronyms are joined (U.S. is one word), possessives are cut, hyphens part words, and in scripts
without spaces each sign is a word.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

# Letters that do not decompose into a base letter and an accent.
_LETTERS = str.maketrans(
    {
        "ł": "l",
        "Ł": "L",
        "ø": "o",
        "Ø": "O",
        "đ": "d",
        "Đ": "D",
        "ı": "i",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "þ": "th",
        "Þ": "TH",
        "ð": "d",
        "Ð": "D",
        "ß": "ss",
        "ẞ": "SS",
    }
)
# Soft hyphen, zero-width signs, joiners, byte order mark: in a word they stand for nothing.
IGNORABLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_DROP = dict.fromkeys([*range(0x300, 0x370), *map(ord, IGNORABLE)])

# Thai, Lao, Burmese, Khmer, Kana, Han, Hangul: no spaces between words (or particles glued on).
_SIGNS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)


def _marks() -> str:
    """Combining marks as a character class: ``\\w`` leaves them out, and so cuts Hindi words."""
    points = [n for n in range(0x300, 0xFFFF) if unicodedata.category(chr(n)) in ("Mn", "Mc")]
    ranges: list[list[int]] = []
    for point in points:
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "".join(f"\\u{start:04x}-\\u{end:04x}" for start, end in ranges)


_INSIDE = rf"(?:[^\W_{_SIGNS}]|[{IGNORABLE}{_marks()}])"
_TOKEN = re.compile(
    rf"(?P<dotted>(?<![^\W_])(?:[^\W\d_]\.){{2,}}(?:[^\W\d_](?![^\W_]))?)"
    rf"|(?P<word>[^\W_{_SIGNS}]{_INSIDE}*)(?P<own>['’ʼ＇]s(?![^\W_]))?"
    rf"|(?P<sign>[{_SIGNS}])"
)
_ASCII_TOKEN = re.compile(
    r"(?P<dotted>(?<![A-Za-z0-9])(?:[A-Za-z]\.){2,}(?:[A-Za-z](?![A-Za-z0-9]))?)"
    r"|(?P<word>[A-Za-z0-9]+)(?P<own>'s(?![A-Za-z0-9]))?|(?P<sign>(?!))"
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a text."""

    folded: str  # for comparing
    raw: str  # as written, without dots, ignorable signs and possessive: its case is looked at
    start: int  # in the original text
    end: int  # without the possessive


def tokens(text: str) -> Iterator[Token]:
    """The words of *text* in order."""
    pattern = _ASCII_TOKEN if text.isascii() else _TOKEN
    for found in pattern.finditer(text):
        kind = found.lastgroup
        if kind == "dotted":
            raw = found["dotted"].replace(".", "")
            yield Token(fold(raw), raw, *found.span())
        elif kind == "sign":
            yield Token(fold(found[0]), found[0], *found.span())
        else:
            word = found["word"]
            raw = word if word.isascii() else word.translate(_DROP_IGNORABLE)
            yield Token(fold(word), raw, *found.span("word"))


_DROP_IGNORABLE = dict.fromkeys(map(ord, IGNORABLE))


@lru_cache(maxsize=1 << 16)
def fold(word: str) -> str:
    """*word* without case, accents and invisible signs; compatibility forms made plain."""
    if word.isascii():
        return sys.intern(word.lower())
    plain = unicodedata.normalize("NFKD", word).translate(_DROP).translate(_LETTERS)
    return sys.intern(unicodedata.normalize("NFC", plain.casefold()))


def words(text: str) -> list[str]:
    """The folded words of *text*."""
    return [token.folded for token in tokens(text)]


def is_shouting(text: str) -> bool:
    """Whether *text* is a headline wholly in capitals, whose case says nothing."""
    letters = [char for char in text if char.isupper() or char.islower()]
    return len(letters) >= 8 and " " in text.strip() and all(char.isupper() for char in letters)


# --- sentences

# fmt: off
_ABBREVIATIONS = frozenset(
    {
        "mr", "mrs", "ms", "dr", "prof", "gen", "lt", "col", "maj", "sgt", "capt", "cmdr",
        "adm", "sen", "rep", "gov", "pres", "st", "jr", "sr", "no", "vs", "inc", "ltd",
        "co", "corp", "dept", "est", "approx", "jan", "feb", "mar", "apr", "jun", "jul",
        "aug", "sep", "sept", "oct", "nov", "dec", "fig", "al", "etc", "ca", "bn", "mio",
        "nr", "bzw", "z.b", "d.h", "u.a",
    }
)
# fmt: on
_END = re.compile(r"[.!?…。！？]+[\"'”’»)\]]*(?=\s|$|[\u3000-\u9fff\uac00-\ud7af])|\n+")
_NEXT = re.compile(r"\S")
_LAST_WORD = re.compile(r"[^\s(\"'“‘«]*$")


def sentences(text: str) -> list[tuple[int, int]]:
    """(start, end) of the sentences of *text*, without the white space between them."""
    spans, start = [], 0
    for found in _END.finditer(text):
        if _is_end(text, found):
            spans.append((start, found.end()))
            start = found.end()
    spans.append((start, len(text)))
    stripped = (_strip(text, *span) for span in spans)
    return [(start, end) for start, end in stripped if start < end]


def _is_end(text: str, found: re.Match[str]) -> bool:
    """Whether a stop ends a sentence: not after "Gen.", "U.S." or an initial."""
    if not found[0].startswith(".") or found[0].startswith(".."):
        return True
    before = _LAST_WORD.search(text, max(0, found.start() - 20), found.start())
    word = before[0].lower() if before else ""
    if word in _ABBREVIATIONS or re.fullmatch(r"(?:\w\.)*\w", word):
        return _NEXT.search(text, found.end()) is None
    following = _NEXT.search(text, found.end())
    return following is None or not following[0].islower()


def _strip(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
