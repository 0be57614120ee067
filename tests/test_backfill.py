"""A feed that turned over between two visits: its older pages, over a real server and store."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from monitor.events import Event, Polled
from monitor.feeds.fetch import Fetcher
from monitor.feeds.parse import Parser
from monitor.model import Feed, Message
from monitor.pipeline.deliver import Deliverer
from monitor.pipeline.feed_reports import FeedReports
from monitor.pipeline.in_force import InForce
from monitor.pipeline.memory import Memory
from monitor.pipeline.poll import Poller
from monitor.pipeline.shared import Shared
from monitor.rules.load import load
from monitor.settings import FeedSettings
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from tests.builders import NOW
from tests.replay import Clock, Keeps, claimed, config_of
from tests.servers import Asked, WebServer, reply, serving
from tests.servers import Writer as Socket

WINDOW = 5  # entries on a page
NATO = b'[[rule]]\nname = "nato"\nquery = "NATO"\n'
SUBJECTS = ("missiles", "budget", "Arctic", "cyber", "airlift", "mines", "drones", "tanks")


class Site:
    """One entry every ten minutes; each page of the feed lists five of them."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.pages_failing, self.generator = clock, False, "https://wordpress.org/?v=6"

    async def feed(self, asked: Asked, socket: Socket) -> None:
        page = int(parse_qs(urlsplit(asked.target).query).get("paged", ["1"])[0])
        if page > 1 and self.pages_failing:
            await reply(b"", status=404)(asked, socket)
            return
        newest = self.numbers()[-1] - WINDOW * (page - 1)
        items = "".join(self.item(number) for number in range(newest, newest - WINDOW, -1))
        head = f"<title>x</title><generator>{self.generator}</generator>"
        body = f"<rss version='2.0'><channel>{head}{items}</channel></rss>"
        packed = gzip.compress(body.encode(), mtime=0)
        await reply(packed, content_encoding="gzip")(asked, socket)

    async def sitemap(self, asked: Asked, socket: Socket) -> None:
        urls = "".join(
            f"<url><loc>{self.link(n)}</loc><publication_date>{self.at(n).isoformat()}"
            f"</publication_date><title>{self.title(n)}</title></url>"
            for n in self.numbers()
        )
        await reply(f"<urlset>{urls}</urlset>".encode())(asked, socket)

    def numbers(self) -> range:
        return range(100, 101 + (self.clock.now - NOW) // timedelta(minutes=10))

    def item(self, number: int) -> str:
        return (
            f"<item><guid>{number}</guid><link>{self.link(number)}</link>"
            f"<title>{self.title(number)}</title>"
            f"<pubDate>{format_datetime(self.at(number))}</pubDate></item>"
        )

    def at(self, number: int) -> datetime:
        return NOW + timedelta(minutes=10 * (number - 100))

    def link(self, number: int) -> str:
        return f"https://news.example/{number}"

    def title(self, number: int) -> str:
        return f"NATO and {SUBJECTS[number % len(SUBJECTS)]} in chapter{number} of volume{number}"


class Room:
    """The loops over one feed of a real server."""

    def __init__(self, shared: Shared, web: WebServer, site: Site, poller: Poller):
        self.shared, self.web, self.site, self.keeps = shared, web, site, Keeps()
        self.poller = poller
        self.deliverer = Deliverer(shared, sender=self.keeps)
        self.reports = FeedReports(shared)

    async def visit(self, at: datetime) -> Polled:
        self.site.clock.now = at
        polled = await self.poller.visit(await claimed(self.shared.store, await self.stored(), at))
        await self.deliverer.round()
        return polled

    async def told(self) -> list[Message]:
        """What the operators are told, and nobody is told twice."""
        before = len(self.keeps.messages)
        for _ in range(2):
            await self.reports.sweep()
            await self.deliverer.round()
        return self.keeps.messages[before:]

    async def stored(self) -> Feed:
        (feed,) = await self.shared.store.call(lambda store: store.feeds())
        return feed

    async def titles(self) -> list[str]:
        entries = await self.shared.store.call(lambda store: store.entries())
        return sorted(entry.title for entry in entries)


@asynccontextmanager
async def a_room(folder: Path, parser: Parser, backfill: str = "auto") -> AsyncIterator[Room]:
    clock = Clock()
    site = Site(clock)
    async with AsyncExitStack() as stack:
        routes = {"/feed": site.feed, "/news.xml": site.sitemap}
        web = await stack.enter_async_context(serving(routes))
        where = web.url("/news.xml") if backfill == "sitemap" else backfill
        config = config_of(
            folder, allow_private=(ip_network("127.0.0.0/8"),), per_host_gap=timedelta(0)
        )
        feed = FeedSettings(url=web.url("/feed"), name="DSCA", backfill=where)
        config = replace(config, feeds=(feed,))
        store = Writer(lambda: SqliteStore.open(config.database))
        stack.push_async_callback(store.aclose)
        await store.call(lambda each: each.sync_feeds(config.feeds, clock.now))
        events: list[Event] = []
        in_force = InForce(config=config, rules=load({"rules.toml": NATO}))
        shared = Shared(in_force=in_force, store=store, clock=clock, report=events.append)
        memory = Memory(store)
        fetcher = await stack.enter_async_context(Fetcher(config.poll))
        poller = Poller(shared, fetcher=fetcher, parser=parser, memory=memory)
        yield Room(shared, web, site, poller)


@pytest.fixture
async def parser() -> AsyncIterator[Parser]:
    made = Parser(size=1)
    yield made
    await made.aclose()


MISSED = 7  # entries that came and went while twelve came and five are listed
LATER = NOW + timedelta(minutes=10 * (MISSED + WINDOW))


async def test_what_rolled_over_is_found_and_told_late_as_one(
    tmp_path: Path, parser: Parser
) -> None:
    async with a_room(tmp_path, parser) as room:
        await room.visit(NOW)
        room.keeps.messages.clear()
        polled = await room.visit(LATER)
        assert polled.new == MISSED + WINDOW
        assert len(await room.titles()) == WINDOW + MISSED + WINDOW
        assert [asked.target for asked in room.web.asked[2:]] == ["/feed?paged=2", "/feed?paged=3"]
        late = [message for message in room.keeps.messages if "found late" in message.subject]
        assert [message.subject.partition(":")[0] for message in late] == [
            "[NORMAL] 7 stories found late"
        ]
        assert "late: found when a gap in its feed was filled" in late[0].text
        assert len(room.keeps.messages) == 1 + WINDOW
        assert polled.warnings == (
            "a gap 13 Feb 10:00–11:20 UTC was filled from older pages: 7 entries",
        )
        assert await room.told() == []


async def test_an_older_page_that_is_the_document_of_the_last_visit_closes_the_gap(
    tmp_path: Path, parser: Parser
) -> None:
    async with a_room(tmp_path, parser) as room:
        await room.visit(NOW)
        polled = await room.visit(NOW + timedelta(minutes=10 * 2 * WINDOW))
        assert polled.new == 2 * WINDOW
        assert "was filled" in polled.warnings[0]
        assert room.web.asked[-1].target == "/feed?paged=3"


async def test_what_cannot_be_filled_is_told_once(tmp_path: Path, parser: Parser) -> None:
    async with a_room(tmp_path, parser) as room:
        await room.visit(NOW)
        room.site.pages_failing = True
        polled = await room.visit(LATER)
        assert polled.new == WINDOW
        (message,) = await room.told()
        assert "Possible gap in DSCA 13 Feb 10:00–11:20 UTC" in message.subject
        usual = room.shared.in_force.config.poll.interval
        assert polled.feed.next_poll_at - LATER <= usual / 2
        again = await room.visit(LATER + timedelta(minutes=10 * (MISSED + WINDOW)))
        assert again.warnings == ("possible gap 13 Feb 12:00–13:20 UTC",)
        assert await room.told() == []
        assert (await room.stored()).gap_from == NOW


async def test_an_archive_that_does_not_reach_back_leaves_a_gap(
    tmp_path: Path, parser: Parser
) -> None:
    async with a_room(tmp_path, parser) as room:
        await room.visit(NOW)
        polled = await room.visit(NOW + timedelta(days=1))
        assert len(room.web.asked) == 2 + 5
        assert polled.new == WINDOW * 6
        assert polled.warnings[0].endswith("; 25 entries were found on older pages")
        assert len(await room.told()) == 1


@pytest.mark.parametrize(
    ("backfill", "new", "asked"),
    [("off", WINDOW, []), ("sitemap", MISSED + WINDOW, ["/news.xml"])],
    ids=["switched off", "a news sitemap"],
)
async def test_where_people_say_so(
    tmp_path: Path, parser: Parser, backfill: str, new: int, asked: list[str]
) -> None:
    async with a_room(tmp_path, parser, backfill) as room:
        await room.visit(NOW)
        room.site.pages_failing = True
        assert (await room.visit(LATER)).new == new
        assert [each.target for each in room.web.asked[2:]] == asked


async def test_a_feed_without_older_pages_is_asked_for_none(tmp_path: Path, parser: Parser) -> None:
    async with a_room(tmp_path, parser) as room:
        room.site.generator = "Drupal"
        await room.visit(NOW)
        await room.visit(LATER)
        assert [asked.target for asked in room.web.asked] == ["/feed", "/feed"]
