"""``[lists]`` of all files → the tree of each list.  Lists may use lists, but not themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor.rules.conditions import Fault, any_of
from monitor.rules.tree import Node, Or, Term

WORTH_READING = "worth_reading"  # short entries with one of its terms: their articles are read
MAX_NESTED = 20  # lists in lists

Say = Callable[[str, str, str], None]  # (list, what, remedy)

# Stands for a list that could not be read, so that each fault is told once, where it is.
UNREADABLE: Node = Or(parts=(Term(text="unreadable"),), origin="@unreadable")


def resolved(
    terms: Mapping[str, list[str]], say: Say, fault: Callable[[str], Fault]
) -> dict[str, Node]:
    """List name → its tree.  What is wrong is told to *say*, and to *fault* of the list."""
    known: dict[str, Node] = {}

    def resolve(name: str, using: tuple[str, ...]) -> None:
        if name in known:
            return
        if name in using:
            circle = " → ".join(f"@{each}" for each in (*using[using.index(name) :], name))
            say(name, f"uses itself: {circle}", "take one out")
            known.update(dict.fromkeys(using, UNREADABLE))
            return
        if len(using) > MAX_NESTED:
            say(name, f"more than {MAX_NESTED} lists use one another", "join some of them")
            known.update(dict.fromkeys(using, UNREADABLE))
            return
        for inner in _lists_in(terms[name]):
            if inner in terms:
                resolve(inner, (*using, name))
        if name not in known:
            tree = any_of(terms[name], known, fault(name), (), f"@{name}")
            known[name] = tree or UNREADABLE

    for name in terms:
        resolve(name, ())
    return known


def _lists_in(terms: list[str]) -> list[str]:
    return [term.strip()[1:] for term in terms if term.strip().startswith("@")]
