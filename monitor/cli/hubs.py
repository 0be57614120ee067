"""How a feed stands with its WebSub hub, for ``feeds show``."""

from __future__ import annotations

from datetime import datetime

from monitor.cli.reading import local
from monitor.model import HubState, Subscription
from monitor.settings import Config
from monitor.terminal import age, counted


def stands(each: Subscription | None, settings: Config, now: datetime) -> str:
    """One line; "" where nobody has asked for WebSub and the feed does not offer it."""
    if settings.websub is None:
        return f"offered by {each.hub}, not used: config.toml has no [websub]" if each else ""
    if each is None:
        return "not subscribed: the feed names no hub"
    return "; ".join([_state(each, settings, now), *_pushes(each, now)])


def _state(each: Subscription, settings: Config, now: datetime) -> str:
    if each.state is HubState.LEAVING:
        return f"leaving {each.hub}"
    if each.until is not None and each.until > now:
        held = f"subscribed until {local(each.until, settings)}, by hub {each.hub}"
        failed = f"; renewing failed: {each.detail}" if each.detail else ""
        return held + failed
    if each.state is HubState.JOINING:
        return f"asked {each.hub}, which has not asked back yet"
    if each.detail:
        again = local(each.due_at, settings)
        return f"not subscribed: {each.detail} ({each.hub}); next try {again}; polled as usual"
    return f"not subscribed yet; the running monitor will ask {each.hub}"


def _pushes(each: Subscription, now: datetime) -> list[str]:
    said = [f"last push {age(each.pushed_at, now)}"] if each.pushed_at else []
    if each.ignored:
        said.append(f"{counted(each.ignored, 'push', 'pushes')} without a good signature ignored")
    return said
