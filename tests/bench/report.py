"""What each part of ``bench`` measures, as a table and its picture; small fronts on the benches."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from monitor import logs
from monitor.rules.match import compile_rules
from monitor.rules.syntax import parse
from tests.bench import capacity, labelled, latency, match, rounds, start, stories
from tests.bench.charts import Bar, Group, chart
from tests.bench.tables import Table, ratio
from tests.builders import a_rule, an_entry

RULES = 1_000
STORIES = 200  # texts that are matched


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    feeds: int = 300
    repeat: int = 3
    alerts: int = 100
    minutes: float = 3.0  # of visits by the minute
    many: int = 10_000  # feeds, for what takes long
    interval: float = 60.0  # seconds between their visits
    endured: float = 10.0  # minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A table, and pictures by file name."""

    table: Table
    pictures: Mapping[str, str] = field(default_factory=dict)


def poll(size: Size) -> Measured:
    logs.set_up(terminal=False, write=rounds.nowhere)
    figures = asyncio.run(rounds.contest(size.feeds, size.repeat))
    logs.close()
    groups = []
    for phase in (rounds.COLD, *rounds.PHASES):
        toy = figures.per_feed(figures.toy, phase.name)
        ours = figures.per_feed(figures.ours, phase.name)
        bars = [
            Bar(value=toy, told=f"{toy:.1f} ms"),
            Bar(value=ours, told=f"{ours:.2f} ms, {ratio(toy / ours)}× less", ours=True),
        ]
        groups.append(Group(name=phase.name, bars=bars))
    title = "CPU for a visit to one feed: the obvious script (grey), the monitor (green)"
    return Measured(table=rounds.table(figures), pictures={"bench-poll.svg": chart(title, groups)})


def matching(size: Size) -> Measured:
    texts = match.texts()
    entries = [
        an_entry(text[:80], summary=text, key=f"g:{n}") for n, text in enumerate(texts[:STORIES])
    ]
    made = match.Rules(texts)
    queries = made.many(RULES)
    rules = [(a_rule(f"r{n}"), parse(query, {})) for n, query in enumerate(queries)]
    matcher = compile_rules(rules, made.frequencies())
    costs = {
        "one `re` for each rule, terms only": match.one_re_a_rule(queries),
        "pyahocorasick, terms only": match.bare_terms(queries),
        "the monitor, all of the language": matcher.match,
    }
    spent = {name: min(match.chunks(entries, work)) for name, work in costs.items()}
    slowest = max(spent.values())
    rows = [(name, f"{us:.0f}", ratio(slowest / us)) for name, us in spent.items()]
    bars = [Bar(value=us, told=f"{us:.0f} µs", ours="monitor" in n) for n, us in spent.items()]
    groups = [
        Group(name=name.replace("`", ""), bars=[bar]) for name, bar in zip(spent, bars, strict=True)
    ]
    title = f"{RULES} rules on one entry of {match.LENGTH} characters"
    heads = ("matcher", "µs an entry", "times cheaper")
    pictures = {"bench-match.svg": chart(title, groups)}
    return Measured(table=Table(title=title, heads=heads, rows=rows), pictures=pictures)


def grouping(size: Size) -> Measured:
    title = "Entries of one event found together, on collections that people have grouped"
    heads = ("collection", "entries", "pair precision", "pair recall", "B³ F1", "µs an entry")
    if not labelled.ARTICLES.is_dir():
        note = "The collections are not at hand (../shared/corpus/articles)."
        return Measured(table=Table(title=title, heads=heads, rows=[], notes=[note]))
    rows = []
    for name, load in stories.SETS.items():
        entries = load()
        figures, each = stories.judged(entries)
        cells = (f"{figures[key]:.3f}" for key in ("pair P", "pair R", "B3 F1"))
        rows.append((name, str(len(entries)), *cells, f"{each * 1e6:.0f}"))
    return Measured(table=Table(title=title, heads=heads, rows=rows))


def publication(size: Size) -> Measured:
    direct, usual = latency.measured(size.alerts, 1_000, size.minutes)
    return Measured(table=latency.table(direct, usual))


def starting(size: Size) -> Measured:
    return Measured(table=start.table(size.repeat))


def enduring(size: Size) -> Measured:
    seen = capacity.run(size.many, size.interval, size.endured, Path(os.devnull))
    return Measured(table=capacity.table(seen))


PARTS: Mapping[str, Callable[[Size], Measured]] = {
    "poll": poll,
    "match": matching,
    "stories": grouping,
    "latency": publication,
    "start": starting,
    "capacity": enduring,
}
LONG = ("capacity",)  # not among "all": half an hour, most of it for ten thousand first visits
