"""All rules against one entry: scan once, look up the few rules that may be true, evaluate those.

A rule is looked up by its *cover*: terms of which at least one must stand in the entry for the
rule to be true, the rarest that will do (matching.md §2.4; Lucene's stored queries do the same).
The matcher is immutable; new rules make a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from monitor.model import Entry, Hit, Match, Rule
from monitor.rules.evaluate import Lists, TermKey, compiled
from monitor.rules.scan import MASK, SHIFT, Leaf, Trie, fields_of
from monitor.rules.scanned import NOWHERE, Evaluate, Scanned, Spans, field_name
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
from monitor.text import words

Detect = Callable[[str], str]  # text → language ("de"), "" unknown
DETECTED_FROM = 400  # characters that tell the language well enough
UNKNOWN_FREQUENCY = 0.5


class Matcher:
    """Made by ``compile_rules``."""

    def __init__(
        self,
        rules: Sequence[tuple[Rule, Evaluate]],
        *,
        numbers: Mapping[TermKey, int],
        terms: Sequence[Term],
        covers: Mapping[int, Sequence[int]],
        always: Sequence[int],
        fields: Sequence[Field],
        detect: Detect | None,
    ) -> None:
        self._rules = tuple(rules)
        self.numbers = numbers  # of each term in the trie
        self._terms = tuple(term.text for term in terms)
        self._trie = Trie(terms)
        self._covers = covers  # term number → rules it may make true
        self._always = tuple(always)  # rules without a cover
        self._fields = tuple(fields)  # those that any rule looks at
        self._detect = detect

    def match(self, entry: Entry) -> list[Match]:
        """The rules that are true of *entry*, in their order, each with where."""
        if not self._rules:
            return []
        scanned = self.scan(entry)
        matches = []
        for number in self._candidates(scanned.hits):
            rule, evaluate = self._rules[number]
            spans = evaluate(scanned)
            if spans is not None:
                hits = self.hits(scanned, spans)
                matches.append(Match(rule=rule, entry_id=entry.id, hits=hits))
        return matches

    def scan(self, entry: Entry) -> Scanned:
        """*entry* with every place where a term of any rule stands."""
        by_field = dict(fields_of(entry, self._fields))
        hits: dict[int, list[Leaf]] = {}
        for base, each in by_field.items():
            self._trie.scan(each, base, hits)
        return Scanned(
            entry=entry,
            words={base >> SHIFT: each for base, each in by_field.items()},
            hits=hits,
            language=cache(lambda: language_of(entry, self._detect)),
        )

    def _candidates(self, hits: Mapping[int, object]) -> list[int]:
        found = set(self._always)
        for term in hits:
            found.update(self._covers.get(term, ()))
        return sorted(found)

    def hits(self, scanned: Scanned, spans: Spans) -> tuple[Hit, ...]:
        """The evidence in *spans*, in the order of fields and places."""
        leaves = sorted({leaf for span in spans for leaf in span[2]})
        return tuple([self._hit(scanned, leaf) for leaf in leaves])

    def _hit(self, scanned: Scanned, leaf: Leaf) -> Hit:
        first, after, number = leaf
        if first == NOWHERE:
            key, value = scanned.labels[number]
            return Hit(field=key, start=0, end=0, term=value)
        if number < 0:
            name, start, end, shown = scanned.regex_spans[leaf]
            return Hit(field=field_name(name), start=start, end=end, term=shown)
        name = first >> SHIFT
        start, end = scanned.words[name].span(first & MASK, after & MASK)
        return Hit(field=field_name(name), start=start, end=end, term=self._terms[number])


def language_of(entry: Entry, detect: Detect | None) -> str:
    """The feed's word for it; else what the text looks like, where that can be told."""
    if entry.language or detect is None:
        return entry.language
    return detect(f"{entry.title}. {entry.summary}"[:DETECTED_FROM])


def compile_rules(
    rules: Sequence[tuple[Rule, Node]],
    frequencies: Mapping[str, int] | None = None,
    detect: Detect | None = None,
) -> Matcher:
    """The matcher of *rules*.  *frequencies*, folded word → entries with it, order the covers."""
    numbers: dict[TermKey, int] = {}
    terms: list[Term] = []
    fields: set[Field] = set(TEXT_FIELDS)
    for _, node in rules:
        for part in walk(node):
            if isinstance(part, Term) and (part.text, part.exact) not in numbers:
                numbers[part.text, part.exact] = len(terms)
                terms.append(part)
            elif isinstance(part, Scope):
                fields |= part.fields
    prices = [_price(term, frequencies or {}) for term in terms]
    lists: Lists = {}
    covers: dict[int, list[int]] = {}
    always: list[int] = []
    for place, (_, node) in enumerate(rules):
        cover = _cover(node, numbers, prices)
        if cover is None:
            always.append(place)
        for number in cover or ():
            covers.setdefault(number, []).append(place)
    return Matcher(
        [(rule, compiled(node, numbers, lists=lists)) for rule, node in rules],
        numbers=numbers,
        terms=terms,
        covers=covers,
        always=always,
        fields=[field for field in Field if field in fields],
        detect=detect,
    )


def walk(node: Node) -> Iterator[Node]:
    """*node* and everything in it."""
    yield node
    match node:
        case Or() | And():
            inner: Sequence[Node] = node.parts
        case Not() | AtLeast() | Scope():
            inner = (node.part,)
        case Near():
            inner = (node.left, node.right)
        case Score():
            inner = [part for part, _ in node.weights]
        case _:
            return
    for part in inner:
        yield from walk(part)


def _price(term: Term, frequencies: Mapping[str, int]) -> float:
    """In how many entries it may stand: at most as many as its rarest word."""
    counted = [frequencies.get(word, UNKNOWN_FREQUENCY) for word in words(term.text)]
    share = 10.0 if "*" in term.text or "?" in term.text else 1.0
    return share * min(counted, default=UNKNOWN_FREQUENCY) / len(counted or [1])


Cover = frozenset[int] | None  # None: nothing must stand there for the node to be true


def _cover(node: Node, numbers: Mapping[TermKey, int], prices: Sequence[float]) -> Cover:
    def price(cover: frozenset[int]) -> float:
        return sum(prices[number] for number in cover)

    def cheapest(parts: Sequence[Node]) -> Cover:
        covers = [cover for part in parts if (cover := of(part)) is not None]
        return min(covers, key=price, default=None)

    def union(parts: Sequence[Node]) -> Cover:
        covers = [of(part) for part in parts]
        if any(cover is None for cover in covers):
            return None
        return frozenset(number for cover in covers for number in cover or ())

    def of(node: Node) -> Cover:
        match node:
            case Term():
                return frozenset({numbers[node.text, node.exact]})
            case Or():
                return union(node.parts)
            case And():
                return cheapest(node.parts)
            case Near():
                return cheapest((node.left, node.right))
            case AtLeast() | Scope():
                return of(node.part)
            case Score():
                return union([part for part, points in node.weights if points > 0])
            case Regex() | Not() | Label() | Everything():
                return None

    return of(node)
