"""What the statements share: lists of parameters, and texts that must not act as patterns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

CHUNK = 500  # parameters of one statement


def chunks(names: Iterable[str]) -> Iterator[list[str]]:
    """*names*, each once, in lists short enough for one statement."""
    distinct = list(dict.fromkeys(names))
    for start in range(0, len(distinct), CHUNK):
        yield distinct[start : start + CHUNK]


def glob_free(text: str) -> str:
    """*text* without the signs that GLOB obeys."""
    return "".join(char for char in text if char not in "*?[") or "\0"
