"""Later messages of a story are answers to its first, over joins, retries and a busy store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.alerts import send as sending
from monitor.alerts import slackbot
from monitor.alerts.send import Sender
from monitor.errors import StoreBusy
from monitor.model import (
    Accepted,
    Correction,
    DeliveryKind,
    Finished,
    Refused,
    SendResult,
    Update,
    UpdateReason,
)
from monitor.pipeline.deliver import Deliverer
from monitor.pipeline.in_force import InForce
from monitor.pipeline.shared import Shared
from monitor.rules.load import load
from monitor.settings import Channel, Target
from monitor.store import Store
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from tests.builders import (
    NOW,
    a_delivery,
    a_message,
    a_story,
    an_alert,
    an_entry,
    an_outcome,
    feed_settings,
    minutes,
)
from tests.replay import Clock, config_of
from tests.sinks import http_sink

OLD, NEW = an_entry("Old"), an_entry("New")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore.open(str(tmp_path / "monitor.db"))
    opened.sync_feeds([feed_settings()], NOW)
    feed = opened.feeds()[0]
    opened.commit([an_outcome(*(replace(each, feed_id=feed.id) for each in (OLD, NEW)), feed=feed)])
    yield opened
    opened.close()


def finished(result: SendResult | None, story_id: str = OLD.id) -> Finished:
    row = a_delivery(an_alert(OLD))
    return Finished(deliveries=(row,), result=result, at=NOW, story_id=story_id)


def join(store: SqliteStore) -> None:
    """NEW becomes part of OLD."""
    store.correct(
        Correction(
            what="join",
            at=NOW,
            expects={OLD.id: 1, NEW.id: 1},
            stories=(replace(a_story(OLD), entries=2),),
            retired={NEW.id: OLD.id},
            moved=((NEW.id, OLD.id),),
        )
    )


def test_the_first_accepted_message_begins_the_thread(store: SqliteStore) -> None:
    assert store.thread("desk", "desk", OLD.id) == ""
    store.finish([finished(Accepted(thread="1.5"))])
    assert store.thread("desk", "desk", OLD.id) == "1.5"
    assert store.thread("desk", "other", OLD.id) == ""
    assert store.thread("desk", "desk", NEW.id) == ""


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(finished(None), id="not tried"),
        pytest.param(finished(Refused(detail="x")), id="refused"),
        pytest.param(finished(Accepted()), id="a channel without threads"),
        pytest.param(finished(Accepted(thread="1.5"), story_id=""), id="a digest"),
    ],
)
def test_what_begins_no_thread(store: SqliteStore, nothing: Finished) -> None:
    store.finish([nothing])
    assert store.thread("desk", "desk", OLD.id) == ""


def test_a_thread_that_had_to_be_begun_anew_is_gone_on_with(store: SqliteStore) -> None:
    for thread in ("1.5", "2.5"):
        store.finish([finished(Accepted(thread=thread))])
    assert store.thread("desk", "desk", OLD.id) == "2.5"


def test_a_joined_story_is_answered_where_the_other_one_was_told(store: SqliteStore) -> None:
    store.finish([finished(Accepted(thread="1.5"))])
    join(store)
    assert store.thread("desk", "desk", NEW.id) == "1.5"


def test_a_thread_goes_along_with_its_story(store: SqliteStore) -> None:
    store.finish([finished(Accepted(thread="2.5"), story_id=NEW.id)])
    join(store)
    assert store.thread("desk", "desk", OLD.id) == "2.5"
    assert store.thread("desk", "desk", NEW.id) == "2.5"


def test_of_two_threads_that_of_the_standing_story_is_gone_on_with(store: SqliteStore) -> None:
    store.finish([finished(Accepted(thread="1.5")), finished(Accepted(thread="2.5"), NEW.id)])
    join(store)
    assert store.thread("desk", "desk", NEW.id) == "1.5"


def test_what_was_sent_before_a_join_and_recorded_after_it(store: SqliteStore) -> None:
    join(store)
    store.finish([finished(Accepted(thread="2.5"), story_id=NEW.id)])
    assert store.thread("desk", "desk", OLD.id) == "2.5"


# --- the whole way: store, deliver loop, a loopback Slack


async def test_an_update_is_posted_as_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sending.GAPS, slackbot.KIND, timedelta(0))
    answers = [b'{"ok":true,"ts":"1739440800.000100"}', b'{"ok":true,"ts":"1739440900.000200"}']
    clock, sender = Clock(), Sender(terminal=print)
    async with http_sink(answers=answers) as sink:
        target = Target(name="desk", url=sink.bot_url())
        desk = Channel(name="desk", targets=(target,), kind=slackbot.KIND)
        config = replace(config_of(tmp_path), channels=(desk,))
        writer = Writer(lambda: SqliteStore.open(config.database))
        shared = Shared(
            in_force=InForce(config=config, rules=load({})),
            store=writer,
            clock=clock,
            report=lambda _: None,
        )
        deliverer = Deliverer(shared, sender=sender)
        await writer.call(_first)
        assert await deliverer.round() == 1
        clock.advance(minutes(5))
        await writer.call(_update)
        assert await deliverer.round() == 1
        first, second = (posted.json for posted in sink.posted)
    await writer.aclose()
    await sender.aclose()
    assert "thread_ts" not in first
    assert (second["thread_ts"], second["reply_broadcast"]) == ("1739440800.000100", False)
    assert "Now from Pentagon" in json.dumps(second["blocks"])


def _first(store: Store) -> None:
    store.sync_feeds([feed_settings()], NOW)
    feed = store.feeds()[0]
    entry = replace(OLD, feed_id=feed.id)
    alert = an_alert(entry)
    store.commit([an_outcome(entry, feed=feed, alerts=(alert,), deliveries=(a_delivery(alert),))])


def _update(store: Store) -> None:
    alert = an_alert(OLD)
    update = Update(
        number=3,
        story_id=OLD.id,
        reason=UpdateReason.OFFICIAL,
        entry_id=OLD.id,
        created_at=NOW,
        title="Statement",
        url="https://war.example/1",
        outlet="Pentagon",
    )
    row = replace(a_delivery(alert), id="d" * 16, kind=DeliveryKind.UPDATE, sequence=3)
    store.commit([an_outcome(feed=store.feeds()[0], updates=(update,), deliveries=(row,))])


async def test_a_busy_store_delays_no_message(tmp_path: Path) -> None:
    class Busy:
        async def call(self, _: object) -> object:
            raise StoreBusy("locked")

    shared = Shared(
        in_force=InForce(config=config_of(tmp_path), rules=load({})),
        store=Busy(),  # type: ignore[arg-type]
        clock=Clock(),
        report=lambda _: None,
    )
    deliverer = Deliverer(shared, sender=Sender(terminal=print))
    assert await deliverer._thread(a_message(story_id=OLD.id)) == ""
