"""What is left of a rule file when what does not fit its shape is taken away.  Pure.

So that a misspelt severity does not hide a bracket that is missing two lines below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pydantic

from monitor.rules.files import RuleFile, RuleTable

_TOGETHER = ("score", "threshold")  # one without the other would be a mistake of its own
_NAMELESS = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """Lists and rules, these by their places in the file; of those *torn* something is missing."""

    lists: Mapping[str, list[str]]
    rules: Mapping[int, RuleTable]
    torn: frozenset[int] = frozenset()
    all_lists: bool = True


def whole(shape: RuleFile) -> Remains:
    return Remains(lists=shape.lists, rules=dict(enumerate(shape.rule)))


def remains(data: Mapping[str, Any]) -> Remains:
    """What fits of the *data* of a file that does not."""
    rules: dict[int, RuleTable] = {}
    torn: set[int] = set()
    written = data.get("rule")
    for number, table in enumerate(written if isinstance(written, list) else ()):
        fitting, missing = _fitting(table)
        if fitting is not None:
            rules[number] = fitting
        if missing:
            torn.add(number)
    named = data.get("lists", {})
    lists = _fitting_lists(named)
    return Remains(
        lists=lists,
        rules=rules,
        torn=frozenset(torn),
        all_lists=isinstance(named, dict) and lists.keys() == named.keys(),
    )


def _fitting(table: Any) -> tuple[RuleTable | None, bool]:
    """The rule, and whether something had to be left out."""
    try:
        return RuleTable.model_validate(table), False
    except pydantic.ValidationError as error:
        if not isinstance(table, dict):
            return None, True
        wrong = {str(each["loc"][0]) for each in error.errors() if each["loc"]}
    if wrong.intersection(_TOGETHER):
        wrong.update(_TOGETHER)
    kept = {key: value for key, value in table.items() if key not in wrong}
    return RuleTable.model_validate({"name": _NAMELESS} | kept), True


def _fitting_lists(written: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, terms in written.items() if isinstance(written, dict) else ():
        try:
            found |= RuleFile.model_validate({"lists": {name: terms}}).lists
        except pydantic.ValidationError:
            continue
    return found
