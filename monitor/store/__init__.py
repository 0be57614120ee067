"""What we remember.  ``Store`` is the seam: synchronous, small, with contract tests.

All methods block; ``pipeline`` calls them in the one thread that owns the write connection.
Every write is one ``BEGIN IMMEDIATE`` transaction.  Raises StoreBusy when locked or full (nothing
was written), StoreRefused when a person must act.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from monitor.model import (
    Alert,
    Delivery,
    Entry,
    Feed,
    Known,
    Message,
    Outcome,
    SendResult,
    Story,
)
from monitor.settings import FeedSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedDelivery:
    """A claimed delivery with its alert, and its message when an earlier claim froze one."""

    delivery: Delivery
    alert: Alert
    message: Message | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What became of the deliveries of one message: the caller has decided, the store records."""

    deliveries: tuple[Delivery, ...]  # with their new state, due_at, attempts, last_error
    result: SendResult | None = None  # None: nothing was tried (held, silenced)
    state: ChannelState | None = None  # the target's health after it, recorded as it stands
    at: datetime
    alerts: tuple[Alert, ...] = ()  # operator alerts this raised, with their deliveries
    raised: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSetRecord:
    """A set of rule files as it was loaded: what a restart falls back on."""

    version: str  # hash of the files
    files: Mapping[str, str]  # name → text
    loaded_at: datetime


class Store(Protocol):
    """Everything the pipeline remembers."""

    # --- feeds
    def sync_feeds(self, feeds: Sequence[FeedSettings], now: datetime) -> None:
        """Make the stored feeds those of the config: add, rename, retag, pause what left it.

        A feed is recognised by URL, else by name (then it moved: its id and entries stay).
        """

    def clear_claims(self) -> None:
        """At start, by the holder of the lock: whatever was claimed is due again."""

    def feeds(self) -> list[Feed]: ...

    def claim_due(self, partition: int, limit: int, now: datetime, lease: timedelta) -> list[Feed]:
        """Feeds whose time has come, oldest first; each claim moves ``next_poll_at`` by *lease*."""

    def next_poll_at(self, partition: int) -> datetime | None: ...

    # --- ingest
    def known(self, feed_id: str, keys: Sequence[str]) -> dict[str, Known]:
        """Stored entries by any of their keys."""

    def candidates(self, entries: Sequence[Entry], now: datetime) -> list[Story]:
        """Open stories that the entries may belong to."""

    def commit(self, outcomes: Sequence[Outcome]) -> list[bool]:
        """One transaction, a savepoint each.  False: fenced off, another claim came later."""

    def entries(
        self,
        *,
        since: datetime | None = None,
        feed: str | None = None,
        limit: int = 100,
        newest_first: bool = True,
    ) -> list[Entry]: ...

    def entry(self, id_or_url: str) -> Entry | None:
        """By id, an id's unique beginning, or URL."""

    # --- alerts
    def raise_alerts(self, alerts: Sequence[Alert], deliveries: Sequence[Delivery]) -> None:
        """Queue alerts that no poll brought (operator alerts, backfill); known ids are ignored."""

    def alerts(
        self, *, since: datetime | None = None, rule: str | None = None, limit: int = 100
    ) -> list[Alert]: ...

    def alert(self, id_: str) -> Alert | None: ...

    def deliveries_of(self, alert_id: str) -> list[Delivery]: ...

    # --- deliver
    def claim_deliveries(
        self, now: datetime, limit: int, channel: str | None = None
    ) -> list[QueuedDelivery]:
        """Due deliveries, oldest first; state CLAIMED.  Stopped targets are left out.

        The deliver loop asks for one *channel* at a time, so that a dead one delays no other.
        Due deliveries of one (story, target) are claimed together, whatever the limit.
        """

    def freeze(self, messages: Sequence[Message]) -> None:
        """Store messages before they are sent: retries send the same text."""

    def finish(self, finished: Sequence[Finished]) -> None:
        """Record what came of claimed deliveries, and the channel's health."""

    def next_due_at(self) -> datetime | None: ...

    def channel_states(self) -> list[ChannelState]: ...

    def queue_lengths(self) -> dict[str, int]:
        """Delivery state → count, for ``status``."""

    # --- rules
    def save_rule_set(self, record: RuleSetRecord) -> None: ...

    def last_rule_set(self) -> RuleSetRecord | None: ...

    def document_frequencies(self, limit: int = 50_000) -> dict[str, int]:
        """Folded word → number of stored entries with it, the most frequent ones."""

    # --- notes: small facts that must survive a restart ("welcomed desk-slack")
    def note(self, name: str) -> str | None: ...

    def set_note(self, name: str, value: str | None) -> None: ...

    def close(self) -> None: ...
