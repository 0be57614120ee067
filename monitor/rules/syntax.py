"""The query string: a hand-written recursive descent, because it alone gives usable messages.

    query  = and {"OR" and}
    and    = near {"AND" near | "NOT" unary}
    near   = unary {("NEAR/n" | "BEFORE/n" | "NEAR/S") unary}
    unary  = "NOT" unary | "ATLEAST/n" unary | atom
    atom   = "(" query ")" | field ":" atom | words | "phrase" | =exact | @list | /regex/

Words side by side are a phrase.  Every error says where, what, and what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum

from monitor.rules import regex
from monitor.rules.tree import And, AtLeast, Field, Near, Node, Not, Or, Regex, Scope, Term
from monitor.text import words

MAX_DEPTH = 50
MAX_QUERY = 100_000  # characters
MAX_DISTANCE = 1_000
MIN_WILDCARD = 3  # letters beside * or ?

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
_LOWER_OPERATOR = re.compile(r"(?:and|or|not)|(?:near|before|atleast)(?:/\w*)?", re.IGNORECASE)
_LIST_NAME = re.compile(r"@[\w-]+")
_FIELDS = frozenset(field.value for field in Field)
# Operators, and a field before its word: in a list of terms they would be words.
_IN_QUERIES = re.compile(
    r"(?:^|(?<=\s))(?:AND|OR|NOT|NEAR/\S*|BEFORE/\S*|ATLEAST/\S*)(?=\s)"
    rf"|^(?:{'|'.join(sorted(_FIELDS))}):(?!//)"
)
_STUCK = re.compile(r"(AND|OR|NOT)([@=].+)")


class QueryError(ValueError):
    """``message``, ``remedy`` and ``position`` (offset into the query, from 0)."""

    def __init__(self, message: str, remedy: str, position: int) -> None:
        self.message, self.remedy, self.position = message, remedy, position
        super().__init__(f"{message}; {remedy}" if remedy else message)


class UnknownList(QueryError):
    """An ``@name`` that no file defines."""


class _Kind(Enum):
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
class _Lexeme:
    kind: _Kind
    text: str
    start: int
    end: int


def parse(query: str, lists: Mapping[str, Node]) -> Node:
    """The tree of *query*; raises QueryError."""
    if len(query) > MAX_QUERY:
        raise QueryError(
            f"the query is longer than {MAX_QUERY} characters", "put its words into [lists]", 0
        )
    parser = _Parser(_lexemes(query), lists)
    node = parser.query()
    parser.must_end()
    return node


def parse_term(text: str, lists: Mapping[str, Node]) -> Node:
    """The tree of one item of any, all, none, a list or a score; raises QueryError."""
    stripped = text.strip()
    shift = len(text) - len(text.lstrip())
    if not stripped:
        raise QueryError("an empty term fits nothing", "delete it or write a word", 0)
    if stripped.startswith("@"):
        return _resolved(_Lexeme(_Kind.LIST, stripped, shift, shift + len(stripped)), lists)
    if re.fullmatch(r"/.+/", stripped):
        return _regex(_Lexeme(_Kind.REGEX, stripped, shift, shift + len(stripped)))
    operator = _IN_QUERIES.search(stripped)
    if operator and not stripped.startswith(('"', '="')):
        raise QueryError(
            f"{operator[0]} does not work in a list of terms",
            f"write query = '{stripped[:60]}', or quote it if the word is meant: '\"…\"'",
            shift + operator.start(),
        )
    exact = stripped.startswith("=")
    plain = stripped[exact:].strip().strip('"“”„')
    return _term(plain, shift, exact=exact)


def _lexemes(query: str) -> list[_Lexeme]:
    found: list[_Lexeme] = []
    at = 0
    while at < len(query):
        match = _LEXEME.match(query, at)
        assert match is not None  # the last two alternatives take every character
        kind = match.lastgroup
        if kind == "bad":
            raise QueryError("this quotation mark is never closed", 'end the phrase with "', at)
        if kind != "space" and kind is not None:
            found.append(_Lexeme(_Kind(kind), match[0], at, match.end()))
        at = match.end()
    found.append(_Lexeme(_Kind.END, "", len(query.rstrip()), len(query)))
    return found


class _Parser:
    def __init__(self, lexemes: list[_Lexeme], lists: Mapping[str, Node]) -> None:
        self._lexemes = lexemes
        self._lists = lists
        self._at = 0
        self._depth = 0

    @property
    def _next(self) -> _Lexeme:
        return self._lexemes[self._at]

    def _take(self) -> _Lexeme:
        taken = self._next
        self._at += 1
        return taken

    def _sees(self, *operators: str) -> bool:
        lexeme = self._next
        name = lexeme.text.partition("/")[0]
        return lexeme.kind is _Kind.OPERATOR and name in operators

    def must_end(self) -> None:
        lexeme = self._next
        if lexeme.kind is _Kind.CLOSE:
            raise QueryError("there is a ) without its (", "delete it, or add the (", lexeme.start)
        if lexeme.kind is not _Kind.END:
            raise _between(lexeme)

    def query(self) -> Node:
        parts = [self._and()]
        while self._sees("OR"):
            self._take()
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(parts=tuple(parts))

    def _and(self) -> Node:
        parts = [self._near()]
        while self._sees("AND", "NOT"):
            if self._sees("AND"):
                self._take()
            parts.append(self._near())
        return parts[0] if len(parts) == 1 else And(parts=tuple(parts))

    def _near(self) -> Node:
        left = self._unary()
        while self._sees("NEAR", "BEFORE"):
            operator = self._take()
            right = self._unary()
            for side in (left, right):
                _must_be_near_able(side, operator)
            left = Near(
                left=left,
                right=right,
                distance=_distance(operator),
                ordered=operator.text.startswith("BEFORE"),
            )
        return left

    def _unary(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise QueryError(
                f"more than {MAX_DEPTH} levels of brackets", "split the rule", self._next.start
            )
        try:
            if self._sees("NOT"):
                self._take()
                return Not(part=self._unary())
            if self._sees("ATLEAST"):
                operator = self._take()
                part = self._unary()
                _must_be_countable(part, operator)
                return AtLeast(count=_number(operator, "ATLEAST/3"), part=part)
            return self._atom()
        finally:
            self._depth -= 1

    def _atom(self) -> Node:
        lexeme = self._take()
        if lexeme.kind is _Kind.OPEN:
            return self._bracket(lexeme)
        if lexeme.kind is _Kind.FIELD:
            field = _field(lexeme)
            return Scope(fields=frozenset({field}), part=self._unary())
        if lexeme.kind is _Kind.QUOTED:
            exact = lexeme.text.startswith("=")
            return _term(lexeme.text[1 + exact : -1], lexeme.start, exact=exact)
        if lexeme.kind is _Kind.REGEX:
            return _regex(lexeme)
        if lexeme.kind is _Kind.LIST:
            return _resolved(lexeme, self._lists)
        if lexeme.kind is _Kind.WORD:
            return self._phrase(lexeme)
        raise _no_term(lexeme)

    def _bracket(self, opening: _Lexeme) -> Node:
        if self._next.kind is _Kind.CLOSE:
            raise QueryError("there is nothing in these brackets", "delete them", opening.start)
        node = self.query()
        closing = self._take()
        if closing.kind is _Kind.END:
            raise QueryError("this ( is never closed", "add the )", opening.start)
        if closing.kind is not _Kind.CLOSE:
            raise _between(closing)
        return node

    def _phrase(self, first: _Lexeme) -> Node:
        """Words side by side; =word stands alone."""
        exact = first.text.startswith("=")
        _refuse_what_is_no_word(first)
        taken = [first]
        while not exact and self._next.kind is _Kind.WORD and self._next.text[0] != "=":
            _refuse_what_is_no_word(self._next)
            taken.append(self._take())
        text = " ".join(each.text for each in taken)[exact:]
        return _term(text, first.start, exact=exact)


def _term(text: str, start: int, *, exact: bool) -> Node:
    text = " ".join(text.split())
    if text.endswith("(s)"):
        text = text[:-3]  # singular finds plural anyway
    bare = re.sub(r"[*?]", "", text)
    if not words(bare):
        raise QueryError("there is no word in this", "write letters or digits", start)
    for word in text.split():
        letters = sum(len(each) for each in words(re.sub(r"[*?]", "", word)))
        if re.search(r"[*?]", word) and letters < MIN_WILDCARD:
            raise QueryError(
                f'"{word}" would fit far too many words',
                f"write at least {MIN_WILDCARD} letters beside * or ?",
                start,
            )
    if exact and re.search(r"[*?]", text):
        raise QueryError(
            "= means exactly as written, * means anything", "use one of the two", start
        )
    return Term(text=text, exact=exact)


def _regex(lexeme: _Lexeme) -> Regex:
    pattern = lexeme.text[1:-1].replace("\\/", "/")
    try:
        regex.compiled(pattern)
    except regex.RegexError as error:
        raise QueryError(error.what, error.remedy, lexeme.start) from None
    return Regex(pattern=pattern)


def _resolved(lexeme: _Lexeme, lists: Mapping[str, Node]) -> Node:
    name = lexeme.text[1:]
    if not _LIST_NAME.fullmatch(lexeme.text):
        raise QueryError(
            f'"{lexeme.text}" names no list', "write @ and the name of a list", lexeme.start
        )
    if name not in lists:
        near = get_close_matches(name, lists, n=1)
        known = ", ".join(f"@{each}" for each in sorted(lists)[:10]) or "none yet"
        remedy = f'did you mean "@{near[0]}"?' if near else f"lists are: {known}"
        raise UnknownList(f'there is no list "{name}"', remedy, lexeme.start)
    return lists[name]


def _field(lexeme: _Lexeme) -> Field:
    name = lexeme.text[:-1]
    try:
        return Field(name)
    except ValueError:
        pass
    near = get_close_matches(name.lower(), [field.value for field in Field], n=1)
    fields = ", ".join(field.value for field in Field)
    remedy = f'did you mean "{near[0]}:"?' if near else f"fields are {fields}"
    raise QueryError(f'there is no field "{name}"', remedy, lexeme.start)


def _distance(operator: _Lexeme) -> int | None:
    name, _, number = operator.text.partition("/")
    if name == "NEAR" and number == "S":
        return None
    distance = _number(operator, f"{name}/5")
    if distance > MAX_DISTANCE:
        raise QueryError(
            f"{distance} words apart is no nearness", f"write at most {MAX_DISTANCE}, or AND",
            operator.start,
        )  # fmt: skip
    return distance


def _number(operator: _Lexeme, example: str) -> int:
    number = operator.text.partition("/")[2]
    if not (number.isascii() and number.isdecimal() and len(number) < 6 and int(number)):
        raise QueryError(f'"{operator.text}" needs a number', f"write {example}", operator.start)
    return int(number)


def _must_be_near_able(node: Node, operator: _Lexeme) -> None:
    if not _stands_somewhere(node):
        raise QueryError(
            f"{operator.text} stands between words or lists of words (a OR b)",
            "take AND, NOT, fields and counts out of it",
            operator.start,
        )


def _must_be_countable(node: Node, operator: _Lexeme) -> None:
    if not _stands_somewhere(node):
        raise QueryError(
            f"{operator.text} counts words or lists of words (a OR b)",
            "take AND and NOT out of it",
            operator.start,
        )


def _stands_somewhere(node: Node) -> bool:
    """Whether *node* is words that stand at places in a text, however they are put together."""
    if isinstance(node, Or):
        return bool(node.origin) or all(map(_stands_somewhere, node.parts))
    return isinstance(node, Term | Regex | Near)


def _refuse_what_is_no_word(lexeme: _Lexeme) -> None:
    """What would be searched for as it stands, and never found."""
    _refuse_lower_operator(lexeme)
    name, colon, after = lexeme.text.partition(":")
    if colon and not after and name.lower() in _FIELDS:
        name = name.lower()
        raise QueryError(
            f"{name}: stands apart from what is looked for there",
            f'write {name}:word, {name}:"a phrase" or {name}:(a OR b), without a space',
            lexeme.start,
        )
    if stuck := _STUCK.fullmatch(lexeme.text):
        raise QueryError(
            f"a space is missing behind {stuck[1]}", f"write {stuck[1]} {stuck[2]}", lexeme.start
        )
    if re.match(r"-[^\W\d_]", lexeme.text):
        word = lexeme.text[1:]
        raise QueryError(
            "- excludes nothing", f'write NOT {word}, or quote it: "{word}"', lexeme.start
        )


def _refuse_lower_operator(lexeme: _Lexeme) -> None:
    if _LOWER_OPERATOR.fullmatch(lexeme.text):
        capitals = lexeme.text.upper()
        raise QueryError(
            f"operators are written in capitals: {capitals}",
            f'write {capitals}, or put the phrase into quotation marks: "search and rescue"',
            lexeme.start,
        )


def _between(lexeme: _Lexeme) -> QueryError:
    return QueryError(
        f"an operator is missing before {lexeme.text}",
        "write AND, OR or NEAR/5 between the two",
        lexeme.start,
    )


def _no_term(lexeme: _Lexeme) -> QueryError:
    if lexeme.kind is _Kind.END:
        return QueryError("the query stops here; a term is missing", "add a word", lexeme.start)
    if lexeme.kind is _Kind.CLOSE:
        return QueryError("a term is missing before )", "add a word, or delete", lexeme.start)
    return QueryError(
        f"a term is missing before {lexeme.text}",
        f'write one, or quote the word if it is meant: "{lexeme.text}"',
        lexeme.start,
    )
