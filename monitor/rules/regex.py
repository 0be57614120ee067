"""Regular expressions in rules: linear time only, by google-re2.  Pure.

RE2 has no look-around and no back-references: they are what makes other engines run for ever.
Its ``\\w`` and ``\\W`` know ASCII only; here they mean letters and digits of all scripts.  ``\\b``
cannot be mended so and stays a border of ASCII words.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import re2

MAX_PATTERN = 2_000  # characters
_MEMORY = 8 << 20

_LOOK = re.compile(r"\(\?<?[=!]")
_BACK = re.compile(r"\\[1-9]|\(\?P=")
_NAMED = r"\[:\^?[a-z]+:\]"  # [:alpha:], as it stands within a class
_PIECE = re.compile(rf"{_NAMED}|\\.|\[\^?\]?|\]|.", re.DOTALL)
_WORDS = r"\pL\pN_"


class RegexError(ValueError):
    """``what`` is wrong and what to write instead (``remedy``)."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"{what}; {remedy}")


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:
    """The compiled pattern; raises RegexError."""
    if len(pattern) > MAX_PATTERN:
        raise RegexError(
            f"the pattern is longer than {MAX_PATTERN} characters", "use a list of words"
        )
    if _LOOK.search(pattern):
        raise RegexError(
            "look-around, (?=…) (?!…) (?<…), is not possible: it can take hours on one text",
            "write the words round it into the query: AND, NOT or NEAR/n",
        )
    if _BACK.search(pattern.replace("\\\\", "")):
        raise RegexError(
            "back-references (\\1) are not possible: they can take hours on one text",
            "write the alternatives out: (?:a|b)",
        )
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        found = re2.compile(with_all_letters(pattern), options)
    except re2.error as error:
        text = error.args[0] if error.args else ""
        words = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        raise RegexError(f"the pattern cannot be read: {words}", "check its brackets") from None
    if found.search("") is not None:
        raise RegexError("the pattern fits an empty text, so every story", "use + instead of *")
    return found


def with_all_letters(pattern: str) -> str:
    r"""*pattern* with \w and \W meaning letters and digits of all scripts."""
    out: list[str] = []
    in_class = False
    for piece in _PIECE.findall(pattern):
        if piece == r"\w":
            out.append(_WORDS if in_class else f"[{_WORDS}]")
            continue
        if piece == r"\W" and not in_class:
            out.append(f"[^{_WORDS}]")
            continue
        if piece.startswith("[:"):
            out.append(piece)
            continue
        if not in_class and piece.startswith("["):
            in_class = True
        elif in_class and piece == "]":
            in_class = False
        elif in_class and piece.startswith("["):
            piece = piece.replace("[", r"\[", 1) if piece != "[" else r"\["
        out.append(piece)
    return "".join(out)
