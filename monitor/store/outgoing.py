"""What goes out, on one connection: alerts, deliveries, silences."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

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
from monitor.store import (
    digests,
    ledger,
    outbox,
    silences,
    threads,
)
from monitor.store.transactions import Transactions


class Outgoing(Transactions):
    """Methods of ``Store``; see there."""

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
