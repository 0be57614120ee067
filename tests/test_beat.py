"""One heartbeat over real HTTP: what the switch sees, and what is said when it does not hear."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network

import pytest

from monitor.feeds.beat import Beats
from monitor.settings import PollSettings
from tests.servers import Behaviour, hang, raw, redirect, reply, serving

OPEN = PollSettings(timeout=timedelta(seconds=10), allow_private=(ip_network("127.0.0.0/8"),))
HASTY = PollSettings(timeout=timedelta(seconds=0.1), allow_private=OPEN.allow_private)


@pytest.fixture
async def beats() -> AsyncIterator[Beats]:
    made = Beats()
    yield made
    await made.aclose()


@pytest.mark.parametrize(
    ("behaviour", "settings", "said"),
    [
        pytest.param(reply(b"OK"), OPEN, "", id="heard"),
        pytest.param(reply(b"", status=204), OPEN, "", id="heard in silence"),
        pytest.param(reply(status=404), OPEN, "no such page (HTTP 404)", id="unknown"),
        pytest.param(reply(b"", status=202), OPEN, "", id="taken"),
        pytest.param(reply(b""), OPEN, "", id="an empty answer"),
        pytest.param(reply(status=401), OPEN, "wants a password", id="refused"),
        pytest.param(raw(b""), OPEN, "the connection was cut before an answer", id="cut"),
        pytest.param(hang(), HASTY, "the answer took too long", id="late"),
        pytest.param(reply(), PollSettings(), "is at the private address", id="not to be asked"),
    ],
)
async def test_what_comes_of_a_beat(
    beats: Beats, behaviour: Behaviour, settings: PollSettings, said: str
) -> None:
    async with serving({"/ping/canary": behaviour}) as server:
        wrong = await beats.send(server.url("/ping/canary"), settings)
        assert said in wrong
        assert bool(said) == bool(wrong)
        assert "canary" not in wrong
        for asked in server.asked:
            assert asked.headers["user-agent"].startswith("news-monitor/")


async def test_an_address_that_is_none_is_no_crash(beats: Beats) -> None:
    assert await beats.send("http://[", OPEN)


async def test_a_switch_that_has_moved_is_followed(beats: Beats) -> None:
    routes = {"/old": redirect("/new"), "/new": reply(b"OK")}
    async with serving(routes) as server:
        assert await beats.send(server.url("/old"), OPEN) == ""
        assert [asked.target for asked in server.asked] == ["/old", "/new"]
