"""What one poll changes, committed as one transaction; what the store hands out and takes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.model.alerts import Alert, Delivery, Message, SendResult, Update
from monitor.model.documents import Listing, Offer
from monitor.model.entries import Article, Entry, Revision
from monitor.model.feeds import Feed
from monitor.model.rules import Match
from monitor.model.stories import Member, Placement, Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that one poll changes.  ``feed`` carries the claim that fences it."""

    feed: Feed
    entries: tuple[Entry, ...] = ()  # new ones
    revisions: tuple[Revision, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()  # (entry id, key) it is known by from now on
    stories: tuple[Story, ...] = ()  # new or advanced
    placements: tuple[Placement, ...] = ()  # of the new entries
    matches: tuple[Match, ...] = ()
    alerts: tuple[Alert, ...] = ()
    updates: tuple[Update, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    articles: tuple[Article, ...] = ()  # of the new entries: pages to read
    offer: Offer | None = None  # of a document that was read; None: none was, or not to its end
    learnt: bool = True  # False: the feed's rhythm is as it was, and need not be stored again
    listing: Listing | None = None  # of a document that was read; None: none was, or the same
    corrections_seen: int | None = None  # fences it against what people do to stories; None: not

    @property
    def only_the_feed(self) -> bool:
        """Whether nothing changed but the state of the feed, as after most visits."""
        return not (
            self.entries or self.revisions or self.renamed or self.alerts or self.deliveries
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedDelivery:
    """A delivery with its alert, and its message when a claim has frozen one."""

    delivery: Delivery
    alert: Alert
    message: Message | None = None
    update: Update | None = None  # of an UPDATE
    members: tuple[Member, ...] = ()  # of the alert's story, in the order they came; the first ones


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedEntry:
    """An entry that joined a story people had been told of, without a message."""

    title: str
    outlet: str
    seen_at: datetime
    story: str  # headline of the story


@dataclass(frozen=True, slots=True, kw_only=True)
class SinceDigest:
    """What happened on a channel since its last digest."""

    at_once: tuple[Alert, ...] = ()  # sent by themselves
    joined: tuple[JoinedEntry, ...] = ()
    muted: int = 0  # alerts that silences kept back


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """Health of a target, for ``status`` and for holding back."""

    channel: str
    target: str
    accepted_at: datetime | None = None
    failures: int = 0  # in a row
    failing_since: datetime | None = None
    last_error: str = ""
    stopped: bool = False  # refused for good; nothing is tried until the channel's settings change
    not_before: datetime | None = None  # Retry-After
    outage_from: datetime | None = None  # the last time it took nothing, once that was over
    outage_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What became of the deliveries of one message: the caller has decided, the store records."""

    deliveries: tuple[Delivery, ...]  # with their new state, due_at, attempts, last_error
    result: SendResult | None = None  # None: nothing was tried (held, silenced)
    state: ChannelState | None = None  # the target's health after it, recorded as it stands
    at: datetime
    alerts: tuple[Alert, ...] = ()  # operator alerts this raised, with their deliveries
    raised: tuple[Delivery, ...] = ()
    story_id: str = ""  # of the message: the thread that the result names is this story's
