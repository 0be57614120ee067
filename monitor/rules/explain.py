"""Why a rule is true of an entry, or why not: every part of its tree, with its answer.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.model import Entry, Hit, Rule
from monitor.rules.evaluate import compiled
from monitor.rules.labels import label_values
from monitor.rules.match import Detect, Matcher, compile_rules, language_of
from monitor.rules.tree import (
    TEXT_FIELDS,
    And,
    AtLeast,
    Everything,
    Field,
    Label,
    Near,
    Node,
    Not,
    Or,
    Regex,
    Scope,
    Score,
    Term,
)

SHOWN = 6  # terms of a list without a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One part of a rule and what became of it."""

    part: str  # as it would be written in a query
    matched: bool
    hits: tuple[Hit, ...] = ()
    note: str = ""  # "the entry's language is unknown", "scored 7 of 10"
    parts: tuple[Explanation, ...] = ()

    def failed(self) -> list[str]:
        """The smallest parts that made it untrue, as written."""
        if self.matched:
            return []
        missing = [name for part in self.parts if not part.matched for name in part.failed()]
        return missing or [self.part]

    def to_json(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "matched": self.matched,
            "hits": [
                {"field": hit.field, "start": hit.start, "end": hit.end, "term": hit.term}
                for hit in self.hits
            ],
            "note": self.note,
            "parts": [part.to_json() for part in self.parts],
        }


def explain(rule: Rule, node: Node, entry: Entry, detect: Detect | None = None) -> Explanation:
    """Every part of *node*, evaluated on *entry* without taking a short cut."""
    matcher = compile_rules([(rule, node)], detect=detect)
    return _Explainer(matcher, entry, detect).explain(node, TEXT_FIELDS)


class _Explainer:
    def __init__(self, matcher: Matcher, entry: Entry, detect: Detect | None) -> None:
        self._matcher, self._entry, self._detect = matcher, entry, detect
        self._scanned = matcher.scan(entry)

    def explain(self, node: Node, fields: frozenset[Field]) -> Explanation:
        spans = compiled(node, self._matcher.numbers, fields)(self._scanned)
        return Explanation(
            part=as_query(node),
            matched=spans is not None,
            hits=self._matcher.hits(self._scanned, spans) if spans else (),
            note=self._note(node),
            parts=tuple(self.explain(part, inner) for part, inner in _inside(node, fields)),
        )

    def _note(self, node: Node) -> str:
        if not isinstance(node, Label):
            return ""
        values = label_values(self._entry, node.key, lambda: language_of(self._entry, self._detect))
        shown = ", ".join(value for value in values if value)
        return f"the entry's {node.key} is {shown}" if shown else f"the {node.key} is not known"


def _inside(node: Node, fields: frozenset[Field]) -> Iterator[tuple[Node, frozenset[Field]]]:
    """The parts that are worth an answer of their own; a list answers as a whole."""
    match node:
        case And():
            yield from ((part, fields) for part in node.parts)
        case Or() if not node.origin and not _is_plain_list(node):
            yield from ((part, fields) for part in node.parts)
        case Not() | AtLeast():
            yield node.part, fields
        case Scope():
            yield node.part, node.fields
        case Near():
            yield node.left, fields
            yield node.right, fields
        case Score():
            yield from ((part, fields) for part, _ in node.weights)
        case _:
            return


def _is_plain_list(node: Or) -> bool:
    return all(isinstance(part, Term) for part in node.parts)


def as_query(node: Node) -> str:
    """*node* as it would be written in a query string."""
    match node:
        case Term():
            return f'="{node.text}"' if node.exact else _quoted(node.text)
        case Regex():
            return f"/{node.pattern}/"
        case Or():
            return node.origin or _or(node.parts)
        case And():
            return " AND ".join(_bracketed(part) for part in node.parts)
        case Not():
            return f"NOT {_bracketed(node.part)}"
        case Near():
            word = "BEFORE" if node.ordered else "NEAR"
            distance = "S" if node.distance is None else str(node.distance)
            return f"{_bracketed(node.left)} {word}/{distance} {_bracketed(node.right)}"
        case AtLeast():
            return f"ATLEAST/{node.count} {_bracketed(node.part)}"
        case Scope():
            names = sorted(field.value for field in node.fields)
            return " OR ".join(f"{name}:{_bracketed(node.part)}" for name in names)
        case Score():
            points = ", ".join(f"{as_query(part)} = {points:g}" for part, points in node.weights)
            return f"score of {node.threshold:g} from ({points})"
        case Label():
            return f"{node.key} is {' or '.join(node.values)}"
        case Everything():
            return "everything"


def _or(parts: Sequence[Node]) -> str:
    shown = [_bracketed(part) for part in parts[:SHOWN]]
    more = f" OR … {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
    return " OR ".join(shown) + more


def _bracketed(node: Node) -> str:
    text = as_query(node)
    simple = isinstance(node, Term | Regex | Label | Everything | Not)
    simple = simple or (isinstance(node, Scope) and len(node.fields) == 1)
    if simple or (isinstance(node, Or) and (node.origin or len(node.parts) == 1)):
        return text
    return f"({text})"


def _quoted(text: str) -> str:
    return text if text.isalnum() else f'"{text}"'
