"""What became of a delivery, in words: waiting until …, sent …, given up, muted.  Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.alerts.lines import DAYS, date, one_line
from monitor.model import ChannelState, Delivery, DeliveryState

_SOON = timedelta(minutes=1)
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def fate(delivery: Delivery, state: ChannelState | None, timezone: ZoneInfo, now: datetime) -> str:
    """One line; *state* is the health of the delivery's target."""
    if delivery.state is DeliveryState.QUEUED:
        return _waiting(delivery, state, timezone, now)
    if delivery.state is DeliveryState.CLAIMED:
        return "being sent right now"
    at = f" {when(delivery.settled_at, timezone, now)}" if delivery.settled_at else ""
    error = f": {one_line(delivery.last_error)}" if delivery.last_error else ""
    match delivery.state:
        case DeliveryState.ACCEPTED:
            return f"sent{at}"
        case DeliveryState.REFUSED:
            return f"given up{at}: refused{error}"
        case DeliveryState.PARKED:
            return f"given up{at}: parked after {_tries(delivery.attempts)}{error}"
        case DeliveryState.EXPIRED:
            return f"given up{at}: not sent for 14 days{error}"
        case DeliveryState.DISCARDED:
            return f"discarded{at}{error}"
        case DeliveryState.SILENCED:
            return f"muted{at} by silence {delivery.silence_id}"


def _waiting(
    delivery: Delivery, state: ChannelState | None, timezone: ZoneInfo, now: datetime
) -> str:
    error = one_line(delivery.last_error)
    tried = f", {_tries(delivery.attempts)} so far: {error}" if delivery.attempts else ""
    if state is not None and state.stopped:
        return f"waiting until {state.target} works again: {one_line(state.last_error)}"
    asked = state.not_before if state is not None else None
    due = max(delivery.due_at, asked or delivery.due_at)
    if due - now < _SOON:
        return f"waiting, due {'now' if due <= now else 'within a minute'}{tried}"
    if asked == due and not tried:
        assert state is not None
        tried = f": {state.target} takes nothing: {one_line(state.last_error)}"
    return f"waiting until {when(due, timezone, now)}{tried}"


def _tries(number: int) -> str:
    word = _NUMBERS[number] if number < len(_NUMBERS) else str(number)
    return f"{word} {'try' if number == 1 else 'tries'}"


def when(at: datetime, timezone: ZoneInfo, now: datetime) -> str:
    """*at* as somebody says it now: "07:30", "Fri 07:30" within six days, "6 Feb 2025, 07:30"."""
    local, today = at.astimezone(timezone), now.astimezone(timezone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    if abs(local.date() - today.date()) < timedelta(days=7):
        return f"{DAYS[local.weekday()]} {local:%H:%M}"
    return f"{date(at, timezone)}, {local:%H:%M}"
