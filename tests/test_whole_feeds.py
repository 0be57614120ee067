"""Feeds that come and go while the real program runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from monitor.cli import invoke
from monitor.feeds.opml import Outline, write
from tests.servers import serving
from tests.test_whole import House, Outlet, a_house
from tests.thorough import thorough


async def command(house: House, *arguments: str) -> None:
    """``feeds …``, beside the daemon."""
    line = ["--config", str(house.config), "feeds", *arguments]
    assert await asyncio.to_thread(invoke, line) == 0


def paused(house: House, name: str) -> bool:
    return house.query(f"SELECT paused FROM feeds WHERE name = '{name}'") == [(1,)]


@thorough
async def test_feeds_come_and_go_while_it_runs(tmp_path: Path) -> None:
    """By commands, and by an OPML file that others keep; a broken one changes nothing."""
    second, third = Outlet(), Outlet()
    async with a_house(tmp_path) as house, serving({"/2": second, "/3": third}) as web:
        house.outlet.publish("Old", minutes_ago=600)
        listed = tmp_path / "feeds.opml"
        listed.write_bytes(write("theirs", []))
        head = '[monitor]\nfeeds_from = ["feeds.opml"]\n'
        house.config.write_text(head + house.config.read_text())
        await house.run()
        await house.until(lambda: house.told("Watching"), "the first message")

        await command(house, "add", web.url("/2"), "--name", "Second", "--yes")
        await house.until(lambda: second.gets > 1, "the new feed to be polled")
        second.publish("NATO meets today")
        await house.until(lambda: house.told("NATO meets today"), "its alert")

        listed.write_bytes(write("theirs", [Outline(url=web.url("/3"), name="Third")]))
        await house.until(lambda: third.gets > 0, "the feed of the list to be polled")
        listed.write_text("<opml>\n<body>\n")
        await house.until(lambda: house.told("NOT live"), "the broken list to be told")
        seen = third.gets
        await house.until(lambda: third.gets > seen + 2, "its feeds to be polled all the same")
        assert len(house.told("NOT live")) == 1
        assert await house.stop() == 0
        seen = third.gets
        await house.run()
        await house.until(lambda: third.gets > seen, "its feeds to be polled after a restart, too")

        listed.write_bytes(write("theirs", []))
        await house.until(lambda: paused(house, "Third"), "the feed to go")
        await command(house, "pause", "Second", "--reason", "too noisy")
        await house.until(lambda: paused(house, "Second"), "the pause")
        await command(house, "resume", "Second")
        await house.until(lambda: not paused(house, "Second"), "the end of the pause")
        assert await house.stop() == 0
