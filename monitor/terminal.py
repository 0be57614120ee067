"""What commands print: tables, ages and JSON.  Feed text is printed as it is, never as markup."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import IO, Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.errors import MonitorError

PIPED_WIDTH = 1_000_000  # nobody reads columns in a pipe: no line is folded for grep


def console(file: IO[str] | None = None, *, stderr: bool = False) -> Console:
    """On *file*, else on the standard stream; colour and folding only where it is a terminal."""
    shown = Console(
        file=file, stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=False
    )
    if not shown.is_terminal:
        shown.width = PIPED_WIDTH
    return shown


def plain(text: str) -> Text:
    """*text* without anything a terminal would obey."""
    return Text("".join(char if _is_harmless(char) else "\ufffd" for char in text))


def _is_harmless(char: str) -> bool:
    return char in "\n\t\u200d" or unicodedata.category(char) not in ("Cc", "Cf", "Cs")


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns for people; in a pipe tab-separated lines without the headings' decoration."""
    shown = console()
    if not shown.is_terminal:
        for row in rows:
            click.echo("\t".join(" ".join(plain(cell).plain.split()) for cell in row))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    shown.print(table)


def print_json(value: Any) -> None:
    """ASCII only: safe in every locale and for every reader."""
    click.echo(json.dumps(value, ensure_ascii=True, indent=2, default=_as_json))


def confirm(question: str) -> None:
    """Ask a person.  Raises MonitorError where the answer is no, or nobody is there to answer."""
    try:
        if click.confirm(question):
            return
    except click.Abort:
        click.echo()
    raise MonitorError("Nothing was changed. Without a person to ask, add --yes.")


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def age(at: datetime | None, now: datetime) -> str:
    """How long ago *at* was, in the largest unit that says it: "4 min ago", "never"."""
    if at is None:
        return "never"
    return f"{duration(now - at)} ago" if now >= at else f"in {duration(at - now)}"


def duration(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def counted(number: int, one: str, many: str = "") -> str:
    """*number* with its noun: "1 problem", "2 problems", "no problems"."""
    return f"{number or 'no'} {one if number == 1 else many or one + 's'}"
