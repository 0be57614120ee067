"""The examples inside a rule: stories it must match and must not, run at every load.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from monitor.errors import Problem
from monitor.model import Entry, Hit, Rule
from monitor.rules.explain import explain
from monitor.rules.files import ExampleTable, RuleTable
from monitor.rules.match import Detect, compile_rules
from monitor.rules.tree import Label, Node
from monitor.tomlfile import TomlDocument

SHOWN = 70  # characters of an example in a message


class Wish(StrEnum):
    """What the rule's author expects."""

    MUST_MATCH = "must_match"
    MUST_NOT_MATCH = "must_not_match"
    WANTED_MATCH = "wanted_match"  # not yet reached: a warning
    UNWANTED_MATCH = "unwanted_match"


POSITIVE = (Wish.MUST_MATCH, Wish.WANTED_MATCH)
BINDING = (Wish.MUST_MATCH, Wish.MUST_NOT_MATCH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One story and what is expected of the rule."""

    wish: Wish
    story: ExampleTable
    file: str
    line: int | None
    number: int = 0  # its place in the list of its wish


def of(table: RuleTable, document: TomlDocument, number: int) -> Iterator[Example]:
    """The examples of the *number*-th rule of *document*."""
    for wish in Wish:
        for place, each in enumerate(getattr(table, wish.value)):
            story = ExampleTable(title=each) if isinstance(each, str) else each
            line = document.line("rule", number, wish.value, place)
            yield Example(wish=wish, story=story, file=document.name, line=line, number=place)


def try_out(
    rule: Rule, condition: Node, examples: Sequence[Example], detect: Detect | None = None
) -> Iterator[Problem]:
    """A problem for each example that does not do what it should, and why."""
    matcher = compile_rules([(rule, condition)], detect=detect)
    for example in examples:
        entry = entry_of(example.story, condition)
        matches = matcher.match(entry)
        if bool(matches) != (example.wish in POSITIVE):
            what, remedy = _why(rule, condition, entry, example, matches, detect)
            yield _problem(rule, example, what, remedy, warning=example.wish not in BINDING)
        elif example.wish not in BINDING:
            binding = "must_match" if example.wish in POSITIVE else "must_not_match"
            yield _problem(
                rule, example, f"{_shown(example)} does so now", f"move it to {binding}",
                warning=True,
            )  # fmt: skip


def holds(rule: Rule, condition: Node, example: Example, detect: Detect | None = None) -> bool:
    """Whether the rule does what *example* expects."""
    matcher = compile_rules([(rule, condition)], detect=detect)
    return bool(matcher.match(entry_of(example.story, condition))) == (example.wish in POSITIVE)


def entry_of(story: ExampleTable, condition: Node | None = None) -> Entry:
    """*story* as an entry; labels it leaves open are what the rule asks for.

    So a bare headline is an example of a rule that looks only at one feed.
    """
    asked = _asked(condition)
    return Entry(
        id="example",
        feed_id="example",
        feed_name=story.feed or asked.get("feed", ""),
        feed_tags=frozenset(story.tags or filter(None, [asked.get("tag")])),
        keys=("example",),
        url=story.url or asked.get("url", "").replace("*", ""),
        title=story.title,
        summary=story.summary,
        content=story.content,
        author=story.author or asked.get("author", ""),
        categories=tuple(story.categories or filter(None, [asked.get("category")])),
        language=story.language or asked.get("language", ""),
        first_seen_at=datetime(2000, 1, 1, tzinfo=UTC),
        fingerprint="",
    )


def _asked(node: Node | None) -> dict[str, str]:
    """The label conditions that hold for the whole rule: key → its first value."""
    parts = getattr(node, "parts", ()) if type(node).__name__ == "And" else (node,)
    return {part.key: part.values[0] for part in parts if isinstance(part, Label)}


def _why(
    rule: Rule,
    condition: Node,
    entry: Entry,
    example: Example,
    matches: Sequence[object],
    detect: Detect | None,
) -> tuple[str, str]:
    """(what happened, what to do)."""
    explanation = explain(rule, condition, entry, detect)
    if not matches:
        missing = "; ".join(explanation.failed()[:3])
        return (
            f"{_shown(example)} does not match: not found {missing}",
            "add a term that is in it, or remove the example",
        )
    words = ", ".join(dict.fromkeys(_found(entry, hit) for hit in explanation.hits)) or "its labels"
    return (
        f"{_shown(example)} matches: because of {words}",
        "exclude it with none or NOT, narrow the term, or remove the example",
    )


def _found(entry: Entry, hit: Hit) -> str:
    text = getattr(entry, hit.field, "")
    words = text[hit.start : hit.end] if isinstance(text, str) else ""
    return f'"{words or hit.term}"'


def _shown(example: Example) -> str:
    story = example.story
    text = story.title or story.summary or story.content
    return f'"{text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"}"'


def _problem(rule: Rule, example: Example, what: str, remedy: str, *, warning: bool) -> Problem:
    return Problem(
        file=example.file,
        line=example.line,
        where=f'rule "{rule.name}", {example.wish.value}',
        what=what,
        remedy=remedy,
        warning=warning,
    )
