"""A clock that was set back: nothing waits for the time that was wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.errors import StoreBusy
from monitor.events import Trouble
from monitor.model import Accepted, Refused, Scope
from monitor.pipeline import jumps
from monitor.pipeline.jumps import Jumps, not_later, set_back_since
from monitor.store import Store
from tests.builders import NOW, an_outcome, minutes
from tests.desk import Desk

HOUR = timedelta(hours=1)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    await made.store.aclose()


async def polled(desk: Desk, at: datetime, next_at: datetime) -> None:
    """The desk's feed was polled *at*."""

    def commit(store: Store) -> None:
        (feed,) = store.claim_due(0, 1, at, minutes(10))
        done = replace(feed, polled_at=at, next_poll_at=next_at)
        assert store.commit([an_outcome(feed=done)]) == [True]

    await desk.store.call(commit)


async def next_poll(desk: Desk) -> datetime | None:
    return await desk.store.call(lambda store: store.next_poll_at(0))


async def test_polls_are_moved_along(desk: Desk) -> None:
    await desk.queue("NATO")
    await polled(desk, NOW, NOW + minutes(15))
    desk.clock.now = NOW - HOUR
    await Jumps(desk.shared).jumped(-HOUR)
    assert await next_poll(desk) == NOW - HOUR + minutes(15)


@pytest.mark.parametrize("by", [HOUR, timedelta(days=365 * 50), minutes(-0.01)])
async def test_forward_and_a_little_back_nothing_is_moved(desk: Desk, by: timedelta) -> None:
    await desk.queue("NATO")
    await polled(desk, NOW, NOW + minutes(15))
    await Jumps(desk.shared).jumped(by)
    assert await next_poll(desk) == NOW + minutes(15)


async def test_a_message_found_in_the_future_is_sent_now(desk: Desk) -> None:
    desk.clock.now = NOW + timedelta(days=365 * 50)
    await desk.queue("NATO")
    desk.clock.now = NOW
    assert await desk.at(NOW) == []
    await Jumps(desk.shared).jumped(timedelta(days=-365 * 50))
    assert len(await desk.at(NOW + minutes(1))) == 1


async def test_a_message_that_failed_in_the_future_is_tried_again_soon(desk: Desk) -> None:
    desk.clock.now = NOW + timedelta(days=365 * 50)
    await desk.queue("NATO")
    desk.sender.answer = lambda _: Refused(detail="HTTP 500", scope=Scope.CHANNEL)
    await desk.deliverer.round()
    await Jumps(desk.shared).jumped(NOW - desk.clock.now)
    assert len(await desk.at(NOW + minutes(20))) == 1


async def test_a_start_sees_by_the_last_poll_that_the_clock_was_set_back(desk: Desk) -> None:
    await desk.queue("NATO")
    await polled(desk, NOW, NOW + minutes(15))
    await desk.store.call(lambda store: set_back_since(store, NOW - HOUR))
    assert await next_poll(desk) == NOW - HOUR + minutes(15)
    await desk.store.call(lambda store: set_back_since(store, NOW))
    assert await next_poll(desk) == NOW - HOUR + minutes(15)


async def test_a_start_sees_it_by_what_waits(desk: Desk) -> None:
    """Sent by a clock that was ahead, killed, and put right before any feed was polled."""
    await desk.queue("old")
    desk.clock.now = NOW + timedelta(days=365 * 50)
    desk.sender.answer = lambda _: Refused(detail="HTTP 500", scope=Scope.CHANNEL)
    await desk.deliverer.round()
    await desk.queue("new")
    desk.clock.now = NOW
    desk.sender.answer = lambda _: Accepted()

    def start(store: Store) -> None:
        set_back_since(store, NOW)
        store.resume()

    await desk.store.call(start)
    assert len(await desk.at(NOW + minutes(20))) == 2


async def test_a_start_sees_it_by_a_wait_longer_than_any(desk: Desk) -> None:
    await desk.queue("old")
    desk.sender.answer = lambda _: Refused(detail="HTTP 500", scope=Scope.CHANNEL)
    await desk.deliverer.round()
    await desk.at(NOW + timedelta(days=365 * 50))
    desk.sender.answer = lambda _: Accepted()

    def start(store: Store) -> None:
        set_back_since(store, NOW)
        store.resume()

    await desk.store.call(start)
    assert len(await desk.at(NOW + minutes(20))) == 1


async def test_a_busy_store_is_asked_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jumps, "BUSY_WAIT", timedelta(0))
    await desk.queue("NATO")
    await polled(desk, NOW, NOW + minutes(15))
    real, calls = desk.store.call, 0

    async def call(method: object) -> object:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise StoreBusy("locked")
        return await real(method)  # type: ignore[arg-type]

    desk.store.call = call  # type: ignore[method-assign,assignment]
    await Jumps(desk.shared).jumped(-HOUR)
    assert await next_poll(desk) == NOW - HOUR + minutes(15)
    assert [type(event) for event in desk.events] == [Trouble, Trouble]


def test_no_rule_is_of_the_future() -> None:
    since = {"old": NOW - HOUR, "future": NOW + HOUR}
    assert not_later(since, NOW) == {"old": NOW - HOUR, "future": NOW}
