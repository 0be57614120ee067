"""The tree of a rule: the parser and the file loader build it, the matcher compiles it.

Terms are as the person wrote them; folding, plurals and capitals are the matcher's work.
``@lists`` are already resolved: a list stands as ``Or`` of its terms with ``origin`` "@fms".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Field(StrEnum):
    """Where words can be looked for: the fields a query may name before a colon."""

    TITLE = "title"
    SUMMARY = "summary"
    CONTENT = "content"
    AUTHOR = "author"
    CATEGORY = "category"
    URL = "url"
    FEED = "feed"
    TAG = "tag"


TEXT_FIELDS = frozenset({Field.TITLE, Field.SUMMARY, Field.CONTENT})  # searched when none is named


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A word or phrase, with or without wildcards."""

    text: str  # 'Foreign Military Sale', 'sanction*', 'F-16'
    exact: bool = False  # =Apple, ="Storm Shadow": case as written, no plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Regex:
    """/pattern/ on the raw text of a field; linear time only."""

    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    parts: tuple[Node, ...]
    origin: str = field(default="", compare=False)  # "@fms" when it came from a list, else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Both sides in one field, at most ``distance`` words between; None: in one sentence."""

    left: Node  # Term, Regex or Or of them
    right: Node
    distance: int | None
    ordered: bool = False  # BEFORE


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLeast:
    """``count`` mentions of the part's terms, taken together."""

    count: int
    part: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The part's words must stand in these fields."""

    fields: frozenset[Field]
    part: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Points per mention, a term counting at most three times; true from the threshold on."""

    weights: tuple[tuple[Node, float], ...]  # Term or Or (list) → points, negative allowed
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A condition on the entry's labels, not its words: equal to one of ``values``.

    ``key`` is "feed" (name or id), "tag" (feed tag), "language", "category", "author" or "url"
    (there ``*`` stands for anything).  Compared folded, whole value.
    """

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """True for every entry: for rules that have only label conditions."""


Node = Term | Regex | Or | And | Not | Near | AtLeast | Scope | Score | Label | Everything
