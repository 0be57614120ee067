"""What is found at an address: a feed, the feeds of a page, or why there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from monitor.feeds.discover import How
from monitor.model import FailureReason
from monitor.pipeline.arrival import FoundFeed, NoFeed, look
from monitor.settings import Config
from tests.replay import config_of
from tests.servers import FEED, Behaviour, redirect, reply, serving

PAGE = (
    b"<!doctype html><html><head><title>Site</title>"
    b'<link rel="alternate" type="application/rss+xml" href="/a"></head>'
    b'<body><a href="/b.rss">RSS</a> <a href="/gone.rss">RSS</a></body></html>'
)
BARE = b"<!doctype html><html><body><p>Welcome</p></body></html>"


def html(body: bytes) -> Behaviour:
    return reply(body, content_type="text/html")


def feed(title: str) -> Behaviour:
    return reply(FEED.replace(b"Example", title.encode()), content_type="application/rss+xml")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_of(
        tmp_path, allow_private=(ip_network("127.0.0.0/8"),), per_host_gap=timedelta(0)
    )


async def test_a_feed_is_taken_as_it_is(config: Config) -> None:
    async with serving({"/a": feed("A")}) as server:
        (found,) = await found_at(server.url("/a"), config)
        assert (found.url, found.how, found.moved_from) == (server.url("/a"), None, "")
        assert [each.target for each in server.asked] == ["/a"]


async def test_a_page_gives_what_it_names_and_links_to_if_it_answers(config: Config) -> None:
    async with serving({"/": html(PAGE), "/a": feed("A"), "/b.rss": feed("B")}) as server:
        found = await found_at(server.url("/"), config)
        assert [(each.parsed.title, each.how) for each in found] == [
            ("A", How.NAMED),
            ("B", How.LINKED),
        ]
        assert {each.target for each in server.asked} == {"/", "/a", "/b.rss", "/gone.rss"}


async def test_usual_places_are_tried_until_one_answers(config: Config) -> None:
    async with serving({"/": html(BARE), "/rss": feed("A"), "/rss.xml": feed("B")}) as server:
        (found,) = await found_at(server.url("/"), config)
        assert (found.url, found.how) == (server.url("/rss"), How.USUAL)
        assert [each.target for each in server.asked] == ["/", "/feed", "/rss"]


async def test_a_page_without_any_says_how_much_was_tried(config: Config) -> None:
    async with serving({"/": html(BARE)}) as server:
        nothing = await look(server.url("/"), config)
        assert isinstance(nothing, NoFeed)
        assert nothing.reason is FailureReason.HTML
        assert 'it begins "Welcome"' in nothing.detail
        assert nothing.tried == len(server.asked) - 1 > 4


async def test_a_feed_that_moved_for_good_is_taken_where_it_is(config: Config) -> None:
    async with serving({"/old": redirect("/new", 301), "/new": feed("A")}) as server:
        (found,) = await found_at(server.url("/old"), config)
        assert (found.url, found.moved_from) == (server.url("/new"), server.url("/old"))


async def test_a_feed_that_wants_a_login_keeps_it(config: Config) -> None:
    async with serving({"/old": redirect("/new", 301), "/new": feed("A")}) as server:
        url = server.url("/old").replace("//", "//user:secret@")
        (found,) = await found_at(url, config)
        assert found.url == url


async def test_a_feed_elsewhere_for_now_is_asked_for_where_it_was(config: Config) -> None:
    async with serving({"/old": redirect("/new"), "/new": feed("A")}) as server:
        (found,) = await found_at(server.url("/old"), config)
        assert (found.url, found.moved_from) == (server.url("/old"), "")


@pytest.mark.parametrize(
    ("behaviour", "reason", "seen"),
    [
        pytest.param(reply(status=403), FailureReason.FORBIDDEN, "HTTP 403", id="403"),
        pytest.param(reply(status=404), FailureReason.NOT_FOUND, "HTTP 404", id="404"),
        pytest.param(reply(b" "), FailureReason.EMPTY, "empty", id="empty"),
        pytest.param(
            reply(b'{"error": "no"}'), FailureReason.NOT_A_FEED, 'begins "{"error"', id="JSON"
        ),
        pytest.param(reply(b"\x89PNG"), FailureReason.NOT_A_FEED, "not a feed", id="a picture"),
    ],
)
async def test_what_is_there_instead(
    config: Config, behaviour: Behaviour, reason: FailureReason, seen: str
) -> None:
    async with serving({"/x": behaviour}) as server:
        nothing = await look(server.url("/x"), config)
        assert isinstance(nothing, NoFeed)
        assert nothing.reason is reason
        assert seen in nothing.detail
        assert len(server.asked) == 1


async def test_a_private_address_is_not_asked(config: Config) -> None:
    closed = replace(config, poll=replace(config.poll, allow_private=()))
    async with serving({"/": html(PAGE)}) as server:
        nothing = await look(server.url("/"), closed)
        assert isinstance(nothing, NoFeed)
        assert nothing.reason is FailureReason.BLOCKED_ADDRESS
        assert not server.asked


async def test_a_hostile_page_leads_nowhere_private(config: Config) -> None:
    page = PAGE.replace(b'href="/a"', b'href="http://169.254.169.254/latest"')
    async with serving({"/": html(page)}) as server:
        assert isinstance(await look(server.url("/"), config), NoFeed)


async def found_at(url: str, config: Config) -> tuple[FoundFeed, ...]:
    found = await look(url, config)
    assert isinstance(found, tuple), found
    return found
