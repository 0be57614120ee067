"""Does reading only what is new come to the same as reading all?  Every document of the corpus.

    python -m tests.bench.delta [FOLDER …]

For each document, without a child process: its first 1, 3 and 3 random entries pretended to be
new; and for each series of snapshots, each document against the one before.  Compared are all
fields that we keep, of entries that were read, of those that were left out, and of the feed.
Documents that cannot be cut, or that the parser complains of, are read as a whole: their share.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from monitor.feeds import document
from monitor.feeds.listing import Reading
from monitor.feeds.parse import _decoded
from monitor.model import Fetched, Listing

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
URL = "https://feed.example/x/feed.xml"
NOT_FEEDS = (".csv", ".md", ".py", ".txt", ".opml", ".json", ".toml")
TOLD = ("version", "title", "language", "word", "older", "links")


class Checked:
    """Compares, and counts what came of it."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.different: list[str] = []

    def whole(self, name: str, body: bytes) -> tuple[dict[str, Any], Listing]:
        """All of a document, and what it lists."""
        fetched = Fetched(body=body, final_url=URL, content_type="application/xml")
        reading = Reading.of(fetched, Listing())
        found = full(fetched)
        self.counts["documents"] += 1
        if "failed" in found:
            self.counts["no feeds"] += 1
            return found, Listing()
        if reading is None or not found.get("clean"):
            self.counts[
                "read as a whole: " + ("cannot be cut" if reading is None else "complaints")
            ] += 1
            return found, Listing()
        listing = reading.listing(found, _decoded(found).entries)
        if not listing.context:
            self.counts["read as a whole: other entries"] += 1
        return found, listing

    def against(self, name: str, body: bytes, before: Listing, was: dict[str, Any]) -> None:
        """*body* after the document that listed *before*."""
        fetched = Fetched(body=body, final_url=URL, content_type="application/xml")
        reading, found = Reading.of(fetched, before), full(fetched)
        if reading is None or not reading.in_part:
            self.counts[f"pairs: whole, {_why(reading)}"] += 1
            return
        told, entries = reading.told_before(), []
        if reading.new or not reading.same_head:
            header = {"final_url": URL, "content_type": reading.content_type, "in_that_code": True}
            part = json.loads(json.dumps(document.read(header, reading.part())))
            if not part.get("clean") or not reading.fits(_decoded(part)):
                self.counts["pairs: whole, in doubt"] += 1
                return
            entries = part["entries"]
            told = told if reading.same_head else part
        self.counts["pairs: in part"] += 1
        self.counts["pairs: in part, nothing new"] += not entries
        self.counts["entries left out"] += reading.left_out
        self.counts["entries read"] += len(entries)
        self._compare(name, reading, found, entries, told)
        assert reading.listing(told, _decoded({**told, "entries": entries}).entries)

    def _compare(
        self, name: str, reading: Reading, found: dict[str, Any], entries: Sequence[Any], told: Any
    ) -> None:
        if not found.get("clean"):
            self.different.append(f"{name}: the whole is not clean: {found.get('warnings')}")
        expected = [found["entries"][place] for place in reading.new]
        for one, other in zip(expected, entries, strict=True):
            if one != other:
                fields = [key for key in one if one[key] != other.get(key)]
                self.different.append(f"{name}: {fields}")
        if any(found[key] != told.get(key) for key in TOLD):
            self.different.append(f"{name}: {[k for k in TOLD if found[k] != told.get(k)]}")


def _why(reading: Reading | None) -> str:
    if reading is None:
        return "cannot be cut"
    if not reading.before.context:
        return "another context"
    return "all new" if len(reading.new) == len(reading.pieces.hashes) else "half new or more"


def full(fetched: Fetched) -> dict[str, Any]:
    """What the parser finds in the whole, as it came."""
    header = {"final_url": fetched.final_url, "content_type": fetched.content_type}
    try:
        found: dict[str, Any] = json.loads(json.dumps(document.reference(header, fetched.body)))
        return found
    except Exception as error:
        return {"failed": type(error).__name__}


def but(listing: Listing, places: Sequence[int]) -> Listing:
    """*listing* without the entries at *places*: those are new then."""
    each = [listing.entries[at : at + 16] for at in range(0, len(listing.entries), 16)]
    gone = {each[place] for place in places}
    return replace(listing, entries=b"".join(part for part in each if part not in gone))


def documents(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        suffixes = path.suffixes
        if path.is_file() and not set(suffixes).intersection(NOT_FEEDS):
            body = path.read_bytes()
            yield (
                str(path.relative_to(folder)),
                gzip.decompress(body) if ".gz" in suffixes else body,
            )


def check(folder: Path, *, series: bool) -> Checked:
    checked, chance = Checked(), random.Random(5)
    last: tuple[dict[str, Any], Listing] | None = None
    for name, body in documents(folder):
        if series and last is not None:
            checked.against(name, body, last[1], last[0])
        found, listing = checked.whole(name, body)
        last = (found, listing) if listing.context else None
        if not listing.context:
            continue
        count = len(listing.entries) // 16
        for places in (
            range(min(1, count)),
            range(min(3, count)),
            chance.sample(range(count), min(3, count)),
        ):
            checked.against(name, body, but(listing, list(places)), found)
    return checked


def main() -> None:
    folders = [Path(each) for each in sys.argv[1:]]
    if not folders:
        folders = [
            CORPUS / "feeds",
            CORPUS / "conformance",
            *sorted((CORPUS / "snapshots").iterdir()),
        ]
    total: Counter[str] = Counter()
    for folder in folders:
        if not folder.is_dir():
            continue
        checked = check(folder, series="snapshots" in folder.parts)
        print(folder.name, dict(checked.counts), f"different: {len(checked.different)}")
        for each in checked.different[:5]:
            print("   ", each)
        total += checked.counts
        total["different"] += len(checked.different)
    for what, count in sorted(total.items()):
        print(f"{count:8} {what}")


if __name__ == "__main__":
    main()
