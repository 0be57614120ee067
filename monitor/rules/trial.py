"""What rules would have done with stored entries, and against other rules.  Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date

from monitor.model import Entry, Match
from monitor.rules.load import RuleSet

SHOWN = 10  # examples kept of each kind


@dataclass(slots=True)
class Count:
    """One rule: entries that only the new form matches, only the old, and both."""

    gained: int = 0
    lost: int = 0
    kept: int = 0
    per_day: Counter[date] = field(default_factory=Counter)  # of what the new form matches
    terms: Counter[frozenset[str]] = field(default_factory=Counter)  # found together in one match
    gained_examples: list[tuple[Entry, Match]] = field(default_factory=list)
    lost_examples: list[tuple[Entry, Match]] = field(default_factory=list)
    kept_examples: list[tuple[Entry, Match]] = field(default_factory=list)


@dataclass(slots=True)
class Backtest:
    """The outcome of trying rules on entries."""

    entries: int = 0
    rules: dict[str, Count] = field(default_factory=dict)
    per_channel: Counter[str] = field(default_factory=Counter)  # channels that the rules name
    oldest: date | None = None  # day of the first entry tried

    def of(self, rule: str) -> Count:
        return self.rules.get(rule, Count())

    @property
    def changed(self) -> bool:
        return any(count.gained or count.lost for count in self.rules.values())


def backtest(
    new: RuleSet, old: RuleSet | None, entries: Iterable[Entry], rules: Collection[str] = ()
) -> Backtest:
    """*entries* matched by *new* and by *old*; only *rules*, if any are named."""
    result = Backtest()
    for loaded in new.rules:
        if not rules or loaded.rule.name in rules:
            result.rules[loaded.rule.name] = Count()
    for entry in entries:
        result.entries += 1
        day = entry.first_seen_at.date()
        result.oldest = min(result.oldest or day, day)
        after = _by_rule(new, entry, rules)
        before = _by_rule(old, entry, rules) if old is not None else {}
        for name in after.keys() | before.keys():
            _book(result, name, entry, after.get(name), before.get(name))
    return result


def _by_rule(rules: RuleSet, entry: Entry, only: Collection[str]) -> dict[str, Match]:
    matches = rules.matcher.match(entry)
    return {m.rule.name: m for m in matches if not only or m.rule.name in only}


def _book(
    result: Backtest, name: str, entry: Entry, after: Match | None, before: Match | None
) -> None:
    count = result.rules.setdefault(name, Count())
    if after is None and before is not None:
        count.lost += 1
        _keep(count.lost_examples, entry, before)
        return
    assert after is not None
    count.per_day[entry.first_seen_at.date()] += 1
    count.terms[frozenset(hit.term for hit in after.hits)] += 1
    result.per_channel.update(after.rule.channels or ())
    if before is None:
        count.gained += 1
        _keep(count.gained_examples, entry, after)
    else:
        count.kept += 1
        _keep(count.kept_examples, entry, after)


def _keep(examples: list[tuple[Entry, Match]], entry: Entry, match: Match) -> None:
    """The best ten: those with the most different words found."""
    examples.append((entry, match))
    examples.sort(key=lambda each: -len({hit.term for hit in each[1].hits}))
    del examples[SHOWN:]
