"""The labelled sets of ``shared/corpus/articles`` as streams of entries with their true story."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

ARTICLES = Path(__file__).parents[3] / "shared" / "corpus" / "articles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """An entry whose story is known."""

    id: str
    feed_id: str
    title: str
    text: str = ""
    language: str = "en"
    at: datetime
    truth: str


def rows(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(ARTICLES / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def uci() -> list[Labelled]:
    found = [
        Labelled(
            id=f"uci{row['id']}",
            feed_id=row["publisher"] or str(row["id"]),
            title=row["title"],
            at=datetime.fromtimestamp(row["timestamp_ms"] / 1000, UTC),
            truth=row["story"],
        )
        for row in rows("uci-news-aggregator-stories")
    ]
    return sorted(found, key=lambda entry: entry.at)


def ecb() -> list[Labelled]:
    """Texts without dates, in a fixed shuffled order, as if all came at once."""
    now = datetime(2020, 1, 1, tzinfo=UTC)
    found = [
        Labelled(
            id=row["doc"],
            feed_id=urlsplit(row["url"]).hostname or row["doc"],
            title=row["sentences"][0],
            text=" ".join(row["sentences"][1:]),
            at=now,
            truth=row["story"],
        )
        for row in rows("ecbplus-stories")
    ]
    return sorted(found, key=lambda entry: crc32(entry.id.encode()))


def french() -> list[Labelled]:
    found = [
        Labelled(
            id=f"fr{number}",
            feed_id=f"fr{number}",  # outlets are not in the set
            title=row["title"],
            language="fr",
            at=datetime.fromisoformat(row["published"]).replace(tzinfo=UTC),
            truth=row["cluster"],
        )
        for number, row in enumerate(rows("french-news-one-day-clusters"))
    ]
    return sorted(found, key=lambda entry: entry.at)


def half(entries: list[Labelled], which: int) -> list[Labelled]:
    """The entries of one half of the stories: 0 to tune on, 1 to report."""
    return [entry for entry in entries if crc32(entry.truth.encode()) % 2 == which]
