"""What is allowed in a rule but seldom meant.  Pure; all of it warnings, each with a remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from monitor import tomlfile
from monitor.errors import Problem
from monitor.rules import doubtful
from monitor.rules.assemble import LoadedRule
from monitor.rules.doubtful import Finding, parts_of, plain_terms
from monitor.rules.lists import WORTH_READING
from monitor.rules.load import RuleSet
from monitor.rules.match import walk
from monitor.rules.tree import Node, Or, Term
from monitor.rules.trial import Backtest, Count

NEVER = timedelta(days=90)
MAX_PER_DAY = 50.0
MOST = 0.8  # share of a rule's matches that hang on one term
FEW = 20  # matches: below that shares say nothing
NAMED = 3  # rules beside the first
_ONE_PHRASE = "is one phrase: these words side by side"
_APART = "write OR between them, or each in quotation marks of its own; a phrase needs no comma"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What linting may know beside the rules."""

    history: Backtest | None = None  # the rules tried on stored entries
    max_per_day: float = MAX_PER_DAY


def lint(rules: RuleSet, today: date, known: Known | None = None) -> list[Problem]:
    """Everything worth a look in *rules*, by file and line."""
    known = known or Known()
    live = [loaded for loaded in rules.rules if loaded.enabled]
    found = [*_unused_lists(rules), *_twins(live)]
    found += [*_commas(live), *_without_owner(live)]
    for loaded in live:
        found += _told(loaded, doubtful.findings(loaded.condition))
        found += _told(loaded, _upkeep(loaded, today))
        if known.history is not None:
            found += _told(loaded, _past(loaded, today, known.history, known.max_per_day))
    return sorted(found, key=lambda problem: (problem.file, problem.line or 0, str(problem)))


def _told(loaded: LoadedRule, findings: Iterable[Finding]) -> Iterator[Problem]:
    file, line = _place(loaded)
    for key, what, remedy in findings:
        where = f'rule "{loaded.rule.name}"' + (f", {key}" if key else "")
        yield Problem(file=file, line=line, where=where, what=what, remedy=remedy, warning=True)


def _place(loaded: LoadedRule) -> tuple[str, int | None]:
    file, _, line = loaded.rule.source.rpartition(":")
    return file, int(line) if line.isdecimal() else None


# --- between rules


def _unused_lists(rules: RuleSet) -> Iterator[Problem]:
    used: set[str] = set()
    for loaded in rules.rules:
        _collect_lists(loaded.condition, used)
    if WORTH_READING in rules.lists:
        _collect_lists(rules.lists[WORTH_READING], used)
    unused = [name for name in rules.lists if f"@{name}" not in used]
    if not unused:
        return
    for file, text in rules.files.items():
        document = tomlfile.parse(file, text.encode())
        for name in unused:
            if name in document.data.get("lists", {}):
                yield Problem(
                    file=file, line=document.line("lists", name), where=f'list "{name}"',
                    what="no rule uses it", remedy=f"write @{name} in a rule, or delete it",
                    warning=True,
                )  # fmt: skip


def _collect_lists(node: Node, used: set[str]) -> None:
    """Add the lists in *node*; what is in a list that was seen before is not walked again."""
    if isinstance(node, Or) and node.origin:
        if node.origin in used:
            return
        used.add(node.origin)
    for part in parts_of(node):
        _collect_lists(part, used)


def _twins(live: Sequence[LoadedRule]) -> Iterator[Problem]:
    first: dict[Node, LoadedRule] = {}
    for loaded in live:
        other = first.setdefault(loaded.condition, loaded)
        if other is not loaded:
            what = f'looks for the same as "{other.rule.name}" ({other.rule.source})'
            yield from _told(loaded, [("", what, "keep one, or make them differ")])


def _commas(live: Sequence[LoadedRule]) -> Iterator[Problem]:
    """Terms that look like lists; each once, for lists of words serve many rules."""
    told: set[str] = set()
    for loaded in live:
        terms = {part.text for part in walk(loaded.condition) if isinstance(part, Term)}
        found = sorted(text for text in terms - told if re.search(r"\w\s*[,;]\s+\w", text))
        told.update(found)
        yield from _told(loaded, [("", f'"{text}" {_ONE_PHRASE}', _APART) for text in found])


# --- upkeep


def _upkeep(loaded: LoadedRule, today: date) -> Iterator[Finding]:
    if loaded.review_by is not None and loaded.review_by < today:
        late = f"{loaded.review_by:%d %B %Y}".lstrip("0")
        yield "review_by", f"it was to be reviewed by {late}", "look at it and set a new date"


def _without_owner(live: Sequence[LoadedRule]) -> Iterator[Problem]:
    """As one: many rules without an owner are mostly those of a pack."""
    missing = [loaded for loaded in live if not loaded.rule.owner]
    if not missing or len(missing) == len(live):  # nobody owns: then nobody is missed
        return
    what = "it has no owner, other rules do"
    if len(missing) > 1:
        names = ", ".join(loaded.rule.name for loaded in missing[1 : NAMED + 1])
        more = f" and {len(missing) - 1 - NAMED} more" if len(missing) > NAMED + 1 else ""
        what = f"it has no owner, nor have {names}{more}; other rules do"
    yield from _told(missing[0], [("owner", what, 'add owner = "…": who hears of its edits')])


# --- what it did


def _past(
    loaded: LoadedRule, today: date, history: Backtest, max_per_day: float
) -> Iterator[Finding]:
    if history.oldest is None:
        return
    days = (today - history.oldest).days + 1
    count = history.of(loaded.rule.name)
    total = sum(count.per_day.values())
    if not total and today - history.oldest >= NEVER:
        yield (
            "",
            f"it has matched none of the {history.entries} stories of {days} days",
            "check its words with `rules explain`, or delete it",
        )
    if total / days > max_per_day:
        yield (
            "",
            f"it matches {_rate(total / days)} stories a day",
            "narrow it, or lower its severity so that it goes into a digest",
        )
    yield from _lone_terms(loaded.condition, count, total)


def _rate(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}"


def _lone_terms(node: Node, count: Count, total: int) -> Iterator[Finding]:
    """A term without which most matches would not be there, in a list that offers others."""
    if total < FEW:
        return
    told: set[str] = set()
    for part in walk(node):
        members = {term.text for term in plain_terms(part)} if isinstance(part, Or) else set()
        if len(members) < 2:
            continue
        for term in sorted(members - told):
            alone = sum(n for terms, n in count.terms.items() if terms & members == {term})
            if alone > MOST * total:
                told.add(term)
                yield (
                    "",
                    f'"{term}" alone makes {alone} of its {total} matches',
                    "is it what you look for? If not, give it company with AND or NEAR",
                )
