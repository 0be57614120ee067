"""What is told of many feeds, and how often the silence of each is looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.model import Feed
from monitor.pipeline import feed_reports
from monitor.pipeline.feed_reports import FeedReports
from monitor.store import Store
from tests.builders import NOW, an_outcome, feed_settings
from tests.desk import Desk
from tests.silent import DAY, TWICE_A_DAY, learnt, visited

HOURLY = DAY / 24


class Office(Desk):
    """A desk, and the reports on its feeds, whose messages are sent to it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.reports = FeedReports(self.shared)

    async def visited(self, *names: str, **changes: object) -> None:
        """Feeds of these *names*, each with these *changes* after a visit of now."""

        def put(store: Store) -> None:
            urls = {name: f"https://{name}.example/" for name in names}
            store.sync_feeds([feed_settings(name=n, url=u) for n, u in urls.items()], NOW)
            now = self.clock.now
            for feed in store.claim_due(0, 99, now, HOURLY):
                after = replace(feed, **{"next_poll_at": now, "failures": 0, **changes})
                store.commit([replace(an_outcome(feed=after), learnt=True)])

        await self.store.call(put)

    async def sweep(self, *, whole: bool) -> list[str]:
        """What is told."""
        before = len(self.sender.messages)
        await self.reports.sweep(whole=whole)
        await self.deliverer.round()
        return sorted(message.subject for message in self.sender.messages[before:])


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    made.clock.now = NOW + 3 * DAY
    yield made
    await made.store.aclose()


@pytest.fixture(scope="module")
def silent() -> Feed:
    """Two entries a day, and then none for three days."""
    return visited(learnt(TWICE_A_DAY, NOW), [], NOW + HOURLY, NOW + 3 * DAY)


NAMES = ("Ankara", "Berlin", "Cairo", "Delhi", "Essen")


async def test_of_many_feeds_some_are_looked_at_in_each_sweep_and_all_in_turn(
    office: Office, silent: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_reports, "AT_LEAST", 2)
    await office.visited(*NAMES, rhythm=silent.rhythm, succeeded_at=silent.succeeded_at)
    told = [await office.sweep(whole=False) for _ in range(4)]
    assert [len(each) for each in told] == [2, 2, 1, 0]
    assert all(name in str(told) for name in NAMES)


async def test_a_whole_sweep_looks_at_all(
    office: Office, silent: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_reports, "AT_LEAST", 2)
    await office.visited(*NAMES, rhythm=silent.rhythm, succeeded_at=silent.succeeded_at)
    assert len(await office.sweep(whole=True)) == 5
    assert await office.sweep(whole=True) == []


async def test_that_a_feed_has_news_again_is_told_before_its_turn_comes(
    office: Office, silent: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_reports, "AT_LEAST", 1)
    await office.visited(*NAMES, rhythm=silent.rhythm, succeeded_at=silent.succeeded_at)
    await office.sweep(whole=True)
    news = replace(silent.rhythm, last_at=office.clock.now)
    await office.visited(*NAMES, rhythm=news, succeeded_at=office.clock.now)
    assert len(await office.sweep(whole=False)) == 5


async def test_a_feed_that_is_silent_and_had_a_gap_is_told_of_both_once(
    office: Office, silent: Feed
) -> None:
    gap = {"gap_from": NOW, "gap_until": NOW + HOURLY}
    await office.visited("Ankara", rhythm=silent.rhythm, succeeded_at=silent.succeeded_at, **gap)
    assert len(await office.sweep(whole=True)) == 2
    assert await office.sweep(whole=True) == []
    (feed,) = await office.store.call(lambda store: store.feeds())
    assert feed.gap_told
    assert feed.quiet_since == silent.rhythm.last_at


async def test_only_feeds_in_trouble_or_told_of_are_looked_at_closely(office: Office) -> None:
    await office.visited("Ankara", failures=1)
    await office.visited("Ankara", "Berlin")
    noted = await office.store.call(lambda store: store.feeds_with(store.feeds_of_note()))
    assert [feed.name for feed in noted] == []
    await office.visited("Ankara", "Berlin", "Cairo", "Delhi", failures=1)
    noted = await office.store.call(lambda store: store.feeds_with(store.feeds_of_note()))
    assert [feed.name for feed in noted] == ["Ankara", "Berlin", "Cairo", "Delhi"]
