"""The outcome of a backtest, as a table with examples, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from monitor.model import Entry, Match
from monitor.rules.trial import Backtest, Count
from monitor.terminal import console, counted, plain, print_table

Example = tuple[Entry, Match]


def print_backtest(result: Backtest, days: int, *, compared: bool) -> None:
    """Counts by rule and channel, then the best examples of what is gained and lost.

    Without a comparison everything is gained, and is called a match.
    """
    shown = console()
    span = f"the last {days} days" if days > 1 else "the last day"
    shown.print(f"{counted(result.entries, 'entry', 'entries')} of {span}.")
    headings = ("rule", "matches", "a day", *(("gained", "lost", "kept") if compared else ()))
    print_table(
        headings, [_row(name, count, days, compared) for name, count in result.rules.items()]
    )
    if result.per_channel:
        print_table(
            ("channel named by rules", "matches"),
            [(name, str(number)) for name, number in result.per_channel.most_common()],
        )
    for name, count in result.rules.items():
        for line in _examples(name, count, compared=compared):
            shown.print(line)


def _row(name: str, count: Count, days: int, compared: bool) -> tuple[str, ...]:
    total = count.gained + count.kept
    row = (name, str(total), f"{total / days:.1f}")
    if not compared:
        return row
    return (*row, f"+{count.gained}", f"−{count.lost}", str(count.kept))


def _examples(name: str, count: Count, *, compared: bool) -> Iterator[Text]:
    kinds: Sequence[tuple[str, str, list[Example]]] = (
        ("+" if compared else " ", "green", count.gained_examples),
        ("−", "red", count.lost_examples),
        (" ", "", count.kept_examples),
    )
    if any(examples for _, _, examples in kinds):
        yield Text("\n") + plain(name)
    for sign, style, examples in kinds:
        for entry, match in examples:
            words = ", ".join(dict.fromkeys(hit.term for hit in match.hits))
            yield (
                Text(f" {sign} ", style=style)
                + plain(f"{entry.first_seen_at:%Y-%m-%d}  {entry.title}  ({entry.feed_name}")
                + plain(f": {words})")
            )


def to_json(result: Backtest, days: int) -> dict[str, Any]:
    return {
        "entries": result.entries,
        "days": days,
        "rules": {name: _count_json(count) for name, count in result.rules.items()},
        "channels": dict(result.per_channel),
    }


def _count_json(count: Count) -> dict[str, Any]:
    return {
        "gained": count.gained,
        "lost": count.lost,
        "kept": count.kept,
        "per_day": {day.isoformat(): number for day, number in sorted(count.per_day.items())},
        "examples": {
            "gained": [_example_json(each) for each in count.gained_examples],
            "lost": [_example_json(each) for each in count.lost_examples],
            "kept": [_example_json(each) for each in count.kept_examples],
        },
    }


def _example_json(example: Example) -> dict[str, Any]:
    entry, match = example
    return {
        "entry": entry.id,
        "title": entry.title,
        "feed": entry.feed_name,
        "url": entry.url,
        "first_seen_at": entry.first_seen_at,
        "terms": sorted({hit.term for hit in match.hits}),
    }
