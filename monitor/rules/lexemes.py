"""What a query string is cut into: words, operators, brackets; and what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

_LEXEME = re.compile(
    r"""(?P<space>\s+)
    |(?P<quoted>=?["“”„][^"“”„]*["“”„])
    |(?P<regex>/(?:[^/\\]|\\.)+/)
    |(?P<open>\()|(?P<close>\))
    |(?P<operator>(?:NEAR|BEFORE|ATLEAST)(?:/\w*)?(?=[\s(]|$)|(?:AND|OR|NOT)(?=[\s()]|$))
    |(?P<list>@[^\s()"]*)
    |(?P<field>[A-Za-z]+:(?!//)(?=\S))
    |(?P<word>=?[^\s()"“”„]+(?:\(s\))?)
    |(?P<bad>["“”„])""",
    re.VERBOSE,
)


class QueryError(ValueError):
    """``message``, ``remedy`` and ``position`` (offset into the query, from 0)."""

    def __init__(self, message: str, remedy: str, position: int) -> None:
        self.message, self.remedy, self.position = message, remedy, position
        super().__init__(f"{message}; {remedy}" if remedy else message)


class UnknownList(QueryError):
    """An ``@name`` that no file defines."""


class Kind(Enum):
    QUOTED = "quoted"
    REGEX = "regex"
    OPEN = "open"
    CLOSE = "close"
    OPERATOR = "operator"
    LIST = "list"
    FIELD = "field"
    WORD = "word"
    END = "end"


@dataclass(frozen=True, slots=True)
class Lexeme:
    kind: Kind
    text: str
    start: int
    end: int


def lexemes_of(query: str) -> list[Lexeme]:
    found: list[Lexeme] = []
    at = 0
    while at < len(query):
        match = _LEXEME.match(query, at)
        assert match is not None  # the last two alternatives take every character
        kind = match.lastgroup
        if kind == "bad":
            raise QueryError("this quotation mark is never closed", 'end the phrase with "', at)
        if kind != "space" and kind is not None:
            found.append(Lexeme(Kind(kind), match[0], at, match.end()))
        at = match.end()
    found.append(Lexeme(Kind.END, "", len(query.rstrip()), len(query)))
    return found
