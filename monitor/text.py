"""Words of many scripts, folded for comparing, with offsets into the original text.  Pure.

The rules and their evidence are in docs/rules.md; in short: case and accents do not count, dotted
acronyms are joined (U.S. is one word), possessives are cut, hyphens part words, and in scripts
without spaces each sign is a word.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain

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


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign) in ("Mn", "Mc")


def _marks() -> str:
    """Combining marks as a character class: ``\\w`` leaves them out, and so cuts Hindi words."""
    # Between them there are only ideographs, Hangul and private signs: looking takes 10 ms.
    places = chain(range(0x300, 0x3400), range(0xA000, 0xAC00), range(0xF900, 0xFFFF))
    points = [n for n in places if _is_mark(chr(n))]
    ranges: list[list[int]] = []
    for point in points:
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "".join(f"\\u{start:04x}-\\u{end:04x}" for start, end in ranges)


_DOTTED = re.compile(r"(?<![^\W_])(?:[^\W\d_]\.){2,}(?:[^\W\d_](?![^\W_]))?")


@cache  # made when first needed: it takes as long as all else that some commands do
def _token() -> re.Pattern[str]:
    """Dotted acronym | word, but not the s of a possessive | sign."""
    inside = rf"(?:[^\W_{_SIGNS}]|[{IGNORABLE}{_marks()}])"
    word = rf"(?!(?<=[^\W_]['’ʼ＇])s(?![^\W_]))[^\W_{_SIGNS}]{inside}*"
    return re.compile(rf"{_DOTTED.pattern}|{word}|[{_SIGNS}]")


_ASCII_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z]\.){2,}(?:[A-Za-z](?![A-Za-z0-9]))?"
    r"|(?!(?<=[A-Za-z0-9]')s(?![A-Za-z0-9]))[A-Za-z0-9]+"
)
# What ``words`` goes by, which takes a text as a whole.
_MAY_BE_DOTTED = re.compile(r"\.[^\W_]\.")
_NOT_ASCII = re.compile("[^\x00-\x7f]")
_POSSESSIVE = re.compile(r"'s(?![^\W_])")
_ASCII_FOLDED = {n: chr(n).lower() if chr(n).isalnum() else " " for n in range(128)}
_SIGN = re.compile(f"[{_SIGNS}]")
_NOT_RAW = dict.fromkeys(map(ord, IGNORABLE + "."))


@dataclass(frozen=True, slots=True)
class Columns:
    """The words of a text as columns: folded form, and where each stands in the original."""

    folded: list[str]
    starts: list[int]
    ends: list[int]  # exclusive, without a possessive


def columns(text: str) -> Columns:
    """The words of *text* in order."""
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    ascii_only = text.isascii()
    lower = text.lower() if ascii_only else text
    for found in (_ASCII_TOKEN if ascii_only else _token()).finditer(text):
        start, end = found.span()
        word = lower[start:end]
        if not ascii_only:
            word = fold(word)
        folded.append(word.replace(".", "") if "." in word else word)
        starts.append(start)
        ends.append(end)
    return Columns(folded, starts, ends)


def raw(piece: str) -> str:
    """A word as written, without dots and invisible signs: its case is looked at."""
    return piece if piece.isalnum() else piece.translate(_NOT_RAW)


@lru_cache(maxsize=1 << 16)
def fold(word: str) -> str:
    """*word* without case, accents and invisible signs; compatibility forms made plain."""
    if word.isascii():
        return sys.intern(word.lower())
    plain = unicodedata.normalize("NFKD", word).translate(_DROP).translate(_LETTERS)
    return sys.intern(unicodedata.normalize("NFC", plain.casefold()))


def words(text: str) -> list[str]:
    """The folded words of *text*: those of ``columns``, in a tenth of the time."""
    plain = _plain(text)
    return plain.split() if plain is not None else _words(text)


def joined_words(text: str) -> str:
    """``words`` with a space between each two."""
    return " ".join(words(text))


def _words(text: str) -> list[str]:
    """One by one: for all scripts."""
    found = map(fold, _token().findall(text))
    return [word.replace(".", "") if "." in word else word for word in found]


def _plain(text: str) -> str | None:
    """The folded words of *text* with white space between; None if they must be cut one by one.

    It goes through the text as a whole, sign for sign, as C does in a moment.
    """
    if _MAY_BE_DOTTED.search(text):
        text = _DOTTED.sub(_undotted, text)
    if text.isascii():
        return _without_possessives(text).translate(_ASCII_FOLDED)
    for apostrophe in "’＇":
        text = text.replace(apostrophe, "'")
    text = _without_possessives(text)
    for sign in set(_NOT_ASCII.findall(text)):
        spelt = _SPELT[sign]
        if not spelt:
            return None
        text = text.replace(sign, spelt)
    return text.translate(_ASCII_FOLDED)


def _undotted(acronym: re.Match[str]) -> str:
    """Without its dots; the last one parts it from what follows."""
    return acronym[0].replace(".", "") + (" " if acronym[0].endswith(".") else "")


def _without_possessives(text: str) -> str:
    return _POSSESSIVE.sub(_cut, text) if "'s" in text else text


def _cut(possessive: re.Match[str]) -> str:
    """A space for what stands after a word; what does not is no possessive."""
    start = possessive.start()
    return " " if start and possessive.string[start - 1].isalnum() else possessive[0]


class _Spelt(dict[str, str]):
    """Signs that are not ASCII → what stands for them: letters, or a space; "" if that depends on
    what stands beside them."""

    def __missing__(self, sign: str) -> str:
        spelt = " "
        if _SIGN.match(sign) or sign in IGNORABLE or _is_mark(sign):
            spelt = ""
        elif sign.isalnum():
            folded = fold(sign)
            spelt = folded if folded.isascii() and folded.isalnum() else ""
        self[sign] = spelt
        return spelt


_SPELT = _Spelt()  # of at most as many signs as there are


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
