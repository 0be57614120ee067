"""How common words are in news, before this monitor has read any.

``background/<language>.tsv`` holds, for stemmed words, in how many of a number of news entries they
stand: counts only, no text.  ``tests/bench/background.py`` made them from the headlines and
summaries of public feed archives (world news of 2021-2026, English).  Without such a table a
language begins at zero, and nothing of it is grouped until ``group.ENOUGH_COUNTED`` were read.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from monitor.stories.features import Frequencies


def frequencies(language: str) -> Frequencies:
    """Counts to begin *language* with; a fresh object, which the caller may go on counting in."""
    documents, counts = _table(language)
    return Frequencies(documents=documents, counts=dict(counts))


@cache
def _table(language: str) -> tuple[int, dict[str, int]]:
    if not (language.isascii() and language.isalpha()):
        return 0, {}
    file = files("monitor.stories") / "background" / f"{language}.tsv"
    if not file.is_file():
        return 0, {}
    first, *rows = file.read_text(encoding="utf-8").splitlines()
    pairs = (row.split("\t") for row in rows)
    return int(first.split("\t")[1]), {word: int(n) for word, n in pairs}
