"""WebSub and the real program: what is published is told long before the next poll."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.hubs import Hub, a_hub, free_port
from tests.servers import serving
from tests.test_whole import House, Outlet, a_house


class Announced(Outlet):
    """An outlet whose documents name a hub, in a header."""

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self.hub = hub

    async def __call__(self, asked: object, writer: asyncio.StreamWriter) -> None:
        self.gets += 1
        body = f"<rss version='2.0'><channel>{''.join(self.items)}</channel></rss>".encode()
        link = f'Link: <{self.hub.url}>; rel="hub", </feed>; rel="self"\r\n'
        head = f"HTTP/1.1 200 OK\r\n{link}Content-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()


def with_websub(house: House, url: str) -> str:
    """A feed that is polled once a day, but for its hub; what was in config.toml before."""
    before, port = house.config.read_text(), free_port()
    daily = before.replace(house.feed_url, url).replace('interval = "1s"', 'interval = "24h"', 1)
    table = f'[websub]\ncallback = "http://127.0.0.1:{port}/x"\nlisten = "127.0.0.1:{port}"\n'
    house.config.write_text(daily + table)
    return daily


async def test_a_push_is_an_alert_long_before_the_next_poll(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_hub() as hub:
        outlet = Announced(hub)
        async with serving({"/feed": outlet}) as site:
            daily = with_websub(house, site.url("/feed"))
            outlet.publish("Old", minutes_ago=600)
            await house.run()
            await house.until(lambda: hub.heard, "the subscription")
            assert hub.asked[0]["hub.topic"] == site.url("/feed")
            assert hub.heard[0].status == 200
            await house.until(lambda: house.told("Watching"), "the first message")

            outlet.publish("NATO meets today")
            began = time.monotonic()
            assert (await hub.push()).status == 202
            await house.until(lambda: house.told("NATO meets today"), "the alert")
            assert time.monotonic() - began < 10
            assert outlet.gets == 2

            house.config.write_text(daily)
            await house.until(
                lambda: hub.asked[-1]["hub.mode"] == "unsubscribe", "the hub to be left"
            )
            assert await house.stop() == 0
            logged = str(house.lines)
            assert hub.asked[0]["hub.secret"] not in logged
            assert hub.asked[0]["hub.callback"] not in logged
