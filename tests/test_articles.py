"""The article loop over a real store, real pages on loopback, and the real reader."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.events import ArticleRead, Event
from monitor.feeds.fetch import Fetcher
from monitor.feeds.page import PageReader
from monitor.feeds.parse import Parser
from monitor.ingest.reading import RETRIES
from monitor.model import Alert, ArticleState, Entry, Feed, FetchResult, Label
from monitor.pipeline.articles import AT_ONCE, Articles, page_access
from monitor.pipeline.in_force import InForce
from monitor.pipeline.memory import Memory
from monitor.pipeline.poll import Poller
from monitor.pipeline.shared import Shared
from monitor.rules.load import load
from monitor.settings import Access, ContentMode, FeedSettings, FirstPoll, PollSettings
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from tests.pages import PARAGRAPHS, page
from tests.replay import Clock, config_of, served
from tests.servers import Behaviour, WebServer, hang, in_turn, reply, serving

RULES = """
[lists]
worth_reading = ["ministers"]
[[rule]]
name = "fms"
query = "content:(Foreign Military Sale)"
[[rule]]
name = "talks"
any = ["talks"]
"""
TEASER = "The ministers have ended their talks."
FEED = "https://wire.example/feed"
LOOPBACK = (ip_network("127.0.0.0/8"),)


def html(text: str) -> Behaviour:
    return reply(text.encode(), content_type="text/html; charset=utf-8")


async def at_loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


class Desk:
    """A poller and an article loop; the feed's document is the test's, the pages are served."""

    def __init__(self, folder: Path, parser: Parser, reader: PageReader, pages: Fetcher) -> None:
        access = Access(allow_private=LOOPBACK)
        feed = FeedSettings(url=FEED, name="Wire", content=ContentMode.AUTO, access=access)
        config = config_of(folder, first_poll=FirstPoll.ALERT, per_host_gap=timedelta(0))
        self.clock, self.events = Clock(), list[Event]()
        self.store = Writer(lambda: SqliteStore.open(config.database))
        self.shared = Shared(
            in_force=InForce(
                config=replace(config, feeds=(feed,)),
                rules=load({"rules.toml": RULES.encode()}),
            ),
            store=self.store,
            clock=self.clock,
            report=self.events.append,
            reads_pages=True,
        )
        self.memory = Memory(self.store)
        self.poller = Poller(self.shared, fetcher=self, parser=parser, memory=self.memory)
        self.articles = Articles(self.shared, pages=pages, reader=reader)
        self._next: FetchResult | None = None

    def choose(self, **changes: object) -> None:
        (feed,) = self.shared.in_force.config.feeds
        feed = replace(feed, **changes)  # type: ignore[arg-type]
        self.shared.in_force.config = replace(self.shared.in_force.config, feeds=(feed,))

    async def fetch(self, feed: Feed, *, unconditional: bool = False) -> FetchResult:
        assert self._next is not None
        return self._next

    async def poll(self, *links: str, text: str = TEASER, title: str = "Brussels") -> None:
        items = "".join(
            f"<item><guid>{link}</guid><link>{link}</link><title>{title}</title>"
            f"<description>{text}</description></item>"
            for link in links
        )
        self._next = served(f"<rss version='2.0'><channel>{items}</channel></rss>".encode())
        self.clock.advance(timedelta(hours=1))
        now, feeds = self.clock(), self.shared.in_force.config.feeds
        await self.store.call(lambda store: store.sync_feeds(feeds, now))
        (feed,) = await self.store.call(
            lambda store: store.claim_due(0, 1, now, timedelta(minutes=10))
        )
        await self.poller.visit(feed)

    async def entry(self) -> Entry:
        (entry,) = await self.store.call(lambda store: store.entries())
        return entry

    async def alerts(self) -> dict[str, Alert]:
        found = await self.store.call(lambda store: store.alerts())
        return {alert.rule_name: alert for alert in found}

    async def counts(self) -> dict[ArticleState, int]:
        return await self.store.call(lambda store: store.count_articles())

    @property
    def read(self) -> list[ArticleRead]:
        return [event for event in self.events if isinstance(event, ArticleRead)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parser() -> AsyncIterator[Parser]:
    made = Parser(size=1)
    yield made
    await made.aclose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader() -> AsyncIterator[PageReader]:
    made = PageReader()
    yield made
    await made.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def desk(tmp_path: Path, parser: Parser, reader: PageReader) -> AsyncIterator[Desk]:
    async with a_desk(tmp_path, parser, reader) as made:
        yield made


@asynccontextmanager
async def a_desk(folder: Path, parser: Parser, reader: PageReader) -> AsyncIterator[Desk]:
    async with Fetcher(config_of(folder).poll, resolve=at_loopback) as pages:
        made = Desk(folder, parser, reader, pages)
        yield made
        await made.articles.aclose(timedelta(0))
        await made.store.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def site() -> AsyncIterator[WebServer]:
    async with serving({"/1": html(page())}) as server:
        yield server


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_article_alerts_for_what_only_it_says(desk: Desk, site: WebServer) -> None:
    await desk.poll(site.url("/1"))
    assert set(await desk.alerts()) == {"talks"}
    await desk.articles.round()
    alerts = await desk.alerts()
    assert set(alerts) == {"fms", "talks"}
    assert alerts["fms"].labels == (Label.ARTICLE,)
    assert "Foreign Military Sales programme" in alerts["fms"].excerpts[0].text
    assert [event.alerts[0].rule_name for event in desk.read] == ["fms"]
    assert PARAGRAPHS[0] in (await desk.entry()).content
    assert "cookie" not in site.asked[0].headers


async def test_a_feed_that_repeats_its_teaser_has_not_edited_it(
    desk: Desk, site: WebServer
) -> None:
    await desk.poll(site.url("/1"))
    await desk.articles.round()
    before = await desk.entry()
    await desk.poll(site.url("/1"), site.url("/1#same"))
    (after, *_) = [
        each
        for each in await desk.store.call(lambda store: store.entries())
        if each.id == before.id
    ]
    assert after == before
    revisions = await desk.store.call(lambda store: store.revisions(before.id))
    assert [each.summary for each in revisions] == [TEASER]  # before the article was read


async def test_an_edit_keeps_the_article(desk: Desk, site: WebServer) -> None:
    await desk.poll(site.url("/1"))
    await desk.articles.round()
    await desk.poll(site.url("/1"), text="The ministers have ended their long talks.")
    entry = await desk.entry()
    assert entry.summary == "The ministers have ended their long talks."
    assert PARAGRAPHS[0] in entry.content
    assert len(await desk.alerts()) == 2
    assert len(site.asked) == 1  # a page is read once


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        pytest.param(reply(b"", status=402), "not open to us: the server refuses", id="402"),
        pytest.param(html(page(paragraphs=("Subscribe.",))), "shows less than", id="a teaser"),
        pytest.param(
            reply(b"%PDF", content_type="application/pdf"), "it is no web page but", id="a PDF"
        ),
        pytest.param(reply(b"", status=404), "there is no such page (HTTP 404)", id="404"),
    ],
)
async def test_what_cannot_be_had_leaves_the_feed_s_text(
    desk: Desk, behaviour: Behaviour, said: str
) -> None:
    async with serving({"/1": behaviour}) as site:
        await desk.poll(site.url("/1"))
        await desk.articles.round()
    entry = await desk.entry()
    article = await desk.store.call(lambda store: store.article(entry.id))
    assert article is not None
    assert article.state is ArticleState.FAILED
    assert said in article.detail
    assert (entry.summary, entry.content) == (TEASER, "")


async def test_what_may_pass_is_tried_again_later(desk: Desk) -> None:
    async with serving({"/1": in_turn(reply(b"", status=503), html(page()))}) as site:
        await desk.poll(site.url("/1"))
        await desk.articles.round()
        assert await desk.counts() == {ArticleState.QUEUED: 1}
        assert await desk.articles.next_due_at() == desk.clock() + RETRIES[0]
        desk.clock.advance(RETRIES[0])
        await desk.articles.round()
    assert await desk.counts() == {ArticleState.DONE: 1}
    assert "fms" in await desk.alerts()


async def test_a_host_is_asked_for_one_page_at_a_time(desk: Desk) -> None:
    routes = {f"/{number}": html(page()) for number in range(5)}
    async with serving(routes) as site:
        await desk.poll(*map(site.url, routes))
        assert await desk.articles.start_due() == 1
        assert await desk.articles.start_due() == 0
        await desk.articles.round()
    assert len(site.asked) == 5
    assert site.most_at_once == 1


async def test_pages_that_hang_hold_up_no_feed(desk: Desk) -> None:
    async with serving({"/1": hang()}) as site:
        links = [site.url("/1", host=f"n{number}.example") for number in range(AT_ONCE + 1)]
        await desk.poll(*links)
        assert await desk.articles.start_due() == AT_ONCE
        await desk.poll(*links, "https://wire.example/2")
        assert len(await desk.store.call(lambda store: store.entries())) == AT_ONCE + 2
        assert await desk.articles.next_due_at() is None  # no room: the end of one wakes us
        await desk.articles.aclose(timedelta(0))
    assert desk.read == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"content": ContentMode.FEED}, id="only what the feed gives"),
        pytest.param({"enabled": False}, id="switched off"),
    ],
)
async def test_an_edit_of_the_configuration_is_obeyed(
    desk: Desk, site: WebServer, changes: dict[str, object]
) -> None:
    await desk.poll(site.url("/1"))
    desk.choose(**changes)
    await desk.articles.round()
    assert site.asked == []
    assert await desk.counts() == {ArticleState.FAILED: 1}


@pytest.mark.parametrize(
    ("url", "networks"),
    [
        pytest.param("http://10.0.0.1/reboot", (), id="a feed cannot have others read"),
        pytest.param("https://wire.example:8443/1", LOOPBACK, id="its own host"),
    ],
)
async def test_networks_of_all_feeds_are_open_to_a_host_s_own_pages(
    url: str, networks: tuple[object, ...]
) -> None:
    feed = FeedSettings(url=FEED, name="Wire")
    assert page_access(feed, url, PollSettings(allow_private=LOOPBACK)).allow_private == networks


async def test_a_private_page_is_not_read(desk: Desk, site: WebServer) -> None:
    desk.choose(access=Access())
    await desk.poll(site.url("/1"))
    await desk.articles.round()
    assert site.asked == []
    assert "private address" in desk.read[0].article.detail


async def test_what_was_there_before_is_not_read(desk: Desk, site: WebServer) -> None:
    config = desk.shared.in_force.config
    poll = replace(config.poll, first_poll=FirstPoll.NO_ALERTS)
    desk.shared.in_force.config = replace(config, poll=poll)
    await desk.poll(site.url("/1"))
    assert await desk.counts() == {}


async def test_a_page_left_half_read_is_read_after_a_restart(desk: Desk, site: WebServer) -> None:
    await desk.poll(site.url("/1"))
    now, lease = desk.clock(), timedelta(minutes=10)
    await desk.store.call(lambda store: store.claim_articles(now, lease, busy=(), limit=4))
    await desk.articles.round()
    assert site.asked == []
    desk.clock.advance(lease)
    await desk.articles.round()
    assert await desk.counts() == {ArticleState.DONE: 1}


async def test_without_the_extra_nothing_is_asked(desk: Desk, site: WebServer) -> None:
    without = replace(desk.shared, reads_pages=False)
    desk.poller = Poller(without, fetcher=desk, parser=desk.poller._parser, memory=desk.memory)
    await desk.poll(site.url("/1"))
    assert await desk.counts() == {}
