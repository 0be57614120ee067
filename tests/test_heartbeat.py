"""The heartbeat: when it comes, when it stops, what is said of it; over a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.events import Trouble
from monitor.pipeline.distress import Distress
from monitor.pipeline.heartbeat import Heartbeat
from monitor.pipeline.noted import PULSE, Pulse, read_pulse
from monitor.pipeline.sight import Blind, Reason
from monitor.pipeline.vigil import View, Vigil
from monitor.settings import HeartbeatSettings, PollSettings
from monitor.store import Store
from tests.builders import NOW, an_outcome, feed_settings, minutes
from tests.desk import Desk
from tests.test_distress import Full
from tests.thorough import thorough

URL = "https://hc.example.org/ping/canary"


class Ward:
    """A heartbeat, and the switch that listens to it."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder)
        self.heard: list[str] = []
        self.wrong = ""
        self.stuck: list[str] = []
        self.listen(HeartbeatSettings(url=URL, interval=minutes(5)))
        self.distress = Distress(self.desk.shared, sender=self.desk.sender)
        vigil = Vigil(
            self.desk.shared,
            distress=self.distress,
            stuck=lambda: self.stuck,
            patience=timedelta(seconds=0.5),
        )
        self.heartbeat = Heartbeat(self.desk.shared, switch=self, look=vigil.look)

    async def send(self, url: str, settings: PollSettings) -> str:
        self.heard.append(url)
        return self.wrong

    def listen(self, wanted: HeartbeatSettings | None) -> None:
        in_force = self.desk.shared.in_force
        in_force.config = replace(in_force.config, heartbeat=wanted)

    async def after(self, later: timedelta = timedelta(0)) -> int:
        """How often it was heard by one more tick."""
        self.desk.clock.advance(later)
        before = len(self.heard)
        await self.heartbeat.tick()
        return len(self.heard) - before

    async def feed(self, **changes: object) -> None:
        def put(store: Store) -> None:
            store.sync_feeds([feed_settings()], NOW)
            (feed,) = store.claim_due(0, 1, NOW, minutes(1)) or store.feeds()
            store.commit([an_outcome(feed=replace(feed, next_poll_at=NOW, **changes))])

        await self.desk.store.call(put)

    async def pulse(self) -> Pulse:
        pulse = read_pulse(await self.desk.store.call(lambda store: store.note(PULSE)))
        assert pulse is not None
        return pulse

    def said(self) -> list[str]:
        return [f"{e.what}: {e.detail}" for e in self.desk.events if isinstance(e, Trouble)]


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    made = Ward(tmp_path)
    await made.feed()
    yield made
    await made.desk.store.aclose()


async def test_it_comes_at_the_start_and_once_in_an_interval(ward: Ward) -> None:
    assert await ward.after() == 1
    assert await ward.after(minutes(4)) == 0
    assert await ward.after(minutes(1)) == 1
    assert ward.heard == [URL, URL]
    assert await ward.pulse() == Pulse(at=NOW + minutes(5), heard_at=NOW + minutes(5))
    assert ward.said() == []


async def test_a_clock_set_back_does_not_stop_it(ward: Ward) -> None:
    await ward.after()
    assert await ward.after(minutes(-600)) == 1


async def test_without_the_table_nothing_is_sent_and_a_new_one_is_taken_over(ward: Ward) -> None:
    ward.listen(None)
    assert await ward.after() == 0
    ward.listen(HeartbeatSettings(url=URL, interval=minutes(5)))
    assert await ward.after() == 1
    ward.listen(HeartbeatSettings(url=URL + "2", interval=minutes(5)))
    assert await ward.after() == 1
    assert ward.heard[-1] == URL + "2"


async def test_it_stops_while_all_feeds_fail_says_so_once_and_goes_on(ward: Ward) -> None:
    await ward.after()
    await ward.feed(failures=2, failing_since=NOW)
    assert [await ward.after(minutes(5)) for _ in range(3)] == [0, 0, 0]
    assert ward.said() == ["the heartbeat stops: the monitor is blind: the only feed fails"]
    pulse = await ward.pulse()
    assert pulse.stopped_since == NOW + minutes(5)
    assert pulse.heard_at == NOW
    await ward.feed(failures=0, succeeded_at=NOW)
    assert await ward.after(minutes(5)) == 1
    assert (await ward.pulse()).stopped_since is None
    assert len(ward.said()) == 1


async def test_it_stops_while_a_part_is_stuck(ward: Ward) -> None:
    ward.stuck = ["deliver"]
    assert await ward.after() == 0
    assert (await ward.pulse()).why == "no progress: deliver"


@thorough
async def test_it_stops_while_the_database_refuses_or_does_not_answer(ward: Ward) -> None:
    disk = Full(ward.desk)
    disk.full = True
    assert await ward.after() == 0
    assert "the database does not answer" in ward.said()[-1]
    disk.full = False

    async def hangs(_: object) -> None:
        await asyncio.Event().wait()

    works, ward.desk.store.call = ward.desk.store.call, hangs  # type: ignore[method-assign,assignment]
    async with asyncio.timeout(30):
        assert await ward.after(minutes(5)) == 0
    ward.desk.store.call = works  # type: ignore[method-assign]
    assert await ward.after(minutes(5)) == 1


async def test_it_stops_while_the_database_can_only_be_read(ward: Ward) -> None:
    disk = Full(ward.desk)
    disk.full = True
    await ward.distress.look()
    disk.full = False
    assert await ward.after() == 0
    assert ward.said()[-1].endswith("the database cannot be written")
    await ward.distress.look()
    assert await ward.after(minutes(5)) == 1


async def test_a_switch_that_does_not_hear_is_told_and_nothing_else(ward: Ward) -> None:
    ward.wrong = "it answers HTTP 404"
    assert await ward.after() == 1
    assert ward.said() == ["the heartbeat is not heard: it answers HTTP 404"]
    pulse = await ward.pulse()
    assert (pulse.heard_at, pulse.why) == (None, "it answers HTTP 404")
    assert URL not in str(ward.desk.events)


async def test_a_view_without_a_database_keeps_the_other_reasons(ward: Ward) -> None:
    disk = Full(ward.desk)
    disk.full = True
    vigil = Vigil(ward.desk.shared, distress=ward.distress, stuck=lambda: ["poll"])
    view = await vigil.look()
    assert view == View(
        reasons=[
            Reason(what=Blind.STUCK, detail="no progress: poll"),
            Reason(what=Blind.DATABASE, detail="the database does not answer"),
        ]
    )
