"""A database that cannot be written is told past it, once; its end like everything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import StoreBusy, StoreDamaged
from monitor.events import Handed, Trouble
from monitor.model import Accepted, Message, SendResult
from monitor.pipeline.distress import Distress
from monitor.settings import Channel, Target
from monitor.store import Store
from tests.builders import minutes
from tests.desk import Desk


class Full:
    """The desk's store, which refuses every call while the disk is full."""

    def __init__(self, desk: Desk) -> None:
        self.full, self._call = False, desk.store.call
        desk.store.call = self.call  # type: ignore[method-assign,assignment]

    async def call(self, method: Callable[[Store], Any]) -> Any:
        if self.full:
            raise StoreBusy("monitor.db: database or disk is full")
        return await self._call(method)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    await made.store.aclose()


async def test_it_is_told_past_the_outbox_once_and_its_end_through_it(desk: Desk) -> None:
    disk, distress = Full(desk), Distress(desk.shared, sender=desk.sender)
    await distress.look()
    assert desk.events == []
    disk.full = True
    await distress.look()
    assert [type(event) for event in desk.events] == [Trouble]
    assert desk.sender.messages == []
    for _ in range(5):
        desk.clock.advance(minutes(1))
        await distress.look()
    (message,) = desk.sender.messages
    assert message.subject.startswith("[MONITOR] The monitor cannot write its database")
    assert "Why: monitor.db: database or disk is full; for 1 minute." in message.text
    assert any(isinstance(event, Handed) for event in desk.events)
    disk.full = False
    await distress.look()
    await desk.deliverer.round()
    assert "can write its database again, after 5 minutes" in desk.sender.messages[-1].subject
    await distress.look()
    assert len(desk.sender.messages) == 2


class Odd:
    """Channels one of which hangs, one trips us, and one works."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def send(
        self, message: Message, target: Target, channel: Channel, *, thread: str = ""
    ) -> SendResult:
        if channel.name == "hangs":
            await asyncio.Event().wait()
        if channel.name == "trips":
            raise ValueError("a mistake of ours")
        self.told.append(channel.name)
        return Accepted()


async def test_no_channel_keeps_another_from_hearing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.pipeline.distress.LONGEST", timedelta(seconds=0.2))
    names = ("hangs", "trips", "works")
    desk = Desk(tmp_path, *(Channel(name=n, targets=(Target(name=n, url=""),)) for n in names))
    odd = Odd()
    async with asyncio.timeout(5):
        await Distress(desk.shared, sender=odd).despair(StoreDamaged("damaged"))
    assert odd.told == ["works"]


async def test_a_lock_that_passes_is_nobodys_business(desk: Desk) -> None:
    disk, distress = Full(desk), Distress(desk.shared, sender=desk.sender)
    disk.full = True
    await distress.look()
    disk.full = False
    desk.clock.advance(minutes(5))
    await distress.look()
    await desk.deliverer.round()
    assert desk.sender.messages == []


async def test_a_database_that_was_moved_away_is_told_once_until_it_is_back(desk: Desk) -> None:
    distress = Distress(desk.shared, sender=desk.sender)
    await distress.look()
    place = Path(desk.shared.in_force.config.database)
    place.rename(place.with_name("elsewhere.db"))
    for _ in range(2):
        await distress.look()
    await desk.deliverer.round()
    (message,) = desk.sender.messages
    assert "was moved away or replaced while it ran" in message.subject
    assert f"Where it should be: {place}" in message.text
    place.with_name("elsewhere.db").rename(place)
    await distress.look()
    await desk.deliverer.round()
    assert len(desk.sender.messages) == 1


async def test_damage_is_told_past_the_outbox(desk: Desk) -> None:
    disk, distress = Full(desk), Distress(desk.shared, sender=desk.sender)
    disk.full = True
    await distress.despair(StoreDamaged("monitor.db: the database is damaged (malformed)"))
    (message,) = desk.sender.messages
    assert "The monitor has stopped: its database is damaged" in message.subject
    assert "malformed" in message.text
