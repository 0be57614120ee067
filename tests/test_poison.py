"""Rows that trip us: told as far as they can be read, or set aside; those behind them arrive."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts.plan import Circumstances
from monitor.model import (
    Accepted,
    Alert,
    DeliveryKind,
    DeliveryState,
    QueuedDelivery,
    Refused,
    Scope,
    Severity,
)
from monitor.pipeline import poison
from monitor.settings import Channel, Target
from monitor.store import rows
from monitor.store.sqlite import SqliteStore
from monitor.timetable import Timetable, read_slot
from tests.builders import NOW, a_delivery, a_message, minutes
from tests.desk import Desk
from tests.test_plan import CHANNEL, queued

DAILY = Channel(
    name="desk",
    targets=(Target(name="desk", url=""),),
    digest=Timetable((read_slot("07:30"),)),
    at_once=frozenset({Severity.NORMAL}),
)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    await made.store.aclose()


async def _spoilt(desk: Desk, sql: str, *values: object) -> None:
    """*sql* on the database, behind the back of the store."""

    def spoil(store: object) -> None:
        inner: SqliteStore = store  # type: ignore[assignment]
        inner._db.execute(sql, values)

    await desk.store.call(spoil)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param("told", '{"title": "half', id="cut off"),
        pytest.param("told", "[1, 2]", id="not an object"),
        pytest.param("told", json.dumps({"title": "x \ud800"}), id="half a character"),
        pytest.param("told", '{"title": 7}', id="a number for a headline"),
        pytest.param("told", "{}", id="nothing in it"),
        pytest.param("kind", "rumour", id="an unknown kind"),
        pytest.param("severity", 99, id="an unknown severity"),
    ],
)
async def test_a_damaged_alert_is_told_as_such(desk: Desk, column: str, value: object) -> None:
    await desk.queue("Spoilt")
    await _spoilt(desk, f"UPDATE alerts SET {column} = ?", value)
    await desk.queue("NATO")
    assert await desk.deliverer.round() == 2
    news, spoilt = sorted(desk.sender.messages, key=lambda each: "cannot be read" in each.text)
    assert "cannot be read any more" in spoilt.text
    assert spoilt.alert_ids[0] in spoilt.text
    assert "NATO" in news.text


@pytest.mark.parametrize(
    ("table", "column"),
    [
        pytest.param("alerts", "told", id="what is told"),
        pytest.param("alerts", "rule_name", id="the rule"),
        pytest.param("deliveries", "last_error", id="why it failed the last time"),
    ],
)
async def test_bytes_that_are_no_text_hold_up_nothing(desk: Desk, table: str, column: str) -> None:
    """Told as far as it can be read, or as what cannot be."""
    await desk.queue("Spoilt")
    await _spoilt(desk, f"UPDATE {table} SET {column} = CAST(x'22ff22' || {column} AS TEXT)")
    await desk.queue("NATO")
    assert await desk.deliverer.round() == 2
    assert await desk.states() == {"accepted": 2}


async def test_a_damaged_message_is_sent_as_far_as_it_can_be_read(desk: Desk) -> None:
    desk.sender.answer = lambda _: Refused(detail="not now", scope=Scope.CHANNEL)
    await desk.queue("NATO expands")
    await desk.deliverer.round()
    desk.sender.answer = lambda _: Accepted()
    await _spoilt(desk, "UPDATE messages SET frozen = replace(frozen, 'NATO', CAST(x'ff' AS TEXT))")
    desk.clock.advance(minutes(20))
    assert await desk.deliverer.round() == 1
    assert "\ufffd expands" in desk.sender.messages[-1].text


@pytest.mark.parametrize("frozen", ["{", "[]", '{"subject": "half"}', "7"])
async def test_a_message_that_cannot_be_read_is_made_anew(desk: Desk, frozen: str) -> None:
    desk.sender.answer = lambda _: Refused(detail="not now", scope=Scope.CHANNEL)
    await desk.queue("NATO expands", "Rain in Riga")
    await desk.deliverer.round()
    await _spoilt(desk, "UPDATE messages SET frozen = ?", frozen)
    desk.sender.answer = lambda _: Accepted()
    for _ in range(3):
        desk.clock.advance(minutes(20))
        await desk.deliverer.round()
    assert await desk.states() == {"accepted": 2}
    told = "\n".join(message.text for message in desk.sender.messages[1:])
    assert "NATO expands" in told
    assert "Rain in Riga" in told


@pytest.mark.parametrize("told", ["{", "7", "{}", '{"title": 7}'])
async def test_an_update_that_cannot_be_read_holds_up_nothing(desk: Desk, told: str) -> None:
    await desk.queue("NATO expands")
    await desk.deliverer.round()
    (alert,) = await desk.store.call(lambda store: store.alerts())
    sql = "INSERT INTO updates VALUES (7, ?, ?, 'outlets', ?, ?)"
    await _spoilt(desk, sql, alert.story_id, alert.entry_id, rows.micros(NOW), told)
    row = replace(a_delivery(alert), id="u", kind=DeliveryKind.UPDATE, sequence=7)
    await desk.store.call(lambda store: store.raise_alerts((), [row]))
    await desk.queue("Rain in Riga")
    await desk.deliverer.round()
    assert await desk.states() == {"accepted": 3}
    standing = await desk.store.call(lambda store: store.standings([alert.story_id]))
    assert standing[alert.story_id].alerts


async def test_why_an_entry_joined_may_be_lost(desk: Desk) -> None:
    await desk.queue("NATO expands")
    await _spoilt(desk, "INSERT INTO joins SELECT id, '{', 0, '', 0, 0 FROM entries")
    assert await desk.deliverer.round() == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param("kind", "telepathy", id="an unknown kind"),
        pytest.param("created_at", 2**62, id="made in the year 148107"),
    ],
)
async def test_an_odd_delivery_is_sent(desk: Desk, column: str, value: object) -> None:
    await desk.queue("NATO")
    await _spoilt(desk, f"UPDATE deliveries SET {column} = ?", value)
    assert await desk.deliverer.round() == 1


async def test_what_cannot_be_planned_is_set_aside_and_told(tmp_path: Path) -> None:
    """A digest after the last day there is."""
    desk = Desk(tmp_path, DAILY)
    await desk.queue("Spoilt", severity=Severity.LOW)
    await _spoilt(desk, "UPDATE deliveries SET created_at = ?", 2**62)
    await desk.queue("NATO")
    await desk.deliverer.round()
    desk.clock.advance(minutes(1))
    await desk.deliverer.round()
    assert desk.sender.messages[0].subject.endswith("NATO")
    assert (await desk.states())["parked"] == 1
    alerts: list[Alert] = await desk.store.call(lambda store: store.alerts())
    assert any("will not be delivered" in alert.title for alert in alerts)
    await desk.store.aclose()


def _without_zone(each: QueuedDelivery) -> QueuedDelivery:
    """It cannot be put in order with others."""
    made_at = each.delivery.created_at.replace(tzinfo=None)
    return replace(each, delivery=replace(each.delivery, created_at=made_at))


def test_what_trips_only_in_company_goes_alone_a_moment_later() -> None:
    given = Circumstances(zone=ZoneInfo("UTC"))
    odd, message = _without_zone(queued("Odd")), a_message()
    torn = [queued("Torn", message=message), _without_zone(queued("Apart", message=message))]
    claimed = [queued("NATO"), odd, queued("Kyiv"), *torn]
    found, poisonous = poison.planned(claimed, CHANNEL, given, NOW)
    assert {each.queued[0].alert.title for each in found.bundles} == {"NATO", "Kyiv"}
    (back,) = found.rows
    assert (back.id, back.state) == (odd.delivery.id, DeliveryState.QUEUED)
    assert back.due_at > NOW
    assert [row.id for row in poisonous] == [each.delivery.id for each in torn]
    later, poisonous = poison.planned([odd], CHANNEL, given, NOW)
    assert len(later.bundles) == 1
    assert not poisonous


async def test_what_cannot_be_made_into_a_message_is_set_aside(desk: Desk) -> None:
    await desk.queue("Spoilt")
    told = {"title": "Spoilt", "url": 7, "outlet": 7, "rule_note": 7, "text": "", "terms": []}
    wrong = json.dumps({**told, "published_at": None, "labels": [], "excerpts": []})
    await _spoilt(desk, "UPDATE alerts SET told = ?", wrong)
    await desk.queue("NATO")
    await desk.deliverer.round()
    assert any("NATO" in message.text for message in desk.sender.messages)
    states = await desk.states()
    assert states.get("parked", 0) + states["accepted"] >= 2
    assert "claimed" not in states


async def test_a_time_beyond_all_times_is_the_last_one(desk: Desk) -> None:
    await desk.queue("NATO")
    await _spoilt(desk, "UPDATE alerts SET created_at = ?", 2**62)
    (alert,) = await desk.store.call(lambda store: store.alerts())
    assert alert.created_at == datetime.max.replace(tzinfo=UTC)


async def test_what_waits_for_a_channel_that_is_gone_is_no_hurry(desk: Desk) -> None:
    await desk.queue("NATO", target="gone")
    assert await desk.store.call(lambda store: store.next_due_at(["desk"])) is None
    assert await desk.store.call(lambda store: store.next_due_at()) == NOW
