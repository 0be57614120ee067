"""What becomes of a message after a try to hand it over: done, later, or given up.  Pure.

Nothing is dropped unless the other side refuses this very text for good, or five tries ended
without an answer (each may have arrived), or it is poison: of five tries or more, the last two
failed for the same reason of its own, while the channel works.  What refuses the address or the
password leaves all waiting until a person mends it.  What is too old is given up by ``upkeep``,
which looks at two clocks.

A target that fails is asked by one message at a time: ``not_before`` in its health holds back the
others.  So an outage costs one try a wait, not one a message, and its end no storm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor import ids
from monitor.alerts.operator import raised_by
from monitor.model import (
    Accepted,
    ChannelState,
    Delivery,
    DeliveryState,
    Finished,
    Message,
    Refused,
    Scope,
    SendResult,
)

OUTAGE = timedelta(minutes=10)  # shorter ones are hiccups: nobody needs to hear of them
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=15)
LONGEST_UNSURE = timedelta(minutes=30)  # each try may have arrived: fewer of them
LONGEST_RETRY_AFTER = timedelta(days=1)
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
    done = tuple(_after(row, message, result, health, now) for row in rows)
    alerts = raised_by(done, result, state, health, now)
    return Finished(deliveries=done, result=result, state=health, at=now, alerts=alerts), health


def put_back(rows: Sequence[Delivery], state: ChannelState, now: datetime) -> Finished:
    """Claimed deliveries that were not tried because the target is stopped or asked us to wait."""
    return Finished(
        deliveries=tuple(
            replace(row, state=DeliveryState.QUEUED, due_at=max(now, state.not_before or now))
            for row in rows
        ),
        at=now,
    )


def wait(id_: str, failures: int, longest: timedelta = LONGEST_WAIT) -> timedelta:
    """How long to wait after so many *failures* of a message or target: 15 s doubled to *longest*.

    Between half and all of that, depending on *id_* and the number alone, so that what failed
    together does not come back together, and a test can tell when.
    """
    longest = min(longest, FIRST_WAIT * (1 << min(failures - 1, 20)))
    share = int(ids.derive("jitter", id_, str(failures)), 16) / 16**16
    return longest * (0.5 + share / 2)


def _after(
    row: Delivery, message: Message, result: SendResult, health: ChannelState, now: datetime
) -> Delivery:
    row = replace(row, attempts=row.attempts + 1)
    if isinstance(result, Accepted):
        return replace(row, state=DeliveryState.ACCEPTED, last_error="")
    state = _state(row, result, same_error=row.last_error == result.detail)
    return replace(
        row,
        state=state,
        ambiguous=row.ambiguous + result.ambiguous,
        last_error=result.detail,
        due_at=_next_try(row, message, result, health, now),
    )


def _next_try(
    row: Delivery, message: Message, result: Refused, health: ChannelState, now: datetime
) -> datetime:
    """With the target's own next try, where it is the target that fails and not the message."""
    if _blames_message(result) or health.not_before is None:
        return now + wait(message.id, row.attempts)
    return health.not_before


def _blames_message(result: Refused) -> bool:
    """Whether the target answers, and does not take this one."""
    return result.scope is Scope.MESSAGE and not result.ambiguous


def _state(row: Delivery, result: Refused, *, same_error: bool) -> DeliveryState:
    if not result.retryable and result.scope is Scope.MESSAGE:
        return DeliveryState.REFUSED
    if row.ambiguous + result.ambiguous >= MOST_AMBIGUOUS:
        return DeliveryState.PARKED
    if result.scope is Scope.MESSAGE and same_error and row.attempts >= MOST_POISONED:
        return DeliveryState.PARKED
    return DeliveryState.QUEUED


def _health(state: ChannelState, result: SendResult, now: datetime) -> ChannelState:
    if isinstance(result, Accepted):
        return _well_again(state, now)
    if _blames_message(result):
        return state
    failures = state.failures + 1
    longest = LONGEST_UNSURE if result.ambiguous else LONGEST_WAIT
    asked = min(result.retry_after or timedelta(0), LONGEST_RETRY_AFTER)
    return replace(
        state,
        failures=failures,
        failing_since=state.failing_since or now,
        last_error=result.detail,
        stopped=not result.retryable,
        not_before=now + max(wait(state.target, failures, longest), asked),
    )


def _well_again(state: ChannelState, now: datetime) -> ChannelState:
    """A target that takes messages; from when to when it did not, if that was long."""
    well = ChannelState(
        channel=state.channel,
        target=state.target,
        accepted_at=now,
        outage_from=state.outage_from,
        outage_until=state.outage_until,
    )
    since = state.failing_since
    if since is None or now - since < OUTAGE:
        return well
    return replace(well, outage_from=since, outage_until=now)
