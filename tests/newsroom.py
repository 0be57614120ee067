"""Several outlets, polled one after the other under a fake clock, through the real pipeline.

Real parser child, real SQLite, real poll and deliver loops; the network and the channel are
hand-written fakes.  ``await room.publish("Reuters", "Headline", "Text")`` is one poll.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

from monitor.events import Event, Polled
from monitor.feeds.parse import Parser
from monitor.model import Alert, Feed, FetchResult, Member, Message, Story
from monitor.pipeline.deliver import Deliverer
from monitor.pipeline.in_force import InForce
from monitor.pipeline.memory import Memory
from monitor.pipeline.poll import Poller
from monitor.pipeline.shared import Shared
from monitor.rules.load import load
from monitor.settings import Channel, Config, FeedSettings, FirstPoll
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from tests.builders import NOW
from tests.replay import Clock, Keeps, config_of, served

Item = tuple[str, str, str, str]  # guid, link, title, text


class Newsroom:
    """The monitor, and the outlets it watches."""

    def __init__(
        self, config: Config, rules: Mapping[str, bytes], parser: Parser, *, now: datetime = NOW
    ) -> None:
        self.config, self.clock, self.keeps = config, Clock(now), Keeps()
        self.polls: list[Polled] = []
        self._rules, self._parser = load(rules), parser
        self._items: dict[str, list[Item]] = {}
        self._next: FetchResult | None = None
        self.open()

    def open(self) -> None:
        """Start the monitor; again after ``close``, as a restart."""
        self.store = Writer(lambda: SqliteStore.open(self.config.database))
        shared = Shared(
            in_force=InForce(config=self.config, rules=self._rules),
            store=self.store,
            clock=self.clock,
            report=self._note,
        )
        self.memory = Memory(self.store)
        self._poller = Poller(shared, fetcher=self, parser=self._parser, memory=self.memory)
        self._deliverer = Deliverer(shared, sender=self.keeps)

    async def start(self) -> None:
        await self.store.call(lambda store: store.sync_feeds(self.config.feeds, self.clock()))
        await self.memory.load(self.clock())

    async def close(self) -> None:
        await self.memory.save()
        await self.store.aclose()

    async def restart(self) -> None:
        await self.close()
        self.open()
        await self.start()

    def _note(self, event: Event) -> None:
        if isinstance(event, Polled):
            self.polls.append(event)

    async def fetch(self, feed: Feed, *, unconditional: bool = False) -> FetchResult:
        assert self._next is not None
        return self._next

    # --- the outlets

    async def publish(
        self, outlet: str, title: str, text: str = "", *, link: str = "", deliver: bool = True
    ) -> Polled:
        """One more item of *outlet*, polled ten minutes after the last."""
        items = self._items.setdefault(outlet, [])
        number = len(items)
        link = link or f"https://{outlet.lower()}.example/{number}"
        items.insert(0, (f"{outlet}-{number}", link, title, text))
        return await self.poll(outlet, items, deliver=deliver)

    async def poll(self, outlet: str, items: Sequence[Item], *, deliver: bool = True) -> Polled:
        """Poll *outlet* while it lists *items*."""
        self.clock.advance(timedelta(minutes=10))
        return await self.visit(outlet, served(_document(items)), deliver=deliver)

    async def visit(self, outlet: str, answer: FetchResult, *, deliver: bool = True) -> Polled:
        """Poll *outlet*, which answers so, at the clock's time."""
        self._next = answer
        feeds = await self.store.call(lambda store: store.feeds())
        (feed,) = [each for each in feeds if each.name == outlet]
        due = max(feed.next_poll_at, self.clock())
        claimed = await self.store.call(
            lambda store: store.claim_due(0, 100, due, timedelta(minutes=10))
        )
        polled = await self._poller.visit(next(each for each in claimed if each.id == feed.id))
        if deliver:
            await self._deliverer.round()
        return polled

    # --- what came of it

    @property
    def messages(self) -> list[Message]:
        return self.keeps.messages

    async def stories(self) -> list[Story]:
        return await self.store.call(lambda store: store.stories())

    async def members(self, story: Story) -> tuple[Member, ...]:
        return await self.store.call(lambda store: store.members(story.id))

    async def alerts(self) -> list[Alert]:
        return await self.store.call(lambda store: store.alerts(limit=1000))


def _document(items: Sequence[Item]) -> bytes:
    body = "".join(
        f"<item><guid>{escape(guid)}</guid><link>{escape(link)}</link>"
        f"<title>{escape(title)}</title><description>{escape(text)}</description></item>"
        for guid, link, title, text in items
    )
    head = "<rss version='2.0'><channel><title>x</title><language>en</language>"
    return f"{head}{body}</channel></rss>".encode()


@asynccontextmanager
async def a_newsroom(
    folder: Path,
    parser: Parser,
    *outlets: str,
    rules: str,
    channels: Sequence[Channel] | None = None,
) -> AsyncIterator[Newsroom]:
    """A newsroom that watches *outlets*; "NATO:official" gives one a tag."""
    feeds = tuple(
        FeedSettings(
            url=f"https://{name.lower()}.example/feed",
            name=name,
            tags=frozenset(tags.split()),
        )
        for name, _, tags in (outlet.partition(":") for outlet in outlets)
    )
    config = replace(config_of(folder, first_poll=FirstPoll.ALERT), feeds=feeds)
    if channels is not None:
        config = replace(config, channels=tuple(channels))
    room = Newsroom(config, {"rules.toml": rules.encode()}, parser)
    await room.start()
    try:
        yield room
    finally:
        await room.close()
