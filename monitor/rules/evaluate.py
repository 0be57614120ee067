"""A rule's tree → one closure that tells where it is true in a scanned entry.  Pure.

A closure returns None (not true) or spans: (first, after, leaves), positions as in ``scan``.  A
node that is true without words (NOT, a label) returns an empty list, or spans at position −1.
Every part of an OR is looked at, so that all reasons are shown.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate as glob_to_regex
from functools import lru_cache
from re import compile as compile_glob

from monitor.model import Entry
from monitor.rules import regex
from monitor.rules.scan import FIELDS, NUMBER, SHIFT, Leaf, Words
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
from monitor.text import fold

MOST_COUNTED = 3  # mentions of one term that count in a score
NOWHERE = -1  # position of a label's leaf

Span = tuple[int, int, tuple[Leaf, ...]]
Spans = list[Span]
TermKey = tuple[str, bool]  # text, exact


@dataclass(slots=True)
class Scanned:
    """An entry while its rules are evaluated."""

    entry: Entry
    words: dict[int, Words]  # field number → its words
    hits: Mapping[int, list[Leaf]]  # term number → leaves in all fields
    language: Callable[[], str]
    labels: dict[int, tuple[str, str]] = field(default_factory=dict)  # leaf number → key, value
    regex_spans: dict[Leaf, tuple[int, int, int, str]] = field(default_factory=dict)


Evaluate = Callable[[Scanned], Spans | None]


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
            return _near(of(node.left), of(node.right), node.distance, ordered=node.ordered)
        case AtLeast():
            return _at_least(node.count, of(node.part))
        case Scope():
            return of(node.part, node.fields)
        case Score():
            return _score([(of(part), points) for part, points in node.weights], node.threshold)
        case Label():
            return _label(node)
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


# --- near


def _near(left: Evaluate, right: Evaluate, distance: int | None, *, ordered: bool) -> Evaluate:
    def evaluate(scanned: Scanned) -> Spans | None:
        lefts = left(scanned)
        if not lefts:
            return None
        rights = right(scanned)
        if not rights:
            return None
        if distance is None:
            return _same_sentence(scanned, lefts, rights)
        return _pairs(lefts, rights, distance, ordered=ordered)

    return evaluate


def _pairs(lefts: Spans, rights: Spans, distance: int, *, ordered: bool) -> Spans | None:
    """Each span with the nearest one of the other side, if at most *distance* words are between.

    Linear in the number of spans, whatever a text repeats.
    """
    found = _nearest(lefts, rights, distance, before=not ordered)
    found |= _nearest(rights, lefts, distance, before=True, after=not ordered)
    return sorted(found) or None


def _nearest(
    ones: Spans, others: Spans, distance: int, *, before: bool, after: bool = True
) -> set[Span]:
    """For each of *ones* the nearest of *others* that follows it and that precedes it."""
    found: set[Span] = set()
    by_start = sorted(others)
    by_end = sorted(others, key=lambda span: (span[1], span[0]))
    starts, ends = [span[0] for span in by_start], [span[1] for span in by_end]
    for one in ones:
        if after:
            at = bisect_left(starts, one[1])
            if at < len(starts) and starts[at] - one[1] <= distance:
                found.add(_pair(one, by_start[at]))
        if before:
            at = bisect_left(ends, one[0] + 1) - 1
            if at >= 0 and one[0] - ends[at] <= distance:
                found.add(_pair(by_end[at], one))
    return found


def _pair(first: Span, second: Span) -> Span:
    return first[0], second[1], tuple(sorted({*first[2], *second[2]}))


def _same_sentence(scanned: Scanned, lefts: Spans, rights: Spans) -> Spans | None:
    """Spans of both sides that stand in one sentence, joined; sentence by sentence."""
    by_sentence: dict[tuple[int, int], tuple[Spans, Spans]] = {}
    for side, spans in enumerate((lefts, rights)):
        for span in spans:
            place = _sentence(scanned, span)
            by_sentence.setdefault(place, ([], []))[side].append(span)
    found = []
    for ones, others in by_sentence.values():
        apart = any(one[1] <= other[0] or other[1] <= one[0] for one in ones for other in others)
        if apart:
            both = sorted({*ones, *others})
            leaves = tuple(sorted({leaf for span in both for leaf in span[2]}))
            found.append((both[0][0], max(span[1] for span in both), leaves))
    return sorted(found) or None


def _sentence(scanned: Scanned, span: Span) -> tuple[int, int]:
    number = span[0] >> SHIFT
    return number, scanned.words[number].sentence(span[0] & ((1 << SHIFT) - 1))


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


# --- labels


def _label(node: Label) -> Evaluate:
    wanted = frozenset(folded(value) for value in node.values)
    globs = [compile_glob(glob_to_regex(value.lower())) for value in node.values]
    key = node.key
    number = -2 - abs(hash((key, node.values))) % (1 << 40)

    def evaluate(scanned: Scanned) -> Spans | None:
        values = label_values(scanned.entry, key, scanned.language)
        if key == "url":
            true = [value for value in values if any(glob.match(value.lower()) for glob in globs)]
        else:
            true = [value for value in values if folded(value) in wanted]
        if not true:
            return None
        scanned.labels[number] = (key, true[0])
        return [(NOWHERE, NOWHERE, ((NOWHERE, NOWHERE, number),))]

    return evaluate


def label_values(entry: Entry, key: str, language: Callable[[], str]) -> Iterable[str]:
    """What *entry* has as *key*: "feed", "tag", "language", "category", "url", "author"."""
    match key:
        case "feed":
            return (entry.feed_name, entry.feed_id)
        case "tag":
            return sorted(entry.feed_tags)
        case "language":
            return (language(),)
        case "category":
            return entry.categories
        case "url":
            return (entry.url,)
        case _:
            return (entry.author,)


@lru_cache(maxsize=4096)
def folded(value: str) -> str:
    return fold(" ".join(value.split()))


def field_name(number: int) -> str:
    return FIELDS[number].value
