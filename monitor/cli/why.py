"""Why a rule matched an entry, or why not, as people read it: sentence, words, missing parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.text import Text

from monitor.alerts.excerpt import excerpts
from monitor.model import Entry, Excerpt, Hit, Rule
from monitor.rules.explain import Explanation
from monitor.terminal import console, plain

LONGEST = 70  # characters of a part whose own parts follow


def print_why(rule: Rule, entry: Entry, why: Explanation) -> None:
    """One rule's answer, with the tree of its parts."""
    shown = console()
    shown.print(_headline(rule, matched=why.matched))
    for excerpt in excerpts(entry, why.hits):
        line = Text(f"  {excerpt.field}: ") + marked(excerpt, colour=shown.is_terminal)
        shown.print(line)
    for line in _tree(entry, why, 1):
        shown.print(line)


def why_not(why: Explanation) -> str:
    """The missing parts in one line."""
    return "missing " + "; ".join(_with_note(part) for part in _smallest(why))


def as_json(rule: Rule, entry: Entry, why: Explanation) -> dict[str, Any]:
    return {
        "rule": rule.name,
        "source": rule.source,
        "matched": why.matched,
        "excerpts": [asdict(each) for each in excerpts(entry, why.hits)],
        "missing": why.failed(),
        "explanation": why.to_json(),
    }


def _headline(rule: Rule, *, matched: bool) -> Text:
    word, style = ("matches", "bold green") if matched else ("does not match", "bold red")
    return plain(rule.name) + Text(f" {word}", style=style) + Text(f"  ({rule.source})", "dim")


def marked(excerpt: Excerpt, *, colour: bool) -> Text:
    """The sentence with its hits: coloured on a terminal, between »« elsewhere."""
    text, at = Text(), 0
    for start, end in excerpt.marks:
        text += plain(excerpt.text[at:start])
        hit = plain(excerpt.text[start:end]).plain
        text += Text(hit, style="bold yellow") if colour else Text(f"»{hit}«")
        at = end
    return text + plain(excerpt.text[at:])


def _tree(entry: Entry, why: Explanation, depth: int) -> Iterator[Text]:
    """A part a line, its own parts below it; of what was found, only what made it so."""
    word, style = ("found  ", "green") if why.matched else ("missing", "red")
    parts = [part for part in why.parts if part.matched or not why.matched]
    shown = why.part if not parts or len(why.part) <= LONGEST else why.part[: LONGEST - 1] + "…"
    note = _places(entry, why.hits) if why.matched and not parts else why.note
    line = Text("  " * depth) + Text(word, style=style) + plain(f"  {shown}")
    yield line + plain(f": {note}") if note else line
    for part in parts:
        yield from _tree(entry, part, depth + 1)


def _places(entry: Entry, hits: tuple[Hit, ...]) -> str:
    """'"Sales" in title, "F-16s" twice in content'."""
    counted: dict[tuple[str, str], int] = {}
    for hit in hits:
        text = getattr(entry, hit.field, None)
        words = text[hit.start : hit.end] if isinstance(text, str) else ""
        place = (words or hit.term, hit.field)
        counted[place] = counted.get(place, 0) + 1
    times = {1: "", 2: "twice "}
    return ", ".join(
        f'"{words}" {times.get(number, f"{number} times ")}in {field}'
        for (words, field), number in counted.items()
    )


def _smallest(why: Explanation) -> Iterator[Explanation]:
    """The smallest parts that made it untrue."""
    missing = [part for part in why.parts if not part.matched]
    if not missing:
        yield why
    for part in missing:
        yield from _smallest(part)


def _with_note(why: Explanation) -> str:
    return f"{why.part} ({why.note})" if why.note else why.part
