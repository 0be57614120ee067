"""Two clocks: what cannot be undone waits for both, what a wrong one put off does not wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.pipeline.memory import Memory
from monitor.pipeline.upkeep import Upkeep
from monitor.store import Store
from tests.builders import NOW, an_outcome, minutes
from tests.desk import Desk

YEARS = timedelta(days=50 * 365)


class Office(Desk):
    """A desk whose upkeep has a clock that nobody sets."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.steady, self.woken = 1000.0, 0
        shared = replace(self.shared, hinted=self._wake)
        self.upkeep = Upkeep(shared, memory=Memory(self.store), steady=lambda: self.steady)

    def _wake(self) -> None:
        self.woken += 1

    def wait(self, time: timedelta) -> None:
        self.clock.advance(time)
        self.steady += time.total_seconds()


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    yield made
    await made.store.aclose()


async def test_a_clock_set_years_ahead_ends_nothing_that_waits(office: Office) -> None:
    await office.queue("NATO")
    office.clock.advance(YEARS)
    await office.upkeep.sweep()
    assert (await office.states())["queued"] == 1


async def test_what_is_fourteen_days_old_is_given_up_and_told(office: Office) -> None:
    await office.queue("NATO")
    office.wait(timedelta(days=13))
    await office.upkeep.expire()
    assert await office.states() == {"queued": 1}
    office.wait(timedelta(days=1))
    await office.upkeep.expire()
    assert await office.states() == {"expired": 1, "queued": 1}  # the notice


async def test_a_feed_polled_by_a_clock_that_was_ahead_is_polled_now(office: Office) -> None:
    await office.queue("NATO")

    def polled_later(store: Store) -> None:
        (feed,) = store.claim_due(0, 1, NOW, minutes(10))
        hour = NOW + timedelta(hours=1)
        after = replace(feed, polled_at=hour, next_poll_at=hour + minutes(15))
        store.commit([an_outcome(feed=after)])

    await office.store.call(polled_later)
    await office.upkeep.set_right()
    assert office.woken == 1
    assert await office.store.call(lambda store: store.next_poll_at(0)) == NOW
    await office.upkeep.set_right()
    assert office.woken == 1
