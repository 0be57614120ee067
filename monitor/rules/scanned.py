"""What rules are evaluated on: a scanned entry, and the spans that say where a part is true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from monitor.model import Entry
from monitor.rules.scan import FIELDS, Leaf, Words

NOWHERE = -1  # position of a label's leaf

Span = tuple[int, int, tuple[Leaf, ...]]
Spans = list[Span]


@dataclass(slots=True)
class Scanned:
    """An entry while its rules are evaluated."""

    entry: Entry
    words: dict[int, Words]  # field number → its words
    hits: Mapping[int, list[Leaf]]  # term number → leaves in all fields
    language: Callable[[], str]
    labels: dict[int, tuple[str, str]] = field(default_factory=dict)  # leaf number → key, value
    regex_spans: dict[Leaf, tuple[int, int, int, str]] = field(default_factory=dict)


Evaluate = Callable[[Scanned], Spans | None]


def field_name(number: int) -> str:
    return FIELDS[number].value
