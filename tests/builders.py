"""Valid values, so that a test names only what matters to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from monitor import ids
from monitor.model import (
    Alert,
    AlertKind,
    Delivery,
    Entry,
    Feed,
    Message,
    Outcome,
    Placement,
    RawEntry,
    Rule,
    Severity,
    Silence,
    Story,
    Subscription,
    Told,
    Update,
    UpdateReason,
)
from monitor.settings import FeedSettings

NOW = datetime(2025, 2, 13, 10, 0, tzinfo=UTC)


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def a_feed(**changes: Any) -> Feed:
    url = changes.pop("url", "https://feeds.example.org/defence.xml")
    values: dict[str, Any] = {
        "id": ids.feed_id(url),
        "url": url,
        "name": "Example Defence",
        "added_at": NOW - timedelta(days=1),
        "next_poll_at": NOW,
    }
    return Feed(**(values | changes))


def feed_settings(**changes: Any) -> FeedSettings:
    values: dict[str, Any] = {
        "url": "https://feeds.example.org/defence.xml",
        "name": "Example Defence",
    }
    return FeedSettings(**(values | changes))


def a_subscription(**changes: Any) -> Subscription:
    feed = changes.pop("feed", None) or a_feed()
    values: dict[str, Any] = {
        "feed_id": feed.id,
        "hub": "https://hub.example.org/",
        "topic": feed.url,
        "due_at": NOW,
        "feed_url": feed.url,
    }
    return Subscription(**(values | changes))


def raw_entry(**changes: Any) -> RawEntry:
    values: dict[str, Any] = {
        "guid": "tag:example.org,2025:1",
        "link": "https://www.example.org/news/1",
        "title": "Ministers meet at NATO headquarters",
        "summary": "Allies discussed aid for Ukraine.",
        "published_at": NOW - timedelta(minutes=5),
    }
    return RawEntry(**(values | changes))


def an_entry(title: str = "Ministers meet at NATO headquarters", **changes: Any) -> Entry:
    feed = changes.pop("feed", None) or a_feed()
    key = changes.pop("key", f"g:{title}")
    values: dict[str, Any] = {
        "id": ids.entry_id(feed.id, key),
        "feed_id": feed.id,
        "feed_name": feed.name,
        "feed_tags": feed.tags,
        "keys": (key,),
        "url": "https://www.example.org/news/1",
        "title": title,
        "summary": "Allies discussed aid for Ukraine.",
        "language": "en",
        "published_at": NOW - timedelta(minutes=5),
        "first_seen_at": NOW,
        "fingerprint": ids.derive("fingerprint", title, changes.get("summary", "")),
    }
    return Entry(**(values | changes))


def a_rule(name: str = "nato", **changes: Any) -> Rule:
    return Rule(name=name, **changes)


def a_story(entry: Entry | None = None, **changes: Any) -> Story:
    entry = entry or an_entry()
    values: dict[str, Any] = {
        "id": entry.id,
        "title": entry.title,
        "opened_at": entry.first_seen_at,
        "last_entry_at": entry.first_seen_at,
    }
    return Story(**(values | changes))


def an_alert(entry: Entry | None = None, rule: Rule | None = None, **changes: Any) -> Alert:
    entry, rule = entry or an_entry(), rule or a_rule()
    subject = ids.story_subject(entry.id, rule.name)
    values: dict[str, Any] = {
        "id": ids.alert_id(subject),
        "kind": AlertKind.STORY,
        "subject": subject,
        "severity": rule.severity,
        "title": entry.title,
        "created_at": NOW,
        "story_id": entry.id,
        "entry_id": entry.id,
        "rule_name": rule.name,
        "url": entry.url,
        "outlet": entry.feed_name,
        "published_at": entry.published_at,
        "terms": ("NATO",),
    }
    return Alert(**(values | changes))


def an_operator_alert(condition: str = "feed-broken:abc", **changes: Any) -> Alert:
    values: dict[str, Any] = {
        "title": "No news from Example Defence",
        "text": "It answers 404.",
        "now": NOW,
        "severity": Severity.HIGH,
    }
    return ids.operator_alert(condition, "1", **(values | changes))


def a_delivery(alert: Alert | None = None, **changes: Any) -> Delivery:
    alert = alert or an_alert()
    target = changes.get("target", "desk")
    values: dict[str, Any] = {
        "id": ids.delivery_id(alert.id, target, "first", 0),
        "alert_id": alert.id,
        "channel": target.partition("/")[0],
        "target": target,
        "due_at": NOW,
        "created_at": NOW,
    }
    return Delivery(**(values | changes))


def an_update(**changes: Any) -> Update:
    values: dict[str, Any] = {
        "number": 1,
        "story_id": "story",
        "reason": UpdateReason.OFFICIAL,
        "entry_id": "entry",
        "created_at": NOW,
        "title": "Statement of the ministry",
        "url": "https://ministry.example/1",
        "outlet": "Ministry",
    }
    return Update(**(values | changes))


def a_silence(**changes: Any) -> Silence:
    values: dict[str, Any] = {
        "id": "5171e0ce00000001",
        "created_at": NOW,
        "ends_at": NOW + timedelta(hours=4),
        "reason": "too noisy",
        "owner": "anna",
    }
    return Silence(**(values | changes))


def a_message(**changes: Any) -> Message:
    delivery = changes.pop("delivery", None) or a_delivery()
    values: dict[str, Any] = {
        "id": ids.derive("message", delivery.id),
        "channel": delivery.channel,
        "target": delivery.target,
        "subject": "[NORMAL] Example Defence: Ministers meet at NATO headquarters",
        "text": "Ministers meet at NATO headquarters\nExample Defence, 13 Feb 2025 11:00 CET",
        "alert_ids": (delivery.alert_id,),
        "delivery_ids": (delivery.id,),
        "created_at": NOW,
    }
    return Message(**(values | changes))


def an_outcome(*entries: Entry, feed: Feed | None = None, **changes: Any) -> Outcome:
    """A poll that brought *entries*, each founding its own story."""
    return Outcome(
        feed=feed or a_feed(),
        entries=entries,
        stories=tuple(a_story(entry) for entry in entries),
        placements=tuple(a_placement(entry) for entry in entries),
        **changes,
    )


def a_placement(entry: Entry, story_id: str = "", **changes: Any) -> Placement:
    """*entry* in its own story, or in that of *story_id*."""
    told = Told(
        entry_id=entry.id,
        story_id=story_id or entry.id,
        feed_id=entry.feed_id,
        outlet=changes.pop("outlet", entry.feed_name),
        seen_at=entry.first_seen_at,
        features=b"",
        sketch=(),
        copy_of=changes.pop("copy_of", ""),
    )
    return Placement(told=told, **changes)
