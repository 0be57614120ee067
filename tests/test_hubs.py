"""Asking a hub over real HTTP: what it may do, and what it is not told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest

from monitor.feeds.hubs import HubAnswer, Hubs
from monitor.settings import Access, PollSettings, Transport
from tests.hubs import a_hub, free_port
from tests.servers import hang, raw, reply, serving

FORM = {"hub.mode": "subscribe", "hub.topic": "https://a.example/ä b"}
LOOPBACK = (ip_network("127.0.0.0/8"),)
OURS = Access(allow_private=LOOPBACK)


@asynccontextmanager
async def hubs(seconds: float = 10, transport: Transport = Transport.OWN) -> AsyncIterator[Hubs]:
    settings = PollSettings(timeout=timedelta(seconds=seconds), transport=transport)
    asks = Hubs(settings, contact="https://us.example")
    try:
        yield asks
    finally:
        await asks.aclose()


async def test_the_form_arrives_whole():
    async with a_hub() as hub, hubs() as asks:
        hub.asks_back = False
        assert await asks.ask(hub.url, FORM, OURS) == HubAnswer(taken=True)
        assert hub.asked == [FORM]


async def test_headers_of_the_feed_stay_with_the_feed():
    async with serving({"/hub": reply(b"", status=202)}) as server, hubs() as asks:
        access = Access(allow_private=LOOPBACK, headers=(("authorization", "Basic secret"),))
        await asks.ask(server.url("/hub"), FORM, access)
        (asked,) = server.asked
        assert "authorization" not in asked.headers
        assert asked.headers["user-agent"].endswith("(+https://us.example)")
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("transport", Transport)
@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [
        pytest.param(reply(b"", status=204), HubAnswer(taken=True), id="204"),
        pytest.param(
            reply(b"no", status=403),
            HubAnswer(detail="the hub answers HTTP 403", for_good=True),
            id="a refusal",
        ),
        pytest.param(
            reply(b"", status=429), HubAnswer(detail="the hub answers HTTP 429"), id="too many"
        ),
        pytest.param(
            reply(b"", status=500), HubAnswer(detail="the hub answers HTTP 500"), id="its own error"
        ),
        pytest.param(
            reply(b"", status=302, location="https://b.example/"),
            HubAnswer(detail="the hub answers HTTP 302"),
            id="a redirect that would drop the form",
        ),
        pytest.param(
            reply(b"", status=308, location="/there"), HubAnswer(moved_to="/there"), id="moved"
        ),
        pytest.param(
            raw(b"garbage\r\n\r\n"),
            HubAnswer(detail="the server does not speak HTTP properly"),
            id="no HTTP",
        ),
        pytest.param(hang(), HubAnswer(detail="the answer took too long"), id="no answer"),
    ],
)
async def test_what_a_hub_says(behaviour, answer, transport):
    asking = hubs(0.2, transport)
    async with serving({"/hub": behaviour}) as server, asking as asks:
        found = await asks.ask(server.url("/hub"), FORM, OURS)
        moved = found.moved_to.removeprefix(f"http://127.0.0.1:{server.port}")
        assert replace(found, moved_to=moved) == answer


async def test_an_endless_answer_is_not_read():
    async def endless(_, writer):
        writer.write(b"HTTP/1.1 202 X\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with serving({"/hub": endless}) as server, hubs() as asks:
        assert (await asks.ask(server.url("/hub"), FORM, OURS)).taken


async def test_a_hub_that_is_down_is_told():
    async with hubs() as asks:
        found = await asks.ask(f"http://127.0.0.1:{free_port()}/", FORM, OURS)
        assert (found.taken, found.for_good) == (False, False)
        assert "no connection" in found.detail


async def test_private_addresses_are_refused():
    async with a_hub() as hub, hubs() as asks:
        found = await asks.ask(hub.url, FORM, Access())
        assert "private address" in found.detail
        assert hub.asked == []


async def test_new_settings_hold_from_then_on():
    async with a_hub() as hub, hubs() as asks:
        hub.asks_back = False
        assert not (await asks.ask(hub.url, FORM, Access())).taken
        asks.use(PollSettings(allow_private=LOOPBACK), contact="")
        assert (await asks.ask(hub.url, FORM, Access())).taken
