"""The hub loop with a real hub, door and database: subscribe, renew, leave, and be hurried."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from monitor.errors import StoreBusy
from monitor.events import Event, Trouble
from monitor.feeds.hubs import Hubs
from monitor.model import HubState, Offer, Outcome, Subscription
from monitor.pipeline.articles import page_settings
from monitor.pipeline.in_force import InForce
from monitor.pipeline.shared import Shared
from monitor.pipeline.websub import BUSY, EVERY, WebSub
from monitor.rules.load import load
from monitor.settings import PollSettings, WebSubSettings
from monitor.store import Store
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from tests.builders import NOW, feed_settings, minutes
from tests.hubs import Hub, a_hub, free_port, request
from tests.replay import Clock, config_of

FEED = feed_settings(url="http://127.0.0.1:9/feed")
POLL = PollSettings(allow_private=(ip_network("127.0.0.0/8"),))


class Loop:
    """The loop with a feed whose document named *hub*; it was polled at NOW."""

    def __init__(self, folder: Path, hub: Hub) -> None:
        self.hub, self.clock = hub, Clock()
        self.events: list[Event] = []
        self.hinted = 0
        port = free_port()
        self.door = WebSubSettings(
            callback=f"http://127.0.0.1:{port}/websub", host="127.0.0.1", port=port
        )
        config = replace(config_of(folder), feeds=(FEED,), poll=POLL, websub=self.door)
        self.store = Writer(lambda: SqliteStore.open(config.database))
        self.shared = Shared(
            in_force=InForce(config=config, rules=load({})),
            store=self.store,
            report=self.events.append,
            clock=self.clock,
            hinted=self.count,
        )
        self.websub = self.made()

    def made(self) -> WebSub:
        return WebSub(self.shared, hubs=Hubs(page_settings(POLL)))

    def count(self) -> None:
        self.hinted += 1

    def wants(self, websub: WebSubSettings | None) -> None:
        config = self.shared.in_force.config
        self.shared.in_force.config = replace(config, websub=websub)

    async def polled(self) -> None:
        def poll(store: Store) -> None:
            store.sync_feeds([FEED], NOW)
            (feed,) = store.claim_due(0, 1, NOW, minutes(10))
            feed = replace(feed, polled_at=NOW, next_poll_at=NOW + minutes(60))
            store.commit([Outcome(feed=feed, offer=Offer(hub=self.hub.url, topic=FEED.url))])

        await self.store.call(poll)

    async def kept(self) -> Subscription:
        (each,) = await self.store.call(lambda store: store.subscriptions())
        return each

    async def until(self, true: Callable[[Subscription], object]) -> Subscription:
        """The subscription once it is as it should be; the loop ticks meanwhile."""
        async with asyncio.timeout(10):
            while not true(each := await self.kept()):
                await self.websub.tick()
                await asyncio.sleep(0.01)
        return each

    async def joined(self) -> Subscription:
        return await self.until(lambda each: each.state is HubState.JOINED)

    async def due(self) -> object:
        return await self.store.call(lambda store: store.next_poll_at(0))


@asynccontextmanager
async def a_loop(folder: Path) -> AsyncIterator[Loop]:
    async with a_hub() as hub:
        loop = Loop(folder, hub)
        await loop.polled()
        try:
            yield loop
        finally:
            await loop.websub.aclose()
            await loop.store.aclose()


async def test_a_hub_that_is_named_is_asked_and_answered(tmp_path):
    async with a_loop(tmp_path) as loop:
        each = await loop.joined()
        assert each.until == NOW + timedelta(days=10)
        (form,) = loop.hub.asked
        assert form["hub.callback"] == each.callback
        assert form["hub.topic"] == FEED.url
        assert len(form["hub.secret"]) == 64
        assert len(each.callback.rpartition("/")[2]) == 22  # 128 bit
        await loop.until(lambda _: loop.hub.heard)
        (said,) = loop.hub.heard
        assert (said.status, said.body) == (200, b"b93e0f7c")


async def test_it_is_renewed_before_the_lease_ends_and_not_earlier(tmp_path):
    async with a_loop(tmp_path) as loop:
        first = await loop.joined()
        loop.clock.now = NOW + timedelta(days=6)
        await loop.websub.tick()
        assert len(loop.hub.asked) == 1
        loop.clock.now = NOW + timedelta(days=8)
        second = await loop.until(lambda each: each.until != first.until)
        assert second.until == NOW + timedelta(days=18)
        assert (second.callback, second.secret) == (first.callback, first.secret)


async def test_a_push_makes_the_feed_due_but_not_too_soon(tmp_path):
    async with a_loop(tmp_path) as loop:
        await loop.joined()
        loop.clock.now = NOW + minutes(0.5)
        assert (await loop.hub.push()).status == 202
        await loop.websub.tick()
        assert await loop.due() == NOW + POLL.min_interval
        assert loop.hinted == 1
        assert (await loop.kept()).pushed_at == loop.clock.now


async def test_a_thousand_pushes_are_one_poll(tmp_path):
    async with a_loop(tmp_path) as loop:
        await loop.joined()
        loop.clock.now = NOW + minutes(30)
        for _ in range(20):
            said = await asyncio.gather(*(loop.hub.push() for _ in range(50)))
            assert {each.status for each in said} <= {202, 503}
        await loop.websub.tick()
        assert await loop.due() == NOW + minutes(30)
        (feed,) = await loop.store.call(lambda s: s.claim_due(0, 9, loop.clock.now, minutes(10)))
        after = replace(feed, polled_at=loop.clock.now, next_poll_at=NOW + minutes(90))
        await loop.store.commit(Outcome(feed=after))
        for _ in range(3):
            await loop.hub.push()
        await loop.websub.tick()
        assert await loop.due() == NOW + minutes(30) + POLL.min_interval


async def test_a_push_during_a_visit_is_followed_by_another(tmp_path):
    async with a_loop(tmp_path) as loop:
        await loop.joined()
        loop.clock.now = now = NOW + minutes(60)
        (feed,) = await loop.store.call(lambda store: store.claim_due(0, 9, now, minutes(10)))
        await loop.hub.push()
        assert await loop.websub.tick() == BUSY
        after = replace(feed, polled_at=now, next_poll_at=now + minutes(60))
        await loop.store.commit(Outcome(feed=after))
        assert await loop.websub.tick() == EVERY
        assert await loop.due() == now + POLL.min_interval


async def test_a_push_by_somebody_else_changes_nothing_but_a_count(tmp_path):
    async with a_loop(tmp_path) as loop:
        each = await loop.joined()
        for _ in range(3):
            assert (await loop.hub.push(secret="guessed")).status == 202
        assert (await request("POST", each.callback + "x", b"<rss/>")).status == 404
        await loop.websub.tick()
        assert await loop.due() == NOW + minutes(60)
        assert ((await loop.kept()).ignored, loop.hinted) == (3, 0)


async def test_questions_nobody_asked_for_change_nothing(tmp_path):
    async with a_loop(tmp_path) as loop:
        each = await loop.joined()
        for changes in ({}, {"mode": "unsubscribe"}, {"topic": "https://evil.example/"}):
            assert (await loop.hub.ask_back(**changes)).status == 404
        assert await loop.kept() == each


async def test_a_hub_that_denies_later_is_believed(tmp_path):
    async with a_loop(tmp_path) as loop:
        await loop.joined()
        assert (await loop.hub.ask_back(mode="denied", reason="closed")).status == 200
        each = await loop.kept()
        assert (each.until, each.detail) == (None, "the hub refuses: closed")


async def test_a_hub_that_is_down_is_tried_again_later(tmp_path):
    async with a_loop(tmp_path) as loop:
        loop.hub.answers, loop.hub.asks_back = 500, False
        each = await loop.until(lambda each: each.failures)
        assert (each.state, each.detail) == (HubState.APART, "the hub answers HTTP 500")
        await loop.websub.tick()
        assert len(loop.hub.asked) == 1
        assert await loop.due() == NOW + minutes(60)
        loop.hub.answers, loop.hub.asks_back = 202, True
        loop.clock.now = NOW + minutes(11)
        assert (await loop.joined()).failures == 0


async def test_a_hub_that_does_not_ask_back_is_tried_again_later(tmp_path):
    async with a_loop(tmp_path) as loop:
        loop.hub.asks_back = False
        await loop.until(lambda each: loop.hub.asked)
        loop.clock.now = NOW + minutes(11)
        each = await loop.until(lambda each: each.failures)
        assert each.detail.startswith("the hub has not asked back")


@pytest.mark.parametrize(
    ("to", "detail"),
    [
        ("http://evil.example/", "the hub sends us to no https address"),
        ("", "the hub sends us from one address to the next"),
    ],
)
async def test_a_hub_that_sends_us_away(tmp_path, to, detail):
    async with a_loop(tmp_path) as loop:
        loop.hub.answers, loop.hub.asks_back, loop.hub.location = 307, False, to or loop.hub.url
        assert (await loop.until(lambda each: each.failures)).detail == detail
        assert len(loop.hub.asked) == (1 if to else 4)


async def test_a_busy_database_does_not_keep_it_from_ending(tmp_path, monkeypatch):
    async with a_loop(tmp_path) as loop:
        each = await loop.joined()
        loop.websub.pushed(each, good=False)
        with monkeypatch.context() as busy:
            busy.setattr(loop.store, "call", _busy)
            await loop.websub.aclose()
        await loop.websub.aclose()  # what was noted is not lost by that
        stored = await loop.store.call(lambda store: store.subscription(each.feed_id))
        assert stored.ignored == 1


async def _busy(_: object) -> None:
    raise StoreBusy("locked")


async def test_a_restart_goes_on_where_it_was(tmp_path):
    async with a_loop(tmp_path) as loop:
        before = await loop.joined()
        await loop.websub.aclose()
        loop.websub = loop.made()
        await loop.websub.tick()
        assert len(loop.hub.asked) == 1
        loop.clock.now = NOW + minutes(30)
        assert (await loop.hub.push()).status == 202
        await loop.websub.tick()
        assert await loop.due() == NOW + minutes(30)
        assert (await loop.kept()).callback == before.callback


async def test_a_feed_that_goes_leaves_its_hub(tmp_path):
    async with a_loop(tmp_path) as loop:
        await loop.joined()
        await loop.store.call(lambda store: store.sync_feeds([], NOW))
        each = await loop.until(lambda each: not each.callback)
        assert loop.hub.asked[-1]["hub.mode"] == "unsubscribe"
        assert (each.secret, each.until) == ("", None)
        assert loop.hub.heard[-1].status == 200


async def test_without_websub_hubs_are_left_and_the_door_is_shut(tmp_path):
    async with a_loop(tmp_path) as loop:
        each = await loop.joined()
        loop.wants(None)
        await loop.until(lambda each: not each.callback)
        await loop.websub.tick()
        assert loop.hub.asked[-1]["hub.mode"] == "unsubscribe"
        with pytest.raises(OSError, match=r"refused|failed"):
            await request("GET", each.callback)
        loop.wants(loop.door)
        assert (await loop.joined()).callback != each.callback


async def test_a_start_without_websub_opens_nothing_and_asks_nobody(tmp_path):
    async with a_loop(tmp_path) as loop:
        await loop.joined()
        await loop.websub.aclose()
        loop.wants(None)
        loop.websub = loop.made()
        await loop.websub.tick()
        assert (await loop.kept()).callback == ""
        assert len(loop.hub.asked) == 1


async def test_a_new_public_address_is_told_to_the_hub(tmp_path):
    async with a_loop(tmp_path) as loop:
        before = await loop.joined()
        loop.wants(replace(loop.door, callback=f"http://127.0.0.1:{loop.door.port}/other"))
        await loop.until(lambda each: "/other/" in each.callback)
        after = await loop.joined()
        assert after.secret != before.secret


async def test_a_port_that_is_taken_is_told_once_and_tried_again(tmp_path):
    async with a_loop(tmp_path) as loop:
        taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", loop.door.port)
        for _ in range(3):
            await loop.websub.tick()
        (trouble,) = loop.events
        assert isinstance(trouble, Trouble)
        assert "in use; feeds are polled as usual" in trouble.detail
        assert loop.hub.asked == []
        taken.close()
        await taken.wait_closed()
        await loop.joined()


async def test_callback_and_secret_are_in_no_log(tmp_path, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    async with a_loop(tmp_path) as loop:
        each = await loop.joined()
        await loop.hub.push()
        await loop.hub.push(secret="guessed")
        await request("GET", each.callback + "x")
        assert each.secret not in repr(each)
        printed = capsys.readouterr()
        logged = caplog.text + printed.out + printed.err
        assert "hub" in logged
        assert each.secret not in logged
        assert each.callback.rpartition("/")[2] not in logged
