"""A deliver loop over a real store, with a clock and a sender of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from monitor.events import Event
from monitor.model import Accepted, Message, SendResult
from monitor.pipeline.deliver import Deliverer
from monitor.pipeline.in_force import InForce
from monitor.pipeline.shared import Shared
from monitor.rules.load import load
from monitor.settings import Channel, Target
from monitor.store import Store
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from tests.builders import a_delivery, an_alert, an_entry, an_outcome, feed_settings
from tests.replay import Clock, config_of


class Answers:
    """A sender that answers as it is told; remembers what it was given."""

    def __init__(self, answer: Callable[[Message], SendResult]) -> None:
        self.answer = answer
        self.messages: list[Message] = []

    async def send(
        self, message: Message, target: Target, channel: Channel, *, thread: str = ""
    ) -> SendResult:
        self.messages.append(message)
        return self.answer(message)

    @property
    def subjects(self) -> list[str]:
        return [message.subject.rpartition(": ")[2] for message in self.messages]


class Desk:
    """A deliverer, its store, its clock and what it reported."""

    def __init__(self, folder: Path, *channels: Channel) -> None:
        self.clock = Clock()
        self.events: list[Event] = []
        self.sender = Answers(lambda _: Accepted())
        config = config_of(folder)
        if channels:
            config = replace(config, channels=channels)
        self.store = Writer(lambda: SqliteStore.open(config.database))
        self.shared = Shared(
            in_force=InForce(config=config, rules=load({})),
            store=self.store,
            clock=self.clock,
            report=self.events.append,
        )
        self.deliverer = Deliverer(self.shared, sender=self.sender)

    async def queue(self, *titles: str, target: str = "desk", **changes: object) -> None:
        """Alerts with these headlines, found now, on their way to *target*."""

        def put(store: Store) -> None:
            store.sync_feeds([feed_settings()], self.clock.now)
            for title in titles:
                feed = store.feeds()[0]
                entry = an_entry(title, feed=feed, first_seen_at=self.clock.now)
                alert = replace(an_alert(entry), created_at=self.clock.now, **changes)
                row = a_delivery(
                    alert, target=target, due_at=self.clock.now, created_at=self.clock.now
                )
                store.commit([an_outcome(entry, feed=feed, alerts=(alert,), deliveries=(row,))])

        await self.store.call(put)

    async def at(self, at: datetime) -> list[Message]:
        """Let the deliver loop run at *at*; what it sent."""
        self.clock.now = at
        before = len(self.sender.messages)
        await self.deliverer.round()
        return self.sender.messages[before:]

    async def states(self) -> dict[str, int]:
        return await self.store.call(lambda store: store.queue_lengths())
