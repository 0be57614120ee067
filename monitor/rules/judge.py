"""A person's word about one entry → the example that says it, and under which key.  Pure.

The shortest form of the entry is taken that the rule treats as it treats the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.model import Entry
from monitor.rules.assemble import LoadedRule
from monitor.rules.examples import Wish, entry_of
from monitor.rules.explain import Explanation, explain
from monitor.rules.files import ExampleTable
from monitor.rules.match import Detect
from monitor.rules.verdict import Story

LONGEST = 600  # characters of a summary or content in an example


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What to write into the rule's file, and what the rule makes of it today."""

    wish: Wish
    story: Story
    explanation: Explanation  # of the whole entry

    @property
    def passes(self) -> bool:
        """The rule does what it should already."""
        return self.wish in (Wish.MUST_MATCH, Wish.MUST_NOT_MATCH)


def judge(
    loaded: LoadedRule, entry: Entry, *, wanted: bool, detect: Detect | None = None
) -> Judgement:
    """*entry* should match (``wanted``) or should not; an example that fails today never binds."""
    whole = explain(loaded.rule, loaded.condition, entry, detect)
    for story in _forms(entry, whole):
        example = ExampleTable.model_validate({"title": story} if isinstance(story, str) else story)
        shown = explain(loaded.rule, loaded.condition, entry_of(example, loaded.condition), detect)
        if shown.matched == whole.matched and _terms(shown) == _terms(whole):
            break
    wish = {
        (True, True): Wish.MUST_MATCH,
        (True, False): Wish.WANTED_MATCH,
        (False, True): Wish.UNWANTED_MATCH,
        (False, False): Wish.MUST_NOT_MATCH,
    }[wanted, shown.matched]
    return Judgement(wish=wish, story=story, explanation=whole)


def entry_from_text(text: str) -> Entry:
    """A story somebody types: its headline, and after a line break the rest."""
    title, _, rest = text.strip().partition("\n")
    return Entry(
        id="",
        feed_id="",
        feed_name="",
        keys=(),
        title=title.strip(),
        summary=rest.strip(),
        first_seen_at=datetime(2000, 1, 1, tzinfo=UTC),
        fingerprint="",
    )


def _forms(entry: Entry, whole: Explanation) -> Iterator[Story]:
    """*entry* as an example, from short to long; the last one is taken if none will do."""
    told = {"title": entry.title, "summary": _cut(entry.summary, entry, whole, "summary")}
    labels: dict[str, str | Sequence[str]] = {
        "feed": entry.feed_name,
        "language": entry.language,
        "author": entry.author,
        "url": entry.url,
        "tags": sorted(entry.feed_tags),
        "categories": list(entry.categories),
    }
    if entry.title:
        yield entry.title
    yield _filled(told)
    yield _filled({**told, "feed": entry.feed_name})
    content = {"content": _cut(entry.content, entry, whole, "content")}
    yield _filled({**told, **content})
    yield _filled({**told, **content, **labels})
    yield _filled({**told, "summary": entry.summary, "content": entry.content, **labels})


def _filled(story: Mapping[str, str | Sequence[str]]) -> Story:
    return {name: value for name, value in story.items() if value}


def _cut(text: str, entry: Entry, whole: Explanation, field: str) -> str:
    """The stretch of *text* round its first hit, cut at spaces."""
    if len(text) <= LONGEST:
        return text
    first = min((hit.start for hit in whole.hits if hit.field == field), default=0)
    start = max(0, first - LONGEST // 3)
    piece = text[start : start + LONGEST]
    if start:
        piece = piece.partition(" ")[2] or piece
    return piece.rpartition(" ")[0] or piece


def _terms(explanation: Explanation) -> frozenset[str]:
    return frozenset(hit.term for hit in explanation.hits)
