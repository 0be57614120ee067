"""Heartbeat, health and metrics of the real program: it goes blind, says so, and sees again."""

from __future__ import annotations

import json
from pathlib import Path

from tests.hubs import Said, exchange, free_port
from tests.servers import Asked, Writer, reply, serving
from tests.test_whole import House, a_house
from tests.thorough import thorough

WATCHERS = """
[heartbeat]
url_file = "beat"
interval = "1s"
[metrics]
listen = "127.0.0.1:{port}"
"""


async def asked(port: int, path: str) -> Said:
    head = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()
    return await exchange("127.0.0.1", port, head)


@thorough
async def test_it_goes_blind_says_so_and_sees_again(tmp_path: Path) -> None:
    port, beats = free_port(), 0

    async def heard(what: Asked, writer: Writer) -> None:
        nonlocal beats
        beats += 1
        await reply(b"OK")(what, writer)

    async with a_house(tmp_path) as house, serving({"/ping/canary-uuid": heard}) as switch:
        (tmp_path / "beat").write_text(switch.url("/ping/canary-uuid"))
        (tmp_path / "beat").chmod(0o600)
        house.write_config(house.sink.url("200"), extra=WATCHERS.format(port=port))  # type: ignore[attr-defined]
        house.outlet.publish("Old", minutes_ago=600)
        await house.run("run", "--log-level", "debug")
        await house.until(lambda: beats > 1 and house.logged("polled"), "the heartbeat")
        assert (await asked(port, "/healthz")).status == 200
        metrics = (await asked(port, "/metrics")).body.decode()
        assert 'monitor_polls_total{outcome="news"} 1.0' in metrics
        assert "monitor_parse_seconds_count 1.0" in metrics

        alive, house.feed_url = house.feed_url, house.feed_url + "-that-is-gone"
        house.write_config(house.sink.url("200"), extra=WATCHERS.format(port=port))  # type: ignore[attr-defined]
        stops = "the heartbeat stops: the monitor is blind"
        await house.until(lambda: house.logged(stops), "its end")
        last = beats
        health = await asked(port, "/healthz")
        assert health.status == 503
        assert json.loads(health.body)["reasons"][0]["what"] == "feeds"
        status = House(house.folder, house.outlet, house.sink, house.feed_url)
        await status.run("status", "--json", wait=True)
        watchers = (await status.output())["watchers"]
        assert watchers["heartbeat"]["why"] == "the only feed fails"
        assert watchers["metrics"]["port"] == port
        assert beats == last

        house.feed_url = alive
        house.write_config(house.sink.url("200"), extra=WATCHERS.format(port=port))  # type: ignore[attr-defined]
        await house.until(lambda: beats > last, "its return")
        assert await house.stop() == 0
        assert "canary" not in str(house.lines)
