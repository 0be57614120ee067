"""The meaning of a condition as a text: equal for conditions that match the same.  Pure.

Positions, names of lists and the order of alternatives do not count.  It is stored, so it must be
the same in every process: nothing here may depend on the order of a set.
"""

from __future__ import annotations

from collections.abc import Iterable

from monitor.rules.tree import (
    And,
    AtLeast,
    Everything,
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


def meaning(node: Node, known: dict[int, str] | None = None) -> str:
    """*known* remembers lists by the identity of their parts: many rules share few lists.

    It may be used only as long as those lists live.
    """
    match node:
        case Term():
            return f"{'=' if node.exact else ''}{node.text!r}"
        case Regex():
            return f"/{node.pattern!r}/"
        case Or():
            if known is None or not node.origin:
                return _joined("or", node.parts, known)
            found = known.get(id(node.parts))
            if found is None:
                found = known[id(node.parts)] = _joined("or", node.parts, known)
            return found
        case And():
            return _joined("and", node.parts, known)
        case Not():
            return f"not({meaning(node.part, known)})"
        case Near():
            word = "before" if node.ordered else "near"
            sides = f"{meaning(node.left, known)},{meaning(node.right, known)}"
            return f"{word}{node.distance}({sides})"
        case AtLeast():
            return f"{node.count}times({meaning(node.part, known)})"
        case Scope():
            return f"{'+'.join(sorted(node.fields))}({meaning(node.part, known)})"
        case Score():
            weights = sorted(f"{meaning(part, known)}:{points!r}" for part, points in node.weights)
            return f"score{node.threshold!r}({','.join(weights)})"
        case Label():
            return f"{node.key}={sorted(node.values)!r}"
        case Everything():
            return "everything"


def _joined(word: str, parts: Iterable[Node], known: dict[int, str] | None) -> str:
    return f"{word}({','.join(sorted(meaning(part, known) for part in parts))})"
