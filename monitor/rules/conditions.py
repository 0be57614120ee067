"""A rule as written in its file → the tree of its condition.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from monitor.rules.files import RuleTable
from monitor.rules.lexemes import QueryError
from monitor.rules.syntax import parse, parse_term
from monitor.rules.tree import (
    And,
    Everything,
    Field,
    Label,
    Node,
    Not,
    Or,
    Scope,
    Score,
)

LABELS = ("feed", "tag", "language", "category", "author", "url")
Fault = Callable[[tuple[str | int, ...], str, QueryError], None]  # (path in the rule, text, error)


def condition(rule: RuleTable, lists: Mapping[str, Node], fault: Fault) -> Node | None:
    """All keys of *rule* together; None after a fault, each of which is told to *fault*."""
    words = _words(rule, lists, fault)
    if words is None:
        return None
    labels = [
        Label(key=key, values=tuple(values))
        for key in LABELS
        if (values := getattr(rule, key)) is not None
    ]
    if rule.in_ is not None and words:
        fields = frozenset(Field(name) for name in rule.in_)
        words = [Scope(fields=fields, part=_all(words))]
    return _all([*words, *labels]) if words or labels else Everything()


def _all(parts: Sequence[Node]) -> Node:
    return parts[0] if len(parts) == 1 else And(parts=tuple(parts))


def _words(rule: RuleTable, lists: Mapping[str, Node], fault: Fault) -> list[Node] | None:
    """The parts of the condition that look at words; None after a fault."""
    parts: list[Node | None] = []
    if rule.query is not None:
        parts.append(_told(("query",), rule.query, lambda: parse(rule.query or "", lists), fault))
    if rule.any_ is not None:
        parts.append(any_of(rule.any_, lists, fault, ("any",)))
    for number, term in enumerate(rule.all_ or ()):
        parts.append(_term(("all", number), term, lists, fault))
    if rule.score is not None:
        parts.append(_score(rule, lists, fault))
    elif rule.threshold is not None:
        told = QueryError("a threshold without a score says nothing", "add score = {…}", 0)
        fault(("threshold",), "", told)
        parts.append(None)
    if rule.none is not None:
        excluded = any_of(rule.none, lists, fault, ("none",))
        parts.append(Not(part=excluded) if excluded else None)
    return None if None in parts else [part for part in parts if part is not None]


def any_of(
    terms: Sequence[str],
    lists: Mapping[str, Node],
    fault: Fault,
    path: tuple[str | int, ...],
    origin: str = "",
) -> Node | None:
    """At least one of *terms*; *origin* names the list they stand in."""
    parts = [_term((*path, n), term, lists, fault) for n, term in enumerate(terms)]
    if None in parts:
        return None
    found = tuple(part for part in parts if part is not None)
    return found[0] if len(found) == 1 and not origin else Or(parts=found, origin=origin)


def _score(rule: RuleTable, lists: Mapping[str, Node], fault: Fault) -> Node | None:
    if rule.threshold is None or rule.threshold <= 0:
        told = QueryError("a score needs a threshold above 0", "add threshold = 10 above it", 0)
        fault(("score",), "", told)
        return None
    weights = [
        (_term(("score", text), text, lists, fault), float(points))
        for text, points in (rule.score or {}).items()
    ]
    if not any(points > 0 for _, points in weights):
        told = QueryError("no term of the score has points above 0", "give one some points", 0)
        fault(("score",), "", told)
        return None
    if any(part is None for part, _ in weights):
        return None
    known = tuple((part, points) for part, points in weights if part is not None)
    return Score(weights=known, threshold=float(rule.threshold))


def _term(
    path: tuple[str | int, ...], text: str, lists: Mapping[str, Node], fault: Fault
) -> Node | None:
    return _told(path, text, lambda: parse_term(text, lists), fault)


def _told(
    path: tuple[str | int, ...], text: str, read: Callable[[], Node], fault: Fault
) -> Node | None:
    try:
        return read()
    except QueryError as error:
        fault(path, text, error)
        return None
