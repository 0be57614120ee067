"""How the monitor stands, as one read of its database finds it: what ``status`` shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.alerts.silence import in_force
from monitor.cli.said import silence_as_plain
from monitor.cli.watchers import Watchers, watchers_of
from monitor.feeds.article_extra import can_read_pages
from monitor.feeds.condition import State, condition
from monitor.model import ArticleState, ChannelState, DeliveryState, Feed, RuleSetRecord, Silence
from monitor.pipeline.noted import ALIVE, not_live_note
from monitor.settings import Config, FeedSettings
from monitor.store import Store
from monitor.store.care import LAST_NIGHT, Night
from monitor.terminal import age

ALIVE_FOR = timedelta(minutes=5)  # a running monitor writes every minute
WATCHED = ("rules", "config", "templates")  # files that are taken over while the monitor runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All of it at one time."""

    now: datetime
    settings: Config
    last_sign: datetime | None
    stored: Mapping[str, Feed]  # by URL
    channels: Sequence[ChannelState]
    queue: Mapping[str, int]  # deliveries, by state
    articles: Mapping[ArticleState, int]
    silences: Sequence[Silence]  # those in force
    rules: RuleSetRecord | None
    night: Night | None  # what the last night's work has found
    unindexed: int  # entries that cannot be searched yet
    not_live: Mapping[str, str]  # what is wrong with each of WATCHED, "" if nothing
    watchers: Watchers

    def feeds(self) -> Iterator[tuple[FeedSettings, Feed | None]]:
        """Those of the configuration, each with what is known of it."""
        return ((feed, self.stored.get(feed.url)) for feed in self.settings.feeds)

    @property
    def lives(self) -> bool:
        return lives(self.last_sign, self.now)

    def as_plain(self) -> dict[str, Any]:
        """For ``--json``."""
        counts = {state.value: self.articles.get(state, 0) for state in ArticleState}
        rules = self.rules
        return {
            "at": self.now,
            "feeds": [_feed(chosen.name, chosen.enabled, feed) for chosen, feed in self.feeds()],
            "channels": [_channel(each) for each in self.channels],
            "deliveries": {each.value: self.queue.get(each.value, 0) for each in DeliveryState},
            "rules": {"version": rules.version, "loaded_at": rules.loaded_at} if rules else None,
            "articles": {"installed": can_read_pages(), **counts},
            "watchers": self.watchers.as_plain(),
            "alive": self.lives,
            "last_sign_of_life": self.last_sign,
            "silences": [silence_as_plain(each) for each in self.silences],
            "not_live": self.not_live,
            "database": {
                "last_night": asdict(self.night) if self.night else None,
                "unsearchable": self.unindexed,
            },
        }


def standing(settings: Config, store: Store, now: datetime) -> Standing:
    return Standing(
        now=now,
        settings=settings,
        last_sign=last_sign(store),
        stored={feed.url: feed for feed in store.feeds(rhythms=False)},
        channels=store.channel_states(),
        queue=store.queue_lengths(),
        articles=store.count_articles(),
        silences=[each for each in store.silences() if in_force(each, now)],
        rules=store.last_rule_set(),
        night=Night.from_note(store.note(LAST_NIGHT)),
        unindexed=store.unindexed(),
        not_live={what: store.note(not_live_note(what)) or "" for what in WATCHED},
        watchers=watchers_of(settings, store),
    )


def last_sign(store: Store) -> datetime | None:
    """When a running monitor has written last."""
    note = store.note(ALIVE)
    return datetime.fromisoformat(note) if note else None


def lives(seen: datetime | None, now: datetime) -> bool:
    """Whether there is a monitor, by its last sign."""
    return seen is not None and now - seen < ALIVE_FOR


def life(seen: datetime | None, now: datetime) -> str:
    """The same in words."""
    if lives(seen, now):
        return f"alive, {age(seen, now)}"
    return f"no sign of life: {age(seen, now)}; it is not running, stuck, or cannot write"


def _feed(name: str, enabled: bool, feed: Feed | None) -> dict[str, Any]:
    return {
        "name": name,
        "enabled": enabled,
        "state": condition(feed).state if feed else State.NEW,
        "polled_at": feed.polled_at if feed else None,
        "succeeded_at": feed.succeeded_at if feed else None,
        "next_poll_at": feed.next_poll_at if feed else None,
        "failures": feed.failures if feed else 0,
        "failing_since": feed.failing_since if feed else None,
        "last_error": feed.failure_detail if feed else "",
    }


def _channel(each: ChannelState) -> dict[str, Any]:
    return {
        "channel": each.channel,
        "target": each.target,
        "accepted_at": each.accepted_at,
        "failures": each.failures,
        "failing_since": each.failing_since,
        "last_error": each.last_error,
        "stopped": each.stopped,
    }
