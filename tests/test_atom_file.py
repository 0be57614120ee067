"""The Atom feed's file: whole, up to date, and never in anybody's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import feedparser
import pytest_asyncio

from monitor.events import Event, Trouble
from monitor.pipeline.atom_file import AtomFile
from monitor.pipeline.in_force import InForce
from monitor.pipeline.shared import Shared
from monitor.rules.load import load
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from tests.builders import an_alert, an_entry, an_operator_alert
from tests.replay import Clock, config_of


class House:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "www" / "alerts.xml"
        self.path.parent.mkdir()
        self.events: list[Event] = []
        config = replace(config_of(folder), atom=str(self.path))
        self.store = Writer(lambda: SqliteStore.open(config.database))
        self.in_force = InForce(config=config, rules=load({}))
        shared = Shared(
            in_force=self.in_force, store=self.store, clock=Clock(), report=self.events.append
        )
        self.atom = AtomFile(shared)

    async def alert(self, *titles: str) -> None:
        alerts = [an_alert(an_entry(title)) for title in titles]
        await self.store.call(lambda store: store.raise_alerts(alerts, ()))

    def titles(self) -> list[str]:
        return sorted(entry.title for entry in feedparser.parse(str(self.path)).entries)


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    yield made
    await made.store.aclose()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


async def test_it_is_there_from_the_start_and_grows(house: House) -> None:
    await house.alert("NATO")
    await house.atom.start()
    assert house.titles() == ["NATO"]
    await house.alert("Kyiv")
    house.atom.alerts_came()
    await until(lambda: house.titles() == ["Kyiv", "NATO"])
    await house.atom.aclose()


async def test_what_came_last_is_written_at_the_end(house: House) -> None:
    await house.atom.start()
    await house.alert("NATO")
    await house.atom.aclose()
    assert house.titles() == ["NATO"]
    assert [path.name for path in house.path.parent.iterdir()] == ["alerts.xml"]


async def test_what_the_monitor_says_of_itself_is_not_in_it(house: House) -> None:
    broken = an_operator_alert()
    await house.store.call(lambda store: store.raise_alerts([broken], ()))
    await house.atom.write()
    assert house.titles() == []


async def test_an_unchanged_feed_is_not_written_again(house: House) -> None:
    await house.alert("NATO")
    await house.atom.write()
    before = house.path.stat().st_ino
    await house.atom.write()
    assert house.path.stat().st_ino == before
    house.path.unlink()
    await house.atom.write()
    assert house.titles() == ["NATO"]


async def test_a_failing_write_is_told_once_for_each_state(house: House) -> None:
    folder, away = house.path.parent, house.path.parent.with_name("away")
    folder.rename(away)
    for _ in range(2):
        await house.atom.write()
    (trouble,) = house.events
    assert isinstance(trouble, Trouble)
    assert trouble.what == "the Atom feed cannot be written"
    assert f"{house.path}: no such file or directory" in trouble.detail
    away.rename(folder)
    await house.atom.write()
    assert house.path.exists()
    folder.rename(away)
    await house.atom.write()
    assert len(house.events) == 2


async def test_without_a_path_nothing_is_written(house: House) -> None:
    house.in_force.config = replace(house.in_force.config, atom="")
    await house.atom.start()
    await house.atom.aclose()
    assert list(house.path.parent.iterdir()) == []
