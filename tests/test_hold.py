"""What goes out now, and what waits for a digest or the end of quiet hours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts.hold import SETTLE, hold
from monitor.model import (
    AlertKind,
    DeliveryKind,
    QueuedDelivery,
    Severity,
    Update,
    UpdateReason,
)
from monitor.settings import Channel, Updates
from monitor.timetable import Timetable, read_hours, read_slot
from tests.builders import a_delivery, a_message, a_rule, an_alert, an_operator_alert

BRUSSELS = ZoneInfo("Europe/Brussels")
DIGEST = Timetable((read_slot("07:30"),))
NIGHT = (read_hours("22:00-07:00"),)


def at(text: str, zone: ZoneInfo = BRUSSELS) -> datetime:
    return datetime.fromisoformat(f"2025-02-{text}").replace(tzinfo=zone).astimezone(UTC)


def queued(made: str, severity: Severity = Severity.NORMAL, **changes: Any) -> QueuedDelivery:
    alert = an_alert(rule=a_rule(severity=severity))
    row = a_delivery(alert, created_at=at(made), due_at=at(made))
    return QueuedDelivery(**({"delivery": row, "alert": alert} | changes))


def until(each: QueuedDelivery, now: str, **channel: Any) -> datetime | None:
    return hold(each, Channel(name="desk", **channel), BRUSSELS, at(now)).until


@pytest.mark.parametrize(
    ("made", "severity", "now", "channel", "expected"),
    [
        pytest.param("13 10:00", "NORMAL", "13 10:00", {}, None, id="no digest, no quiet hours"),
        pytest.param("13 10:00", "HIGH", "13 10:00", {"digest": DIGEST}, "14 07:30", id="digest"),
        pytest.param(
            "13 10:00", "HIGH", "14 08:00", {"digest": DIGEST}, None, id="its time passed"
        ),
        pytest.param(
            "13 10:00",
            "HIGH",
            "13 10:00",
            {"digest": DIGEST, "at_once": frozenset({Severity.HIGH})},
            None,
            id="at once: past the digest",
        ),
        pytest.param(
            "13 23:00", "HIGH", "13 23:00", {"quiet_hours": NIGHT}, "14 07:00", id="quiet"
        ),
        pytest.param(
            "13 21:59", "HIGH", "13 22:05", {"quiet_hours": NIGHT}, "14 07:00", id="retry"
        ),
        pytest.param(
            "13 23:00",
            "HIGH",
            "13 23:00",
            {"quiet_hours": NIGHT, "at_once": frozenset({Severity.HIGH})},
            "14 07:00",
            id="at once, but not past quiet hours",
        ),
        pytest.param(
            "13 23:00",
            "CRITICAL",
            "13 23:00",
            {"quiet_hours": NIGHT, "at_once": frozenset({Severity.CRITICAL})},
            None,
            id="critical at once: past quiet hours",
        ),
        pytest.param(
            "13 23:00", "CRITICAL", "13 23:00", {"quiet_hours": NIGHT}, "14 07:00", id="not said so"
        ),
        pytest.param(
            "13 10:00",
            "LOW",
            "14 06:00",
            {"digest": Timetable((read_slot("05:00"),)), "quiet_hours": NIGHT},
            "14 07:00",
            id="a digest whose time lies in quiet hours",
        ),
        pytest.param(
            "13 10:00",
            "LOW",
            "13 10:00",
            {"digest": DIGEST, "timezone": ZoneInfo("America/New_York")},
            "13 13:30",
            id="in the channel's own zone",
        ),
    ],
)
def test_until_when_a_delivery_waits(
    made: str, severity: str, now: str, channel: dict[str, Any], expected: str | None
) -> None:
    found = until(queued(made, Severity[severity]), now, **channel)
    settle = SETTLE if "digest" in channel and "quiet_hours" not in channel else SETTLE * 0
    assert found == (expected and at(expected) + settle)


def test_what_came_in_quiet_hours_goes_out_as_one_of_those() -> None:
    channel = Channel(name="desk", quiet_hours=NIGHT)
    held = hold(queued("13 23:00"), channel, BRUSSELS, at("14 07:00"))
    assert (held.until, held.quiet) == (None, True)
    fresh = hold(queued("14 07:01"), channel, BRUSSELS, at("14 07:01"))
    assert (fresh.until, fresh.quiet) == (None, False)


def test_what_the_monitor_says_of_itself_does_not_wait_for_the_digest() -> None:
    alert = an_operator_alert()
    row = a_delivery(alert, kind=DeliveryKind.NOTICE, created_at=at("13 10:00"))
    notice = QueuedDelivery(delivery=row, alert=alert)
    assert until(notice, "13 10:00", digest=DIGEST) is None
    assert until(notice, "13 23:00", digest=DIGEST, quiet_hours=NIGHT) == at("14 07:00")


def test_the_frame_of_a_digest_is_part_of_it() -> None:
    alert = an_alert(kind=AlertKind.DIGEST, story_id="")
    row = a_delivery(alert, kind=DeliveryKind.NOTICE, created_at=at("13 07:30"))
    frame = QueuedDelivery(delivery=row, alert=alert)
    held = hold(frame, Channel(name="desk", digest=DIGEST), BRUSSELS, at("13 07:30"))
    assert (held.until, held.digest) == (None, True)


def test_a_message_that_was_tried_does_not_wait_for_the_next_digest() -> None:
    tried = queued("13 07:00", message=a_message())
    assert until(tried, "13 07:31", digest=DIGEST) is None


def test_updates_may_be_left_to_the_digest() -> None:
    update = Update(
        number=1,
        story_id="s",
        reason=UpdateReason.OFFICIAL,
        entry_id="e",
        created_at=at("13 10:00"),
        title="t",
        url="",
        outlet="State",
    )
    news = queued("13 10:00", Severity.HIGH, update=update)
    at_once = frozenset({Severity.HIGH})
    assert until(news, "13 10:00", digest=DIGEST, at_once=at_once) is None
    waits = until(news, "13 10:00", digest=DIGEST, at_once=at_once, updates=Updates.DIGEST)
    assert waits == at("14 07:30") + SETTLE


def test_a_notice_published_again_is_mild() -> None:
    again = Update(
        number=1,
        story_id="s",
        reason=UpdateReason.PUBLISHED_AGAIN,
        entry_id="e",
        created_at=at("13 10:00"),
        title="t",
        url="",
        outlet="State",
    )
    news = queued("13 10:00", Severity.HIGH, update=again)
    found = until(news, "13 10:00", digest=DIGEST, at_once=frozenset({Severity.HIGH}))
    assert found == at("14 07:30") + SETTLE
