"""What we remember.  ``Store`` is the seam: synchronous, small, with contract tests.

All methods block; ``pipeline`` calls them in the one thread that owns the write connection.
Every write is one ``BEGIN IMMEDIATE`` transaction.  Raises StoreBusy when locked or full (nothing
was written), StoreRefused when a person must act.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

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
from monitor.store.feeds import OF_A_HOST
from monitor.store.retention import Text
from monitor.store.search import Wanted


class Store(Protocol):
    """Everything the pipeline remembers."""

    # --- feeds
    def sync_feeds(self, feeds: Sequence[FeedSettings], now: datetime) -> None:
        """Make the stored feeds those of the config: add, rename, retag, pause what left it.

        A feed is recognised by URL, else by name (then it moved: its id and entries stay).
        """

    def clear_claims(self) -> None:
        """At start, by the holder of the lock: whatever was claimed is due again."""

    def give_back(self, feeds: Sequence[Feed]) -> None:
        """Claimed feeds whose visit could not be stored are due when they were."""

    def hurry(self) -> None:
        """From any thread: no write waits for a lock any more, the program is about to end."""

    def is_in_place(self) -> bool:
        """Whether the file that is written is still the one at its path."""

    def latest(self) -> datetime | None:
        """The last time at which something was done: the future, if the clock was set back."""

    def set_back(self, by: timedelta, now: datetime) -> None:
        """The clock was set back *by* so much, to *now*: move what is planned along."""

    def feeds(self) -> list[Feed]: ...

    def feed_ids(self) -> list[str]:
        """Of all feeds, in the order of ``feeds``."""

    def feeds_with(self, ids: Sequence[str]) -> list[Feed]:
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

    # --- search
    def search(self, wanted: Wanted) -> list[Found]:
        """Entries with these words."""

    def index_new(self) -> None:
        """Make searchable what was stored since the last time."""

    def index_older(self, limit: int) -> int:
        """Make up to *limit* entries searchable that an older program stored; how many."""

    def unindexed(self) -> int:
        """How many of those there are yet: the oldest entries."""

    # --- what is too old, and the file itself
    def old_texts(self, before: datetime, most: int) -> list[Text]:
        """Texts from before then that nobody needs, up to *most*."""

    def empty_texts(self, texts: Sequence[Text], before: datetime) -> None:
        """Empty those of them that are still old and unneeded; identities stay."""

    def tidy_index(self, *, begin: bool) -> bool:
        """Write a little of the search index anew, so that its file room is used again.

        *begin* at the first of a row of calls; False: nothing is left to do.
        """

    def newest_date(self) -> datetime | None:
        """The newest date that a publisher gave for one of the last entries."""

    def fold_log(self) -> bool:
        """Shorten what is kept beside the file; False: a reader is in the way."""

    def refresh_statistics(self) -> None: ...

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

    # --- stories
    def traces(self, since: datetime) -> Iterator[Told]:
        """The entries seen since, in the order in which they were decided."""

    def forget_traces(self, before: datetime) -> None: ...

    def standings(self, story_ids: Iterable[str]) -> dict[str, Standing]:
        """What is known and told of each of these stories."""

    def referenced(self, references: Iterable[str]) -> dict[str, str]:
        """Reference ("transmittal 25-07") → the story in which it was first seen."""

    def notices(self, since: datetime) -> dict[str, set[str]]:
        """Story → the numbers of the notices it is about, where an entry was seen since."""

    def story_words(self) -> dict[str, dict[str, int]]:
        """Language → stemmed word → entries with it; the word "" counts the entries."""

    def add_story_words(self, counted: Mapping[str, Mapping[str, int]]) -> None: ...

    def corrections(self) -> int:
        """The number of the last correction; 0 for none."""

    def moved_since(self, correction: int) -> list[tuple[str, str]]:
        """(entry id, story id) of what people moved later, in order."""

    def correct(self, correction: Correction) -> None:
        """One transaction.  Raises StoryChanged if its stories are no longer as it expects."""

    def stories(
        self, *, since: datetime | None = None, alerted: bool = False, limit: int = 100
    ) -> list[Story]: ...

    def story(self, name: str) -> Story | None:
        """By id, an id's unique beginning, or that of an entry in it; joined ones by old ids."""

    def stories_of(self, entry_ids: Iterable[str]) -> dict[str, str]:
        """Entry id → story id."""

    def members(self, story_id: str, limit: int = 100) -> tuple[Member, ...]:
        """Its first entries, in the order they came, and why each is in it."""

    def openings(self, story_id: str) -> list[tuple[str, str]]:
        """Headline and beginning of the text of the first entries of a story."""

    def updates_of(self, story_id: str) -> list[Update]: ...

    def alerts_of(self, story_id: str) -> list[Alert]: ...

    # --- alerts
    def raise_alerts(
        self,
        alerts: Sequence[Alert],
        deliveries: Sequence[Delivery],
        notes: Mapping[str, str] | None = None,
    ) -> None:
        """Queue alerts that no poll brought (operator alerts, backfill); known ids are ignored.

        *notes* are set in the same transaction.
        """

    def alerts(
        self,
        *,
        since: datetime | None = None,
        rule: str | None = None,
        kind: AlertKind | None = None,
        limit: int = 100,
    ) -> list[Alert]: ...

    def alert(self, id_: str) -> Alert | None: ...

    def deliveries_of(self, alert_id: str) -> list[Delivery]: ...

    # --- deliveries, as people see and change them
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
        """The newest first, without what is known of their stories."""

    def delivery(self, id_: str) -> QueuedDelivery | None:
        """By id, or by an id's unique beginning."""

    def deliveries_with(self, message_ids: Iterable[str]) -> list[QueuedDelivery]:
        """What goes out, or went out, in these messages."""

    def retry_deliveries(
        self, ids: Sequence[str], targets: Sequence[str], now: datetime
    ) -> set[str]:
        """Queue anew what was given up, muted, discarded or waits, due now; the ids it was.

        Nothing stands against trying *targets* any more.
        """

    def discard_deliveries(self, ids: Sequence[str], why: str, now: datetime) -> set[str]:
        """Never send them; the ids of those that were not being sent or sent already."""

    # --- deliver
    def claim_deliveries(
        self, now: datetime, limit: int, channel: str | None = None
    ) -> list[QueuedDelivery]:
        """Due deliveries, oldest first; state CLAIMED.  Stopped targets are left out.

        The deliver loop asks for one *channel* at a time, so that a dead one delays no other.
        Due deliveries of one (story, target) are claimed together, whatever the limit.
        """

    def waiting_targets(self, channel: str, before: datetime) -> set[str]:
        """Targets of *channel* for which something about a story waits that is older than that."""

    def waiting_for(
        self, target: str, before: datetime, *, not_for: str, limit: int
    ) -> list[Delivery]:
        """What waits for *target* and is due *before*, unless *not_for*, a channel, gets it too."""

    def since_digest(self, channel: str, begins: datetime) -> SinceDigest:
        """What was sent at once, joined silently or was muted on *channel* since then."""

    def reconsider(self, channels: Sequence[str], now: datetime) -> None:
        """What waits for these channels is looked at again at once: their times have changed."""

    def freeze(self, messages: Sequence[Message]) -> None:
        """Store messages before they are sent: retries send the same text."""

    def finish(self, finished: Sequence[Finished]) -> None:
        """Record what came of claimed deliveries, and the channel's health."""

    def expire(self, now: datetime) -> list[Delivery]:
        """Give up deliveries that have waited for 14 days; what was given up."""

    def next_due_at(self, channels: Sequence[str] | None = None) -> datetime | None:
        """Of these channels, or of all: what waits for one that is gone is nobody's hurry."""

    def oldest_waiting_at(self) -> datetime | None:
        """When what has waited longest to be sent was queued."""

    def channel_states(self) -> list[ChannelState]: ...

    def resume(self, targets: Sequence[str] | None = None) -> None:
        """Try stopped targets again: all of them, or those whose settings changed."""

    def queue_lengths(self) -> dict[str, int]:
        """Delivery state → count, for ``status``."""

    def thread(self, channel: str, target: str, story_id: str) -> str:
        """What messages of the story to this target are answers to; "" for the first one."""

    # --- silences
    def add_silence(self, silence: Silence) -> None: ...

    def silences(self, *, ended: bool = False) -> list[Silence]:
        """Those that are not over, or all of them; with the number of alerts each has muted."""

    def silence(self, id_: str) -> Silence | None:
        """By id, or by an id's unique beginning."""

    def end_silence(self, id_: str, at: datetime) -> bool:
        """It is over at *at*, earlier than was planned; False: it was over before."""

    def close_silences(
        self, ids: Sequence[str], at: datetime, alerts: Sequence[Alert], rows: Sequence[Delivery]
    ) -> None:
        """They are over, and *alerts* say so."""

    # --- rules
    def save_rule_set(self, record: RuleSetRecord) -> None: ...

    def last_rule_set(self) -> RuleSetRecord | None: ...

    # --- notes: small facts that must survive a restart ("welcomed desk-slack")
    def note(self, name: str) -> str | None: ...

    def set_note(self, name: str, value: str | None) -> None: ...

    def close(self) -> None: ...
