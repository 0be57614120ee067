"""What cannot be undone waits for two clocks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.clocktrust import Verdict
from monitor.pipeline.memory import Memory
from monitor.pipeline.upkeep import Upkeep, _until_next
from monitor.store import Store
from monitor.stories.index import COPY_WINDOW
from tests.builders import an_entry, an_outcome
from tests.desk import Desk

YEARS = timedelta(days=50 * 365)


class Office(Desk):
    """A desk whose upkeep has a clock that nobody sets."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.steady = 1000.0
        self.upkeep = Upkeep(
            self.shared, memory=Memory(self.store), ticks=lambda: timedelta(seconds=self.steady)
        )

    def wait(self, time: timedelta) -> None:
        self.clock.advance(time)
        self.steady += time.total_seconds()

    async def publishers_say(self, date: datetime) -> None:
        """A feed brings an entry of that date."""
        dates = {"published_at": date, "first_seen_at": self.clock.now}
        entry = an_entry("Rain in the north", key=f"g:{date}", **dates)

        def put(store: Store) -> None:
            feed = store.feeds()[0]
            store.commit([an_outcome(replace(entry, feed_id=feed.id), feed=feed)])

        await self.store.call(put)

    async def traces(self) -> int:
        since = datetime(1970, 1, 1, tzinfo=UTC)
        return len(await self.store.call(lambda store: list(store.traces(since))))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    yield made
    await made.store.aclose()


@pytest.mark.parametrize(
    ("seconds", "welcomed", "wait"),
    [(0.01, False, 1.0), (0.5, False, 10.0), (40.0, False, 60.0), (0.5, True, 60.0)],
)
def test_many_feeds_are_not_looked_through_all_the_time(
    seconds: float, welcomed: bool, wait: float
) -> None:
    assert _until_next(timedelta(seconds=seconds), welcomed=welcomed) == timedelta(seconds=wait)


async def test_where_nobody_is_to_be_welcomed_a_look_a_minute_is_enough(office: Office) -> None:
    assert await office.upkeep.tick() == timedelta(minutes=1)
    await office.queue("NATO")  # from a feed whose first visit is still to come
    assert await office.upkeep.tick() == timedelta(seconds=1)


async def test_a_clock_set_years_ahead_ends_nothing_that_waits(office: Office) -> None:
    await office.queue("NATO")
    office.clock.advance(YEARS)
    await office.upkeep.sweep()
    assert (await office.states())["queued"] == 1


async def test_a_clock_set_years_ahead_forgets_no_story(office: Office) -> None:
    await office.queue("NATO")
    office.clock.advance(YEARS)
    await office.upkeep.sweep()
    assert await office.traces() == 1


async def test_stories_that_draw_no_more_news_are_forgotten(office: Office) -> None:
    await office.queue("NATO")
    office.wait(COPY_WINDOW + timedelta(hours=1))
    await office.publishers_say(office.clock.now)
    await office.upkeep.sweep()
    assert await office.traces() == 1


async def test_what_is_fourteen_days_old_is_given_up_and_told(office: Office) -> None:
    await office.queue("NATO")
    office.wait(timedelta(days=13))
    await office.upkeep.expire()
    assert await office.states() == {"queued": 1}
    office.wait(timedelta(days=1))
    await office.publishers_say(office.clock.now)
    await office.upkeep.expire()
    assert await office.states() == {"expired": 1, "queued": 1}  # the notice


async def test_a_clock_that_is_set_right_while_it_is_judged_ends_nothing(office: Office) -> None:
    await office.queue("NATO")
    await office.publishers_say(office.clock.now)
    verdict, right = office.upkeep._trust.verdict, office.clock.now

    async def set_right() -> Verdict:
        office.clock.now = right
        return await verdict()

    office.upkeep._trust.verdict = set_right  # type: ignore[method-assign]
    office.clock.advance(YEARS)
    await office.upkeep.expire()
    assert await office.states() == {"queued": 1}
