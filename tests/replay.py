"""Replays documents as successive polls of one feed under a fake clock, through the real pipeline.

Real parser child, real SQLite, real poll and deliver loops; only the network and the channel are
hand-written fakes.  One line a series: ``ledger = await replay(documents, rules=…)``.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.events import Event, Polled
from monitor.feeds.parse import Parser
from monitor.model import (
    Accepted,
    Alert,
    Entry,
    Feed,
    Fetched,
    FetchFailed,
    FetchResult,
    Message,
    SendResult,
)
from monitor.pipeline.deliver import Deliverer
from monitor.pipeline.in_force import InForce
from monitor.pipeline.memory import Memory
from monitor.pipeline.poll import Poller
from monitor.pipeline.shared import Shared
from monitor.rules.load import load
from monitor.settings import Channel, Config, FeedSettings, PollSettings, Target
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from tests.builders import NOW

SHARED = Path(__file__).parents[2] / "shared"
SNAPSHOTS = SHARED / "corpus" / "snapshots"
FEED = FeedSettings(url="https://feeds.example.org/replay.xml", name="Replay")


class Clock:
    """The time is what it was last set to."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


class Serves:
    """Answers every fetch with the document set before; remembers what it was asked with."""

    def __init__(self) -> None:
        self.next: FetchResult = FetchFailed(reason="empty", detail="")  # type: ignore[arg-type]
        self.asked: list[tuple[str | None, str | None]] = []

    async def fetch(self, feed: Feed, *, unconditional: bool = False) -> FetchResult:
        self.asked.append((None, None) if unconditional else (feed.etag, feed.last_modified))
        return self.next


class Keeps:
    """A channel that takes everything."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(
        self, message: Message, target: Target, channel: Channel, *, thread: str = ""
    ) -> SendResult:
        self.messages.append(message)
        return Accepted()


@dataclass(slots=True, kw_only=True)
class Ledger:
    """What a replay left behind."""

    polls: list[Polled] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    feed: Feed | None = None


def snapshots(series: str) -> list[tuple[datetime, bytes]]:
    """(capture time, document) of every poll of a corpus series."""
    return [
        (
            datetime.strptime(path.name.partition(".")[0], "%Y%m%dT%H%M%S%z"),
            gzip.decompress(path.read_bytes()),
        )
        for path in sorted((SNAPSHOTS / series).glob("2*.xml.gz"))
    ]


def config_of(folder: Path, **poll: object) -> Config:
    desk = Channel(name="desk", targets=(Target(name="desk", url="json://127.0.0.1/"),))
    return Config(
        path=str(folder / "config.toml"),
        database=str(folder / "monitor.db"),
        rules=str(folder / "rules"),
        timezone=ZoneInfo("Europe/Brussels"),
        channels=(desk,),
        feeds=(FEED,),
        poll=PollSettings(**poll),  # type: ignore[arg-type]
    )


async def replay(
    documents: Sequence[tuple[datetime, bytes | FetchResult]],
    *,
    rules: str,
    folder: Path,
    parser: Parser,
    **poll: object,
) -> Ledger:
    """Poll each document at its time, deliver, and tell what was stored and sent."""
    clock, serves, keeps, ledger = Clock(documents[0][0]), Serves(), Keeps(), Ledger()
    config = config_of(folder, **poll)
    store = Writer(lambda: SqliteStore.open(config.database))

    def report(event: Event) -> None:
        if isinstance(event, Polled):
            ledger.polls.append(event)

    in_force = InForce(config=config, rules=load({"rules.toml": rules.encode()}))
    shared = Shared(in_force=in_force, store=store, clock=clock, report=report)
    memory = Memory(store)
    poller = Poller(shared, fetcher=serves, parser=parser, memory=memory)
    deliverer = Deliverer(shared, sender=keeps)
    await store.call(lambda each: each.sync_feeds(config.feeds, clock.now))
    try:
        for at, document in documents:
            clock.now = max(at, clock.now + timedelta(minutes=1))
            serves.next = document if not isinstance(document, bytes) else served(document)
            (feed,) = await store.call(lambda each: each.feeds())
            await poller.visit(await claimed(store, feed, clock.now))
            await deliverer.round()
        ledger.entries = await store.call(lambda each: each.entries(limit=100_000))
        ledger.alerts = await store.call(lambda each: each.alerts(limit=100_000))
        (ledger.feed,) = await store.call(lambda each: each.feeds())
    finally:
        await store.aclose()
    ledger.messages = keeps.messages
    return ledger


def served(body: bytes, **changes: object) -> Fetched:
    values: dict[str, object] = {
        "body": body,
        "final_url": FEED.url,
        "content_type": "application/xml",
        "etag": f'"{hash(body)}"',
    }
    return Fetched(**(values | changes))  # type: ignore[arg-type]


async def claimed(store: Writer, feed: Feed, now: datetime) -> Feed:
    """*feed*, claimed whatever its next poll was going to be."""
    due = max(feed.next_poll_at, now)
    (again,) = await store.call(lambda each: each.claim_due(0, 1, due, timedelta(minutes=10)))
    return again
