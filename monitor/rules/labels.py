"""Conditions on labels: feed, tag, language, category, author, url.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import translate as glob_to_regex
from functools import lru_cache
from re import compile as compile_glob

from monitor.model import Entry
from monitor.rules.scanned import NOWHERE, Evaluate, Scanned, Spans
from monitor.rules.tree import Label
from monitor.text import fold


def label(node: Label) -> Evaluate:
    """Where it stands, true without words."""
    wanted = frozenset(folded(value) for value in node.values)
    globs = [compile_glob(glob_to_regex(value.lower())) for value in node.values]
    key = node.key
    number = -2 - abs(hash((key, node.values))) % (1 << 40)

    def evaluate(scanned: Scanned) -> Spans | None:
        values = label_values(scanned.entry, key, scanned.language)
        if key == "url":
            true = [value for value in values if any(glob.match(value.lower()) for glob in globs)]
        else:
            true = [value for value in values if folded(value) in wanted]
        if not true:
            return None
        scanned.labels[number] = (key, true[0])
        return [(NOWHERE, NOWHERE, ((NOWHERE, NOWHERE, number),))]

    return evaluate


def label_values(entry: Entry, key: str, language: Callable[[], str]) -> Iterable[str]:
    """What *entry* has as *key*: "feed", "tag", "language", "category", "url", "author"."""
    match key:
        case "feed":
            return (entry.feed_name, entry.feed_id)
        case "tag":
            return sorted(entry.feed_tags)
        case "language":
            return (language(),)
        case "category":
            return entry.categories
        case "url":
            return (entry.url,)
        case _:
            return (entry.author,)


@lru_cache(maxsize=4096)
def folded(value: str) -> str:
    return fold(" ".join(value.split()))
