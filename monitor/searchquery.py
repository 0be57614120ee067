"""What people type after ``search`` → what the index is asked.  Pure.

    query   = all ("OR" all)*          "OR" is the loosest, as in rules
    all     = (["AND"] ["NOT" | "-"] part)+
    part    = word | word"*" | '"' phrase '"' | "(" query ")"

Nothing people type reaches the index as an operator of its own: each word is quoted.
Raises QueryError, which says what to write instead.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from monitor.errors import QueryError

MOST_WORDS = 64
DEEPEST = 16  # brackets within brackets

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))  # what word processors make of them
_MINUS = "-−–"
_TOKEN = re.compile(rf'\s*(?:([()])|([{_MINUS}]?)"([^"]*)("?)(\*?)|([^\s()"]+))')


@dataclass(frozen=True, slots=True)
class _Token:
    """``kind``: one of ( ) OR AND NOT, or "text" with what is looked for, quoted."""

    kind: str
    text: str = ""


def to_index(query: str) -> str:
    """*query* in the index's own language (FTS5)."""
    tokens = list(_tokens(query.translate(_QUOTES)))
    words = sum(token.kind == "text" for token in tokens)
    if not words:
        raise QueryError('there is nothing to look for; write a word, or a phrase: "arms sale"')
    if words > MOST_WORDS:
        raise QueryError(f"these are {words} words; up to {MOST_WORDS} can be looked for at once")
    reader = _Reader(tokens)
    found = reader.query(0)
    if reader.next is not None:
        raise QueryError('there is a ")" without its "("')
    return found


def _tokens(query: str) -> Iterator[_Token]:
    for bracket, minus, phrase, end, star, word in _TOKEN.findall(query):
        if bracket:
            yield _Token(bracket)
        elif word in ("OR", "AND", "NOT"):
            yield _Token(word)
        elif word:
            yield from _word(word)
        elif not end:
            meant = phrase.strip() or "arms sale"
            raise QueryError(f'a quotation mark is never closed; a phrase stands in two: "{meant}"')
        else:
            yield from [_Token("NOT")] * bool(minus)
            yield _quoted(phrase, star)


def _word(word: str) -> Iterator[_Token]:
    if word[0] in _MINUS and len(word) > 1:
        yield _Token("NOT")
        word = word[1:]
    if "*" in word[:-1]:
        raise QueryError(f'"{word}": an asterisk stands at the end of a word, as in missil*')
    yield _quoted(word.removesuffix("*"), "*" if word.endswith("*") else "")


def _quoted(text: str, star: str) -> _Token:
    if not any(unicodedata.category(char)[0] in "LN" for char in text):
        raise QueryError(f'"{text}{star}" has no letter or digit to look for; leave it away')
    return _Token("text", f'"{text}" {star}'.strip().replace("\0", " "))


class _Reader:
    """Reads tokens from the first to the last."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> str | None:
        return self._tokens[self._at].kind if self._at < len(self._tokens) else None

    def _take(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def query(self, depth: int) -> str:
        if depth > DEEPEST:
            raise QueryError("there are too many brackets within brackets")
        parts = [self._all(depth)]
        while self.next == "OR":
            self._take()
            parts.append(self._all(depth))
        return _joined(parts, "OR")

    def _all(self, depth: int) -> str:
        wanted: list[str] = []
        unwanted: list[str] = []
        while self.next not in (None, "OR", ")"):
            if self.next == "AND":
                self._and(bool(wanted or unwanted))
            group = wanted
            if self.next == "NOT":
                self._take()
                group = unwanted
            group.append(self._part(depth))
        if not wanted:
            raise QueryError(
                "say what to look for, too, not only what must be absent: NATO -Kyiv"
                if unwanted
                else "a word is missing beside OR, or between brackets"
            )
        found = _joined(wanted, "AND")
        return f"({found} NOT {_joined(unwanted, 'OR')})" if unwanted else found

    def _and(self, something_before: bool) -> None:
        self._take()
        if not something_before or self.next in (None, "OR", "AND", ")"):
            raise QueryError("a word is missing beside AND")

    def _part(self, depth: int) -> str:
        if self.next == "text":
            return self._take().text
        if self.next != "(":
            raise QueryError("a word is missing after NOT or -")
        self._take()
        found = self.query(depth + 1)
        if self.next != ")":
            raise QueryError('there is a "(" without its ")"')
        self._take()
        return found


def _joined(parts: list[str], operator: str) -> str:
    return parts[0] if len(parts) == 1 else f"({f' {operator} '.join(parts)})"
