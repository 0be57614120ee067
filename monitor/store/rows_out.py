"""Values ↔ rows of what goes out: alerts, updates, deliveries, messages, the health of channels.

What is damaged must not hide, or hold up, what stands beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from monitor.model import (
    Alert,
    AlertKind,
    ChannelState,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Excerpt,
    Label,
    Message,
    Severity,
    Update,
    UpdateReason,
)
from monitor.store.rows import Row, dump, micros, micros_or_none, moment, moment_or_none, plain

# --- alerts

_DAMAGE = (ValueError, KeyError, TypeError, AttributeError)

_TOLD = ("title", "rule_note", "url", "outlet", "terms", "text", "facts")
_UPDATE_TOLD = ("title", "url", "outlet", "rule_name", "terms", "outlets")
_TOLD_TIMES = ("published_at", "first_alerted_at")


def _told(value: Alert | Update, names: Sequence[str]) -> dict[str, Any]:
    told = {name: getattr(value, name) for name in names}
    told |= {name: micros_or_none(getattr(value, name)) for name in _TOLD_TIMES}
    told["excerpts"] = [(each.field, each.text, each.marks) for each in value.excerpts]
    return told


def _excerpts(told: Mapping[str, Any]) -> tuple[Excerpt, ...]:
    return tuple(
        Excerpt(field=field, text=text, marks=tuple((start, end) for start, end in marks))
        for field, text, marks in told["excerpts"]
    )


def update_row(update: Update) -> tuple[Any, ...]:
    return (
        update.number,
        update.story_id,
        update.entry_id,
        update.reason.value,
        micros(update.created_at),
        dump(_told(update, _UPDATE_TOLD)),
    )


def update(row: Row) -> Update | None:
    """None if it is damaged: its story is told without it."""
    try:
        return _update(row)
    except _DAMAGE:
        return None


def _update(row: Row) -> Update:
    told = _read_told(row["told"])
    return Update(
        number=row["number"],
        story_id=row["story_id"],
        entry_id=row["entry_id"],
        reason=UpdateReason(row["reason"]),
        created_at=moment(row["created_at"]),
        title=told["title"],
        url=told["url"],
        outlet=told["outlet"],
        rule_name=told["rule_name"],
        terms=tuple(told["terms"]),
        outlets=told["outlets"],
        published_at=moment_or_none(told["published_at"]),
        first_alerted_at=moment_or_none(told["first_alerted_at"]),
        excerpts=_excerpts(told),
    )


def alert_row(alert: Alert) -> tuple[Any, ...]:
    told = _told(alert, _TOLD)
    told["labels"] = [label.value for label in alert.labels]
    return (
        alert.id,
        alert.kind.value,
        alert.subject,
        int(alert.severity),
        micros(alert.created_at),
        alert.story_id,
        alert.entry_id,
        alert.rule_name,
        dump(told),
    )


def alert(row: Row, prefix: str = "") -> Alert:
    """*prefix* stands before the column names of a joined row; what is damaged says so."""
    try:
        return _alert(row, prefix)
    except _DAMAGE:
        return _remains(row, prefix)


def _remains(row: Row, prefix: str) -> Alert:
    """What is left of an alert that cannot be read: one must not hide or hold up the others."""
    return Alert(
        id=row[f"{prefix}id"],
        kind=AlertKind.OPERATOR,
        subject=row[f"{prefix}subject"],
        severity=Severity.NORMAL,
        title="An alert that cannot be read any more",
        created_at=moment(row[f"{prefix}created_at"]),
        text="Its row in the database is damaged.\n"
        "What to do: look for what the feeds brought at that time, with python3 run_monitor.py"
        " entries list",
    )


def _alert(row: Row, prefix: str) -> Alert:
    told = _read_told(row[f"{prefix}told"])
    return Alert(
        id=row[f"{prefix}id"],
        kind=AlertKind(row[f"{prefix}kind"]),
        subject=row[f"{prefix}subject"],
        severity=Severity(row[f"{prefix}severity"]),
        created_at=moment(row[f"{prefix}created_at"]),
        story_id=row[f"{prefix}story_id"],
        entry_id=row[f"{prefix}entry_id"],
        rule_name=row[f"{prefix}rule_name"],
        title=told["title"],
        rule_note=told["rule_note"],
        url=told["url"],
        outlet=told["outlet"],
        terms=tuple(told["terms"]),
        text=told["text"],
        published_at=moment_or_none(told["published_at"]),
        first_alerted_at=moment_or_none(told.get("first_alerted_at")),  # schema 1 has none
        facts=tuple(told.get("facts", ())),
        excerpts=_excerpts(told),
        labels=tuple(Label(value) for value in told["labels"]),
    )


def _read_told(text: str) -> dict[str, Any]:
    """ValueError or TypeError if it is not what we write."""
    told: dict[str, Any] = json.loads(text)
    if "\\ud" in text:  # we write no escapes: there may be half a character
        dump(told).encode()
    if not isinstance(told["title"], str):
        raise TypeError("a headline is text")
    return told


# --- deliveries

DELIVERY = tuple(each.name for each in fields(Delivery))


def delivery_row(delivery: Delivery) -> tuple[Any, ...]:
    """The values of DELIVERY, in its order."""
    return tuple(plain(getattr(delivery, name)) for name in DELIVERY)


def _kind(value: str) -> DeliveryKind:
    try:
        return DeliveryKind(value)
    except ValueError:  # of another version of the monitor
        return DeliveryKind.NOTICE


def delivery(row: Row) -> Delivery:
    values = {name: row[name] for name in DELIVERY}
    return Delivery(
        **values
        | {
            "kind": _kind(row["kind"]),
            "state": DeliveryState(row["state"]),
            "due_at": moment(row["due_at"]),
            "created_at": moment(row["created_at"]),
            "settled_at": moment_or_none(row["settled_at"]),
        }
    )


def message_row(message: Message) -> tuple[Any, ...]:
    frozen = {
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "alert_ids": message.alert_ids,
        "delivery_ids": message.delivery_ids,
        "headers": message.headers,
        "payload": message.payload,
        "story_id": message.story_id,
    }
    return message.id, message.channel, message.target, micros(message.created_at), dump(frozen)


def message(row: Row, *, attempts: int = 0, ambiguous: int = 0) -> Message | None:
    """None if it is damaged: then it is made anew."""
    try:
        return _message(row, attempts, ambiguous)
    except _DAMAGE:
        return None


def _message(row: Row, attempts: int, ambiguous: int) -> Message:
    frozen = json.loads(row["frozen"])
    return Message(
        id=row["id"],
        channel=row["channel"],
        target=row["target"],
        created_at=moment(row["created_at"]),
        subject=frozen["subject"],
        text=frozen["text"],
        html=frozen["html"],
        alert_ids=tuple(frozen["alert_ids"]),
        delivery_ids=tuple(frozen["delivery_ids"]),
        headers=tuple((name, value) for name, value in frozen["headers"]),
        payload=frozen.get("payload", ""),  # schema 2 has neither
        story_id=frozen.get("story_id", ""),
        attempts=attempts,
        ambiguous=ambiguous,
    )


def channel_state_row(state: ChannelState) -> tuple[Any, ...]:
    return (
        state.channel,
        state.target,
        micros_or_none(state.accepted_at),
        state.failures,
        micros_or_none(state.failing_since),
        state.last_error,
        int(state.stopped),
        micros_or_none(state.not_before),
        micros_or_none(state.outage_from),
        micros_or_none(state.outage_until),
    )


def channel_state(row: Row) -> ChannelState:
    return ChannelState(
        channel=row["channel"],
        target=row["target"],
        accepted_at=moment_or_none(row["accepted_at"]),
        failures=row["failures"],
        failing_since=moment_or_none(row["failing_since"]),
        last_error=row["last_error"],
        stopped=bool(row["stopped"]),
        not_before=moment_or_none(row["not_before"]),
        outage_from=moment_or_none(row["outage_from"]),
        outage_until=moment_or_none(row["outage_until"]),
    )
