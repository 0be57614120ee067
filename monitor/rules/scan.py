"""An entry's words, and where each term stands in them: one walk over a trie of all terms.  Pure.

A position is ``field number << 20 | word number``: words of two fields are never near each other.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from monitor.model import Entry
from monitor.rules.terms import WILD, Variant, Wildcards, is_satisfied, variants
from monitor.rules.tree import Field, Term
from monitor.text import Columns, columns, raw, sentences

FIELDS = tuple(Field)  # a field's number is its place here
NUMBER = {field: number for number, field in enumerate(FIELDS)}
SHIFT = 20  # words a field may have: a million
MASK = (1 << SHIFT) - 1

Leaf = tuple[int, int, int]  # first position, position after the last, term number
Node = dict[Any, Any]  # key → node, and None → [(term number, variant with a check or None)]


class Words:
    """One field of an entry, as words."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.columns: Columns = columns(text)

    def spelled(self, number: int) -> str:
        return raw(self.text[self.columns.starts[number] : self.columns.ends[number]])

    def span(self, first: int, after: int) -> tuple[int, int]:
        """Character offsets of the words from *first* to before *after*."""
        return self.columns.starts[first], self.columns.ends[after - 1]

    def word_at(self, start: int, end: int) -> tuple[int, int]:
        """The words that the characters from *start* to *end* touch: (first, after the last)."""
        first = bisect_right(self.columns.ends, start)
        after = bisect_right(self.columns.starts, max(start, end - 1))
        return first, max(after, first + 1)

    @cached_property
    def _sentence_starts(self) -> list[int]:
        return [start for start, _ in sentences(self.text)]

    def sentence(self, number: int) -> int:
        """The number of the sentence that word *number* stands in."""
        starts = self.columns.starts
        return bisect_right(self._sentence_starts, starts[min(number, len(starts) - 1)])


def text_of(entry: Entry, field: Field) -> str:
    """The text of a field; lists of labels one a line."""
    match field:
        case Field.CATEGORY:
            return "\n".join(entry.categories)
        case Field.FEED:
            return entry.feed_name
        case Field.TAG:
            return "\n".join(sorted(entry.feed_tags))
        case _:
            value: str = getattr(entry, field.value)
            return value


class Trie:
    """All terms of all rules; immutable once made."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._root: Node = {}
        wild: list[str] = []
        for number, term in enumerate(terms):
            for variant in dict.fromkeys(variants(term)):
                self._add(number, variant)
                wild += [key for key in variant.keys if key.startswith(WILD)]
        self._wildcards = Wildcards(wild)

    def _add(self, number: int, variant: Variant) -> None:
        node = self._root
        for key in variant.keys:
            node = node.setdefault(key, {})
        checked = variant if variant.cases or variant.exact else None
        node.setdefault(None, []).append((number, checked))

    def scan(self, words: Words, base: int, hits: dict[int, list[Leaf]]) -> None:
        """Add to *hits* every place in *words* where a term stands: term number → leaves."""
        folded = words.columns.folded
        root, wild_of = self._root, self._wildcards.of if self._wildcards else None
        for start, word in enumerate(folded):
            node = root.get(word)
            if node is not None:
                self._walk(words, node, start, start + 1, base, hits)
            if wild_of is not None:
                for key in wild_of(word):
                    node = root.get(key)
                    if node is not None:
                        self._walk(words, node, start, start + 1, base, hits)

    def _walk(
        self, words: Words, node: Node, start: int, at: int, base: int, hits: dict[int, list[Leaf]]
    ) -> None:
        """Report the terms that end before word *at*, and follow those that go on."""
        folded = words.columns.folded
        while True:
            ending = node.get(None)
            if ending is not None:
                self._report(words, ending, start, at, base, hits)
                if len(node) == 1:
                    return
            if at >= len(folded):
                return
            for key in self._wildcards.of(folded[at]) if self._wildcards else ():
                wild = node.get(key)
                if wild is not None:
                    self._walk(words, wild, start, at + 1, base, hits)
            following: Node | None = node.get(folded[at])
            if following is None:
                return
            node, at = following, at + 1

    def _report(
        self,
        words: Words,
        ending: list[tuple[int, Variant | None]],
        start: int,
        at: int,
        base: int,
        hits: dict[int, list[Leaf]],
    ) -> None:
        for number, checked in ending:
            if checked is None or is_satisfied(checked, lambda n: words.spelled(start + n)):
                found = hits.get(number)
                leaf = (base + start, base + at, number)
                if found is None:
                    hits[number] = [leaf]
                elif leaf not in found[-4:]:  # two spellings of one term at one place
                    found.append(leaf)


def fields_of(entry: Entry, fields: Sequence[Field]) -> Iterator[tuple[int, Words]]:
    """(base position, words) of the entry's *fields* that hold any text."""
    for field in fields:
        text = text_of(entry, field)
        if text:
            yield NUMBER[field] << SHIFT, Words(text)
