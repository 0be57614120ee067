"""A channel that takes nothing: others are told instead, once; it catches up late, as one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.alerts.fallback import mentioned, takes_nothing
from monitor.model import Accepted, ChannelState, Message, Refused, Scope, SendResult
from monitor.pipeline.fallbacks import Fallbacks
from monitor.settings import Channel, Target
from tests.builders import NOW, an_operator_alert, minutes
from tests.desk import Desk
from tests.thorough import thorough

DESK = Channel(name="desk", targets=(Target(name="desk", url="x"),), fallback="mail")
MAIL = Channel(
    name="mail",
    targets=(Target(name="mail/a", url="y"), Target(name="mail/b", url="z")),
)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path, DESK, MAIL)
    made.sender.answer = dead_desk
    yield made
    await made.store.aclose()


def dead_desk(message: Message) -> SendResult:
    if message.target == "desk":
        return Refused(detail="no answer in time", scope=Scope.CHANNEL)
    return Accepted()


def of(desk: Desk, target: str) -> list[Message]:
    """What *target* got or refused, without what the monitor says of itself."""
    return [
        message
        for message in desk.sender.messages
        if message.target == target and "[MONITOR]" not in message.subject
    ]


async def fail_until(desk: Desk, minutes_later: float) -> None:
    while desk.clock.now < NOW + minutes(minutes_later):
        desk.clock.advance(minutes(5))
        await desk.deliverer.round()
        await Fallbacks(desk.shared).sweep()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param({"stopped": True}, True, id="stopped"),
        pytest.param({"failures": 3, "failing_since": NOW - minutes(30)}, True, id="for long"),
        pytest.param({"failures": 3, "failing_since": NOW - minutes(29)}, False, id="not for long"),
        pytest.param({"failures": 2, "failing_since": NOW - minutes(99)}, False, id="seldom asked"),
        pytest.param({}, False, id="well"),
    ],
)
def test_when_a_target_counts_as_dead(state: dict[str, object], expected: bool) -> None:
    given = ChannelState(channel="desk", target="desk", **state)  # type: ignore[arg-type]
    assert takes_nothing(given, NOW) is expected


def test_operators_are_told_who_is_told_instead() -> None:
    alert = an_operator_alert()
    assert mentioned(alert, DESK).text.endswith("Meanwhile its alerts go to mail.")
    assert mentioned(alert, MAIL) == alert


async def test_what_waits_goes_to_the_fallback_once_and_says_why(desk: Desk) -> None:
    await desk.queue("NATO")
    await fail_until(desk, 20)
    assert of(desk, "mail/a") == []
    await fail_until(desk, 60)
    await desk.deliverer.round()
    assert len(of(desk, "mail/a")) == len(of(desk, "mail/b")) == 1
    (message,) = of(desk, "mail/a")
    assert "(sent here because desk takes no messages)" in message.text
    await fail_until(desk, 120)
    assert len(of(desk, "mail/a")) == 1


async def test_an_alert_that_the_fallback_gets_anyway_is_not_repeated(desk: Desk) -> None:
    await desk.queue("NATO")

    def also(store: object) -> None:
        from monitor import ids
        from tests.builders import a_delivery

        (alert,) = store.alerts()  # type: ignore[attr-defined]
        rows = [a_delivery(alert, target=t, created_at=NOW) for t in ("mail/a", "mail/b")]
        assert rows[0].id == ids.delivery_id(alert.id, "mail/a", "first", 0)
        store.raise_alerts((), rows)  # type: ignore[attr-defined]

    await desk.store.call(also)
    await fail_until(desk, 60)
    assert len(of(desk, "mail/a")) == 1


@thorough
async def test_three_days_of_outage_on_one_of_two_channels(tmp_path: Path) -> None:
    """The good one is prompt all the time; the bad one gets everything afterwards, late, as few."""
    good = Channel(name="good", targets=(Target(name="good", url="x"),))
    desk = Desk(tmp_path, replace(DESK, fallback=""), good)
    desk.sender.answer = dead_desk
    titles = []
    for hour in range(72):
        titles.append(f"Story {hour}")
        await desk.queue(titles[-1])
        await desk.queue(f"Good {hour}", target="good")
        before = len(of(desk, "good"))
        await desk.deliverer.round()
        assert len(of(desk, "good")) == before + 1
        for _ in range(4):
            desk.clock.advance(minutes(15))
            await desk.deliverer.round()
    tries = len(of(desk, "desk"))
    assert tries <= 72 * 4 + 5  # one try a wait, whatever waits
    desk.sender.answer = lambda _: Accepted()
    for _ in range(4):
        desk.clock.advance(minutes(10))
        await desk.deliverer.round()
    received = of(desk, "desk")[tries:]
    assert len(received) <= 12  # those it was asked with, and the rest as one
    assert all(any(f"{title}\n" in each.text for each in received) for title in titles)
    (late,) = [message for message in received if "stories, late: " in message.subject]
    assert "Late: desk took no messages from Thu 13 Feb 2025, 11:00 CET to Sun 16" in late.text
    assert len(late.alert_ids) > 60
    waiting = (await desk.states()).get("queued", 0)
    assert waiting == 0
    await desk.store.aclose()


@thorough
async def test_a_hanging_channel_parks_nothing_in_three_days(tmp_path: Path) -> None:
    desk = Desk(tmp_path, replace(DESK, fallback=""))
    desk.sender.answer = lambda _: Refused(
        detail="no answer in time", ambiguous=True, scope=Scope.CHANNEL
    )
    for hour in range(72):
        await desk.queue(f"Story {hour}")
        for _ in range(4):
            desk.clock.advance(minutes(15))
            await desk.deliverer.round()
    assert "parked" not in await desk.states()
    desk.sender.answer = lambda _: Accepted()
    for _ in range(20):
        desk.clock.advance(minutes(16))
        await desk.deliverer.round()
    accepted = (await desk.states())["accepted"]
    assert accepted >= 72
    await desk.store.aclose()


async def test_a_flood_arrives_whole_in_few_messages_and_at_the_rate(tmp_path: Path) -> None:
    desk = Desk(tmp_path, replace(DESK, fallback=""))
    wanted = 400  # the bench has ten thousand
    await desk.queue(*(f"Story {n}" for n in range(wanted)))
    started = desk.clock.now
    while (await desk.states()).get("queued"):
        await desk.deliverer.round()
        desk.clock.advance(timedelta(seconds=1))
    assert (await desk.states()) == {"accepted": wanted}
    told = [id_ for message in desk.sender.messages for id_ in message.alert_ids]
    assert len(set(told)) == len(told) == wanted
    assert len(desk.sender.messages) < 30
    passed = (desk.clock.now - started).total_seconds()
    assert len(desk.sender.messages) <= DESK.rate.burst + DESK.rate.a_second * passed + 1
    await desk.store.aclose()
