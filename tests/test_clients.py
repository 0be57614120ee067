"""Feeds with ways of their own: log-ins, proxies, networks, authorities, and pages they link to."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest
import trustme

from monitor.feeds.fetch import MAX_PAGE, Fetcher
from monitor.model import FailureReason, Fetched, FetchFailed
from monitor.settings import Access, FeedSettings, PollSettings, Transport
from tests.builders import a_feed, feed_settings
from tests.servers import FEED, USUAL_TLS, redirect, reply, serving

LOOPBACK = (ip_network("127.0.0.0/8"),)
LOGIN = (("authorization", "Bearer s3cret"), ("x-key", "k3y"))
PAGE = b"<html><body><p>Text</p></body></html>"
USED = Transport.OWN


@pytest.fixture(autouse=True, params=list(Transport), ids=str)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of this twice: whatever carries the requests, the results are the same."""
    monkeypatch.setattr(sys.modules[__name__], "USED", request.param)


async def at_loopback(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def fetcher(*feeds: FeedSettings, private: bool = True) -> Fetcher:
    poll = PollSettings(
        per_host_gap=timedelta(0),
        timeout=timedelta(seconds=5),
        allow_private=LOOPBACK if private else (),
        transport=USED,
    )
    return Fetcher(poll, feeds=feeds, resolve=at_loopback, tls=USUAL_TLS)


def feed_at(url: str, **access: object) -> FeedSettings:
    return feed_settings(url=url, access=Access(**access))  # type: ignore[arg-type]


async def test_a_log_in_goes_to_the_feed_and_to_nobody_else() -> None:
    async with serving({"/feed": reply()}) as other, serving({}) as server:
        server.routes = {"/feed": redirect("/moved"), "/moved": redirect(other.url("/feed"))}
        chosen = feed_at(server.url("/feed"), headers=LOGIN, user_agent="desk/1")
        async with fetcher(chosen) as fetch:
            result = await fetch.fetch(a_feed(url=chosen.url))
    assert isinstance(result, Fetched)
    assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer s3cret"] * 2
    assert "authorization" not in other.asked[0].headers
    assert "x-key" not in other.asked[0].headers
    assert other.asked[0].headers["user-agent"] == "desk/1"


async def test_other_feeds_are_asked_without_it() -> None:
    async with serving({"/a": reply(), "/b": reply()}) as server, fetcher() as fetch:
        fetch.use(fetch._settings, contact="", feeds=[feed_at(server.url("/a"), headers=LOGIN)])
        await fetch.fetch(a_feed(url=server.url("/b")))
    assert "authorization" not in server.asked[0].headers


async def test_edited_settings_are_used_from_the_next_fetch_on() -> None:
    async with serving({"/feed": reply()}) as server, fetcher() as fetch:
        chosen = feed_at(server.url("/feed"), headers=LOGIN)
        fetch.use(fetch._settings, contact="", feeds=[chosen])
        await fetch.fetch(a_feed(url=chosen.url))
    assert server.asked[0].headers["x-key"] == "k3y"


@pytest.mark.parametrize(
    ("access", "works"),
    [
        pytest.param(Access(), False, id="nothing allowed"),
        pytest.param(Access(allow_private=LOOPBACK), True, id="its own network"),
    ],
)
async def test_a_network_is_open_to_the_feed_that_names_it(access: Access, works: bool) -> None:
    async with serving({"/feed": reply()}) as server, fetcher(private=False) as fetch:
        result = await fetch.get(server.url("/feed"), access=access)
    assert isinstance(result, Fetched) is works


async def test_an_authority_is_trusted_for_one_feed() -> None:
    ca = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("wire.example").configure_cert(tls)
    trusting = Access(ca=ca.cert_pem.bytes().decode())
    async with serving({"/feed": reply()}, tls=tls) as server, fetcher() as fetch:
        url = server.url("/feed", host="wire.example")
        good = await fetch.get(url, access=trusting)
        bad = await fetch.get(url)
    assert isinstance(good, Fetched)
    assert isinstance(bad, FetchFailed)
    assert bad.reason is FailureReason.TLS


async def test_an_encoding_is_as_the_user_says() -> None:
    behaviour = reply("<rss>Łódź</rss>".encode("iso8859-2"), content_type="text/xml")
    async with serving({"/feed": behaviour}) as server, fetcher() as fetch:
        result = await fetch.get(server.url("/feed"), access=Access(encoding="iso8859-2"))
    assert isinstance(result, Fetched)
    assert result.body.decode() == "<rss>Łódź</rss>"


# --- proxies


async def test_a_proxy_is_asked_instead_of_the_host() -> None:
    async with serving({"http://wire.example/feed": reply()}) as proxy, fetcher() as fetch:
        access = Access(proxy=proxy.url("").replace("//", "//desk:pw@"))
        result = await fetch.get("http://wire.example/feed", access=access)
    assert isinstance(result, Fetched)
    assert result.body == FEED
    assert proxy.asked[0].headers["proxy-authorization"] == "Basic ZGVzazpwdw=="


@pytest.mark.parametrize(
    ("private", "url", "detail"),
    [
        pytest.param(False, "http://wire.example/", "at the private address", id="proxy itself"),
        pytest.param(True, "http://10.0.0.1/", "is a private address (10.0.0.0/8)", id="feed"),
        pytest.param(True, "http://0x0a000001/", "is a private address", id="odd spelling"),
        pytest.param(True, "http://[fd00::1]/", "is a private address", id="version 6"),
    ],
)
async def test_private_addresses_are_refused_with_a_proxy_too(
    private: bool, url: str, detail: str
) -> None:
    async with serving({url: reply()}) as proxy, fetcher(private=private) as fetch:
        result = await fetch.get(url, access=Access(proxy=proxy.url("")))
    assert isinstance(result, FetchFailed)
    assert result.reason is FailureReason.BLOCKED_ADDRESS
    assert detail in result.detail
    assert proxy.asked == []


async def test_a_proxy_that_refuses_is_named_as_such() -> None:
    async with serving({"wire.example:443": reply(status=407)}) as proxy, fetcher() as fetch:
        result = await fetch.get("https://wire.example/", access=Access(proxy=proxy.url("")))
    assert isinstance(result, FetchFailed)
    assert result.detail == "the proxy does not let us through"


# --- pages that entries link to


async def test_a_page_of_the_feed_s_own_site_gets_its_log_in() -> None:
    behaviour = reply(PAGE, content_type="text/html")
    async with serving({"/news": behaviour}) as server, fetcher() as fetch:
        chosen = feed_at(server.url("/feed"), headers=LOGIN)
        result = await fetch.page(server.url("/news"), chosen)
        elsewhere = replace(chosen, url="https://wire.example/feed")
        await fetch.page(server.url("/news"), elsewhere)
    assert isinstance(result, Fetched)
    assert server.asked[0].headers["x-key"] == "k3y"
    assert server.asked[0].headers["accept"].startswith("text/html")
    assert "x-key" not in server.asked[1].headers


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        pytest.param(b"%PDF", "application/pdf", FailureReason.NOT_A_FEED, id="a PDF"),
        pytest.param(
            b"x" * (MAX_PAGE + 1), "text/html", FailureReason.TOO_LARGE, id="more than 5 MiB"
        ),
    ],
)
async def test_only_pages_of_some_size_are_taken(
    body: bytes, kind: str, reason: FailureReason
) -> None:
    async with serving({"/news": reply(body, content_type=kind)}) as server, fetcher() as fetch:
        result = await fetch.page(server.url("/news"), feed_settings())
    assert isinstance(result, FetchFailed)
    assert result.reason is reason
