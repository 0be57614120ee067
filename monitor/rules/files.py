"""The shape of a rule file: which keys there are and what their values look like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from monitor.model import Severity
from monitor.rules.tree import TEXT_FIELDS

_DURATION = re.compile(r"(\d{1,5})\s*([mhdw])")
_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def _words(value: Any) -> Any:
    """One text where a list of them may stand."""
    return [value] if isinstance(value, str) else value


def _severity(value: Any) -> Severity:
    names = {severity.label: severity for severity in Severity}
    if not isinstance(value, str) or value not in names:
        raise ValueError("write one of " + ", ".join(f'"{name}"' for name in names))
    return names[value]


def _duration(value: Any) -> timedelta:
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('write how far to look back as "3d", "12h" or "2w"')
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def _field(value: Any) -> Any:
    names = sorted(field.value for field in TEXT_FIELDS)
    for each in value if isinstance(value, list) else [value]:
        if each not in names:
            raise ValueError(f"fields are {', '.join(names)}")
    return value


Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[list[Text], BeforeValidator(_words)]
Terms = Annotated[list[Text], Field(min_length=1), BeforeValidator(_words)]


class _Table(BaseModel):
    """Unknown keys are errors: a misspelt key must not be silently without effect."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class ExampleTable(_Table):
    """A story as an example: with the fields that matter."""

    title: str = ""
    summary: str = ""
    content: str = ""
    author: str = ""
    url: str = ""
    feed: str = ""
    language: str = ""
    tags: list[str] = []
    categories: list[str] = []


Examples = list[str | ExampleTable]


class RuleTable(_Table):
    """One ``[[rule]]``."""

    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
    any_: Annotated[Terms | None, Field(alias="any")] = None
    all_: Annotated[Terms | None, Field(alias="all")] = None
    none: Terms | None = None
    query: Text | None = None
    score: dict[str, int | float] | None = None
    threshold: int | float | None = None
    in_: Annotated[Terms | None, BeforeValidator(_field), Field(alias="in")] = None
    language: Terms | None = None
    feed: Terms | None = None
    tag: Terms | None = None
    category: Terms | None = None
    author: Terms | None = None
    url: Terms | None = None
    severity: Annotated[Severity, BeforeValidator(_severity)] = Severity.NORMAL
    tags: Texts = []
    channels: Texts | None = None
    owner: str = ""
    note: str = ""
    enabled: bool = True
    review_by: date | None = None
    backfill: Annotated[timedelta | None, BeforeValidator(_duration)] = None
    must_match: Examples = []
    must_not_match: Examples = []
    wanted_match: Examples = []
    unwanted_match: Examples = []


class RuleFile(_Table):
    """A whole file: any number of rules, and lists that all files share."""

    lists: dict[str, Terms] = {}
    rule: list[RuleTable] = []


def named(path: tuple[str | int, ...], data: Mapping[str, Any]) -> str:
    """Where *path* is, in words: 'rule "fms-ukraine", severity'."""
    if path[:1] == ("lists",):
        return " ".join(["list", *(f'"{step}"' for step in path[1:2])])
    if len(path) >= 2 and path[0] == "rule" and isinstance(path[1], int):
        rule = data["rule"][path[1]]
        name = rule.get("name") if isinstance(rule, dict) else None
        shown = f'rule "{name}"' if isinstance(name, str) else f"rule {path[1] + 1}"
        return ", ".join([shown, *(str(step) for step in path[2:3])])
    return ".".join(str(step) for step in path)
