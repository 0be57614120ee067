"""What becomes of a message after a try: accepted, later, or given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts import retry
from monitor.model import (
    Accepted,
    ChannelState,
    Delivery,
    DeliveryState,
    Finished,
    Refused,
    Scope,
    SendResult,
)
from tests.builders import NOW, a_delivery, a_message

Q, PARKED = DeliveryState.QUEUED, DeliveryState.PARKED
REFUSED, ACCEPTED = DeliveryState.REFUSED, DeliveryState.ACCEPTED

DOWN = Refused(detail="it answers 503", scope=Scope.CHANNEL)
NO_ANSWER = Refused(detail="no answer in time", ambiguous=True, scope=Scope.CHANNEL)
BAD_TEXT = Refused(detail="it answers 400 invalid_payload")
WRONG_TOKEN = Refused(detail="it answers 403", retryable=False, scope=Scope.CHANNEL)
UNKNOWN_USER = Refused(detail="550 no such user", retryable=False, scope=Scope.TARGET)
HEALTHY = ChannelState(channel="desk", target="desk", accepted_at=NOW)


def one(
    result: SendResult, state: ChannelState = HEALTHY, now: datetime = NOW, **row: Any
) -> tuple[Delivery, ChannelState, Finished]:
    delivery = a_delivery(state=DeliveryState.CLAIMED, **row)
    finished, after = retry.after([delivery], a_message(delivery=delivery), result, state, now)
    assert finished.state == after
    return finished.deliveries[0], after, finished


def keep_trying(results: list[SendResult], row: Delivery | None = None) -> list[Delivery]:
    """Each result in turn, each at the time the one before asked for, until it is final."""
    row = row or a_delivery()
    message, state, now = a_message(delivery=row), HEALTHY, NOW
    seen = []
    for result in results:
        finished, state = retry.after([row], message, result, state, now)
        [row] = finished.deliveries
        seen.append(row)
        if row.state is not Q:
            break
        now = row.due_at
    return seen


@pytest.mark.parametrize(
    ("result", "row", "expected"),
    [
        pytest.param(Accepted(), {}, ACCEPTED, id="accepted"),
        pytest.param(DOWN, {}, Q, id="out of order: later"),
        pytest.param(WRONG_TOKEN, {}, Q, id="wrong token: it waits until that is mended"),
        pytest.param(UNKNOWN_USER, {}, Q, id="unknown recipient: it waits, too"),
        pytest.param(
            Refused(detail="not this text", retryable=False), {}, REFUSED, id="the text: refused"
        ),
        pytest.param(DOWN, {"attempts": 300}, Q, id="an outage may last: not parked"),
        pytest.param(
            DOWN,
            {"created_at": NOW - timedelta(days=14, seconds=1)},
            Q,
            id="older than 14 days: later, until the store gives it up",
        ),
        pytest.param(
            DOWN, {"created_at": NOW - timedelta(days=13)}, Q, id="never dropped before 14 days"
        ),
        pytest.param(
            Accepted(),
            {"created_at": NOW - timedelta(days=20)},
            ACCEPTED,
            id="however old, it is tried before it is dropped",
        ),
        pytest.param(
            NO_ANSWER, {"attempts": 9, "ambiguous": 3}, Q, id="fourth try without an answer: later"
        ),
        pytest.param(NO_ANSWER, {"attempts": 9, "ambiguous": 4}, PARKED, id="fifth one: set aside"),
        pytest.param(
            BAD_TEXT,
            {"attempts": 4, "last_error": BAD_TEXT.detail},
            PARKED,
            id="fifth try, same fault of the message: set aside",
        ),
        pytest.param(
            BAD_TEXT,
            {"attempts": 4, "last_error": DOWN.detail},
            Q,
            id="fifth try, a new fault of the message: later",
        ),
        pytest.param(
            DOWN,
            {"attempts": 4, "last_error": DOWN.detail},
            Q,
            id="fifth try, same fault of the channel: later",
        ),
    ],
)
def test_what_becomes_of_it(result: SendResult, row: dict[str, Any], expected: str) -> None:
    after, _, _ = one(result, **row)
    assert after.state is expected
    assert after.attempts == row.get("attempts", 0) + 1


def test_accepted_forgets_the_error() -> None:
    row, state, _ = one(
        Accepted(),
        replace(HEALTHY, failures=3, failing_since=NOW, last_error="x", not_before=NOW),
        last_error="it answers 503",
    )
    assert row.last_error == ""
    assert state == HEALTHY


def test_poison_is_set_aside_after_five_tries() -> None:
    seen = keep_trying([BAD_TEXT] * 9)
    assert [row.state for row in seen] == [Q, Q, Q, Q, PARKED]


def test_waits_double_up_to_a_quarter_of_an_hour() -> None:
    seen = keep_trying([DOWN] * 12)
    waits = [
        after.due_at - before
        for before, after in zip([NOW, *(row.due_at for row in seen)], seen, strict=False)
    ]
    full = [min(15 * 2**n, 900) for n in range(12)]
    assert all(
        timedelta(seconds=most / 2) <= wait <= timedelta(seconds=most + 12)
        for wait, most in zip(waits, full, strict=True)
    )


def test_three_days_of_outage_lose_nothing() -> None:
    row, tries, now = a_delivery(), 0, NOW
    message, state = a_message(delivery=row), HEALTHY
    while now < NOW + timedelta(days=3):
        finished, state = retry.after([row], message, DOWN, state, now)
        [row], tries, now = finished.deliveries, tries + 1, finished.deliveries[0].due_at
    finished, state = retry.after([row], message, Accepted(), state, now)
    assert finished.deliveries[0].state is ACCEPTED
    assert 288 <= tries <= 600  # every 7.5 to 15 minutes
    assert state.failing_since is None


def test_jitter_is_the_same_for_the_same_try_and_differs_between_messages() -> None:
    assert retry.wait("m1", 8) == retry.wait("m1", 8)
    assert len({retry.wait(f"m{n}", 8) for n in range(50)}) == 50


@given(attempts=st.integers(1, 10_000), message=st.text(max_size=20))
def test_waits_are_always_within_bounds(attempts: int, message: str) -> None:
    assert timedelta(seconds=7.5) <= retry.wait(message, attempts) <= timedelta(minutes=15)


@pytest.mark.parametrize(
    ("asked", "least"),
    [
        pytest.param(timedelta(minutes=2), timedelta(minutes=2), id="Retry-After is kept"),
        pytest.param(
            timedelta(seconds=1), timedelta(seconds=7.5), id="a short one changes nothing"
        ),
        pytest.param(timedelta(days=9), timedelta(days=1), id="at most a day"),
    ],
)
def test_retry_after(asked: timedelta, least: timedelta) -> None:
    row, state, _ = one(replace(DOWN, retry_after=asked))
    assert least <= row.due_at - NOW <= max(least, timedelta(seconds=15))
    assert state.not_before is not None
    assert least <= state.not_before - NOW <= max(least, timedelta(seconds=15))


# --- the health of the target


def test_failures_are_counted_from_the_first() -> None:
    _, first, _ = one(DOWN)
    later = NOW + timedelta(minutes=5)
    _, second, _ = one(NO_ANSWER, first, now=later)
    assert (first.failures, first.failing_since, first.stopped) == (1, NOW, False)
    assert (second.failures, second.failing_since) == (2, NOW)
    assert (second.last_error, second.accepted_at) == ("no answer in time", NOW)


@pytest.mark.parametrize("result", [WRONG_TOKEN, UNKNOWN_USER], ids=["channel", "recipient"])
def test_a_refusal_for_good_stops_the_target(result: Refused) -> None:
    _, state, _ = one(result)
    assert state.stopped


def test_a_message_it_does_not_take_says_nothing_about_the_channel() -> None:
    _, state, _ = one(BAD_TEXT)
    assert state == HEALTHY


# --- who is told


def titles(finished: Finished) -> list[str]:
    return [alert.title for alert in finished.alerts]


def test_a_stop_is_told() -> None:
    assert titles(one(WRONG_TOKEN)[2]) == ["desk refuses our messages; nothing more is sent there"]


def test_giving_up_is_told() -> None:
    parked = one(BAD_TEXT, attempts=4, last_error=BAD_TEXT.detail)[2]
    assert titles(parked) == ["1 alert for desk will not be delivered"]


def test_an_outage_is_told_once_it_lasts_and_once_it_is_over() -> None:
    row = a_delivery()
    message, state, now = a_message(delivery=row), HEALTHY, NOW
    told: list[tuple[timedelta, str]] = []
    for result in [*[DOWN] * 12, Accepted()]:
        finished, state = retry.after([row], message, result, state, now)
        told += [(now - NOW, alert.id) for alert in finished.alerts]
        [row] = finished.deliveries
        now = row.due_at
    lasting, over = told[:-1], told[-1]
    assert lasting[0][0] >= timedelta(minutes=30)
    assert len({id_ for _, id_ in lasting}) == 1  # known ids are ignored by the store
    assert over[1] != lasting[0][1]


def test_a_short_outage_is_not_told() -> None:
    _, state, first = one(DOWN)
    _, _, second = one(Accepted(), state, now=NOW + timedelta(minutes=1))
    assert (first.alerts, second.alerts) == ((), ())


# --- put back


@pytest.mark.parametrize(
    ("state", "due_at"),
    [
        pytest.param(replace(HEALTHY, stopped=True), NOW, id="stopped: waits for new settings"),
        pytest.param(
            replace(HEALTHY, not_before=NOW + timedelta(minutes=3)),
            NOW + timedelta(minutes=3),
            id="asked to wait: due when the wait is over",
        ),
        pytest.param(
            replace(HEALTHY, not_before=NOW - timedelta(minutes=3)), NOW, id="never in the past"
        ),
    ],
)
def test_put_back_costs_no_try(state: ChannelState, due_at: datetime) -> None:
    claimed = a_delivery(state=DeliveryState.CLAIMED, attempts=2)
    finished = retry.put_back([claimed], state, NOW)
    [row] = finished.deliveries
    assert (row.state, row.attempts, row.due_at) == (Q, 2, due_at)
    assert finished.result is None


def test_all_deliveries_of_a_message_fare_alike() -> None:
    rows = [a_delivery(target="desk", id=f"{n:016}") for n in range(3)]
    finished, _ = retry.after(rows, a_message(delivery=rows[0]), DOWN, HEALTHY, NOW)
    assert len({(row.state, row.due_at, row.attempts) for row in finished.deliveries}) == 1
    assert [row.id for row in finished.deliveries] == [row.id for row in rows]


def test_waits_never_shrink_while_it_fails() -> None:
    seen = keep_trying([DOWN] * 20)
    assert all(a.due_at < b.due_at for a, b in pairwise(seen))
