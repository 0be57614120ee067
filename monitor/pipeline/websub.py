"""The hub loop: subscribe, renew, leave, and turn pushes into earlier polls.

A hub that is down, or lies, changes nothing for its feed: it is polled at its own pace all along.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from monitor.errors import StoreBusy
from monitor.events import Trouble
from monitor.feeds import websub
from monitor.feeds.hubs import HubAnswer, Hubs
from monitor.feeds.websub import Step
from monitor.model import HubState, Subscription
from monitor.pipeline.articles import page_access, page_settings
from monitor.pipeline.shared import Shared
from monitor.settings import FeedSettings, WebSubSettings

if TYPE_CHECKING:
    from monitor.feeds.listener import Listener

AT_ONCE = 4  # hubs asked
EVERY = timedelta(seconds=5)
BUSY = timedelta(seconds=1)  # while a feed is visited that a hub has news of

log = structlog.get_logger()


class WebSub:
    """Does what [websub] in config.toml asks for, and nothing without it."""

    def __init__(self, shared: Shared, *, hubs: Hubs) -> None:
        self._shared, self._hubs = shared, hubs
        self._in_force, self._store, self._clock = shared.in_force, shared.store, shared.clock
        self._listener: Listener | None = None
        self._opened: WebSubSettings | None = None
        self._trouble = ""  # told last
        self._known: dict[str, Subscription] = {}  # by feed
        self._asking: dict[str, asyncio.Task[None]] = {}  # by feed
        self._noted: set[str] = set()  # feeds whose pushes are not stored yet
        self._hinted: set[str] = set()  # feeds to be polled soon
        self._hurrying: asyncio.Task[None] | None = None
        self._at_rest = False  # nothing is wanted, and nothing is left

    async def tick(self) -> timedelta:
        """All that is due; how long to wait for the next time."""
        config = self._in_force.config
        if config.websub is None and self._at_rest:
            return EVERY
        self._hubs.use(page_settings(config.poll), contact=config.contact)
        await self._refresh()
        listening = await self._listen(config.websub)
        if listening or config.websub is None:
            await self._act_on_all(config.websub, listening=listening)
        await self._store_noted()
        await self._hurry()
        self._at_rest = config.websub is None and not listening and not self._asking
        return BUSY if self._hinted else EVERY

    async def aclose(self) -> None:
        """Stop at once: what hubs have been asked is stored, and goes on after the next start."""
        running = [*self._asking.values(), *([self._hurrying] if self._hurrying else [])]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._close()
        try:
            await self._store_noted()
        except StoreBusy as busy:  # counts of pushes are no reason not to end in order
            log.warning("database busy", tick="websub", detail=str(busy))
        await self._hubs.aclose()

    # --- what is known

    async def _refresh(self) -> None:
        """Take over what polls have found; what hubs said since is newer than what is stored."""
        found = await self._store.call(lambda store: store.subscriptions())
        self._known = {each.feed_id: self._merged(each) for each in found}

    def _merged(self, stored: Subscription) -> Subscription:
        known = self._known.get(stored.feed_id)
        if known is None or (known.hub, known.topic) != (stored.hub, stored.topic):
            return stored
        return replace(known, feed_url=stored.feed_url, watched=stored.watched)

    async def _keep(self, each: Subscription) -> None:
        before = self._known.get(each.feed_id)
        self._known[each.feed_id] = each
        try:
            await self._store.call(lambda store: store.save_subscription(each))
        except StoreBusy:
            if before is not None and self._known.get(each.feed_id) is each:
                self._known[each.feed_id] = before
            raise

    async def _store_noted(self) -> None:
        """Of a flood of pushes only the last is stored, every few seconds."""
        while self._noted:
            feed_id = self._noted.pop()
            each = self._known.get(feed_id)
            try:
                if each is not None:
                    await self._keep(each)
            except StoreBusy:
                self._noted.add(feed_id)
                raise

    def _feed(self, each: Subscription) -> FeedSettings:
        """Its settings; bare ones, named without a log-in, once it has left the configuration."""
        chosen = self._in_force.config.feed_at(each.feed_url)
        return chosen or FeedSettings(url=each.feed_url, name=each.topic)

    # --- listening

    async def _listen(self, wanted: WebSubSettings | None) -> bool:
        """Open or close the door as *wanted*; whether it is open.

        It stays open until the hubs that were asked to forget us have asked back.
        """
        open_now = self._opened
        if wanted is None and any(self._leaves(each) for each in self._known.values()):
            return open_now is not None
        if open_now is not None and not _same_door(open_now, wanted):
            await self._close()
        if wanted is not None and self._listener is None:
            self._open(wanted)
        return self._listener is not None

    def _leaves(self, each: Subscription) -> bool:
        held = each.until is not None and each.until > self._clock()
        return each.state is HubState.LEAVING or held

    def _open(self, wanted: WebSubSettings) -> None:
        from monitor.feeds.listener import Listener  # uvicorn is an extra

        listener = Listener(self, wanted.host, wanted.port)
        try:
            listener.open()
        except OSError as error:
            self._tell(f"cannot listen on {wanted.host}, port {wanted.port}: {error.strerror}")
            return
        self._listener, self._opened, self._trouble = listener, wanted, ""

    def _tell(self, detail: str) -> None:
        """Once, however often it is tried."""
        if detail != self._trouble:
            self._trouble = detail
            told = f"{detail}; feeds are polled as usual"
            self._shared.report(Trouble(what="hubs cannot reach us", detail=told))

    async def _close(self) -> None:
        if self._listener is not None:
            await self._listener.aclose()
        self._listener, self._opened = None, None

    # --- asking

    async def _act_on_all(self, wanted: WebSubSettings | None, *, listening: bool) -> None:
        base = wanted.callback if wanted else ""
        for each in tuple(self._known.values()):
            if each.feed_id not in self._asking:
                due = websub.step(each, base, self._clock(), listening=listening)
                await self._act(each, due, base)

    async def _act(self, each: Subscription, due: Step, base: str) -> None:
        now = self._clock()
        if due is Step.FORGET:
            await self._keep(websub.forgotten(each, now))
        elif due is Step.GIVE_UP:
            why = "the hub has not asked back: does the callback address lead to us?"
            await self._keep(websub.failed(each, why, now))
        elif due is Step.LEAVE:
            self._begin(websub.leaving(each, now))
        elif due is Step.JOIN:
            token, secret = secrets.token_urlsafe(16), secrets.token_hex(32)
            self._begin(websub.joining(each, base, token, secret, now))

    def _begin(self, each: Subscription) -> None:
        if len(self._asking) < AT_ONCE:
            self._asking[each.feed_id] = asyncio.create_task(self._ask(each))

    async def _ask(self, each: Subscription) -> None:
        """The hub may ask back before it answers: what it is asked is known and stored first."""
        try:
            await self._keep(each)
            answer = await self._answer_of(each)
            if not answer.taken and self._still_asks(each):
                await self._keep(self._refused(self._known[each.feed_id], answer))
        except StoreBusy as busy:  # asked again later
            log.warning("database busy", tick="websub", detail=str(busy))
        finally:
            del self._asking[each.feed_id]

    def _still_asks(self, each: Subscription) -> bool:
        """Whether the hub has not asked back meanwhile; a push may have come."""
        now_is = self._known.get(each.feed_id)
        return now_is is not None and (now_is.state, now_is.due_at) == (each.state, each.due_at)

    def _refused(self, each: Subscription, answer: HubAnswer) -> Subscription:
        now = self._clock()
        if each.state is HubState.LEAVING:
            return websub.forgotten(each, now)
        log.warning("not subscribed", feed=self._feed(each).name, detail=answer.detail)
        return websub.failed(each, answer.detail, now, for_good=answer.for_good)

    async def _answer_of(self, each: Subscription) -> HubAnswer:
        hub, feed, poll = each.hub, self._feed(each), self._in_force.config.poll
        for _ in range(websub.MAX_REDIRECTS + 1):
            access = page_access(feed, hub, poll)
            answer = await self._hubs.ask(hub, websub.form(each), access)
            if not answer.moved_to:
                return answer
            hub = answer.moved_to
            if not websub.is_hub(hub):
                return HubAnswer(detail="the hub sends us to no https address", for_good=True)
        return HubAnswer(detail="the hub sends us from one address to the next", for_good=True)

    # --- the listener's receiver

    def called(self, token: str) -> Subscription | None:
        called = (each for each in self._known.values() if each.callback.endswith(f"/{token}"))
        return next(called, None) if token else None

    async def asked(self, each: Subscription, query: dict[str, str]) -> str | None:
        found = websub.answered(each, query, self._clock())
        if found is None:
            return None
        after, text = found
        await self._keep(after)
        log.info("hub", feed=self._feed(each).name, state=after.state.value, detail=after.detail)
        return text

    def pushed(self, each: Subscription, *, good: bool) -> None:
        now_is = self._known.get(each.feed_id)
        if now_is is None or now_is.callback != each.callback:
            return
        self._noted.add(each.feed_id)
        if not good:
            self._known[each.feed_id] = replace(now_is, ignored=now_is.ignored + 1)
            return
        self._known[each.feed_id] = replace(now_is, pushed_at=self._clock())
        self._hinted.add(each.feed_id)
        if self._hurrying is None or self._hurrying.done():
            self._hurrying = asyncio.create_task(self._hurry_safely())

    async def _hurry_safely(self) -> None:
        try:
            await self._hurry()
        except StoreBusy as busy:  # the next tick tries again
            log.warning("database busy", tick="websub", detail=str(busy))

    async def _hurry(self) -> None:
        """Have the feeds polled that hubs have news of; those just being visited, afterwards."""
        if not self._hinted:
            return
        feeds, now = dict(self._shortest(self._hinted)), self._clock()
        self._hinted = set()
        try:
            busy = await self._store.call(lambda store: store.poll_soon(feeds, now))
        except StoreBusy:
            self._hinted |= feeds.keys()
            raise
        self._hinted |= busy
        self._shared.hinted()

    def _shortest(self, feed_ids: Iterable[str]) -> Iterable[tuple[str, timedelta]]:
        """How long each of them is left in peace after a poll."""
        usual = self._in_force.config.poll.min_interval
        for feed_id in feed_ids:
            each = self._known.get(feed_id)
            own = self._feed(each).min_interval if each else None
            yield feed_id, own or usual


def _same_door(one: WebSubSettings, other: WebSubSettings | None) -> bool:
    return other is not None and (one.host, one.port) == (other.host, other.port)
