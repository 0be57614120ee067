"""Mistakes in rule files that deserve better words than "there is no key".  Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor.errors import Problem
from monitor.rules.files import RuleTable, named
from monitor.tomlfile import TomlDocument

KEYS = frozenset(info.alias or name for name, info in RuleTable.model_fields.items())
NO_LISTS = frozenset({"name", "any", "all", "none", "query", "score", "must_match", "channels"})


def usual_mistakes(document: TomlDocument) -> Iterator[Problem]:
    """What people write who know the format by heart, but not quite."""
    data = document.data
    if "rules" in data:
        yield _problem(
            document, ("rules",), "[[rules]]",
            "a rule begins with [[rule]], without s", "write [[rule]]",
        )  # fmt: skip
    elif isinstance(data.get("rule"), dict):
        yield _problem(
            document, ("rule",), "[rule]", "a rule begins with two brackets", "write [[rule]]"
        )
    elif KEYS & data.keys():
        first = next(key for key in data if key in KEYS)
        yield _problem(
            document, (first,), first, "it stands outside any rule", "write [[rule]] above it"
        )
    yield from _below_lists(document)
    yield from _below_score(document)


def _below_lists(document: TomlDocument) -> Iterator[Problem]:
    """``any = […]`` after [lists] is a list named any."""
    lists = document.data.get("lists")
    for key in lists if isinstance(lists, dict) else ():
        if key in NO_LISTS:
            yield _problem(
                document, ("lists", key), key,
                "it stands below [lists], so it is taken for a list of this name",
                "move it up to its rule, or give the list another name",
            )  # fmt: skip


def _below_score(document: TomlDocument) -> Iterator[Problem]:
    """``severity = "high"`` after [rule.score] is one of its terms."""
    rules = document.data.get("rule")
    for number, rule in enumerate(rules if isinstance(rules, list) else ()):
        score = rule.get("score") if isinstance(rule, dict) else None
        for key, value in score.items() if isinstance(score, dict) else ():
            if key in KEYS and _is_meant_for_the_rule(key, value, rule):
                yield _problem(
                    document, ("rule", number, "score", key),
                    named(("rule", number), document.data),
                    f"{key} stands below [rule.score], so it counts as one of its terms",
                    f"move {key} above the line [rule.score]",
                )  # fmt: skip


def _is_meant_for_the_rule(key: str, value: Any, rule: dict[str, Any]) -> bool:
    if key == "threshold":
        return "threshold" not in rule
    return not isinstance(value, int | float) or isinstance(value, bool)


def _problem(
    document: TomlDocument, path: tuple[str | int, ...], where: str, what: str, remedy: str
) -> Problem:
    return Problem(
        file=document.name, line=document.line(*path), where=where, what=what, remedy=remedy
    )
