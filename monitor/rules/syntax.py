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

from monitor.rules import operands
from monitor.rules.lexemes import Kind, Lexeme, QueryError, lexemes_of
from monitor.rules.tree import And, AtLeast, Near, Node, Not, Or, Regex, Scope, Term

MAX_DEPTH = 50
MAX_QUERY = 100_000  # characters

# Operators, and a field before its word: in a list of terms they would be words.
_IN_QUERIES = re.compile(
    r"(?:^|(?<=\s))(?:AND|OR|NOT|NEAR/\S*|BEFORE/\S*|ATLEAST/\S*)(?=\s)"
    rf"|^(?:{'|'.join(sorted(operands.FIELDS))}):(?!//)"
)


def parse(query: str, lists: Mapping[str, Node]) -> Node:
    """The tree of *query*; raises QueryError."""
    if len(query) > MAX_QUERY:
        raise QueryError(
            f"the query is longer than {MAX_QUERY} characters", "put its words into [lists]", 0
        )
    parser = _Parser(lexemes_of(query), lists)
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
        return operands.resolved(Lexeme(Kind.LIST, stripped, shift, shift + len(stripped)), lists)
    if re.fullmatch(r"/.+/", stripped):
        return operands.pattern(Lexeme(Kind.REGEX, stripped, shift, shift + len(stripped)))
    if not stripped.startswith(('"', '="')):
        _refuse_query(stripped, shift)
    exact = stripped.startswith("=")
    plain = stripped[exact:].strip().strip('"“”„')
    return operands.term(plain, shift, exact=exact)


def _refuse_query(text: str, shift: int) -> None:
    """Raises QueryError if *text*, an item of a list, wants to be more than words."""
    operator = _IN_QUERIES.search(text)
    if operator:
        raise QueryError(
            f"{operator[0]} does not work in a list of terms",
            f"write query = '{text[:60]}', or quote it if the word is meant: '\"…\"'",
            shift + operator.start(),
        )
    for word in re.finditer(r"\S+", text):
        operands.refuse_operator_of_others(word[0], shift + word.start())


class _Parser:
    def __init__(self, lexemes: list[Lexeme], lists: Mapping[str, Node]) -> None:
        self._lexemes = lexemes
        self._lists = lists
        self._at = 0
        self._depth = 0

    @property
    def _next(self) -> Lexeme:
        return self._lexemes[self._at]

    def _take(self) -> Lexeme:
        taken = self._next
        self._at += 1
        return taken

    def _sees(self, *operators: str) -> bool:
        lexeme = self._next
        name = lexeme.text.partition("/")[0]
        return lexeme.kind is Kind.OPERATOR and name in operators

    def must_end(self) -> None:
        lexeme = self._next
        if lexeme.kind is Kind.CLOSE:
            raise QueryError("there is a ) without its (", "delete it, or add the (", lexeme.start)
        if lexeme.kind is not Kind.END:
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
                distance=operands.distance(operator),
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
                return AtLeast(count=operands.number(operator, "ATLEAST/3"), part=part)
            return self._atom()
        finally:
            self._depth -= 1

    def _atom(self) -> Node:
        lexeme = self._take()
        if lexeme.kind is Kind.OPEN:
            return self._bracket(lexeme)
        if lexeme.kind is Kind.FIELD:
            field = operands.field(lexeme)
            return Scope(fields=frozenset({field}), part=self._unary())
        if lexeme.kind is Kind.QUOTED:
            exact = lexeme.text.startswith("=")
            return operands.term(lexeme.text[1 + exact : -1], lexeme.start, exact=exact)
        if lexeme.kind is Kind.REGEX:
            return operands.pattern(lexeme)
        if lexeme.kind is Kind.LIST:
            return operands.resolved(lexeme, self._lists)
        if lexeme.kind is Kind.WORD:
            return self._phrase(lexeme)
        raise _no_term(lexeme)

    def _bracket(self, opening: Lexeme) -> Node:
        if self._next.kind is Kind.CLOSE:
            raise QueryError("there is nothing in these brackets", "delete them", opening.start)
        node = self.query()
        closing = self._take()
        if closing.kind is Kind.END:
            raise QueryError("this ( is never closed", "add the )", opening.start)
        if closing.kind is not Kind.CLOSE:
            raise _between(closing)
        return node

    def _phrase(self, first: Lexeme) -> Node:
        """Words side by side; =word stands alone."""
        exact = first.text.startswith("=")
        operands.refuse_what_is_no_word(first)
        taken = [first]
        while not exact and self._next.kind is Kind.WORD and self._next.text[0] != "=":
            operands.refuse_what_is_no_word(self._next)
            taken.append(self._take())
        text = " ".join(each.text for each in taken)[exact:]
        return operands.term(text, first.start, exact=exact)


def _must_be_near_able(node: Node, operator: Lexeme) -> None:
    if not _stands_somewhere(node):
        raise QueryError(
            f"{operator.text} stands between words or lists of words (a OR b)",
            "take AND, NOT, fields and counts out of it",
            operator.start,
        )


def _must_be_countable(node: Node, operator: Lexeme) -> None:
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


def _between(lexeme: Lexeme) -> QueryError:
    return QueryError(
        f"an operator is missing before {lexeme.text}",
        "write AND, OR or NEAR/5 between the two",
        lexeme.start,
    )


def _no_term(lexeme: Lexeme) -> QueryError:
    if lexeme.kind is Kind.END:
        return QueryError("the query stops here; a term is missing", "add a word", lexeme.start)
    if lexeme.kind is Kind.CLOSE:
        return QueryError("a term is missing before )", "add a word, or delete", lexeme.start)
    return QueryError(
        f"a term is missing before {lexeme.text}",
        f'write one, or quote the word if it is meant: "{lexeme.text}"',
        lexeme.start,
    )
