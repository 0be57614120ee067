"""A rule's tree → one closure that tells where it is true in a scanned entry.  Pure.

A closure returns None (not true) or spans: (first, after, leaves), positions as in ``scan``.  A
node that is true without words (NOT, a label) returns an empty list, or spans at position −1.
Every part of an OR is looked at, so that all reasons are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from monitor.rules import regex
from monitor.rules.labels import label
from monitor.rules.near import near
from monitor.rules.scan import NUMBER, SHIFT
from monitor.rules.scanned import NOWHERE, Evaluate, Scanned, Spans
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

MOST_COUNTED = 3  # mentions of one term that count in a score

TermKey = tuple[str, bool]  # text, exact
# (list's node, fields) → its closure: rules that use one list share it.
Lists = dict[tuple[int, frozenset[Field]], Evaluate]


def compiled(
    node: Node,
    numbers: Mapping[TermKey, int],
    fields: frozenset[Field] = TEXT_FIELDS,
    lists: Lists | None = None,
) -> Evaluate:
    """The closure of *node*, looked for in *fields*; *numbers* are those of the trie.

    *lists* keeps the closures of ``@lists`` between calls; their nodes must stay alive.
    """

    def of(part: Node, inside: frozenset[Field] = fields) -> Evaluate:
        return compiled(part, numbers, inside, lists)

    match node:
        case Term():
            return _term(numbers[node.text, node.exact], fields)
        case Regex():
            return _regex(node, fields)
        case Or():
            return _either(node, fields, lists, of)
        case And():
            return _and([of(part) for part in node.parts])
        case Not():
            return _not(of(node.part))
        case Near():
            return near(of(node.left), of(node.right), node.distance, ordered=node.ordered)
        case AtLeast():
            return _at_least(node.count, of(node.part))
        case Scope():
            return of(node.part, node.fields)
        case Score():
            return _score([(of(part), points) for part, points in node.weights], node.threshold)
        case Label():
            return label(node)
        case Everything():
            return lambda _: []


def _either(
    node: Or, fields: frozenset[Field], lists: Lists | None, of: Callable[[Node], Evaluate]
) -> Evaluate:
    """The closure of *node*; of one that is a list the one that stands in *lists* already."""
    if not node.origin or lists is None:
        return _or([of(part) for part in node.parts])
    key = (id(node), fields)
    if key not in lists:
        lists[key] = _or([of(part) for part in node.parts])
    return lists[key]


@lru_cache(maxsize=256)
def _numbers(fields: frozenset[Field]) -> frozenset[int]:
    return frozenset(NUMBER[each] for each in fields)


def _term(number: int, fields: frozenset[Field]) -> Evaluate:
    allowed = _numbers(fields)

    def evaluate(scanned: Scanned) -> Spans | None:
        found = scanned.hits.get(number)
        if found is None:
            return None
        return [
            (leaf[0], leaf[1], (leaf,)) for leaf in found if leaf[0] >> SHIFT in allowed
        ] or None

    return evaluate


def _regex(node: Regex, fields: frozenset[Field]) -> Evaluate:
    pattern = regex.compiled(node.pattern)
    shown = f"/{node.pattern}/"
    number = -2 - abs(hash(shown)) % (1 << 40)  # tells its leaves from those of terms

    def evaluate(scanned: Scanned) -> Spans | None:
        spans: Spans = []
        for name in fields:
            words = scanned.words.get(NUMBER[name])
            if words is None or not words.columns.starts:
                continue
            base = NUMBER[name] << SHIFT
            for found in pattern.finditer(words.text):
                start, end = found.span()
                if start == end:
                    continue
                first, after = words.word_at(start, end)
                leaf = (base + first, base + after, number - start)
                scanned.regex_spans[leaf] = (NUMBER[name], start, end, shown)
                spans.append((leaf[0], leaf[1], (leaf,)))
        return sorted(spans) or None

    return evaluate


def _or(parts: Sequence[Evaluate]) -> Evaluate:
    def evaluate(scanned: Scanned) -> Spans | None:
        true = [spans for part in parts if (spans := part(scanned)) is not None]
        return _joined(true) if true else None

    return evaluate


def _and(parts: Sequence[Evaluate]) -> Evaluate:
    def evaluate(scanned: Scanned) -> Spans | None:
        true = []
        for part in parts:
            spans = part(scanned)
            if spans is None:
                return None
            true.append(spans)
        return _joined(true)

    return evaluate


def _not(part: Evaluate) -> Evaluate:
    return lambda scanned: [] if part(scanned) is None else None


def _joined(spans: Sequence[Spans]) -> Spans:
    if len(spans) == 1:
        return spans[0]
    return sorted({span for each in spans for span in each})


# --- counts and points


def _at_least(count: int, part: Evaluate) -> Evaluate:
    def evaluate(scanned: Scanned) -> Spans | None:
        spans = part(scanned)
        return spans if spans and _mentions(spans) >= count else None

    return evaluate


def _mentions(spans: Spans) -> int:
    """Places: terms of a list that overlap are one mention."""
    count, end = 0, NOWHERE
    for span in sorted(spans):
        if span[0] >= end:
            count += 1
        end = max(end, span[1])
    return count


def _score(weights: Sequence[tuple[Evaluate, float]], threshold: float) -> Evaluate:
    def evaluate(scanned: Scanned) -> Spans | None:
        total, shown = 0.0, []
        for part, points in weights:
            spans = part(scanned)
            if spans:
                total += points * min(MOST_COUNTED, _mentions(spans))
                if points > 0:
                    shown.append(spans)
        return _joined(shown) if shown and total >= threshold else None

    return evaluate
