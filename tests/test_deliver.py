"""The deliver loop against a real store: order, poison, a busy database, a target that fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.errors import StoreBusy
from monitor.events import Event, Handed, Trouble
from monitor.model import Accepted, DeliveryState, Excerpt, Message, Refused, Scope, SendResult
from monitor.pipeline.deliver import Deliverer, bundled
from monitor.pipeline.in_force import InForce
from monitor.pipeline.shared import Shared
from monitor.rules.load import load
from monitor.settings import Channel, Target
from monitor.store import QueuedDelivery, Store
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from tests.builders import (
    a_delivery,
    a_rule,
    an_alert,
    an_entry,
    an_outcome,
    feed_settings,
    minutes,
)
from tests.replay import Clock, config_of


class Answers:
    """A sender that answers as it is told; remembers what it was given."""

    def __init__(self, answer: Callable[[Message], SendResult]) -> None:
        self.answer = answer
        self.messages: list[Message] = []

    async def send(self, message: Message, target: Target, channel: Channel) -> SendResult:
        self.messages.append(message)
        return self.answer(message)

    @property
    def subjects(self) -> list[str]:
        return [message.subject.rpartition(": ")[2] for message in self.messages]


class Desk:
    """A deliverer, its store, its clock and what it reported."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.events: list[Event] = []
        self.sender = Answers(lambda _: Accepted())
        config = config_of(folder)
        self.store = Writer(lambda: SqliteStore.open(config.database))
        shared = Shared(
            in_force=InForce(config=config, rules=load({})),
            store=self.store,
            clock=self.clock,
            report=self.events.append,
        )
        self.deliverer = Deliverer(shared, sender=self.sender)

    async def queue(self, *titles: str, **changes: object) -> None:
        def put(store: Store) -> None:
            store.sync_feeds([feed_settings()], self.clock.now)
            for title in titles:
                feed = store.feeds()[0]
                entry = an_entry(title, feed=feed)
                alert = replace(an_alert(entry), **changes)
                row = a_delivery(alert, due_at=self.clock.now, created_at=self.clock.now)
                store.commit([an_outcome(entry, feed=feed, alerts=(alert,), deliveries=(row,))])

        await self.store.call(put)

    async def states(self) -> dict[str, int]:
        return await self.store.call(lambda store: store.queue_lengths())


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    await made.store.aclose()


async def test_what_waits_is_sent_and_recorded(desk: Desk) -> None:
    await desk.queue("NATO", "Kyiv")
    assert await desk.deliverer.round() == 2
    assert sorted(desk.sender.subjects) == ["Kyiv", "NATO"]
    assert await desk.states() == {"accepted": 2}
    assert await desk.deliverer.round() == 0


async def test_a_refused_message_comes_again_unchanged(desk: Desk) -> None:
    await desk.queue("NATO")
    desk.sender.answer = lambda _: Refused(detail="HTTP 500", scope=Scope.CHANNEL)
    await desk.deliverer.round()
    desk.sender.answer = lambda _: Accepted()
    desk.clock.advance(minutes(20))
    await desk.deliverer.round()
    first, second = desk.sender.messages[0], desk.sender.messages[-1]
    assert (first.id, first.text) == (second.id, second.text)
    assert (await desk.states())["accepted"] == 1


async def test_a_failing_target_is_asked_once_and_the_rest_waits(desk: Desk) -> None:
    await desk.queue(*(f"story {n}" for n in range(10)))
    desk.sender.answer = lambda _: Refused(detail="HTTP 500", scope=Scope.CHANNEL)
    await desk.deliverer.round()
    assert len(desk.sender.messages) == 1
    assert (await desk.states())["queued"] == 10


async def test_a_sender_that_raises_blocks_nobody(desk: Desk) -> None:
    await desk.queue("poison", "fine")

    def answer(message: Message) -> SendResult:
        if "poison" in message.text:
            raise ValueError("on this text")
        return Accepted()

    desk.sender.answer = answer
    await desk.deliverer.round()
    assert (await desk.states())["accepted"] == 1
    for _ in range(8):
        desk.clock.advance(minutes(20))
        await desk.deliverer.round()
    assert (await desk.states()).get(DeliveryState.PARKED.value) == 1


async def test_an_alert_that_cannot_be_laid_out_is_told_without_layout(desk: Desk) -> None:
    broken = Excerpt(field="title", text=None, marks=((0, 1),))  # type: ignore[arg-type]
    await desk.queue("NATO", excerpts=(broken,))
    assert await desk.deliverer.round() == 1
    (message,) = desk.sender.messages
    assert message.text.startswith("NATO\nhttps://")
    assert message.alert_ids[0] in message.text


async def test_what_was_sent_is_recorded_before_anything_else_is_claimed(desk: Desk) -> None:
    """The store is busy right after the hand-over: nothing is sent twice."""
    await desk.queue("NATO")
    real = desk.store.call
    busy = True

    async def call(method: Callable[[Store], object]) -> object:
        def guarded(store: Store) -> object:
            return method(_Busy(store) if busy else store)  # type: ignore[arg-type]

        return await real(guarded)

    desk.store.call = call  # type: ignore[method-assign,assignment]
    await desk.deliverer.round()
    await desk.deliverer.round()
    assert len(desk.sender.messages) == 1
    assert any(isinstance(event, Trouble) for event in desk.events)
    busy = False
    await desk.deliverer.round()
    assert len(desk.sender.messages) == 1
    assert await desk.states() == {"accepted": 1}


class _Busy:
    """A store whose disk is full when results are to be recorded."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def finish(self, *_: object) -> None:
        raise StoreBusy("disk full")

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def test_bundles_are_stories_and_name_the_gravest_rule_first() -> None:
    entry = an_entry("NATO")
    mild, grave = (an_alert(entry, a_rule(name)) for name in ("a", "b"))
    grave = replace(grave, severity=grave.severity.__class__.CRITICAL)
    other = an_alert(an_entry("Kyiv"))
    claimed = [QueuedDelivery(delivery=a_delivery(a), alert=a) for a in (mild, other, grave)]
    bundles = bundled(claimed)
    assert [[queued.alert.rule_name for queued in bundle] for bundle in bundles] == [
        ["b", "a"],
        ["nato"],
    ]


async def test_every_hand_over_is_reported(desk: Desk) -> None:
    await desk.queue("NATO")
    await desk.deliverer.round()
    assert [type(event) for event in desk.events] == [Handed]
