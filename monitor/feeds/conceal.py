"""Answers that repeat the secret they were asked with, without it.  Pure.

What a server says is stored, shown and searched; some show their visitors all that was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from monitor.model import FetchResult

HIDDEN = "[secret]"
SHORTEST = 8  # characters: a shorter one may be a word of the news


def concealed(result: FetchResult, secrets: Sequence[str]) -> FetchResult:
    """*result* with ``HIDDEN`` for each of *secrets*, in its body and all that came with it."""
    long = sorted((each for each in secrets if len(each) >= SHORTEST), key=len, reverse=True)
    if not long:
        return result
    texts = {each.name: getattr(result, each.name) for each in fields(result)}
    changes = {name: _without(text, long) for name, text in texts.items()}
    return replace(result, **changes)


def _without(value: Any, secrets: Sequence[str]) -> Any:
    for secret in secrets:
        if isinstance(value, bytes):
            value = value.replace(secret.encode(), HIDDEN.encode())
        elif type(value) is str:  # not the enum of reasons
            value = value.replace(secret, HIDDEN)
    return value
