"""What commands say of deliveries and silences."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from monitor.alerts.fate import fate
from monitor.model import Alert, AlertKind, Delivery, DeliveryKind, QueuedDelivery, Silence
from monitor.settings import Config
from monitor.store import Store


class Fates:
    """What became of deliveries, as the store has it at one moment."""

    def __init__(self, store: Store, settings: Config) -> None:
        self._timezone = settings.timezone
        self._now = datetime.now(UTC)
        self._states = {(each.channel, each.target): each for each in store.channel_states()}

    def of(self, delivery: Delivery) -> str:
        state = self._states.get((delivery.channel, delivery.target))
        return fate(delivery, state, self._timezone, self._now)


def title(listed: QueuedDelivery) -> str:
    update = listed.delivery.kind is DeliveryKind.UPDATE
    return f"Update: {listed.alert.title}" if update else listed.alert.title


def rule(listed: QueuedDelivery) -> str:
    return listed.alert.rule_name if listed.alert.kind is AlertKind.STORY else "(monitor)"


def nothing(name: str) -> str:
    return f'There is no delivery "{name}", or several begin so. `deliveries list` shows ids.'


def delivery_as_plain(listed: QueuedDelivery, fate: str) -> dict[str, Any]:
    """A delivery for JSON, with what its alert is about."""
    alert = listed.alert
    about = {"title": alert.title, "rule": alert.rule_name, "story_id": alert.story_id}
    return asdict(listed.delivery) | about | {"severity": alert.severity.label, "fate": fate}


def alert_as_plain(alert: Alert) -> dict[str, Any]:
    """An alert for JSON, with its severity as people write it."""
    return asdict(alert) | {"severity": alert.severity.label}


def silence_as_plain(silence: Silence) -> dict[str, Any]:
    """A silence for JSON, with severities as people write them."""
    return asdict(silence) | {"severities": [each.label for each in sorted(silence.severities)]}
