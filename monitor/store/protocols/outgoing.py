"""What goes out: alerts, their deliveries, and what mutes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from monitor.model import (
    Alert,
    AlertKind,
    ChannelState,
    Delivery,
    DeliveryState,
    Finished,
    Message,
    QueuedDelivery,
    Silence,
    SinceDigest,
)


class OutgoingStore(Protocol):
    """Implemented in ``store.outgoing``."""

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
