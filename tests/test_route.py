"""Who is told: rules, routes, defaults, operators."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor import ids
from monitor.alerts.operator import channel_failing, channel_stopped
from monitor.alerts.route import channels_for, deliveries, owner_notices
from monitor.model import ChannelState, DeliveryKind, DeliveryState, Refused, Rule, Scope, Severity
from monitor.settings import Channel, Config, Route, Target
from tests.builders import NOW, a_rule, an_alert, an_operator_alert

DESK = Channel(name="desk", targets=(Target(name="desk", url="json://x"),), kind="json")
MAIL = Channel(
    name="mail",
    targets=(
        Target(name="mail/anna@example.org", url="mailto://x/anna"),
        Target(name="mail/ben@example.org", url="mailto://x/ben"),
    ),
    kind="mailto",
)
NIGHT = Channel(name="night", targets=(Target(name="night", url="json://y"),), kind="json")
HIGH = frozenset({Severity.HIGH, Severity.CRITICAL})


def a_config(**changes: Any) -> Config:
    values: dict[str, Any] = {
        "path": "/etc/config.toml",
        "database": "/var/monitor.db",
        "rules": "/etc/rules",
        "timezone": ZoneInfo("Europe/Brussels"),
        "channels": (DESK, MAIL, NIGHT),
    }
    return Config(**(values | changes))


def route(*channels: str, **conditions: Any) -> Route:
    return Route(channels=channels, **conditions)


@pytest.mark.parametrize(
    ("rule", "settings", "expected"),
    [
        pytest.param(a_rule(), {}, ("desk", "mail", "night"), id="nothing written: all channels"),
        pytest.param(
            a_rule(), {"default_channels": ("mail",)}, ("mail",), id="default_channels before all"
        ),
        pytest.param(a_rule(), {"default_channels": ()}, (), id="no default channels: nobody"),
        pytest.param(
            a_rule(channels=("night",)),
            {"routes": (route("desk"),), "default_channels": ("mail",)},
            ("night",),
            id="the rule's own channels before routes",
        ),
        pytest.param(
            a_rule(channels=()), {"routes": (route("desk"),)}, (), id="channels = []: nobody"
        ),
        pytest.param(
            a_rule(channels=("desk", "mail", "desk")), {}, ("desk", "mail"), id="named once"
        ),
        pytest.param(
            a_rule(severity=Severity.HIGH),
            {"routes": (route("desk", severity=HIGH), route("mail"))},
            ("desk",),
            id="the first route that fits",
        ),
        pytest.param(
            a_rule(),
            {"routes": (route("desk", severity=HIGH), route("mail"))},
            ("mail",),
            id="a route that does not fit is passed over",
        ),
        pytest.param(
            a_rule(severity=Severity.HIGH),
            {
                "routes": (
                    route("desk", severity=HIGH, continue_=True),
                    route("mail", "desk"),
                    route("night"),
                )
            },
            ("desk", "mail"),
            id="continue adds the next fitting route, no further",
        ),
        pytest.param(
            a_rule(severity=Severity.LOW),
            {"routes": (route("desk", severity=HIGH),), "default_channels": ("mail",)},
            ("mail",),
            id="no route fits: the default",
        ),
        pytest.param(
            a_rule(),
            {"routes": (route(),), "default_channels": ("mail",)},
            (),
            id="a fitting route without channels tells nobody",
        ),
    ],
)
def test_channels(rule: Rule, settings: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert channels_for(rule, frozenset(), a_config(**settings)) == expected


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        pytest.param({"rules": frozenset({"nato", "fms"})}, True, id="the rule's name"),
        pytest.param({"rules": frozenset({"fms"})}, False, id="another rule's name"),
        pytest.param({"rule_tags": frozenset({"arms", "aid"})}, True, id="one of the rule's tags"),
        pytest.param({"rule_tags": frozenset({"aid"})}, False, id="no tag of the rule"),
        pytest.param({"feed_tags": frozenset({"press"})}, True, id="one of the feed's tags"),
        pytest.param({"feed_tags": frozenset({"arms"})}, False, id="rule tags are not feed tags"),
        pytest.param(
            {"rule_tags": frozenset({"arms"}), "feed_tags": frozenset({"official"})},
            False,
            id="all conditions must hold",
        ),
    ],
)
def test_conditions_of_a_route(conditions: dict[str, Any], fits: bool) -> None:
    config = a_config(routes=(route("desk", **conditions),), default_channels=("mail",))
    rule = a_rule("nato", tags=frozenset({"arms"}))

    chosen = channels_for(rule, frozenset({"press", "us"}), config)

    assert chosen == (("desk",) if fits else ("mail",))


def test_one_delivery_for_each_target_of_each_alert() -> None:
    fms, nato = a_rule("fms", channels=("mail",)), a_rule("nato", channels=("desk",))
    alerts = [an_alert(rule=fms), an_alert(rule=nato)]

    rows = deliveries(alerts, {"fms": fms, "nato": nato}, (), a_config(), NOW)

    assert [(row.alert_id, row.channel, row.target) for row in rows] == [
        (alerts[0].id, "mail", "mail/anna@example.org"),
        (alerts[0].id, "mail", "mail/ben@example.org"),
        (alerts[1].id, "desk", "desk"),
    ]
    assert {(row.kind, row.state, row.due_at) for row in rows} == {
        (DeliveryKind.FIRST, DeliveryState.QUEUED, NOW)
    }


def test_the_same_alert_makes_the_same_rows() -> None:
    rule = a_rule()
    first = deliveries([an_alert(rule=rule)], {rule.name: rule}, (), a_config(), NOW)
    later = deliveries(
        [an_alert(rule=rule)], {rule.name: rule}, (), a_config(), NOW + timedelta(hours=1)
    )
    assert [row.id for row in first] == [row.id for row in later]
    assert len({row.id for row in first}) == 4


def test_a_channel_whose_secret_is_missing_keeps_its_alerts_until_it_is_there() -> None:
    rule = a_rule(channels=("desk",))
    config = a_config(channels=(Channel(name="desk"),))

    [row] = deliveries([an_alert(rule=rule)], {rule.name: rule}, (), config, NOW)

    assert (row.channel, row.target) == ("desk", "desk")


def test_a_rule_that_names_a_channel_that_is_gone_loses_nothing() -> None:
    rule = a_rule(channels=("gone", "desk"))

    rows = deliveries([an_alert(rule=rule)], {rule.name: rule}, (), a_config(), NOW)

    assert [(row.channel, row.target) for row in rows] == [("gone", "gone"), ("desk", "desk")]


# --- operator alerts


def told(alert: Any, **settings: Any) -> list[str]:
    rows = deliveries([alert], {}, (), a_config(**settings), NOW)
    assert all(row.kind is DeliveryKind.NOTICE for row in rows)
    return [row.target for row in rows]


def dead(name: str, scope: Scope = Scope.CHANNEL) -> Any:
    channel = name.partition("/")[0]
    refused = Refused(detail="it answers 404", retryable=False, scope=scope)
    return channel_stopped(refused, ChannelState(channel=channel, target=name), NOW)


ANNA, BEN = "mail/anna@example.org", "mail/ben@example.org"


@pytest.mark.parametrize(
    ("alert", "reports_to", "expected"),
    [
        pytest.param(an_operator_alert(), ("desk",), ["desk"], id="monitor_reports_to"),
        pytest.param(an_operator_alert(), (), ["desk", ANNA, BEN, "night"], id="else everybody"),
        pytest.param(dead("desk"), ("desk", "night"), ["night"], id="dead: the other operators"),
        pytest.param(dead("desk"), ("desk",), [ANNA, BEN, "night"], id="dead: else all others"),
        pytest.param(dead("desk"), (), [ANNA, BEN, "night"], id="dead: all others"),
        pytest.param(
            dead(ANNA, Scope.TARGET),
            ("mail",),
            [BEN],
            id="dead recipient: the others of its channel",
        ),
        pytest.param(dead(ANNA), ("mail",), ["desk", "night"], id="dead mail server: not by mail"),
    ],
)
def test_who_hears_of_the_monitor(
    alert: Any, reports_to: tuple[str, ...], expected: list[str]
) -> None:
    assert told(alert, monitor_reports_to=reports_to) == expected


def test_the_only_channel_is_not_told_of_its_own_death() -> None:
    assert told(dead("desk"), channels=(DESK,)) == []


def test_a_failing_target_with_colons_in_its_name_is_not_told_either() -> None:
    odd = Channel(name="a:b", targets=(Target(name="a:b", url="json://z"),), kind="json")
    state = ChannelState(
        channel="a:b", target="a:b", failures=9, failing_since=NOW - timedelta(hours=1)
    )
    assert told(channel_failing(state, NOW), channels=(odd, DESK)) == ["desk"]


def test_an_operator_alert_about_something_else_avoids_nobody() -> None:
    alert = ids.operator_alert("feed-broken:desk", "1", title="t", text="x", now=NOW)
    assert told(alert, monitor_reports_to=("desk",)) == ["desk"]


@pytest.mark.parametrize(
    ("owner", "told"),
    [
        pytest.param("mail", {"mail/anna@example.org", "mail/ben@example.org"}, id="a channel"),
        pytest.param("ben@example.org", {"mail/ben@example.org"}, id="a recipient"),
        pytest.param("mail/ben@example.org", {"mail/ben@example.org"}, id="and its channel"),
        pytest.param("anna", {"night"}, id="a person: the operators"),
        pytest.param("", {"night"}, id="nobody: the operators"),
    ],
)
def test_an_owner_is_told_or_the_operators(owner: str, told: set[str]) -> None:
    config = a_config(monitor_reports_to=("night",))
    rows = owner_notices(owner, an_operator_alert(), config, NOW)
    assert {row.target for row in rows} == told
    assert {row.kind for row in rows} == {DeliveryKind.NOTICE}


def test_an_owner_whose_secret_cannot_be_read_is_told_elsewhere() -> None:
    broken = Channel(name="broken", kind="json")
    rows = owner_notices("broken", an_operator_alert(), a_config(channels=(broken, DESK)), NOW)
    assert "desk" in {row.target for row in rows}
