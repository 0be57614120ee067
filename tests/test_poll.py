"""The poll loop: how many visits are under way, and what one teaches."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from monitor.errors import StoreBusy
from monitor.events import Event, Polled
from monitor.feeds.parse import Parser
from monitor.feeds.rhythm import observed
from monitor.model import FailureReason, Feed, FetchFailed, FetchResult, Outcome
from monitor.pipeline import places
from monitor.pipeline.claims import BATCH, IN_FLIGHT, _of_a_host, _share_of_slow
from monitor.pipeline.in_force import InForce
from monitor.pipeline.memory import Memory
from monitor.pipeline.poll import AT_ONCE, PORTION, Poller
from monitor.pipeline.shared import Shared
from monitor.rules.load import load
from monitor.settings import Config, PollSettings
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from tests.beats import beating
from tests.builders import NOW, feed_settings, minutes
from tests.replay import Clock, config_of, replay

RULES = '[[rule]]\nname = "nato"\nquery = "NATO"\n'
DOWN = FetchFailed(reason=FailureReason.CONNECT, detail="no connection")


class Stalls:
    """Answers as often as it is let; the feed "quick" at once."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(0)

    async def fetch(self, feed: Feed, *, unconditional: bool = False) -> FetchResult:
        if feed.name != "quick":
            await self.turns.acquire()
        return DOWN

    def answer(self, count: int) -> None:
        for _ in range(count):
            self.turns.release()


@pytest.fixture
async def parser() -> AsyncIterator[Parser]:
    parser = Parser(size=1)
    yield parser
    await parser.aclose()


