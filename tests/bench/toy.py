"""The obvious script, to compare with: httpx, feedparser, sqlite-utils as their manuals have it.

It remembers validators and knows entries by their id; no limits, no retries, no alerts.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import feedparser
import httpx
from sqlite_utils import Database

AT_ONCE = 50


class Toy:
    """Polls feeds BASE/feed/0.xml … once each; ``new`` counts entries."""

    def __init__(self, database: str, base: str, count: int) -> None:
        self._db, self._base, self._count = Database(database), base, count
        self.new = 0
        self._db.enable_wal()
        self._db["feeds"].create({"url": str, "title": str, "etag": str, "modified": str}, pk="url")
        columns = ("feed", "id", "title", "link", "author", "published", "summary", "content")
        shape = dict.fromkeys(columns, str) | {"seen": str}
        self._db["entries"].create(shape, pk=("feed", "id"))

    def close(self) -> None:
        self._db.close()

    async def round(self) -> None:
        self.new = 0
        known = {row["url"]: row for row in self._db["feeds"].rows}
        gate = asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(timeout=30, follow_redirects=True) as client:
            urls = (f"{self._base}/feed/{number}.xml" for number in range(self._count))
            await asyncio.gather(*(self._poll(client, gate, u, known.get(u, {})) for u in urls))

    async def _poll(
        self, client: httpx.AsyncClient, gate: asyncio.Semaphore, url: str, feed: dict[str, Any]
    ) -> None:
        names = {"If-None-Match": feed.get("etag"), "If-Modified-Since": feed.get("modified")}
        async with gate:
            answer = await client.get(url, headers={k: v for k, v in names.items() if v})
        if answer.status_code != 304:
            self._store(url, answer)

    def _store(self, url: str, answer: httpx.Response) -> None:
        found = feedparser.parse(answer.content, response_headers=dict(answer.headers))
        stored = self._db["entries"].rows_where("feed = ?", [url], select="id")
        known = {row["id"] for row in stored}
        rows = [_row(url, entry) for entry in found.entries if _key(entry) not in known]
        self._db["entries"].insert_all(rows, pk=("feed", "id"), ignore=True)
        self.new += len(rows)
        headers = answer.headers
        self._db["feeds"].upsert(
            {
                "url": url,
                "title": found.feed.get("title"),
                "etag": headers.get("etag"),
                "modified": headers.get("last-modified"),
            },
            pk="url",
        )


def _key(entry: Any) -> Any:
    return entry.get("id") or entry.get("link") or entry.get("title")


def _row(url: str, entry: Any) -> dict[str, Any]:
    return {
        "feed": url,
        "id": _key(entry),
        "title": entry.get("title"),
        "link": entry.get("link"),
        "author": entry.get("author"),
        "published": entry.get("published") or entry.get("updated"),
        "summary": entry.get("summary"),
        "content": entry.content[0].value if entry.get("content") else None,
        "seen": datetime.now(UTC).isoformat(),
    }
