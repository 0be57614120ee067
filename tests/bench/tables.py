"""Tables of figures: as plain text for a terminal, as Markdown for a page."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("httpx", "feedparser", "sqlite-utils", "apprise", "APScheduler")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text; the first column names what was measured."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def printed(table: Table) -> None:
    print(as_text(table), flush=True)


def as_text(table: Table) -> str:
    lines = [list(table.heads), *map(list, table.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    told = [_line(line, widths) for line in lines]
    told.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([table.title, "", *told, *table.notes, ""])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Names to the left, figures to the right."""
    first, *others = zip(cells, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)])


def as_markdown(table: Table) -> str:
    rows = [table.heads, ["---", *["---:"] * (len(table.heads) - 1)], *table.rows]
    told = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"**{table.title}**", "", *told, *(f"\n{note}" for note in table.notes)])


def ratio(value: float) -> str:
    """ "1.8", "12": no more digits than one run is worth."""
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def quantile(values: Sequence[float], share: float) -> float:
    """The least of *values* that *share* of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def machine() -> str:
    """What the figures were measured with."""
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{processor}, {os.cpu_count()} cores; Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {packages}"
    )
