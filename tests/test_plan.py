"""Due deliveries → messages: muted, held, one at a time, late, and in a flood."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.alerts.bundle import Gathered
from monitor.alerts.plan import Circumstances, Plan, plan
from monitor.alerts.rate import Bucket
from monitor.model import (
    ChannelState,
    DeliveryState,
    QueuedDelivery,
    Severity,
    Silence,
)
from monitor.settings import Channel, Rate
from monitor.timetable import Timetable, read_slot
from tests.builders import (
    NOW,
    a_delivery,
    a_message,
    a_rule,
    an_alert,
    an_entry,
    an_operator_alert,
    minutes,
)

CHANNEL = Channel(name="desk", rate=Rate(a_second=1.0, burst=10))


def queued(title: str, rule: str = "nato", **changes: Any) -> QueuedDelivery:
    severity = changes.pop("severity", Severity.NORMAL)
    message = changes.pop("message", None)
    alert = an_alert(an_entry(title), a_rule(rule, severity=severity))
    row = a_delivery(alert, **changes)
    if message is not None:
        row = replace(row, message_id=message.id)
    return QueuedDelivery(delivery=row, alert=alert, message=message)


def planned(*claimed: QueuedDelivery, channel: Channel = CHANNEL, **given: Any) -> Plan:
    return plan(claimed, channel, Circumstances(zone=ZoneInfo("UTC"), **given), NOW)


def titles(found: Plan) -> list[list[str]]:
    return [[each.alert.title for each in bundle.queued] for bundle in found.bundles]


def failing(**changes: Any) -> dict[str, ChannelState]:
    values = {"channel": "desk", "target": "desk", "failures": 2, "failing_since": NOW}
    return {"desk": ChannelState(**(values | changes))}


def silence(**changes: Any) -> Silence:
    values: dict[str, Any] = {
        "id": "5" * 16,
        "created_at": NOW - minutes(5),
        "ends_at": NOW + minutes(5),
        "reason": "noise",
        "owner": "anna",
    }
    return Silence(**(values | changes))


def test_rows_of_one_story_are_one_message_that_names_the_gravest_rule_first() -> None:
    found = planned(
        queued("NATO", "a"), queued("Kyiv"), queued("NATO", "b", severity=Severity.CRITICAL)
    )
    assert [[q.alert.rule_name for q in bundle.queued] for bundle in found.bundles] == [
        ["b", "a"],
        ["nato"],
    ]
    assert {bundle.gathered for bundle in found.bundles} == {Gathered.STORY}


def test_the_severe_goes_first() -> None:
    found = planned(
        queued("mild", severity=Severity.LOW), queued("grave", severity=Severity.CRITICAL)
    )
    assert titles(found) == [["grave"], ["mild"]]


def test_every_target_has_its_own_messages() -> None:
    found = planned(queued("NATO", target="desk/a"), queued("NATO", target="desk/b"))
    assert [bundle.target for bundle in found.bundles] == ["desk/a", "desk/b"]


# --- muted


def test_what_a_silence_mutes_is_recorded_with_it() -> None:
    found = planned(queued("NATO"), queued("Kyiv", "aid"), silences=[silence(rules={"nato"})])
    assert titles(found) == [["Kyiv"]]
    (row,) = found.rows
    assert (row.state, row.silence_id) == (DeliveryState.SILENCED, "5" * 16)


def test_one_rule_of_a_story_may_be_muted_and_the_other_told() -> None:
    found = planned(queued("NATO", "a"), queued("NATO", "b"), silences=[silence(rules={"a"})])
    assert [[q.alert.rule_name for q in bundle.queued] for bundle in found.bundles] == [["b"]]


def test_a_frozen_message_is_muted_whole_or_not_at_all() -> None:
    message = a_message()
    both = queued("NATO", "a", message=message), queued("NATO", "b", message=message)
    half = planned(*both, silences=[silence(rules={"a"})])
    assert (len(half.bundles), half.rows) == (1, ())
    whole = planned(*both, silences=[silence(rules={"a", "b"})])
    assert (whole.bundles, len(whole.rows)) == ((), 2)


# --- held


def test_what_waits_for_the_digest_is_put_back_until_then() -> None:
    digest = Timetable((read_slot("07:30"),))
    found = planned(queued("NATO"), channel=replace(CHANNEL, digest=digest))
    (row,) = found.rows
    assert found.bundles == ()
    assert (row.state, row.due_at.hour) == (DeliveryState.QUEUED, 7)


def test_at_its_time_the_digest_is_one_message_the_severe_first() -> None:
    digest = Timetable((read_slot("10:00"),))
    made = NOW - timedelta(hours=20)
    found = planned(
        queued("mild", created_at=made),
        queued("grave", created_at=made, severity=Severity.HIGH),
        channel=replace(CHANNEL, digest=digest),
    )
    assert found.bundles == ()  # it settles first
    later = plan(
        [queued("mild", created_at=made), queued("grave", created_at=made, severity=Severity.HIGH)],
        replace(CHANNEL, digest=digest),
        Circumstances(zone=ZoneInfo("UTC")),
        NOW + timedelta(seconds=6),
    )
    assert titles(later) == [["grave", "mild"]]
    assert later.bundles[0].gathered is Gathered.DIGEST


# --- a target that fails, and one that is well again


def test_a_failing_target_is_asked_by_one_message_and_the_rest_is_put_back() -> None:
    found = planned(*(queued(str(n)) for n in range(5)), states=failing())
    assert (len(found.bundles), len(found.rows)) == (1, 4)
    assert {row.due_at for row in found.rows} == {NOW}


def test_it_is_asked_by_what_was_tried_already_so_that_little_is_frozen() -> None:
    tried = queued("tried", message=a_message(), created_at=NOW)
    found = planned(queued("new", severity=Severity.CRITICAL), tried, states=failing())
    assert titles(found) == [["tried"]]


def test_what_was_tried_often_makes_room_in_case_it_is_the_message_that_fails() -> None:
    messages = [a_message(id=str(n)) for n in range(2)]
    tried = [queued(f"tried {n}", message=m, attempts=7 + n) for n, m in enumerate(messages)]
    assert titles(planned(queued("new"), *tried, states=failing())) == [["tried 0"]]
    often = [queued(f"tried {n}", message=m, attempts=8 + n) for n, m in enumerate(messages)]
    assert titles(planned(queued("new"), *often, states=failing())) == [["new"]]


def test_but_never_by_the_last_try_of_an_ambiguous_one() -> None:
    worn = queued("worn", message=a_message(), ambiguous=4)
    assert titles(planned(queued("new"), worn, states=failing())) == [["new"]]
    assert titles(planned(worn, states=failing())) == [["worn"]]


def test_what_an_outage_kept_back_is_one_late_message() -> None:
    begin, end = NOW - minutes(90), NOW - minutes(1)
    states = failing(failures=0, failing_since=None, outage_from=begin, outage_until=end)
    missed = [queued(str(n), created_at=NOW - minutes(30)) for n in range(3)]
    found = planned(*missed, queued("new"), states=states)
    kinds = {bundle.gathered: bundle for bundle in found.bundles}
    assert len(kinds[Gathered.LATE].queued) == 3
    assert kinds[Gathered.LATE].outage == (begin, end)
    assert [q.alert.title for q in kinds[Gathered.STORY].queued] == ["new"]
    (alone,) = planned(missed[0], states=states).bundles
    assert (alone.gathered, alone.outage) == (Gathered.STORY, (begin, end))


# --- floods


def test_a_flood_becomes_singles_and_one_digest() -> None:
    found = planned(*(queued(str(n)) for n in range(25)), queued("!", severity=Severity.CRITICAL))
    sizes = [len(bundle.queued) for bundle in found.bundles]
    assert sorted(sizes) == [1] * 9 + [17]
    assert titles(found)[0] == ["!"]
    assert sum(bundle.gathered is Gathered.FLOOD for bundle in found.bundles) == 1
    assert found.buckets["desk"].flooded


def test_what_one_message_cannot_hold_waits_a_second() -> None:
    found = planned(*(queued(str(n)) for n in range(30)), most=10)
    assert sorted(len(bundle.queued) for bundle in found.bundles) == [1] * 9 + [10]
    assert {row.due_at for row in found.rows} == {NOW + timedelta(seconds=1)}
    assert len(found.rows) == 11


def test_in_a_flood_nothing_goes_until_the_bucket_is_full() -> None:
    bucket = Bucket(tokens=0, at=NOW, flooded=True)
    found = planned(*(queued(str(n)) for n in range(12)), buckets={"desk": bucket})
    assert found.bundles == ()
    assert {row.due_at for row in found.rows} == {NOW + timedelta(seconds=10)}


def test_a_flood_of_one_target_is_not_that_of_another() -> None:
    many = [queued(str(n), target="desk/a") for n in range(25)]
    found = planned(*many, queued("0", target="desk/b"))
    alone = [bundle for bundle in found.bundles if bundle.target == "desk/b"]
    assert [len(bundle.queued) for bundle in alone] == [1]


def test_notices_of_the_monitor_are_never_gathered_into_a_story() -> None:
    alert = an_operator_alert()
    notice = QueuedDelivery(delivery=a_delivery(alert), alert=alert)
    assert len(planned(queued("NATO"), notice).bundles) == 2


def test_nothing_is_lost_whatever_the_circumstances() -> None:
    claimed = [queued(str(n)) for n in range(60)]
    for given in ({}, {"states": failing()}, {"silences": [silence(texts=("7",))]}, {"most": 7}):
        found = planned(*claimed, **given)
        sent = [each.delivery.id for bundle in found.bundles for each in bundle.queued]
        assert sorted([*sent, *(row.id for row in found.rows)]) == sorted(
            each.delivery.id for each in claimed
        )
