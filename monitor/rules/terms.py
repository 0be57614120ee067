"""A term as written → the word sequences that it finds.  Pure.

Capitals in the rule mean capitals in the text; singular finds plural, not the reverse; a hyphen
finds hyphen, space and nothing.  The evidence for each rule is in docs/rules.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from monitor.rules.tree import Term
from monitor.text import columns, raw

WILD = "\0"  # begins a trie key that is a pattern, not a word
_HYPHEN = re.compile("[-‐‑‒–—]")
_PERHAPS_MANY = "(s)"
_HISSING = ("s", "x", "z", "ch", "sh")


class Case(IntEnum):
    """What the text's spelling of one word must be."""

    ANY = 0
    CAPITALS = 1  # NATO of a two- or three-letter acronym: SAM is not Sam
    CAPITALS_OR_TITLE = 2  # from four letters on British papers write Nato


@dataclass(frozen=True, slots=True)
class Variant:
    """One sequence of trie keys, with the check of how the text spells it."""

    keys: tuple[str, ...]
    cases: tuple[Case, ...]  # one a key; () when none is asked for
    exact: tuple[str, ...] = ()  # the raw words, for =exact
    plural: bool = False  # the last word has an ending more than the rule's: SAMs


def variants(term: Term) -> Iterator[Variant]:
    """Everything that *term* finds."""
    if term.exact:
        found = columns(term.text)
        spelled = tuple(raw(term.text[a:b]) for a, b in zip(found.starts, found.ends, strict=True))
        yield Variant(tuple(found.folded), (), spelled)
        return
    for pieces in (each for text in _readings(term.text) for each in _spellings(text)):
        keys = tuple(key for key, _ in pieces)
        cases = tuple(case for _, case in pieces)
        checked = cases if any(cases) else ()
        yield Variant(keys, checked)
        for plural in _plurals(keys[-1]):
            yield Variant((*keys[:-1], plural), checked, plural=True)


def is_satisfied(variant: Variant, spelled: Callable[[int], str]) -> bool:
    """Whether the text's spelling, word by word, is what the rule asks for."""
    if variant.exact:
        return all(spelled(n) == word for n, word in enumerate(variant.exact))
    last = len(variant.cases) - 1
    return all(
        _fits(case, spelled(n), plural=variant.plural and n == last)
        for n, case in enumerate(variant.cases)
        if case
    )


def _fits(case: Case, word: str, *, plural: bool) -> bool:
    """*word* in capitals but for a plural's ending: SAMs, and FMs are not FMS."""
    stem = word.rstrip("es") if plural else word
    if stem.isupper() or word.isupper():
        return True
    return case is Case.CAPITALS_OR_TITLE and word[0].isupper() and word[1:].islower()


def _readings(text: str) -> tuple[str, ...]:
    """ "arms sale(s) package": as written, of one and of many."""
    if _PERHAPS_MANY not in text:
        return (text,)
    return text, text.replace(_PERHAPS_MANY, ""), text.replace(_PERHAPS_MANY, "s")


def _spellings(text: str) -> list[list[tuple[str, Case]]]:
    """The (key, case) sequences of *text*: its words apart, and joined where hyphens stand."""
    apart: list[tuple[str, Case]] = []
    joined: list[tuple[str, Case]] = []
    hyphened = False
    for word in text.split():
        pieces = _pieces(word)
        apart += pieces
        if len(pieces) > 1 and _HYPHEN.search(word):
            joined.append(_together(word, pieces))
            hyphened = True
        else:
            joined += pieces
    return [apart, joined] if hyphened else [apart]


def _together(word: str, pieces: Sequence[tuple[str, Case]]) -> tuple[str, Case]:
    """*word* without its hyphens."""
    if _is_wild(word):
        return WILD + _wild_key(word), Case.ANY
    return "".join(key for key, _ in pieces), _case("".join(re.findall(r"\w", word)))


def _pieces(word: str) -> list[tuple[str, Case]]:
    if _is_wild(word):
        return _pieces_of_wild(word)
    found = columns(word)
    return [
        (key, _case(raw(word[start:end])))
        for key, start, end in zip(found.folded, found.starts, found.ends, strict=True)
    ]


def _pieces_of_wild(word: str) -> list[tuple[str, Case]]:
    """Cut at hyphens, as texts are, unless a part would be a pattern that fits every word."""
    parts = [part for part in _HYPHEN.split(word) if part]
    if len(parts) < 2 or not all(columns(part).folded for part in parts):
        return [(WILD + _wild_key(word), Case.ANY)]
    return [piece for part in parts for piece in _pieces(part)]


def _case(word: str) -> Case:
    """What capitals *word* asks for: those of acronyms; a capital at the front says nothing."""
    letters = [char for char in word if char.isalpha()]
    if len(letters) < 2 or not all(char.isupper() for char in letters):
        return Case.ANY
    return Case.CAPITALS if len(letters) < 4 else Case.CAPITALS_OR_TITLE


def _plurals(key: str) -> Iterator[str]:
    """Plural forms of a singular word; none of patterns and of words of two letters or less."""
    if key.startswith(WILD) or not key[-1].isalnum() or (len(key) < 2 or not key[-1].isascii()):
        return
    if not key.endswith("s"):
        yield f"{key}s"
    if key.endswith(_HISSING):
        yield f"{key}es"
    if key.endswith("y") and len(key) > 3 and key[-2] not in "aeiou":
        yield f"{key[:-1]}ies"


# --- wildcards


def _is_wild(word: str) -> bool:
    return "*" in word or "?" in word


def _wild_key(word: str) -> str:
    """The folded pattern, without the signs that stand between words in a text."""
    parts = re.split(r"([*?])", word)
    return "".join(part if part in ("*", "?") else "".join(columns(part).folded) for part in parts)


class Wildcards:
    """Which patterns a word satisfies; each distinct word is tried once."""

    REMEMBERED = 200_000

    def __init__(self, keys: Sequence[str]) -> None:
        self._prefixes: dict[str, str] = {}
        inner: list[tuple[re.Pattern[str], str]] = []
        for key in dict.fromkeys(keys):
            pattern = key[1:]
            if pattern.endswith("*") and not _is_wild(pattern[:-1]):
                self._prefixes[pattern[:-1]] = key
            else:
                inner.append((re.compile(_as_regex(pattern)), key))
        self._inner = tuple(inner)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})
        self._cache: dict[str, tuple[str, ...]] = {}

    def __bool__(self) -> bool:
        return bool(self._prefixes or self._inner)

    def of(self, word: str) -> tuple[str, ...]:
        """The keys of the patterns that *word* satisfies."""
        found = self._cache.get(word)
        if found is None:
            if len(self._cache) >= self.REMEMBERED:
                self._cache.clear()
            found = self._cache[word] = tuple(self._try(word))
        return found

    def _try(self, word: str) -> Iterator[str]:
        for length in self._lengths:
            key = self._prefixes.get(word[:length])
            if key is not None and len(word) >= length:
                yield key
        for pattern, key in self._inner:
            if pattern.fullmatch(word):
                yield key


def _as_regex(pattern: str) -> str:
    """``*`` any letters, ``?`` one or none less: exactly one letter."""
    signs = {"*": r"\w*", "?": r"\w"}
    return "".join(signs.get(char) or re.escape(char) for char in pattern)
