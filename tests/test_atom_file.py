"""The Atom feed's file: whole, up to date, and never in anybody's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import feedparser
import pytest
import pytest_asyncio

from monitor.events import Event, Trouble
from monitor.pipeline.atom_file import AtomFile, replace_file
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


# --- the file


def test_the_mode_of_a_file_stays_and_a_new_one_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "alerts.xml"
    replace_file(path, b"one")
    assert path.stat().st_mode & 0o777 == 0o644
    path.chmod(0o600)
    replace_file(path, b"two")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"two", 0o600)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.xml").write_bytes(b"one")
    link = tmp_path / "alerts.xml"
    link.symlink_to("real.xml")
    replace_file(link, b"two")
    assert link.is_symlink()
    assert (tmp_path / "real.xml").read_bytes() == b"two"


def test_what_a_killed_run_left_is_no_trap(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"mine")
    (tmp_path / ".alerts.xml.new").symlink_to(secret)
    replace_file(tmp_path / "alerts.xml", b"two")
    assert secret.read_bytes() == b"mine"
    assert (tmp_path / "alerts.xml").read_bytes() == b"two"


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "alerts.xml"
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(path, b"two")
    assert [each.name for each in tmp_path.iterdir()] == ["alerts.xml"]
