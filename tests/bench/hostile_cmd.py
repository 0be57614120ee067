"""One document through our parser, as ``run_cases.py --cmd`` of the shared hostile bench asks.

python run_cases.py --strict --cmd "PYTHON tests/bench/hostile_cmd.py"
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from monitor.feeds.body import BodyError, Inflater
from monitor.feeds.normalise import entries_of
from monitor.feeds.parse import Parser
from monitor.model import Fetched, ParsedFeed
from tests.builders import a_feed

URL = "http://feed.test/x/feed.xml"


def bounded(body: bytes) -> bytes | None:
    """*body* as the fetch would take it; None if it is too large."""
    inflater = Inflater("")
    try:
        inflater.feed(body)
        return inflater.finish()
    except BodyError:
        return None


async def main(path: str, headers: str) -> None:
    body = bounded(Path(path).read_bytes())
    if body is None:  # the fetch would have ended
        print(json.dumps({"outcome": "error", "entries": [], "count": 0}))
        return
    given = {name.lower(): value for name, value in json.loads(headers).items()}
    parser = Parser(size=1)
    fetched = Fetched(
        body=body,
        final_url=given.get("content-location", URL),
        content_type=given.get("content-type"),
    )
    result = await parser.parse(fetched)
    await parser.aclose()
    told = {"outcome": "error", "entries": [], "count": 0}
    if isinstance(result, ParsedFeed):
        _, entries = entries_of(result, a_feed(url=URL), datetime.now(UTC))
        whole = result.complete and not result.warnings
        told = {
            "outcome": "ok" if whole else "degraded",
            "entries": [{"title": each.title, "link": each.url} for each in entries[:50]],
            "count": len(entries),
        }
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
