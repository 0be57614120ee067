"""The store in one SQLite file: opening, refusing, transactions.  What they do is in the siblings.

WAL with ``synchronous=FULL``: what was committed survives a crash and a power cut.  Every write is
``BEGIN IMMEDIATE``: a transaction that reads first and writes later fails at once with "locked".
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from sqlite_utils import Database

from monitor.crashpoint import crashpoint
from monitor.errors import StoreBusy, StoreDamaged, StoreRefused
from monitor.model import (
    Alert,
    AlertKind,
    Article,
    ArticleState,
    ChannelState,
    Correction,
    Delivery,
    DeliveryState,
    EarlierText,
    Entry,
    Feed,
    Finished,
    Found,
    Known,
    Listing,
    Member,
    Message,
    Outcome,
    QueuedDelivery,
    RuleSetRecord,
    Silence,
    SinceDigest,
    Standing,
    Story,
    Subscription,
    Told,
    Update,
)
from monitor.settings import FeedSettings
from monitor.store import (
    articles,
    care,
    clock,
    corrections,
    digests,
    entries,
    exports,
    feeds,
    ledger,
    listings,
    outbox,
    retention,
    rows,
    search,
    silences,
    stories,
    subscriptions,
    threads,
)
from monitor.store.access import cannot_write, may_write
from monitor.store.opening import (
    BUSY_TIMEOUT,
    back_up,
    connect,
    looks_usable,
    place_of,
    translated,
)
from monitor.store.patience import Patience
from monitor.store.schema import APPLICATION_ID, VERSION, migrations
from monitor.store.search import Wanted
from monitor.store.stories import MEMBERS_TOLD

TIDIED_AT_ONCE = 64  # pages of the search index
STEPS = 100_000  # of SQLite's machine between two looks whether to give up: some milliseconds
CHECKED_AT_START = 50_000  # pages, 200 MB: what is larger is read whole at night, not at each start


class SqliteStore:
    """The ``Store`` protocol on one connection; use it in the thread that opened it."""

    def __init__(
        self, database: Database, path: str, busy_timeout: timedelta = BUSY_TIMEOUT
    ) -> None:
        self._database = database
        self._busy_timeout = busy_timeout
        self._db: sqlite3.Connection = database.conn
        self._path = path
        self._patience = Patience(busy_timeout)
        self._place = place_of(path)

    @classmethod
    def open(cls, path: str, *, busy_timeout: timedelta = BUSY_TIMEOUT) -> Self:
        """Open or make the database at *path*, and bring its tables up to date.

        Raises StoreRefused, and changes nothing, if the file is not ours or cannot be used.
        """
        existed = looks_usable(path)
        if existed:  # a connection that may write already changes another program's files
            with suppress(StoreBusy):
                cls.looking(path).close()
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            store = cls(connect(path, busy_timeout), path, busy_timeout)
        except (OSError, sqlite3.Error) as error:
            raise StoreRefused(f"{path}: cannot be opened: {error}") from error
        with store._closed_on_error(), translated(path):
            store._refuse_foreign()
            store._set_up()
        return store

    @classmethod
    def read_only(cls, path: str) -> Self:
        """For commands that only look; works beside a running daemon."""
        if not looks_usable(path):
            raise StoreRefused(f"{path}: there is no database yet; start the monitor first")
        store = cls.looking(path)
        with store._closed_on_error(), translated(path):
            store._refuse_old()
        return store

    @classmethod
    def beside(cls, path: str, *, busy_timeout: timedelta = BUSY_TIMEOUT) -> Self:
        """For commands that change a little in a database that ``read_only`` has opened."""
        if not may_write(Path(path)):
            raise StoreRefused(cannot_write(Path(path)))
        with translated(path):
            store = cls(connect(path, busy_timeout), path, busy_timeout)
        with store._closed_on_error(), translated(path):
            store._refuse_foreign()
            store._refuse_old()
        return store

    @classmethod
    def looking(cls, path: str) -> Self:
        """On a connection that cannot write, whatever its schema.  StoreRefused: it is not ours."""
        with translated(path):
            uri = f"{Path(path).resolve().as_uri()}?mode=ro"
            store = cls(connect(uri, BUSY_TIMEOUT), path, BUSY_TIMEOUT)
            with store._closed_on_error():
                store._refuse_foreign()
        return store

    @contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def _refuse_foreign(self) -> None:
        owner = self._db.execute("PRAGMA application_id").fetchone()[0]
        version = self._version()
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if owner != APPLICATION_ID and tables:
            raise StoreRefused(
                f"{self._path}: this is the database of another program; nothing was changed."
                " Choose another path for [monitor] database"
            )
        if version > VERSION:
            raise StoreRefused(
                f"{self._path}: this database was made by a newer monitor (schema {version}, this"
                f" one knows {VERSION}); nothing was changed. Upgrade the program, or put back the"
                f" copy made before the upgrade, {self._path}.schema{VERSION}, if there is one"
            )

    def _refuse_old(self) -> None:
        if self._version() < VERSION:
            raise StoreRefused(
                f"{self._path}: this database is not set up yet, or is that of an older monitor;"
                " start the monitor once, it brings the database up to date"
            )

    def _set_up(self) -> None:
        if self._version() < VERSION:
            if self._version():
                back_up(self._db, self._path, f"{self._path}.schema{self._version()}")
            self._db.execute("PRAGMA journal_mode = WAL")
            # Before the tables: killed between them and it, we would refuse our own database.
            self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            with self._database.atomic():  # all steps or none: no copy is made of what is between
                migrations.apply(self._database)
                self._db.execute(f"PRAGMA user_version = {VERSION}")
        if self._pages() <= CHECKED_AT_START:
            self._refuse_damaged("quick_check")

    def _pages(self) -> int:
        return int(self._db.execute("PRAGMA page_count").fetchone()[0])

    def _refuse_damaged(self, check: str) -> None:
        damage = self._db.execute(f"PRAGMA {check}(1)").fetchone()[0]
        if damage != "ok":
            raise StoreDamaged(
                f"{self._path}: the database is damaged ({damage}); restore a backup"
            )

    def copy_to(self, path: str) -> None:
        """All of it, as it is at one moment, into a new file; others may write meanwhile."""
        with translated(self._path):
            back_up(self._db, self._path, path)

    def contents(self) -> tuple[int, int, int, datetime | None]:
        """(entries, alerts, waiting deliveries, time of the newest entry), after a whole check."""
        with self._reading() as db:
            self._refuse_damaged("integrity_check")
            counts = (
                db.execute(f"SELECT count(*) FROM {what}").fetchone()[0]
                for what in (
                    "entries",
                    "alerts",
                    "deliveries WHERE state IN ('queued', 'claimed')",
                )
            )
            entries, alerts, waiting = counts
            newest = db.execute("SELECT max(first_seen_at) FROM entries").fetchone()[0]
            return entries, alerts, waiting, rows.moment_or_none(newest)

    def export(self, kind: str, since: datetime | None) -> Iterator[dict[str, object]]:
        """Rows of one of ``exports.KINDS`` for people's own programs."""
        with self._reading() as db:
            yield from exports.rows_of(db, kind, since)

    def hurry(self) -> None:
        self._patience.lose()

    def is_in_place(self) -> bool:
        return place_of(self._path) == self._place

    def close(self) -> None:
        crashpoint("in-checkpoint")  # the last one to close writes the log into the database
        self._database.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: all of it, or nothing and an exception."""
        with translated(self._path, opened=True):
            self._patience.begin(self._db)
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite rolls back by itself when the disk is full
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with translated(self._path):
            yield self._db

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

    def feeds(self) -> list[Feed]:
        with self._reading() as db:
            return [rows.feed(row) for row in db.execute("SELECT * FROM feeds ORDER BY name")]

    def claim_due(self, partition: int, limit: int, now: datetime, lease: timedelta) -> list[Feed]:
        with self._writing() as db:
            return feeds.claim_due(db, partition, limit, now, lease)

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
            search.catch_up(db)
        crashpoint("after-commit")
        return accepted

    def _commit_one(self, db: sqlite3.Connection, outcome: Outcome) -> bool:
        db.execute("SAVEPOINT one")
        try:
            corrections.refuse_later(db, outcome.corrections_seen)
            accepted = feeds.save_polled(db, outcome.feed, learnt=outcome.learnt)
            if accepted and not outcome.only_the_feed:
                entries.save(db, outcome)
                crashpoint("in-transaction")
                outbox.queue(db, outcome.alerts, outcome.deliveries)
            if accepted:
                subscriptions.offer(db, outcome.feed, outcome.offer)
                listings.save(db, outcome.feed.id, outcome.listing)
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK TO one")
                db.execute("RELEASE one")
            raise
        db.execute("RELEASE one")
        return accepted

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

    # --- search

    def search(self, wanted: Wanted) -> list[Found]:
        with self._reading() as db:
            return search.find(db, wanted)

    def index_older(self, limit: int) -> int:
        with self._writing() as db:
            return search.add_older(db, limit)

    def unindexed(self) -> int:
        with self._reading() as db:
            return search.missing(db)

    # --- what is too old, and the file itself

    def old_texts(self, before: datetime, most: int) -> list[retention.Text]:
        with self._reading() as db:
            return retention.old(db, before, most)

    def empty_texts(self, texts: Sequence[retention.Text], before: datetime) -> None:
        with self._no_foreign_keys(), self._writing() as db:
            retention.empty(db, texts, before)

    @contextmanager
    def _no_foreign_keys(self) -> Iterator[None]:
        """For rows that are taken out and put back: looking for what refers to them is slow."""
        self._db.execute("PRAGMA foreign_keys = OFF")
        try:
            yield
        finally:
            self._db.execute("PRAGMA foreign_keys = ON")

    def tidy_index(self, *, begin: bool) -> bool:
        with self._writing() as db:
            return search.tidy(db, TIDIED_AT_ONCE, begin=begin)

    def newest_date(self) -> datetime | None:
        with self._reading() as db:
            return retention.newest_date(db)

    def fold_log(self) -> bool:
        with self._reading() as db:
            return care.fold_log(db, self._busy_timeout)

    def refresh_statistics(self) -> None:
        with self._reading() as db:
            care.refresh_statistics(db)

    def damage(self) -> str:
        """What is wrong with the file, once all of it was read; "" for nothing."""
        with self._reading() as db:
            return care.damage(db)

    def give_up_when(self, ended: Callable[[], bool]) -> None:
        """Let what runs on this connection end with StoreBusy as soon as *ended* says so."""
        self._db.set_progress_handler(ended, STEPS)

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

    # --- stories

    def traces(self, since: datetime) -> Iterator[Told]:
        with self._reading() as db:
            yield from stories.traces(db, since)

    def forget_traces(self, before: datetime) -> None:
        with self._writing() as db:
            stories.forget_traces(db, before)

    def standings(self, story_ids: Iterable[str]) -> dict[str, Standing]:
        with self._reading() as db:
            return stories.standings(db, story_ids)

    def referenced(self, references: Iterable[str]) -> dict[str, str]:
        with self._reading() as db:
            return stories.referenced(db, references)

    def notices(self, since: datetime) -> dict[str, set[str]]:
        with self._reading() as db:
            return stories.notices(db, since)

    def story_words(self) -> dict[str, dict[str, int]]:
        with self._reading() as db:
            return stories.word_counts(db)

    def add_story_words(self, counted: Mapping[str, Mapping[str, int]]) -> None:
        with self._writing() as db:
            stories.add_words(db, counted)

    def corrections(self) -> int:
        with self._reading() as db:
            return corrections.latest(db)

    def moved_since(self, correction: int) -> list[tuple[str, str]]:
        with self._reading() as db:
            return corrections.moved_since(db, correction)

    def correct(self, correction: Correction) -> None:
        with self._writing() as db:
            corrections.apply(db, correction)

    def stories(
        self, *, since: datetime | None = None, alerted: bool = False, limit: int = 100
    ) -> list[Story]:
        with self._reading() as db:
            return stories.stories(db, since=since, alerted=alerted, limit=limit)

    def story(self, name: str) -> Story | None:
        with self._reading() as db:
            return stories.story(db, name)

    def members(self, story_id: str, limit: int = MEMBERS_TOLD) -> tuple[Member, ...]:
        with self._reading() as db:
            return stories.members(db, story_id, limit)

    def stories_of(self, entry_ids: Iterable[str]) -> dict[str, str]:
        with self._reading() as db:
            return stories.stories_of(db, entry_ids)

    def openings(self, story_id: str) -> list[tuple[str, str]]:
        with self._reading() as db:
            return stories.openings(db, story_id)

    def updates_of(self, story_id: str) -> list[Update]:
        with self._reading() as db:
            return stories.updates(db, story_id)

    def alerts_of(self, story_id: str) -> list[Alert]:
        with self._reading() as db:
            return stories.alerts_of(db, story_id)

    # --- alerts and deliveries

    def raise_alerts(
        self,
        alerts: Sequence[Alert],
        deliveries: Sequence[Delivery],
        notes: Mapping[str, str] | None = None,
    ) -> None:
        with self._writing() as db:
            outbox.queue(db, alerts, deliveries)
            for name, value in (notes or {}).items():
                db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", [name, value])

    def alerts(
        self,
        *,
        since: datetime | None = None,
        rule: str | None = None,
        kind: AlertKind | None = None,
        limit: int = 100,
    ) -> list[Alert]:
        with self._reading() as db:
            return outbox.alerts(db, since=since, rule=rule, kind=kind, limit=limit)

    def alert(self, id_: str) -> Alert | None:
        with self._reading() as db:
            return outbox.alert(db, id_)

    def deliveries_of(self, alert_id: str) -> list[Delivery]:
        with self._reading() as db:
            return outbox.deliveries_of(db, alert_id)

    def deliveries(
        self,
        *,
        states: Collection[DeliveryState] = (),
        channel: str | None = None,
        rule: str | None = None,
        silence: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> list[QueuedDelivery]:
        wanted = ledger.Wanted(
            states=states, channel=channel, rule=rule, silence=silence, since=since
        )
        with self._reading() as db:
            return ledger.select(db, wanted, limit)

    def delivery(self, id_: str) -> QueuedDelivery | None:
        with self._reading() as db:
            return ledger.by_id(db, id_)

    def deliveries_with(self, message_ids: Iterable[str]) -> list[QueuedDelivery]:
        with self._reading() as db:
            return ledger.of_messages(db, message_ids)

    def retry_deliveries(
        self, ids: Sequence[str], targets: Sequence[str], now: datetime
    ) -> set[str]:
        with self._writing() as db:
            outbox.resume(db, targets)
            return ledger.retry(db, ids, now)

    def discard_deliveries(self, ids: Sequence[str], why: str, now: datetime) -> set[str]:
        with self._writing() as db:
            return ledger.discard(db, ids, why, now)

    def claim_deliveries(
        self, now: datetime, limit: int, channel: str | None = None
    ) -> list[QueuedDelivery]:
        with self._writing() as db:
            return outbox.claim(db, now, limit, channel)

    def waiting_targets(self, channel: str, before: datetime) -> set[str]:
        with self._reading() as db:
            return digests.waiting_targets(db, channel, before)

    def waiting_for(
        self, target: str, before: datetime, *, not_for: str, limit: int
    ) -> list[Delivery]:
        with self._reading() as db:
            return outbox.waiting_for(db, target, before, not_for=not_for, limit=limit)

    def since_digest(self, channel: str, begins: datetime) -> SinceDigest:
        with self._reading() as db:
            return digests.since(db, channel, begins)

    def reconsider(self, channels: Sequence[str], now: datetime) -> None:
        with self._writing() as db:
            outbox.reconsider(db, channels, now)

    def freeze(self, messages: Sequence[Message]) -> None:
        with self._writing() as db:
            outbox.freeze(db, messages)

    def finish(self, finished: Sequence[Finished]) -> None:
        with self._writing() as db:
            outbox.finish(db, finished)

    def expire(self, now: datetime) -> list[Delivery]:
        with self._writing() as db:
            return outbox.expire(db, now)

    def next_due_at(self, channels: Sequence[str] | None = None) -> datetime | None:
        with self._reading() as db:
            return outbox.next_due_at(db, channels)

    def oldest_waiting_at(self) -> datetime | None:
        with self._reading() as db:
            return outbox.oldest_waiting_at(db)

    def channel_states(self) -> list[ChannelState]:
        with self._reading() as db:
            return outbox.channel_states(db)

    def resume(self, targets: Sequence[str] | None = None) -> None:
        with self._writing() as db:
            outbox.resume(db, targets)

    def queue_lengths(self) -> dict[str, int]:
        with self._reading() as db:
            return outbox.queue_lengths(db)

    def thread(self, channel: str, target: str, story_id: str) -> str:
        with self._reading() as db:
            return threads.find(db, channel, target, story_id)

    # --- silences

    def add_silence(self, silence: Silence) -> None:
        with self._writing() as db:
            silences.add(db, silence)

    def silences(self, *, ended: bool = False) -> list[Silence]:
        with self._reading() as db:
            return silences.select(db, ended=ended)

    def silence(self, id_: str) -> Silence | None:
        with self._reading() as db:
            return silences.by_id(db, id_)

    def end_silence(self, id_: str, at: datetime) -> bool:
        with self._writing() as db:
            return silences.end(db, id_, at)

    def close_silences(
        self, ids: Sequence[str], at: datetime, alerts: Sequence[Alert], rows: Sequence[Delivery]
    ) -> None:
        with self._writing() as db:
            silences.close(db, ids, at)
            outbox.queue(db, alerts, rows)

    # --- rules and notes

    def save_rule_set(self, record: RuleSetRecord) -> None:
        with self._writing() as db:
            db.execute("DELETE FROM rule_sets")
            db.execute(
                "INSERT INTO rule_sets VALUES (?, ?, ?)",
                [record.version, rows.dump(dict(record.files)), rows.micros(record.loaded_at)],
            )

    def last_rule_set(self) -> RuleSetRecord | None:
        with self._reading() as db:
            row = db.execute("SELECT * FROM rule_sets").fetchone()
        if row is None:
            return None
        files: Mapping[str, str] = json.loads(row["files"])
        return RuleSetRecord(
            version=row["version"], files=files, loaded_at=rows.moment(row["loaded_at"])
        )

    def note(self, name: str) -> str | None:
        with self._reading() as db:
            row = db.execute("SELECT value FROM notes WHERE name = ?", [name]).fetchone()
        return row["value"] if row else None

    def set_note(self, name: str, value: str | None) -> None:
        with self._writing() as db:
            if value is None:
                db.execute("DELETE FROM notes WHERE name = ?", [name])
            else:
                db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", [name, value])
