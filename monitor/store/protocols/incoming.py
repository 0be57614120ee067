"""What comes in: feeds, their entries and pages, the hubs that announce them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from monitor.model import (
    Alert,
    Article,
    ArticleState,
    Delivery,
    EarlierText,
    Entry,
    Feed,
    Known,
    Listing,
    Outcome,
    Subscription,
)
from monitor.settings import FeedSettings
from monitor.store.feeds import OF_A_HOST


class IncomingStore(Protocol):
    """Implemented in ``store.incoming``."""

    # --- feeds
    def sync_feeds(self, feeds: Sequence[FeedSettings], now: datetime) -> None:
        """Make the stored feeds those of the config: add, rename, retag, pause what left it.

        A feed is recognised by URL, else by name (then it moved: its id and entries stay).
        """

    def clear_claims(self) -> None:
        """At start, by the holder of the lock: whatever was claimed is due again."""

    def give_back(self, feeds: Sequence[Feed]) -> None:
        """Claimed feeds whose visit could not be stored are due when they were."""

    def latest(self) -> datetime | None:
        """The last time at which something was done: the future, if the clock was set back."""

    def set_back(self, by: timedelta, now: datetime) -> None:
        """The clock was set back *by* so much, to *now*: move what is planned along."""

    def feeds(self, *, rhythms: bool = True) -> list[Feed]:
        """All, by name; *rhythms*: with what was learnt of when they publish, which is large."""

    def feed_ids(self) -> list[str]:
        """Of all feeds, in the order of ``feeds``."""

    def feeds_of_note(self) -> list[str]:
        """Ids of those that fail or look wrong, are silent or have a gap, or were told to."""

    def feeds_with(self, ids: Sequence[str], *, rhythms: bool = True) -> list[Feed]:
        """Those of *ids* that are stored, in that order."""

    def claim_due(
        self,
        partition: int,
        limit: int,
        now: datetime,
        lease: timedelta,
        hosts: Collection[str] | None = None,
        *,
        of_a_host: int = OF_A_HOST,
    ) -> list[Feed]:
        """Feeds whose time has come, oldest first; each claim moves ``next_poll_at`` by *lease*.

        *hosts*, as ``feeds.netloc_of`` has them: only theirs; *of_a_host*: claimed at most.
        """

    def next_poll_at(self, partition: int) -> datetime | None: ...

    def report_feeds(
        self, marked: Sequence[Feed], alerts: Sequence[Alert], deliveries: Sequence[Delivery]
    ) -> None:
        """Queue alerts about feeds, and remember what was told of each: ``reported``,
        ``quiet_since``, ``gap_told``."""

    # --- ingest
    def known(self, feed_id: str, keys: Sequence[str]) -> dict[str, Known]:
        """Stored entries by any of their keys."""

    def headlines(self, feed_id: str, limit: int) -> list[str]:
        """Of the feed's newest entries."""

    def listing(self, feed_id: str) -> Listing:
        """What the feed's last document listed; empty if nothing can be compared with it."""

    def commit(self, outcomes: Sequence[Outcome]) -> list[bool]:
        """One transaction, a savepoint each.  False: fenced off, another claim came later.

        Raises StoryChanged, having written nothing, if people corrected stories after
        ``corrections_seen``.
        """

    def entries(
        self,
        *,
        since: datetime | None = None,
        feed: str | None = None,
        limit: int = 100,
        newest_first: bool = True,
    ) -> list[Entry]: ...

    def look_back(self, since: datetime, before: int | None, limit: int) -> list[tuple[int, Entry]]:
        """All entries seen since, the newest first, in portions, each with its number.

        *before*: the number of the last one of the portion before; None: the first portion.
        """

    def count_entries(self, feed_id: str | None = None) -> int:
        """Of all feeds, or of one."""

    def entry(self, id_or_url: str) -> Entry | None:
        """By id, an id's unique beginning, or URL."""

    def revisions(self, entry_id: str) -> list[EarlierText]:
        """What the entry said before it was changed or its article read, the oldest first."""

    # --- articles
    def claim_articles(
        self, now: datetime, lease: timedelta, *, busy: Collection[str], limit: int
    ) -> list[Article]:
        """Due pages, the oldest of each host that is not *busy*; due again after *lease*."""

    def next_article_at(self, busy: Collection[str]) -> datetime | None: ...

    def settle_article(self, article: Article, outcome: Outcome | None = None) -> None:
        """One transaction: what became of it, and what its text changes but for the feed's state.

        Raises StoryChanged, having written nothing, as ``commit`` does.
        """

    def article(self, entry_id: str) -> Article | None: ...

    def count_articles(self) -> dict[ArticleState, int]: ...

    # --- hubs
    def subscriptions(self) -> list[Subscription]:
        """Feeds whose last document named a WebSub hub, and how they stand with it."""

    def subscription(self, feed_id: str) -> Subscription | None: ...

    def save_subscription(self, subscription: Subscription) -> None:
        """Unless its feed names another hub or topic by now."""

    def poll_soon(self, feeds: Mapping[str, timedelta], now: datetime) -> set[str]:
        """Feed id → shortest wait after its last poll: due then, or at once, whatever was planned.

        The ids of those being visited just now: nothing was changed for them.
        """
