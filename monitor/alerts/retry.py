"""What becomes of a message after a try to hand it over: done, later, or given up.  Pure.

Nothing is dropped before it is 14 days old, unless the other side refuses it for good, or five
tries ended without an answer (each may have arrived), or it is poison: of five tries or more, the
last two failed for the same reason of its own, while the channel works.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor import ids
from monitor.alerts.operator import raised_by
from monitor.model import (
    Accepted,
    Delivery,
    DeliveryState,
    Message,
    Refused,
    Scope,
    SendResult,
)
from monitor.store import ChannelState, Finished

FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=15)
LONGEST_RETRY_AFTER = timedelta(days=1)
KEEP_TRYING = timedelta(days=14)
MOST_AMBIGUOUS = 5
MOST_POISONED = 5


def after(
    rows: Sequence[Delivery],
    message: Message,
    result: SendResult,
    state: ChannelState,
    now: datetime,
) -> tuple[Finished, ChannelState]:
    """What *result* for *message* makes of its deliveries and of the health of its target.

    The operator alerts in it have no deliveries yet: who hears of them is a matter of config.toml.
    """
    health = _health(state, result, now)
    done = tuple(_after(row, message, result, now) for row in rows)
    alerts = raised_by(done, result, state, health, now)
    return Finished(deliveries=done, result=result, state=health, at=now, alerts=alerts), health


def put_back(rows: Sequence[Delivery], state: ChannelState, now: datetime) -> Finished:
    """Claimed deliveries that were not tried because the target is stopped or asked us to wait."""
    due_at = max(now, state.not_before or now)
    back = tuple(replace(row, state=DeliveryState.QUEUED, due_at=due_at) for row in rows)
    return Finished(deliveries=back, at=now)


def wait(message_id: str, attempts: int) -> timedelta:
    """How long to wait after the *attempts*-th failed try: 15 s doubled up to 15 min.

    Between half and all of that, depending on the message and the try alone, so that messages that
    failed together do not come back together, and a test can tell when.
    """
    longest = min(LONGEST_WAIT, FIRST_WAIT * (1 << min(attempts - 1, 20)))
    share = int(ids.derive("jitter", message_id, str(attempts)), 16) / 16**16
    return longest * (0.5 + share / 2)


def _after(row: Delivery, message: Message, result: SendResult, now: datetime) -> Delivery:
    row = replace(row, attempts=row.attempts + 1)
    if isinstance(result, Accepted):
        return replace(row, state=DeliveryState.ACCEPTED, last_error="")
    same_error = row.last_error == result.detail
    row = replace(
        row,
        ambiguous=row.ambiguous + result.ambiguous,
        last_error=result.detail,
        due_at=now + _wait(row, message, result),
    )
    return replace(row, state=_state(row, result, now, same_error=same_error))


def _wait(row: Delivery, message: Message, result: Refused) -> timedelta:
    asked = min(result.retry_after or timedelta(0), LONGEST_RETRY_AFTER)
    return max(wait(message.id, row.attempts), asked)


def _state(row: Delivery, result: Refused, now: datetime, *, same_error: bool) -> DeliveryState:
    if not result.retryable:
        return DeliveryState.REFUSED
    if row.ambiguous >= MOST_AMBIGUOUS:
        return DeliveryState.PARKED
    if result.scope is Scope.MESSAGE and same_error and row.attempts >= MOST_POISONED:
        return DeliveryState.PARKED
    if now - row.created_at >= KEEP_TRYING:
        return DeliveryState.EXPIRED
    return DeliveryState.QUEUED


def _health(state: ChannelState, result: SendResult, now: datetime) -> ChannelState:
    if isinstance(result, Accepted):
        return ChannelState(channel=state.channel, target=state.target, accepted_at=now)
    if result.scope is Scope.MESSAGE and not result.ambiguous:
        return state  # the target answers; it is this message that it does not take
    asked = min(result.retry_after, LONGEST_RETRY_AFTER) if result.retry_after else None
    return replace(
        state,
        failures=state.failures + 1,
        failing_since=state.failing_since or now,
        last_error=result.detail,
        stopped=not result.retryable,
        not_before=now + asked if asked else None,
    )
