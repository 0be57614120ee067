"""What comes in, on one connection: feeds, what polls bring, pages to read, hubs."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from monitor.crashpoint import crashpoint
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
from monitor.store import (
    articles,
    clock,
    corrections,
    entries,
    feeds,
    listings,
    outbox,
    search,
    subscriptions,
)
from monitor.store.feeds import OF_A_HOST
from monitor.store.transactions import Transactions


class Incoming(Transactions):
    """Methods of ``Store``; see there."""

    # --- feeds

    def sync_feeds(self, settings: Sequence[FeedSettings], now: datetime) -> None:
        with self._writing() as db:
            feeds.sync(db, settings, now)

    def clear_claims(self) -> None:
        with self._writing() as db:
            feeds.clear_claims(db)
            outbox.clear_claims(db)

    def give_back(self, feeds_: Sequence[Feed]) -> None:
        with self._writing() as db:
            feeds.give_back(db, feeds_)

    def latest(self) -> datetime | None:
        with self._reading() as db:
            return clock.latest(db)

    def set_back(self, by: timedelta, now: datetime) -> None:
        with self._writing() as db:
            clock.set_back(db, by, now)

    def feeds(self, *, rhythms: bool = True) -> list[Feed]:
        with self._reading() as db:
            return feeds.all_by_name(db, rhythms=rhythms)

    def feed_ids(self) -> list[str]:
        with self._reading() as db:
            return feeds.ids_by_name(db)

    def feeds_of_note(self) -> list[str]:
        with self._reading() as db:
            return feeds.of_note(db)

    def feeds_with(self, ids: Sequence[str], *, rhythms: bool = True) -> list[Feed]:
        with self._reading() as db:
            return feeds.by_ids(db, ids, rhythms=rhythms)

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
        with self._writing() as db:
            return feeds.claim_due(db, partition, limit, now, lease, hosts, of_a_host)

    def next_poll_at(self, partition: int) -> datetime | None:
        with self._reading() as db:
            return feeds.next_poll_at(db, partition)

    def report_feeds(
        self, marked: Sequence[Feed], alerts: Sequence[Alert], deliveries: Sequence[Delivery]
    ) -> None:
        with self._writing() as db:
            feeds.set_reported(db, marked)
            outbox.queue(db, alerts, deliveries)

    # --- ingest

    def known(self, feed_id: str, keys: Sequence[str]) -> dict[str, Known]:
        with self._reading() as db:
            return entries.known(db, feed_id, keys)

    def headlines(self, feed_id: str, limit: int) -> list[str]:
        with self._reading() as db:
            return entries.headlines(db, feed_id, limit)

    def listing(self, feed_id: str) -> Listing:
        with self._reading() as db:
            return listings.get(db, feed_id)

    def commit(self, outcomes: Sequence[Outcome]) -> list[bool]:
        with self._writing() as db:
            accepted = [self._commit_one(db, outcome) for outcome in outcomes]
            search.keep_up(db)
        crashpoint("after-commit")
        return accepted

    def _commit_one(self, db: sqlite3.Connection, outcome: Outcome) -> bool:
        """False if its feed was claimed again since: then nothing is written."""
        corrections.refuse_later(db, outcome.corrections_seen)
        if not feeds.save_polled(db, outcome.feed, learnt=outcome.learnt):
            return False
        if not outcome.only_the_feed:
            entries.save(db, outcome)
            crashpoint("in-transaction")
            outbox.queue(db, outcome.alerts, outcome.deliveries)
        subscriptions.offer(db, outcome.feed, outcome.offer)
        listings.save(db, outcome.feed.id, outcome.listing)
        return True

    def entries(
        self,
        *,
        since: datetime | None = None,
        feed: str | None = None,
        limit: int = 100,
        newest_first: bool = True,
    ) -> list[Entry]:
        with self._reading() as db:
            return entries.select(
                db, since=since, feed=feed, limit=limit, newest_first=newest_first
            )

    def look_back(self, since: datetime, before: int | None, limit: int) -> list[tuple[int, Entry]]:
        with self._reading() as db:
            return entries.look_back(db, since, before, limit)

    def entry(self, id_or_url: str) -> Entry | None:
        with self._reading() as db:
            return entries.by_id_or_url(db, id_or_url)

    def revisions(self, entry_id: str) -> list[EarlierText]:
        with self._reading() as db:
            return entries.revisions(db, entry_id)

    def count_entries(self, feed_id: str | None = None) -> int:
        where, values = ("", []) if feed_id is None else (" WHERE feed_id = ?", [feed_id])
        with self._reading() as db:
            return int(db.execute(f"SELECT count(*) FROM entries{where}", values).fetchone()[0])

    # --- articles

    def claim_articles(
        self, now: datetime, lease: timedelta, *, busy: Collection[str], limit: int
    ) -> list[Article]:
        with self._writing() as db:
            return articles.claim(db, now, lease, busy, limit)

    def next_article_at(self, busy: Collection[str]) -> datetime | None:
        with self._reading() as db:
            return articles.next_due_at(db, busy)

    def settle_article(self, article: Article, outcome: Outcome | None = None) -> None:
        with self._writing() as db:
            articles.settle(db, article)
            if outcome is not None:
                corrections.refuse_later(db, outcome.corrections_seen)
                entries.save_changes(db, outcome)
                outbox.queue(db, outcome.alerts, outcome.deliveries)

    def article(self, entry_id: str) -> Article | None:
        with self._reading() as db:
            return articles.of(db, entry_id)

    def count_articles(self) -> dict[ArticleState, int]:
        with self._reading() as db:
            return articles.count(db)

    # --- hubs

    def subscriptions(self) -> list[Subscription]:
        with self._reading() as db:
            return subscriptions.select(db)

    def subscription(self, feed_id: str) -> Subscription | None:
        with self._reading() as db:
            return subscriptions.of_feed(db, feed_id)

    def save_subscription(self, subscription: Subscription) -> None:
        with self._writing() as db:
            subscriptions.save(db, subscription)

    def poll_soon(self, feeds: Mapping[str, timedelta], now: datetime) -> set[str]:
        with self._writing() as db:
            return subscriptions.poll_soon(db, feeds, now)