def a_poller(
    config: Config,
    store: Writer,
    parser: Parser,
    *,
    clock: Clock,
    fetcher: Stalls,
    done: asyncio.Semaphore,
) -> Poller:
    """One that visits by *fetcher*, and releases *done* at each report."""
    shared = Shared(
        in_force=InForce(config=config, rules=load({"rules.toml": RULES.encode()})),
        store=store,
        clock=clock,
        report=lambda event: done.release(),
    )
    return Poller(shared, fetcher=fetcher, parser=parser, memory=Memory(store))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Visits that wait for a host give up their place at once."""
    monkeypatch.setattr(places, "FOR_A_HOST", 0.02)


@pytest.mark.usefixtures("impatient")
async def test_a_full_house_claims_again_when_a_batch_has_left(
    tmp_path: Path, parser: Parser
) -> None:
    config, clock, stalls, done = config_of(tmp_path), Clock(), Stalls(), asyncio.Semaphore(0)
    store = Writer(lambda: SqliteStore.open(config.database))
    many = [feed_settings(name=f"{n}", url=f"https://h{n}/") for n in range(IN_FLIGHT + 5)]
    await store.call(lambda each: each.sync_feeds(many, NOW))
    poller = a_poller(config, store, parser, clock=clock, fetcher=stalls, done=done)
    try:
        assert await poller.start_due() == IN_FLIGHT
        started = []
        for leave in (BATCH - 1, 1):
            stalls.answer(leave)
            for _ in range(leave):
                await done.acquire()
            await asyncio.sleep(0)  # the visit that reported ends after its report
            started.append(await poller.start_due())
        assert started == [0, 5]
    finally:
        await poller.aclose(timedelta(0))
        await store.aclose()


async def test_a_crowd_begins_a_few_at_a_time(tmp_path: Path, parser: Parser) -> None:
    turns = Counter[int]()

    class Counts(Stalls):
        async def fetch(self, feed: Feed, *, unconditional: bool = False) -> FetchResult:
            turns[beat.turn] += 1
            return DOWN

    config, done = config_of(tmp_path), asyncio.Semaphore(0)
    store = Writer(lambda: SqliteStore.open(config.database))
    many = [feed_settings(name=f"{n}", url=f"https://h{n}/") for n in range(100)]
    await store.call(lambda each: each.sync_feeds(many, NOW))
    poller = a_poller(config, store, parser, clock=Clock(), fetcher=Counts(), done=done)
    async with beating() as beat:
        await poller.round()
    await store.aclose()
    assert turns.total() == 100
    assert max(turns.values()) <= AT_ONCE


@pytest.mark.parametrize("count", [AT_ONCE, 2 * AT_ONCE, 2 * AT_ONCE + 1])
async def test_a_round_ends_though_all_visits_end_while_it_begins(
    tmp_path: Path, parser: Parser, count: int
) -> None:
    config, done, stalls = config_of(tmp_path), asyncio.Semaphore(0), Stalls()
    stalls.answer(count)
    store = Writer(lambda: SqliteStore.open(config.database))
    some = [feed_settings(name=f"{n}", url=f"https://h{n}/") for n in range(count)]
    await store.call(lambda each: each.sync_feeds(some, NOW))
    poller = a_poller(config, store, parser, clock=Clock(), fetcher=stalls, done=done)
    async with asyncio.timeout(10):
        await poller.round()
    await store.aclose()


@pytest.mark.usefixtures("impatient")
async def test_quick_hosts_are_visited_however_many_slow_ones_wait(
    tmp_path: Path, parser: Parser
) -> None:
    config, clock, stalls, done = config_of(tmp_path), Clock(), Stalls(), asyncio.Semaphore(0)
    store = Writer(lambda: SqliteStore.open(config.database))
    quick = feed_settings(name="quick", url="https://quick.example/feed")
    slow = [feed_settings(name=f"{n}", url=f"https://h{n}/") for n in range(2 * IN_FLIGHT)]
    poller = a_poller(config, store, parser, clock=clock, fetcher=stalls, done=done)
    try:
        await store.call(lambda each: each.sync_feeds([quick], NOW))
        await poller.round()
        await store.call(lambda each: each.sync_feeds([*slow, quick], NOW))
        started = []
        for _ in range(3):
            await done.acquire()
            await asyncio.sleep(0)  # the visit that reported ends after its report
            clock.advance(minutes(60))
            started.append(await poller.start_due())
        assert started[0] >= IN_FLIGHT
        assert started[1:] == [1, 1]
    finally:
        await poller.aclose(timedelta(0))
        await store.aclose()


@pytest.mark.parametrize(
    ("concurrency", "seconds", "claimed"),
    [
        pytest.param(32, 30, 256, id="as shipped"),
        pytest.param(8, 30, 64, id="few at once"),
        pytest.param(32, 60, 128, id="long waits"),
        pytest.param(2, 600, 1, id="one at a time"),
    ],
)
def test_no_more_slow_hosts_are_claimed_than_have_their_turn_within_the_lease(
    concurrency: int, seconds: int, claimed: int
) -> None:
    settings = PollSettings(concurrency=concurrency, timeout=timedelta(seconds=seconds))
    assert _share_of_slow(settings) == claimed


@pytest.mark.parametrize(
    ("gap", "seconds", "claimed"),
    [
        pytest.param(1, 30, 15, id="as shipped"),
        pytest.param(0, 5, 16, id="quick ones"),
        pytest.param(60, 30, 5, id="long pauses"),
        pytest.param(300, 30, 1, id="the longest"),
        pytest.param(1, 600, 1, id="long waits"),
    ],
)
def test_no_more_feeds_of_a_host_are_claimed_than_have_their_turn_within_the_lease(
    gap: int, seconds: int, claimed: int
) -> None:
    pauses = {"per_host_gap": timedelta(seconds=gap), "timeout": timedelta(seconds=seconds)}
    assert _of_a_host(PollSettings(**pauses)) == claimed


async def test_a_feed_whose_visit_was_not_stored_is_due_at_once(
    tmp_path: Path, parser: Parser
) -> None:
    config, clock, stalls = config_of(tmp_path), Clock(), Stalls()
    events: list[Event] = []
    store = Writer(lambda: SqliteStore.open(config.database))
    await store.call(lambda each: each.sync_feeds([feed_settings()], NOW))
    shared = Shared(
        in_force=InForce(config=config, rules=load({"rules.toml": RULES.encode()})),
        store=store,
        clock=clock,
        report=events.append,
    )
    poller = Poller(shared, fetcher=stalls, parser=parser, memory=Memory(store))
    commit = store.commit

    async def full(_: Outcome, *, in_company: bool = False) -> bool:
        clock.advance(minutes(6))  # longer than it is tried, shorter than the lease
        raise StoreBusy("disk full")

    try:
        store.commit = full  # type: ignore[method-assign]
        stalls.answer(1)
        await poller.round()
        assert ["not stored" in each.detail for each in events if isinstance(each, Polled)] == [
            True
        ]
        store.commit = commit  # type: ignore[method-assign]
        assert await poller.start_due() == 1
    finally:
        await poller.aclose(timedelta(0))
        await store.aclose()


def document(*published: datetime) -> bytes:
    items = "".join(
        f"<item><guid>{at}</guid><title>At {at}</title>"
        f"<pubDate>{format_datetime(at)}</pubDate></item>"
        for at in published
    )
    return f'<rss version="2.0"><channel><ttl>5</ttl>{items}</channel></rss>'.encode()


async def test_a_giant_document_teaches_as_a_whole(tmp_path: Path, parser: Parser) -> None:
    times = [NOW - minutes(10 * n) for n in range(PORTION + 10)]
    ledger = await replay([(NOW, document(*times))], rules=RULES, folder=tmp_path, parser=parser)
    assert ledger.feed is not None
    rhythm = ledger.feed.rhythm
    assert (rhythm.listed, rhythm.last_at) == (PORTION + 10, NOW)
    assert observed(rhythm) > minutes(10 * PORTION * 0.8)


async def test_a_visit_teaches_and_the_lesson_is_kept(tmp_path: Path, parser: Parser) -> None:
    first = [NOW - minutes(n) for n in (10, 70, 130)]
    later = NOW + minutes(20)
    polls = [
        (NOW, document(*first)),
        (NOW + minutes(30), document(later, *first)),
    ]
    ledger = await replay(polls, rules=RULES, folder=tmp_path, parser=parser)
    assert ledger.feed is not None
    rhythm = ledger.feed.rhythm
    assert (rhythm.began_at, rhythm.last_at, rhythm.listed) == (first[-1], later, 4)
    assert rhythm.word.ttl == minutes(5)
    assert [gap.length for gap in rhythm.gaps] == [minutes(60), minutes(60), minutes(30)]


class Slow(Stalls):
    """Takes an hour to answer: every feed is due again by then."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock, self.asked = clock, list[str]()

    async def fetch(self, feed: Feed, *, unconditional: bool = False) -> FetchResult:
        self.asked.append(feed.name)
        self.clock.advance(timedelta(hours=1))
        return DOWN


async def test_a_round_visits_each_feed_once_however_short_its_interval(
    tmp_path: Path, parser: Parser
) -> None:
    config, clock = config_of(tmp_path), Clock()
    store, slow = Writer(lambda: SqliteStore.open(config.database)), Slow(clock)
    many = [feed_settings(name=f"{n}", url=f"https://h{n}/") for n in range(3)]
    await store.call(lambda each: each.sync_feeds(many, NOW))
    shared = Shared(
        in_force=InForce(config=config, rules=load({"rules.toml": RULES.encode()})),
        store=store,
        clock=clock,
        report=lambda event: None,
    )
    poller = Poller(shared, fetcher=slow, parser=parser, memory=Memory(store))
    async with asyncio.timeout(10):
        await poller.round()
    assert sorted(slow.asked) == ["0", "1", "2"]
    await store.aclose()
