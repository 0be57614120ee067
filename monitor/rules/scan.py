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
Node = dict[Any, Any]  # see Trie
Ending = int | tuple[int, Variant]  # a term's number, with the variant if spelling is checked


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
    """All terms of all rules; immutable once made.

    A node is a dict from trie key to node, with the terms that end there under ``None``.  Where no
    term goes on, the node is just the tuple of those that end: a dict for each would be half of
    all memory.
    """

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
        for key in variant.keys[:-1]:
            if key.startswith(WILD):
                node[WILD] = True  # patterns are looked for only where there are any
            following = node.get(key)
            if not isinstance(following, dict):
                following = node[key] = {} if following is None else {None: following}
            node = following
        last = variant.keys[-1]
        if last.startswith(WILD):
            node[WILD] = True
        ending: Ending = (number, variant) if variant.cases or variant.exact else number
        there = node.get(last)
        if isinstance(there, dict):
            there[None] = (*there.get(None, ()), ending)
        else:
            node[last] = (*(there or ()), ending)

    def scan(self, words: Words, base: int, hits: dict[int, list[Leaf]]) -> None:
        """Add to *hits* every place in *words* where a term stands: term number → leaves."""
        root, wild_of = self._root, self._wildcards.of if self._wildcards else None
        for start, word in enumerate(words.columns.folded):
            node = root.get(word)
            if node is not None:
                self._walk(words, node, start, start + 1, base, hits)
            if wild_of is not None:
                for key in wild_of(word):
                    node = root.get(key)
                    if node is not None:
                        self._walk(words, node, start, start + 1, base, hits)

    def _walk(
        self,
        words: Words,
        node: Node | tuple[Ending, ...],
        start: int,
        at: int,
        base: int,
        hits: dict[int, list[Leaf]],
    ) -> None:
        """Report the terms that end before word *at*, and follow those that go on."""
        folded = words.columns.folded
        while isinstance(node, dict):
            if None in node:
                self._report(words, node[None], start, at, base, hits)
            if at >= len(folded):
                return
            for key in self._wildcards.of(folded[at]) if WILD in node else ():
                if key in node:
                    self._walk(words, node[key], start, at + 1, base, hits)
            following = node.get(folded[at])
            if following is None:
                return
            node, at = following, at + 1
        self._report(words, node, start, at, base, hits)

    def _report(
        self,
        words: Words,
        endings: tuple[Ending, ...],
        start: int,
        at: int,
        base: int,
        hits: dict[int, list[Leaf]],
    ) -> None:
        for ending in endings:
            if isinstance(ending, int):
                number = ending
            else:
                number, variant = ending
                if not is_satisfied(variant, lambda n: words.spelled(start + n)):
                    continue
            leaf = (base + start, base + at, number)
            found = hits.get(number)
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
