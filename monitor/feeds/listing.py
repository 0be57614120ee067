"""What of a document must be parsed, given what it listed the last time.  Pure.

``Reading.of`` cuts a body into pieces; ``part`` is the document to parse where ``in_part`` says so
and what comes of it ``fits``, else ``whole``.  Whenever what is left out might matter, it is the
whole: another root tag, most entries new (are they renamed? has the feed turned over?), an entry
with the key of one that is left out, letters that look garbled, anything a parser stumbled over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.feeds import charset, suspicion
from monitor.feeds.normalise import identities, web_url
from monitor.feeds.pieces import HASH, Pieces, cut, digest
from monitor.model import NOTHING_LISTED, Fetched, IdentityMode, Listing, ParsedFeed, RawEntry

FORM = b"1"  # goes up when documents are read in another way: then all are read anew
FEW_NEW = 2  # as many new entries say nothing about the document as a whole, however short it is
_TOLD = ("version", "title", "language", "word", "older", "links")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A document that could be cut, against the listing of the one before it."""

    pieces: Pieces
    content_type: str | None
    context: bytes
    head: bytes
    before: Listing  # empty: there is none, or it has nothing to do with this document
    seen: Mapping[bytes, bytes]  # hash of an entry that was listed before → hash of its key
    new: tuple[int, ...]  # places of the entries that were not

    @classmethod
    def of(cls, fetched: Fetched, before: Listing) -> Reading | None:
        """None if the document must be parsed as a whole and leaves no listing."""
        body, content_type, broken = charset.in_utf8(fetched.body, fetched.content_type)
        seen = _seen(before)
        pieces = None if broken else cut(body, seen)
        if pieces is None:
            return None
        parts = (FORM, fetched.final_url.encode(), (content_type or "").encode())
        context = digest(b"\0".join((*parts, pieces.meaning())))
        if before.context != context:
            before, seen = NOTHING_LISTED, {}
        return cls(
            pieces=pieces,
            content_type=content_type,
            context=context,
            head=digest(pieces.about_itself()),
            before=before,
            seen=seen,
            new=tuple(place for place, each in enumerate(pieces.hashes) if each not in seen),
        )

    @property
    def in_part(self) -> bool:
        """Whether the entries that were listed before may be left out."""
        new, all_ = len(self.new), len(self.pieces.hashes)
        return new < all_ and (new * 2 < all_ or new <= FEW_NEW)

    @property
    def same_head(self) -> bool:
        return self.before.head == self.head

    def whole(self) -> bytes:
        return self.pieces.only(self.pieces.entries, whole_head=True)

    def part(self) -> bytes:
        """The new entries alone; with what the feed says of itself, if that is new too."""
        entries = tuple(self.pieces.entries[place] for place in self.new)
        return self.pieces.only(entries, whole_head=not self.same_head)

    def told_before(self) -> dict[str, Any]:
        """What the feed said of itself: the wire form of a ParsedFeed without its entries."""
        told: dict[str, Any] = json.loads(self.before.told or "{}")
        return {**told, "complete": True, "warnings": [], "entries": [], "clean": True}

    def fits(self, parsed: ParsedFeed) -> bool:
        """Whether *parsed*, of the part, is what it would be within the whole."""
        keys = [_key(raw) for raw in parsed.entries]
        left_out = {key for each in self.pieces.hashes if (key := self.seen.get(each)) is not None}
        return (
            len(keys) == len(self.new)
            and left_out.isdisjoint(keys)
            and not suspicion.garbled(parsed.entries)
        )

    @property
    def left_out(self) -> int:
        return len(self.pieces.hashes) - len(self.new)

    def listing(self, found: Mapping[str, Any], entries: Sequence[RawEntry]) -> Listing:
        """What this document listed; *entries* are all of it, or the new ones.  Empty if the parser
        saw something else in it than we did."""
        keys = dict(self.seen)
        if len(entries) == len(self.pieces.hashes):
            keys |= zip(self.pieces.hashes, map(_key, entries), strict=True)
        elif len(entries) == len(self.new):
            keys |= {
                self.pieces.hashes[place]: _key(raw)
                for place, raw in zip(self.new, entries, strict=True)
            }
        else:
            return NOTHING_LISTED
        told = self.before.told
        if not self.same_head:
            told = json.dumps({name: found.get(name) for name in _TOLD}, separators=(",", ":"))
        return Listing(
            context=self.context,
            head=self.head,
            told=told,
            entries=b"".join(each + keys[each] for each in self.pieces.hashes),
        )


def _seen(listing: Listing) -> dict[bytes, bytes]:
    both = 2 * HASH
    parts = (listing.entries[at : at + both] for at in range(0, len(listing.entries), both))
    return {part[:HASH]: part[HASH:] for part in parts}


def _key(raw: RawEntry) -> bytes:
    """Hash of what tells entries of a document apart."""
    if raw.guid:
        return digest(raw.guid.encode("utf-8", "replace"))
    text = f"{raw.title}\n{raw.summary}\n{raw.content}"
    return digest(identities(raw, web_url(raw.link), text, IdentityMode.GUID)[0].encode())
