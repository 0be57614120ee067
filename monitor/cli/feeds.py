"""``feeds list``: what is watched, and how it fares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from monitor.cli.options import config_option, json_option
from monitor.cli.reading import looked_up, reading, without_login
from monitor.feeds import condition
from monitor.feeds.condition import State
from monitor.model import Feed
from monitor.settings import FeedSettings
from monitor.terminal import age, print_json, print_table


@click.group()
@config_option
def feeds() -> None:
    """What is watched, and how it fares."""


@feeds.command("list")
@config_option
@json_option
def list_feeds(as_json: bool) -> None:
    """List the feeds of the configuration, with their last success."""
    settings = looked_up()
    with reading(settings) as store:
        stored = {feed.url: feed for feed in store.feeds()}
    now = datetime.now(UTC)
    if as_json:
        print_json([_as_json(feed, stored.get(feed.url), now) for feed in settings.feeds])
        return
    print_table(
        ("feed", "last success", "state", "tags"),
        [
            (
                feed.name,
                _last_success(stored.get(feed.url), now),
                state(feed, stored.get(feed.url), now),
                ", ".join(sorted(feed.tags)),
            )
            for feed in settings.feeds
        ],
    )


def state(chosen: FeedSettings, feed: Feed | None, now: datetime) -> str:
    """How a feed fares, since when, why, and what to do."""
    if not chosen.enabled:
        return f"switched off: {chosen.reason}" if chosen.reason else "switched off"
    return str(State.NEW) if feed is None else condition.explain(feed, now)


def _last_success(feed: Feed | None, now: datetime) -> str:
    return age(feed.succeeded_at, now) if feed else "never"


def _as_json(chosen: FeedSettings, feed: Feed | None, now: datetime) -> dict[str, Any]:
    fares = condition.condition(feed) if feed else condition.Condition(state=State.NEW)
    return {
        "name": chosen.name,
        "url": without_login(chosen.url),
        "tags": sorted(chosen.tags),
        "enabled": chosen.enabled,
        "reason": chosen.reason,
        "id": feed.id if feed else None,
        "state": fares.state if chosen.enabled else "switched off",
        "since": fares.since,
        "told": state(chosen, feed, now),
        "moved_to": feed.moved_to if feed and condition.has_moved(feed) else None,
        "gap_from": feed.gap_from if feed else None,
        "gap_until": feed.gap_until if feed else None,
        "polled_at": feed.polled_at if feed else None,
        "succeeded_at": feed.succeeded_at if feed else None,
        "next_poll_at": feed.next_poll_at if feed else None,
        "failures": feed.failures if feed else 0,
        "failing_since": feed.failing_since if feed else None,
    }
