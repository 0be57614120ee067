"""Silences that are over: closed once, on two looks apart, and told to the right people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.model import Alert, Delivery, DeliveryState, Finished, Silence
from monitor.pipeline.in_force import InForce
from monitor.pipeline.shared import Shared
from monitor.pipeline.silences import SilenceEnds
from monitor.rules.load import load
from monitor.settings import Channel, Target
from monitor.store import Store
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from tests.builders import NOW, a_delivery, a_silence, an_alert, minutes
from tests.replay import Clock, config_of

MAIL = Channel(name="mail", targets=(Target(name="mail/anna@example.org", url="json://x"),))


class Office:
    """A store, two clocks, and the looks that are taken."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.steady = Clock(), 1000.0
        self.woken = 0
        config = config_of(folder)
        config = replace(config, channels=(*config.channels, MAIL), monitor_reports_to=("desk",))
        self.store = Writer(lambda: SqliteStore.open(config.database))
        self.shared = Shared(
            in_force=InForce(config=config, rules=load({})),
            store=self.store,
            report=lambda _: None,
            clock=self.clock,
            queued=self._wake,
        )

    def _wake(self) -> None:
        self.woken += 1

    async def look(self, after: float = 0.0) -> None:
        """A sweep of a monitor that has just started, *after* so many seconds."""
        self.steady += after
        self.clock.advance(timedelta(seconds=after))
        await SilenceEnds(self.shared, steady=lambda: self.steady).sweep()

    async def add(self, **changes: object) -> None:
        await self.store.call(lambda store: store.add_silence(a_silence(**changes)))

    async def told(self) -> list[tuple[Alert, list[Delivery]]]:
        def read(store: Store) -> list[tuple[Alert, list[Delivery]]]:
            return [(alert, store.deliveries_of(alert.id)) for alert in store.alerts()]

        return await self.store.call(read)

    async def open(self) -> list[Silence]:
        return await self.store.call(lambda store: store.silences())


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    yield made
    await made.store.aclose()


async def test_one_that_is_over_is_told_once(office: Office) -> None:
    await office.add(ends_at=NOW + minutes(1), owner="anna")
    await office.look()
    await office.look(60)
    assert len(await office.open()) == 1
    for _ in range(3):
        await office.look(60)
    ((alert, rows),) = await office.told()
    assert alert.title == "Silence over: everything (anna: too noisy)"
    assert alert.text.startswith("It has muted no alerts.")
    assert [row.target for row in rows] == ["desk"]
    assert await office.open() == []
    assert office.woken == 1


async def test_the_owner_that_is_a_channel_is_told(office: Office) -> None:
    await office.add(ends_at=NOW, owner="mail")
    await office.look()
    await office.look(30)
    ((_, rows),) = await office.told()
    assert [row.target for row in rows] == ["mail/anna@example.org"]


async def test_two_looks_in_a_row_are_one_look(office: Office) -> None:
    await office.add(ends_at=NOW)
    for _ in range(20):
        await office.look(1)
    assert len(await office.open()) == 1


async def test_a_clock_that_jumps_and_comes_back_ends_nothing(office: Office) -> None:
    await office.add(ends_at=NOW + timedelta(days=1))
    office.clock.advance(timedelta(days=2))
    await office.look()
    office.clock.advance(-timedelta(days=2))
    await office.look(60)
    office.clock.advance(timedelta(days=2))
    await office.look(0)
    assert len(await office.open()) == 1
    assert await office.told() == []


async def test_after_a_restart_of_the_machine_it_is_looked_at_twice_again(office: Office) -> None:
    await office.add(ends_at=NOW)
    await office.look()
    office.steady = 5.0
    await office.look()
    assert len(await office.open()) == 1
    await office.look(30)
    assert await office.open() == []


async def test_muted_alerts_are_counted_each_once(office: Office) -> None:
    alert = an_alert()
    muted = [
        a_delivery(
            alert, target=target, state=DeliveryState.SILENCED, silence_id="5171e0ce00000001"
        )
        for target in ("desk", "mail/anna@example.org")
    ]
    await office.add(ends_at=NOW)
    await office.store.call(
        lambda store: store.raise_alerts(
            [alert], [a_delivery(alert, target=m.target) for m in muted]
        )
    )
    await office.store.call(lambda store: store.finish([Finished(deliveries=tuple(muted), at=NOW)]))
    await office.look()
    await office.look(30)
    texts = [alert.text for alert, _ in await office.told() if alert.text]
    assert [text.partition("\n")[0] for text in texts] == [
        "It has muted 1 alert. New ones are sent again."
    ]
