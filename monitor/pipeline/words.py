"""In how many stored entries a word stands: what rules are made ready by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from monitor.stories.features import stem


class ByStem(Mapping[str, int]):
    """Word → entries with it, as they were counted for stories: by stem, and by language."""

    def __init__(self, counted: Mapping[str, Mapping[str, int]]) -> None:
        self._counts: dict[str, int] = {}
        for counts in counted.values():
            for word, n in counts.items():
                self._counts[word] = self._counts.get(word, 0) + n

    def __getitem__(self, word: str) -> int:
        return self._counts[stem(word)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)
