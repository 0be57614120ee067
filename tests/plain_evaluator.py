"""The rule language, evaluated the slow and obvious way: the reference for the matcher.

Walks the tree over lists of words; no trie, no covers, no closures, no shared terms.  Only the
reading of single words (``terms.variants``) and of regular expressions is the matcher's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitor.model import Entry, Hit
from monitor.rules import regex
from monitor.rules.scan import FIELDS, Words, text_of
from monitor.rules.terms import WILD, Variant, is_satisfied, variants
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


@dataclass(frozen=True, order=True)
class Place:
    """Words *first* to before *after* of a field, with the hits that make it."""

    field: int
    first: int
    after: int
    hits: frozenset[Hit]


Places = set[Place]


def evaluate(node: Node, entry: Entry) -> set[Hit] | None:
    """The hits of a true *node*; None if it is not true."""
    places = _Plain(entry).of(node, TEXT_FIELDS)
    return None if places is None else {hit for place in places for hit in place.hits}


class _Plain:
    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._words = {field: Words(text_of(entry, field)) for field in Field}

    def of(self, node: Node, fields: frozenset[Field]) -> Places | None:
        match node:
            case Term():
                return self._term(node, fields) or None
            case Regex():
                return self._regex(node, fields) or None
            case Or():
                true = [p for part in node.parts if (p := self.of(part, fields)) is not None]
                return set().union(*true) if true else None
            case And():
                parts = [self.of(part, fields) for part in node.parts]
                return None if None in parts else set().union(*parts)  # type: ignore[arg-type]
            case Not():
                return set() if self.of(node.part, fields) is None else None
            case Near():
                return self._near(node, fields)
            case AtLeast():
                places = self.of(node.part, fields)
                return places if places and mentions(places) >= node.count else None
            case Scope():
                return self.of(node.part, node.fields)
            case Score():
                return self._score(node, fields)
            case Label():
                return self._label(node)
            case Everything():
                return set()

    def _term(self, term: Term, fields: frozenset[Field]) -> Places:
        return {
            place
            for field in fields
            for variant in variants(term)
            for place in self._variant(term, variant, field)
        }

    def _variant(self, term: Term, variant: Variant, field: Field) -> Places:
        words = self._words[field]
        folded, length = words.columns.folded, len(variant.keys)
        found = set()
        for first in range(len(folded) - length + 1):
            same = all(_fits(k, w) for k, w in zip(variant.keys, folded[first:], strict=False))
            if same and is_satisfied(variant, lambda n, first=first: words.spelled(first + n)):
                start, end = words.span(first, first + length)
                hit = Hit(field=field.value, start=start, end=end, term=term.text)
                place = Place(FIELDS.index(field), first, first + length, frozenset({hit}))
                found.add(place)
        return found

    def _regex(self, node: Regex, fields: frozenset[Field]) -> Places:
        found = set()
        for field in fields:
            words = self._words[field]
            for match in regex.compiled(node.pattern).finditer(words.text):
                if match.start() == match.end() or not words.columns.starts:
                    continue
                first, after = words.word_at(*match.span())
                hit = Hit(
                    field=field.value,
                    start=match.start(),
                    end=match.end(),
                    term=f"/{node.pattern}/",
                )
                found.add(Place(FIELDS.index(field), first, after, frozenset({hit})))
        return found

    # --- near

    def _near(self, node: Near, fields: frozenset[Field]) -> Places | None:
        left, right = self.of(node.left, fields), self.of(node.right, fields)
        if not left or not right:
            return None
        if node.distance is None:
            return self._sentences(left, right) or None
        found: Places = set()
        for ones, others, ordered_first in ((left, right, True), (right, left, False)):
            for one in ones:
                if ordered_first or not node.ordered:
                    found |= _following(one, others, node.distance)
                if not ordered_first or not node.ordered:
                    found |= _preceding(one, others, node.distance)
        return found or None

    def _sentences(self, left: Places, right: Places) -> Places:
        found = set()
        keys = {self._sentence(place) for place in left | right}
        for key in keys:
            ones = {p for p in left if self._sentence(p) == key}
            others = {p for p in right if self._sentence(p) == key}
            if any(a.after <= b.first or b.after <= a.first for a in ones for b in others):
                both = ones | others
                hits = frozenset(hit for place in both for hit in place.hits)
                first, after = min(p.first for p in both), max(p.after for p in both)
                found.add(Place(key[0], first, after, hits))
        return found

    def _sentence(self, place: Place) -> tuple[int, int]:
        return place.field, self._words[FIELDS[place.field]].sentence(place.first)

    # --- points and labels

    def _score(self, node: Score, fields: frozenset[Field]) -> Places | None:
        total, shown = 0.0, set()
        for part, points in node.weights:
            places = self.of(part, fields)
            if places:
                total += points * min(3, mentions(places))
                shown |= places if points > 0 else set()
        return shown if shown and total >= node.threshold else None

    def _label(self, node: Label) -> Places | None:
        entry = self._entry
        values = {
            "feed": [entry.feed_name, entry.feed_id],
            "tag": sorted(entry.feed_tags),
            "language": [entry.language],
            "category": list(entry.categories),
            "author": [entry.author],
        }[node.key]
        wanted = {fold(value) for value in node.values}
        for value in values:
            if fold(value) in wanted:
                hit = Hit(field=node.key, start=0, end=0, term=value)
                return {Place(-1, -1, -1, frozenset({hit}))}
        return None


def mentions(places: Places) -> int:
    """Words that belong to some place, in unbroken runs of overlapping places."""
    count, reached = 0, (-9, -9)
    for place in sorted(places, key=lambda p: (p.field, p.first, p.after)):
        if (place.field, place.first) >= reached:
            count += 1
        reached = max(reached, (place.field, place.after))
    return count


def _fits(key: str, word: str) -> bool:
    if not key.startswith(WILD):
        return key == word
    pattern = re.escape(key[1:]).replace(r"\*", r"\w*").replace(r"\?", r"\w")
    return re.fullmatch(pattern, word) is not None


def _following(one: Place, others: Places, distance: int) -> Places:
    """*one* with the nearest of *others* after it."""
    near = [o for o in others if o.field == one.field and 0 <= o.first - one.after <= distance]
    if not near:
        return set()
    closest = min(near, key=lambda o: (o.first, o.after, _order(o)))
    return {Place(one.field, one.first, closest.after, one.hits | closest.hits)}


def _preceding(one: Place, others: Places, distance: int) -> Places:
    near = [o for o in others if o.field == one.field and 0 <= one.first - o.after <= distance]
    if not near:
        return set()
    closest = max(near, key=lambda o: (o.after, o.first, _order(o)))
    return {Place(one.field, closest.first, one.after, one.hits | closest.hits)}


def _order(place: Place) -> list[Hit]:
    return sorted(place.hits)
