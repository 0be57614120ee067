"""What a feed's document holds: entries as the publisher wrote them, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from monitor.model.feeds import NOTHING_SAID, FailureReason, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEntry:
    """An entry as the publisher wrote it, cleaned at the border; everything may be missing."""

    guid: str | None = None
    link: str | None = None  # resolved against the feed's final URL; may still be any scheme
    title: str | None = None  # plain text
    summary: str | None = None  # plain text
    content: str | None = None  # plain text
    author: str | None = None
    categories: tuple[str, ...] = ()
    language: str | None = None
    published: str | None = None  # date strings as written
    updated: str | None = None
    published_at: datetime | None = None  # what could be read of them, else None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """What a document holds; ``entries`` in document order."""

    version: str  # "rss20", "atom10", "json11" …
    title: str = ""
    language: str | None = None
    word: Word = NOTHING_SAID
    entries: tuple[RawEntry, ...] = ()
    left_out: int = 0  # further entries, which stand in the document as they did the last time
    complete: bool = True  # False: cut off, the unfinished entry is dropped
    older_url: str | None = None  # the page with the entries before these
    links: tuple[tuple[str, str], ...] = ()  # to its hubs and itself, as in ``Fetched``
    warnings: tuple[str, ...] = ()  # limits reached, ill-formed XML …

    @property
    def listed(self) -> int:
        """Entries in the document."""
        return len(self.entries) + self.left_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A feed's last document, as the next is compared with it: see ``feeds.listing``.  Empty: the
    next has nothing to be compared with."""

    context: bytes = b""  # hash of all that the meaning of an entry depends on
    head: bytes = b""  # hash of what the feed says of itself
    told: str = ""  # JSON: what that was
    entries: bytes = b""  # hash of each entry and hash of its key, in document order


NOTHING_LISTED = Listing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The hub that a document names, and what the hub calls the feed; no hub: ""."""

    hub: str = ""
    topic: str = ""


class HubState(StrEnum):
    """How a feed stands with its hub; ``feeds/websub.py`` moves from one to the next."""

    APART = "apart"  # not subscribed, or a renewal failed: asked at ``due_at``
    JOINING = "joining"  # asked; the hub is to ask back until ``due_at``
    JOINED = "joined"  # renewed at ``due_at``
    LEAVING = "leaving"  # asked to forget us; forgotten anyhow at ``due_at``


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A feed whose document names a hub, and what has come of that: a row of ``subscriptions``."""

    feed_id: str
    hub: str
    topic: str
    callback: str = field(default="", repr=False)  # whole address, unguessable; "" never asked
    secret: str = field(default="", repr=False)  # signs the pushes
    state: HubState = HubState.APART
    due_at: datetime
    until: datetime | None = None  # end of the lease
    failures: int = 0  # in a row
    detail: str = ""  # of the last failure, one line for people
    pushed_at: datetime | None = None  # last push with a good signature
    ignored: int = 0  # pushes without one
    # of the feed, read with it:
    feed_url: str = ""
    watched: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseFailed:
    """The body is not a feed, or reading it was stopped."""

    reason: FailureReason
    detail: str
