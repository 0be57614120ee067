"""Who is told: rule → channels → targets → deliveries.  Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from monitor import ids
from monitor.alerts.operator import dead_channel
from monitor.model import Alert, AlertKind, Delivery, DeliveryKind, Rule
from monitor.settings import Channel, Config, Route, Target


def channels_for(rule: Rule, feed_tags: Collection[str], config: Config) -> tuple[str, ...]:
    """The channels an alert of *rule* goes to, without repeats.

    What the rule names; else what the first fitting route names (and the next ones, as long as
    ``continue = true``); else ``default_channels``; else all channels.  An empty tuple is what
    somebody wished: ``channels = []`` tells nobody.
    """
    if rule.channels is not None:
        return _distinct(rule.channels)
    routed = _routed(rule, feed_tags, config.routes)
    if routed is not None:
        return routed
    if config.default_channels is not None:
        return _distinct(config.default_channels)
    return tuple(channel.name for channel in config.channels)


def deliveries(
    alerts: Sequence[Alert],
    rule_of: Mapping[str, Rule],
    feed_tags: Collection[str],
    config: Config,
    now: datetime,
) -> tuple[Delivery, ...]:
    """One delivery for each (alert, target), due at once.

    Operator alerts need neither *rule_of* nor *feed_tags*.
    """
    return tuple(
        _delivery(alert, channel, target, now)
        for alert in alerts
        for channel, target in _recipients(alert, rule_of, feed_tags, config)
    )


def notices(alert: Alert, channel: Channel, now: datetime) -> tuple[Delivery, ...]:
    """What the monitor says to one channel."""
    return tuple(_delivery(alert, channel.name, target.name, now) for target in channel.targets)


def owner_notices(owner: str, alert: Alert, config: Config, now: datetime) -> tuple[Delivery, ...]:
    """What the monitor says to the channel or recipient that *owner* names, else to operators."""
    named = [channel for channel in config.channels if channel.name == owner]
    rows = [row for channel in named for row in notices(alert, channel, now)]
    for channel in config.channels:
        for target in channel.targets:
            if not rows and owner in (target.name, recipient_of(target)):
                rows.append(_delivery(alert, channel.name, target.name, now))
    return tuple(rows) or deliveries([alert], {}, (), config, now)


def recipient_of(target: Target) -> str:
    """Its name without that of the channel: "anna@example.org"."""
    return target.name.rpartition("/")[2]


def owners(config: Config) -> tuple[str, ...]:
    """All that ``owner_notices`` knows by name."""
    targets = [target for channel in config.channels for target in channel.targets]
    names = [channel.name for channel in config.channels]
    return _distinct([*names, *map(recipient_of, targets), *(target.name for target in targets)])


def operator_channels(config: Config, *, dead: str = "") -> tuple[str, ...]:
    """Channels that hear of the monitor's own troubles; all others when those are the trouble.

    *dead* is the channel or target not to count on: it cannot be told of its own death.
    """
    alive = [channel.name for channel in config.channels if _alive(channel, dead)]
    chosen = _distinct(config.monitor_reports_to) or alive
    return tuple(name for name in chosen if name in alive) or tuple(alive)


def _alive(channel: Channel, dead: str) -> bool:
    """Whether somebody of *channel* is left without *dead*."""
    if channel.name == dead:
        return False
    return not channel.targets or any(target.name != dead for target in channel.targets)


def _recipients(
    alert: Alert, rule_of: Mapping[str, Rule], feed_tags: Collection[str], config: Config
) -> Iterator[tuple[str, str]]:
    """(channel name, target name) of everybody who gets *alert*."""
    dead = dead_channel(alert)
    if alert.kind is AlertKind.OPERATOR:
        names = operator_channels(config, dead=dead)
    else:
        names = channels_for(rule_of[alert.rule_name], feed_tags, config)
    targets_of = {channel.name: channel.targets for channel in config.channels}
    for name in names:
        # A channel that is gone, or whose secret could not be read, gets a row all the same: it
        # waits for the repair, and is reported in the end.
        targets = [target.name for target in targets_of.get(name, ())] or [name]
        yield from ((name, target) for target in targets if target != dead)


def _routed(
    rule: Rule, feed_tags: Collection[str], routes: Sequence[Route]
) -> tuple[str, ...] | None:
    """Channels of the first fitting route and those it continues to; None: no route fits."""
    fitting: list[Route] = []
    for route in routes:
        if _fits(route, rule, feed_tags):
            fitting.append(route)
            if not route.continue_:
                break
    if not fitting:
        return None
    return _distinct(name for route in fitting for name in route.channels)


def _fits(route: Route, rule: Rule, feed_tags: Collection[str]) -> bool:
    """Every condition that is written must hold; one of its values is enough."""
    return (
        (not route.severity or rule.severity in route.severity)
        and (not route.rules or rule.name in route.rules)
        and (not route.rule_tags or not route.rule_tags.isdisjoint(rule.tags))
        and (not route.feed_tags or not route.feed_tags.isdisjoint(feed_tags))
    )


def _delivery(alert: Alert, channel: str, target: str, now: datetime) -> Delivery:
    kind = DeliveryKind.NOTICE if alert.kind is AlertKind.OPERATOR else DeliveryKind.FIRST
    return Delivery(
        id=ids.delivery_id(alert.id, target, kind, 0),
        alert_id=alert.id,
        channel=channel,
        target=target,
        kind=kind,
        due_at=now,
        created_at=now,
    )


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
