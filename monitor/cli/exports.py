"""``export``: entries, alerts and deliveries as CSV or JSON lines."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import TextIOWrapper
from typing import Any

import click

from monitor.cli.options import config_option
from monitor.cli.reading import Span, looked_up, reading, since
from monitor.store.exports import KINDS

Row = dict[str, Any]
# Spreadsheets run a cell that begins like this as a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@config_option
@click.option(
    "--format", "form", type=click.Choice(("csv", "jsonl")), default="csv", show_default=True
)
@click.option("--since", "span", type=Span(), help="Only those of the last 24h, 7d …; else all.")
def export(kind: str, form: str, span: timedelta | None) -> None:
    """Write all entries, alerts or deliveries to standard output, the oldest first.

    As CSV, a cell that a spreadsheet would run as a formula begins with an apostrophe. Works
    while the monitor runs: python3 run_monitor.py export alerts --since 30d > alerts.csv
    """
    out = sys.stdout
    if isinstance(out, TextIOWrapper):
        out.reconfigure(encoding="utf-8", errors="replace", newline="")
    with reading(looked_up()) as store:
        found = store.export(kind, since(span))
        for line in _csv(found) if form == "csv" else _json_lines(found):
            out.write(line)


def _json_lines(found: Iterator[Row]) -> Iterator[str]:
    for row in found:
        yield json.dumps(row, ensure_ascii=True, default=_text) + "\n"


def _csv(found: Iterator[Row]) -> Iterator[str]:
    lines: list[str] = []
    writer = csv.writer(_Lines(lines), lineterminator="\r\n")  # RFC 4180
    for number, row in enumerate(found):
        if number == 0:
            writer.writerow(row)
        writer.writerow(_cell(value) for value in row.values())
        yield from lines
        lines.clear()


class _Lines:
    """What csv writes to."""

    def __init__(self, lines: list[str]) -> None:
        self.write = lines.append


def _cell(value: Any) -> str:
    if isinstance(value, list):
        value = "; ".join(map(str, value))
    text = "" if value is None else _text(value).replace("\0", "")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
