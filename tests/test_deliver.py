"""The deliver loop against a real store: order, poison, a busy database, a target that fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.errors import StoreBusy
from monitor.events import Handed, Trouble
from monitor.model import Accepted, DeliveryState, Excerpt, Message, Refused, Scope, SendResult
from monitor.pipeline.deliver import Deliverer
from monitor.settings import Channel, Target
from monitor.store import Store
from tests.builders import a_delivery, an_alert, an_entry, minutes
from tests.desk import Desk


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


async def test_channels_that_answer_at_once_are_not_in_each_others_way(tmp_path: Path) -> None:
    """While one records what it sent, the others go on: nothing of theirs is at stake."""
    names = [f"desk {n}" for n in range(5)]
    desk = Desk(tmp_path, *(Channel(name=n, targets=(Target(name=n, url=""),)) for n in names))
    await desk.queue("NATO", target=names[0])
    alert = an_alert(an_entry("NATO"))
    rows = [a_delivery(alert, target=name) for name in names]
    await desk.store.call(lambda store: store.raise_alerts([alert], rows))
    assert await desk.deliverer.round() == 5
    assert [event for event in desk.events if isinstance(event, Trouble)] == []
    await desk.store.aclose()


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


async def test_a_machine_without_threads_is_waited_for(desk: Desk) -> None:
    await desk.queue("one", "two")
    short = True

    def answer(_: Message) -> SendResult:
        if short:
            raise RuntimeError("can't start new thread")
        return Accepted()

    desk.sender.answer = answer
    for _ in range(8):
        await desk.deliverer.round()
        desk.clock.advance(minutes(20))
    assert len(desk.sender.messages) == 8, "one message asks for both"
    short = False
    await desk.deliverer.round()
    assert set(await desk.states()) == {DeliveryState.ACCEPTED.value}


async def test_a_target_that_refuses_every_text_is_not_told_of_it_for_ever(desk: Desk) -> None:
    desk.sender.answer = lambda _: Refused(detail="HTTP 422", retryable=False)
    await desk.queue("NATO")
    await desk.deliverer.round()
    assert len(desk.sender.messages) == 2  # the news, and that it will not be delivered
    assert await desk.states() == {"refused": 2}


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


@pytest.mark.parametrize("what", ["freeze", "channel_states", "thread"])
async def test_what_was_claimed_while_the_disk_was_full_is_sent_later(
    desk: Desk, what: str
) -> None:
    """It was claimed and not handed over: it must not stay claimed until the next start."""
    await desk.queue("NATO", "Kyiv")
    real, calls = desk.store.call, 0

    async def call(method: Callable[[Store], object]) -> object:
        def guarded(store: Store) -> object:
            nonlocal calls
            calls += 1
            return method(_Busy(store, what) if calls > 1 else store)  # type: ignore[arg-type]

        return await real(guarded)

    desk.store.call = call  # type: ignore[method-assign,assignment]
    await desk.deliverer.round()
    desk.store.call = real  # type: ignore[method-assign]
    desk.clock.advance(minutes(1))
    await desk.deliverer.round()
    assert await desk.states() == {"accepted": 2}


class _Busy:
    """A store whose disk is full when it is asked to do *what*: to record results."""

    def __init__(self, store: Store, what: str = "finish") -> None:
        self._store, self._what = store, what

    def _full(self, *_: object) -> None:
        raise StoreBusy("disk full")

    def __getattr__(self, name: str) -> object:
        return self._full if name == self._what else getattr(self._store, name)


@pytest.mark.parametrize("read", ["channel_states", "silences"])
async def test_busy_while_it_claims_nothing_stays_claimed(desk: Desk, read: str) -> None:
    await desk.queue("NATO")
    real, busy = desk.store.call, True

    class Busy:
        """A store that is busy when asked for *read*."""

        def __init__(self, store: Store) -> None:
            self._store = store

        def __getattr__(self, name: str) -> object:
            if busy and name == read:
                raise StoreBusy("locked")
            return getattr(self._store, name)

    async def call(method: Callable[[Store], object]) -> object:
        return await real(lambda store: method(Busy(store)))  # type: ignore[arg-type]

    desk.store.call = call  # type: ignore[method-assign,assignment]
    assert await desk.deliverer.round() == 0
    busy = False
    assert await desk.deliverer.round() == 1


async def test_every_hand_over_is_reported(desk: Desk) -> None:
    await desk.queue("NATO")
    await desk.deliverer.round()
    assert [type(event) for event in desk.events] == [Handed]


class Ours:
    """Templates of the desk's own."""

    applied_to: int = 0

    async def applied(self, message: Message, *_: object) -> Message:
        self.applied_to += 1
        return replace(message, text=f"Our desk\n{message.text}")


async def test_a_message_is_set_by_peoples_templates_once_and_then_stays(desk: Desk) -> None:
    ours = Ours()
    desk.deliverer = Deliverer(desk.shared, sender=desk.sender, templating=ours)
    desk.sender.answer = lambda _: Refused(detail="HTTP 500", scope=Scope.CHANNEL)
    await desk.queue("NATO")
    await desk.deliverer.round()
    desk.clock.advance(minutes(20))
    await desk.deliverer.round()
    first, second = desk.sender.messages
    assert first.text == second.text
    assert first.text.startswith("Our desk\nNATO")
    assert ours.applied_to == 1
