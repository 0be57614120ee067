"""A rule, and where it fits an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class Severity(IntEnum):
    """How much a rule's alerts matter; ordered."""

    LOW = 1
    NORMAL = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the rest of the house must know about a rule; its condition stays in ``rules``."""

    name: str  # its identity
    severity: Severity = Severity.NORMAL
    tags: frozenset[str] = frozenset()
    channels: tuple[str, ...] | None = None  # None: routes decide; (): nobody, on purpose
    owner: str = ""
    note: str = ""
    source: str = ""  # "fms.toml:12"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Hit:
    """Where a term was found: offsets into the entry's own, unchanged field text."""

    field: str  # "title" | "summary" | "content" | "feed" …: words or labels
    start: int
    end: int
    term: str  # as written in the rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Rule × entry, with the evidence."""

    rule: Rule
    entry_id: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSetRecord:
    """A set of rule files as it was loaded: what a restart falls back on."""

    version: str  # hash of the files
    files: Mapping[str, str]  # name → text
    loaded_at: datetime
