"""Make ``monitor/stories/background/en.tsv`` from the archives in ``shared/corpus/articles``.

    python -m tests.bench.background

The labelled sets (UCI headlines, ECB+, French day, pairs) and sets with a non-commercial licence
are left out: what is measured with the table must not be in it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from monitor.stories.features import terms
from tests.bench.labelled import ARTICLES, rows

SOURCES = (
    "headlines-2023-07-09_13",
    "bbc-cnn-2022-02_03",
    "politico-2023-07_10",
    "us-outlets-2026-08",
    "state-department-releases-2021-05_2022-03",
    "us-military-news-dvids",
)
SUMMARY = 1_200  # characters of text that count
RAREST = 3  # entries a word must stand in
OUT = Path(__file__).parents[2] / "monitor" / "stories" / "background" / "en.tsv"


def main() -> None:
    counts: Counter[str] = Counter()
    documents = 0
    seen: set[str] = set()
    for name in SOURCES:
        for row in rows(name):
            title = row.get("title") or ""
            text = (row.get("description") or row.get("summary") or row.get("text") or "")[:SUMMARY]
            if not str(row.get("language") or "en").startswith("en") or title + text in seen:
                continue
            seen.add(title + text)
            counts.update(terms(title, text, "en").words.keys())
            documents += 1
    kept = sorted((word, n) for word, n in counts.items() if n >= RAREST and len(word) <= 30)
    lines = [f"#documents\t{documents}", *(f"{word}\t{n}" for word, n in kept)]
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{ARTICLES.name}: {documents} entries, {len(kept)} words, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
