"""Subscriptions in the database, and feeds that become due before their time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.model import FailureReason, Feed, HubState, Offer, Outcome
from monitor.store.sqlite import SqliteStore
from tests.builders import NOW, feed_settings, minutes

OFFER = Offer(hub="https://hub.example.org/", topic="https://feeds.example.org/defence.xml")
SHORTEST = minutes(2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore.open(str(tmp_path / "monitor.db"))
    store.sync_feeds([feed_settings()], NOW)
    yield store
    store.close()


def polled(store: SqliteStore, offer: Offer | None, now: datetime = NOW, **changes) -> Feed:
    """A visit that brought *offer*; the feed is due an hour later."""
    (feed,) = store.claim_due(0, 10, now, minutes(10))
    after = replace(feed, polled_at=now, next_poll_at=now + minutes(60), **changes)
    assert store.commit([Outcome(feed=after, offer=offer)]) == [True]
    return after


def test_what_a_document_names_is_to_be_asked_at_once(store):
    polled(store, OFFER)
    (each,) = store.subscriptions()
    assert (each.hub, each.topic) == (OFFER.hub, OFFER.topic)
    assert (each.state, each.due_at, each.callback) == (HubState.APART, NOW, "")
    assert (each.feed_url, each.watched) == ("https://feeds.example.org/defence.xml", True)
    assert store.subscription(each.feed_id) == each
    assert store.subscription("another") is None


@pytest.mark.parametrize(
    ("offer", "left"),
    [
        pytest.param(OFFER, 1, id="the same hub: all stays"),
        pytest.param(None, 1, id="no document, or half of one: all stays"),
        pytest.param(Offer(), 0, id="no hub any more"),
        pytest.param(replace(OFFER, hub="https://new.example/"), 0, id="another hub: asked anew"),
        pytest.param(replace(OFFER, topic="https://new.example/"), 0, id="another topic"),
    ],
)
def test_a_subscription_lasts_as_long_as_its_offer(store, offer, left):
    polled(store, OFFER)
    (each,) = store.subscriptions()
    held = replace(
        each,
        callback="https://desk.example.org/t",
        secret="s",
        state=HubState.JOINED,
        due_at=NOW + minutes(5),
        until=NOW + timedelta(days=1),
        failures=2,
        detail="d",
        pushed_at=NOW,
        ignored=3,
    )
    store.save_subscription(held)
    assert store.subscriptions() == [held]
    polled(store, offer, NOW + minutes(60))
    assert [each for each in store.subscriptions() if each.callback] == [held] * left
    store.save_subscription(held)  # a hub that answers late does not bring the old one back
    assert len([each for each in store.subscriptions() if each.callback]) == left


def test_a_feed_that_left_the_configuration_is_not_watched(store):
    polled(store, OFFER)
    store.sync_feeds([], NOW)
    assert [each.watched for each in store.subscriptions()] == [False]


@pytest.mark.parametrize(
    ("now", "due"),
    [
        pytest.param(NOW + minutes(30), NOW + minutes(30), id="now"),
        pytest.param(NOW + minutes(0.5), NOW + SHORTEST, id="not too soon after the last poll"),
        pytest.param(NOW + minutes(90), NOW + minutes(60), id="it is due anyhow"),
    ],
)
def test_a_hint_makes_a_feed_due(store, now, due):
    feed = polled(store, OFFER)
    for _ in range(3):
        assert store.poll_soon({feed.id: SHORTEST}, now) == set()
    assert store.next_poll_at(0) == due


def test_a_feed_being_visited_is_to_be_visited_again(store):
    polled(store, OFFER)
    (feed,) = store.claim_due(0, 10, NOW + minutes(60), minutes(10))
    assert store.poll_soon({feed.id: SHORTEST, "unknown": SHORTEST}, NOW) == {feed.id}


@pytest.mark.parametrize(
    ("reason", "hurries"), [(FailureReason.THROTTLED, False), (FailureReason.TIMEOUT, True)]
)
def test_a_feed_that_asked_for_patience_gets_it(store, reason, hurries):
    feed = polled(store, OFFER, failure=reason, failures=1)
    assert store.poll_soon({feed.id: SHORTEST}, NOW + minutes(30)) == set()
    assert (store.next_poll_at(0) == NOW + minutes(30)) is hurries


def test_a_paused_feed_is_left_alone(store):
    feed = polled(store, OFFER)
    store.sync_feeds([], NOW)
    assert store.poll_soon({feed.id: SHORTEST}, NOW) == set()
