"""The real program as a process: feeds and sinks on loopback, edits while it runs, kill −9."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.pages import page
from tests.servers import reply, serving
from tests.sinks import http_sink, smtp_sink
from tests.thorough import thorough

ROOT = Path(__file__).parents[1]
PATIENCE = 20  # seconds until a test gives up waiting

RULES = """
[[rule]]
name = "nato"
any = ["NATO"]
"""


class Outlet:
    """A feed whose document a test changes while it is served."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self.published = self.gets = 0

    def publish(self, title: str, *, minutes_ago: float = 0, link: str = "") -> None:
        at = format_datetime(datetime.now(UTC) - timedelta(minutes=minutes_ago))
        link = link or f"https://news.example/{self.published}"
        self.published += 1
        self.items.insert(
            0,
            f"<item><guid isPermaLink='false'>{link}</guid><link>{link}</link>"
            f"<title>{title}</title><pubDate>{at}</pubDate></item>",
        )

    async def __call__(self, asked: object, writer: asyncio.StreamWriter) -> None:
        self.gets += 1
        body = f"<rss version='2.0'><channel>{''.join(self.items)}</channel></rss>".encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()


@dataclass(slots=True)
class House:
    """A folder with config and rules, an outlet, a webhook, and the program as a process."""

    folder: Path
    outlet: Outlet
    sink: object
    feed_url: str
    process: asyncio.subprocess.Process | None = None
    lines: list[dict[str, object]] = field(default_factory=list)
    _reader: asyncio.Task[None] | None = None

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def rules(self) -> Path:
        return self.folder / "rules" / "nato.toml"

    def write_config(self, channel_url: str, *, extra: str = "") -> None:
        self.config.write_text(
            f"""
[poll]
interval = "1s"
min_interval = "1s"
per_host_gap = "0s"
allow_private = ["127.0.0.0/8"]
[[feeds]]
url = "{self.feed_url}"
name = "Outlet"
[[channels]]
name = "hook"
url = "{channel_url}"
{extra}
"""
        )

    async def run(self, *arguments: str, wait: bool = False) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "run_monitor.py"),
            *arguments,
            "--config",
            str(self.config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONWARNINGS": "default"},
        )
        self._reader = asyncio.create_task(self._read())
        if wait:
            await asyncio.wait_for(self.process.wait(), PATIENCE)
            await self._reader

    async def output(self) -> Any:
        assert self.process is not None
        assert self.process.stdout is not None
        return json.loads(await self.process.stdout.read())

    async def _read(self) -> None:
        assert self.process is not None
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.lines.append({"event": line.decode()})

    async def until(self, true: object, what: str = "") -> None:
        async def wait() -> None:
            while not true():  # type: ignore[operator]
                await asyncio.sleep(0.02)

        try:
            await asyncio.wait_for(wait(), PATIENCE)
        except TimeoutError:
            pytest.fail(f"waited in vain for {what}\n" + "\n".join(map(str, self.lines[-20:])))

    async def stop(self, signum: int = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signum)
        code = await asyncio.wait_for(self.process.wait(), 15)
        if self._reader is not None:
            await self._reader
        return code

    def logged(self, event: str) -> list[dict[str, object]]:
        return [line for line in self.lines if line.get("event") == event]

    def posted(self) -> list[str]:
        bodies = [json.loads(each.body) for each in self.sink.posted]  # type: ignore[attr-defined]
        return [f"{body['title']}\n{body['message']}" for body in bodies]

    def told(self, words: str) -> list[str]:
        return [text for text in self.posted() if words in text]

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.folder / "data" / "monitor.db")) as db, db:
            return db.execute(sql).fetchall()


@asynccontextmanager
async def a_house(folder: Path, step: str = "200") -> AsyncIterator[House]:
    outlet = Outlet()
    async with serving({"/feed": outlet}) as server, http_sink() as sink:
        house = House(folder, outlet, sink, server.url("/feed"))
        house.rules.parent.mkdir()
        house.rules.write_text(RULES)
        house.write_config(sink.url(step))
        try:
            yield house
        finally:
            if house.process is not None and house.process.returncode is None:
                await house.stop(signal.SIGKILL)


async def test_news_is_told_once_and_the_daemon_stops_in_order(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.outlet.publish("NATO met last week", minutes_ago=600)
        await house.run()
        await house.until(lambda: house.told("Watching 1 feed"), "the first message")
        house.outlet.publish("NATO meets today")
        await house.until(lambda: house.told("NATO meets today"), "the alert")
        polls = house.outlet.gets
        await house.until(lambda: house.outlet.gets >= polls + 2, "two more polls")
        assert await house.stop() == 0
        assert len(house.told("Rule nato")) == 1
        assert not house.told("NATO met last week\nOutlet")


@thorough
async def test_alerts_are_in_the_atom_feed(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.write_config(house.sink.url("200"), extra='[outputs]\natom = "alerts.xml"')
        house.outlet.publish("Old", minutes_ago=600)
        await house.run()
        await house.until(lambda: house.told("Watching"), "the first message")
        feed = tmp_path / "alerts.xml"
        assert "<entry>" not in feed.read_text()
        house.outlet.publish("NATO meets today")
        await house.until(lambda: "NATO meets today</title>" in feed.read_text(), "the entry")
        assert await house.stop() == 0


@thorough
async def test_an_article_is_told_of_what_only_it_says(tmp_path: Path) -> None:
    behaviour = reply(page("They spoke about NATO.").encode(), content_type="text/html")
    async with a_house(tmp_path) as house, serving({"/news": behaviour}) as site:
        feed = 'name = "Outlet"\ncontent = "article"\nallow_private = ["127.0.0.0/8"]'
        house.config.write_text(house.config.read_text().replace('name = "Outlet"', feed))
        house.outlet.publish("Old", minutes_ago=600)
        await house.run()
        await house.until(lambda: house.told("Watching"), "the first message")
        house.outlet.publish("Ministers meet", link=site.url("/news"))
        await house.until(lambda: house.told("found in the article's full text"), "the alert")
        assert await house.stop() == 0
        assert [line["state"] for line in house.logged("article")] == ["done"]
        assert len(house.told("Rule nato")) == 1


async def test_systemd_hears_that_it_is_ready_and_that_it_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        async with a_house(tmp_path) as house:
            await house.run()
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(PATIENCE):
                assert (await loop.sock_recv(manager, 4096)).startswith(b"READY=1")
                alive = await loop.sock_recv(manager, 4096)
                status = await loop.sock_recv(manager, 4096)
            await house.stop()
        assert alive == b"WATCHDOG=1"
        assert re.fullmatch(rb"STATUS=\d of 1 feeds healthy, \d deliver.*", status)
        assert manager.recv(4096) == b"STOPPING=1"


async def test_a_second_start_says_who_holds_the_lock(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.run()
        await house.until(lambda: house.logged("started"), "the start")
        assert house.process is not None
        second = House(house.folder, house.outlet, house.sink, house.feed_url)
        await second.run("once", wait=True)
        assert second.process is not None
        assert second.process.returncode == 4
        assert f"process {house.process.pid}" in str(second.lines)
        await house.stop()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
@thorough
async def test_it_stops_while_a_channel_hangs(tmp_path: Path, signum: int) -> None:
    async with a_house(tmp_path, "hang") as house:
        house.outlet.publish("NATO met", minutes_ago=600)
        await house.run()
        await house.until(lambda: house.sink.posted, "the hand-over")
        assert await house.stop(signum) == 0
        states = house.query("SELECT DISTINCT state FROM deliveries")
        assert states != [("accepted",)]


async def test_killed_between_send_and_mark_nothing_is_lost(tmp_path: Path) -> None:
    """The sink takes the message and never answers; the process dies before it can record it."""
    async with a_house(tmp_path, "hang") as house:
        house.outlet.publish("Old", minutes_ago=600)
        await house.run()
        await house.until(lambda: house.sink.posted, "the first message")
        house.outlet.publish("NATO meets today")
        await house.until(
            lambda: house.query("SELECT 1 FROM alerts WHERE rule_name = 'nato'"), "the alert's row"
        )
        assert await house.stop(signal.SIGKILL) == -signal.SIGKILL
        house.write_config(house.sink.url("200"))
        await house.run()
        await house.until(lambda: house.told("Rule nato"), "the alert after the restart")
        await house.until(
            lambda: house.query("SELECT DISTINCT state FROM deliveries") == [("accepted",)],
            "everything to be recorded",
        )
        await house.stop()
        ids = [json.loads(each.body)["message"] for each in house.sink.posted]
        assert len([text for text in ids if "Watching" in text or "Rule nato" in text]) >= 2


@thorough
async def test_killed_again_and_again_each_story_arrives(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.outlet.publish("Old", minutes_ago=600)
        await house.run()
        await house.until(lambda: house.told("Watching"), "the first message")
        for number in range(5):
            house.outlet.publish(f"NATO story {number}")
            await asyncio.sleep(0.25 * number)
            await house.stop(signal.SIGKILL)
            await house.run()
        for number in range(5):
            await house.until(
                lambda number=number: house.told(f"NATO story {number}"), f"story {number}"
            )
        await house.stop()
        assert house.query("SELECT count(*) FROM entries") == [(6,)]
        assert house.query("PRAGMA integrity_check") == [("ok",)]


class TestEdits:
    """Rule files and config.toml, edited while it runs."""

    async def test_a_good_edit_is_live_and_a_bad_one_changes_nothing(self, tmp_path: Path) -> None:
        async with a_house(tmp_path) as house:
            house.outlet.publish("Old", minutes_ago=600)
            await house.run()
            await house.until(lambda: house.told("Watching"), "the first message")
            house.rules.write_text(RULES + '\n[[rule]]\nname = "kyiv"\nany = ["Kyiv"]\n')
            await house.until(lambda: house.told("kyiv is live"), "the edit to be told")
            house.rules.write_text('[[rule]]\nname = "broken"\nqueri = "x"\n')
            await house.until(lambda: house.told("NOT live"), "the bad edit to be told")
            assert 'did you mean "query"?' in house.told("NOT live")[0]
            status = House(house.folder, house.outlet, house.sink, house.feed_url)
            await status.run("status", "--json", wait=True)
            assert 'no key "queri"' in (await status.output())["not_live"]["rules"]
            house.outlet.publish("NATO in Kyiv")
            await house.until(lambda: house.told("Rule kyiv"), "the alert by the old rules")
            await house.stop()

    @thorough
    async def test_bad_rules_at_a_restart_leave_the_last_good_ones(self, tmp_path: Path) -> None:
        async with a_house(tmp_path) as house:
            house.outlet.publish("Old", minutes_ago=600)
            await house.run()
            await house.until(lambda: house.told("Watching"), "the first message")
            await house.stop(signal.SIGKILL)
            house.rules.write_text("[[rule]\n")
            await house.run()
            await house.until(lambda: house.told("NOT live"), "the bad file to be told")
            house.outlet.publish("NATO meets today")
            await house.until(lambda: house.told("NATO meets today"), "the alert")
            await house.stop()

    @thorough
    async def test_a_repaired_rule_looks_back_to_its_first_failed_load(
        self, tmp_path: Path
    ) -> None:
        async with a_house(tmp_path) as house:
            house.outlet.publish("Old", minutes_ago=600)
            await house.run()
            await house.until(lambda: house.told("Watching"), "the first message")
            house.rules.write_text(RULES + '\n[[rule]]\nname = "kyiv"\nany = [“Kyiv”]\n')
            await house.until(lambda: house.told("typographic"), "the bad edit to be told")
            house.outlet.publish("Talks in Kyiv")
            await house.until(
                lambda: house.query("SELECT 1 FROM entries WHERE title LIKE 'Talks%'"), "the entry"
            )
            house.rules.write_text(RULES + '\n[[rule]]\nname = "kyiv"\nany = ["Kyiv"]\n')
            await house.until(lambda: house.told("Talks in Kyiv"), "the alert in retrospect")
            await house.stop()

    @thorough
    async def test_a_new_rule_looks_back_only_when_asked(self, tmp_path: Path) -> None:
        async with a_house(tmp_path) as house:
            house.outlet.publish("Talks in Kyiv", minutes_ago=600)
            await house.run()
            await house.until(lambda: house.told("Watching"), "the first message")
            rule = '\n[[rule]]\nname = "{}"\nany = ["Kyiv"]\n{}'
            house.rules.write_text(RULES + rule.format("plain", ""))
            await house.until(lambda: house.told("plain is live"), "the first edit")
            asks = rule.format("asks", 'backfill = "3d"\n')
            house.rules.write_text(RULES + rule.format("plain", "") + asks)
            await house.until(lambda: house.told("Rule asks"), "the old entry")
            assert not house.told("Rule plain")
            await house.stop()

    @thorough
    async def test_hang_up_reads_everything_again(self, tmp_path: Path) -> None:
        async with a_house(tmp_path) as house:
            await house.run()
            await house.until(lambda: house.logged("started"), "the start")
            await house.until(lambda: house.logged("polled"), "the first poll")
            assert house.process is not None
            house.process.send_signal(signal.SIGHUP)
            await house.until(
                lambda: {line["what"] for line in house.logged("live")} == {"rules", "config"},
                "both to be read",
            )
            assert await house.stop() == 0

    @thorough
    async def test_emptied_rules_need_to_be_meant(self, tmp_path: Path) -> None:
        async with a_house(tmp_path) as house:
            house.outlet.publish("Old", minutes_ago=600)
            await house.run()
            await house.until(lambda: house.told("Watching"), "the first message")
            house.rules.write_text("")
            await house.until(lambda: house.told("allow_empty"), "the empty file to be told")
            house.outlet.publish("NATO meets today")
            await house.until(lambda: house.told("NATO meets today"), "the alert")
            await house.stop()

    @thorough
    async def test_a_template_is_taken_over_and_a_bad_one_changes_nothing(
        self, tmp_path: Path
    ) -> None:
        async with a_house(tmp_path) as house:
            house.outlet.publish("Old", minutes_ago=600)
            await house.run()
            await house.until(lambda: house.told("Watching"), "the first message")
            template = house.folder / "templates" / "plain.txt"
            template.parent.mkdir()
            loops = "{% for each in stories %}{{ each.title }} {{ each.reasons[0] }}{% endfor %}"
            loops += "{% for each in notices %}{{ each.title }} {{ each.paragraphs }}{% endfor %}"
            template.write_text(f"Our desk: {loops}")
            await house.until(lambda: house.logged("live"), "the template to be taken over")
            house.outlet.publish("NATO meets today")
            await house.until(lambda: house.told("Our desk: NATO meets today"), "the alert")
            template.write_text("{{ storys }}")
            await house.until(lambda: house.told("did you mean"), "the bad edit to be told")
            assert "templates/plain.txt:1" in house.told("Our desk: A template is NOT live")[0]
            house.outlet.publish("NATO meets again in Vilnius, about other things")
            await house.until(lambda: house.told("Our desk: NATO meets again"), "the next alert")
            assert await house.stop() == 0

    @thorough
    async def test_config_is_reloaded_and_a_bad_one_changes_nothing(self, tmp_path: Path) -> None:
        async with a_house(tmp_path) as house, http_sink() as other:
            house.outlet.publish("Old", minutes_ago=600)
            await house.run()
            await house.until(lambda: house.told("Watching"), "the first message")
            house.config.write_text(house.config.read_text() + "\nnonsense = 1\n")
            await house.until(lambda: house.told("NOT live"), "the bad config to be told")
            house.write_config(
                house.sink.url("200"),
                extra=f'[[channels]]\nname = "second"\nurl = "{other.url("200")}"\n',
            )
            await house.until(lambda: house.told("configuration is live again"), "the good config")
            house.outlet.publish("NATO meets today")
            await house.until(
                lambda: any(b"NATO meets today" in each.body for each in other.posted),
                "the alert on the new channel",
            )
            await house.stop()


@thorough
async def test_a_channel_that_refuses_stops_until_its_address_changes(tmp_path: Path) -> None:
    async with a_house(tmp_path, "404") as house:
        house.outlet.publish("Old", minutes_ago=600)
        await house.run()
        await house.until(lambda: house.logged("not sent"), "the refusal")
        await house.until(
            lambda: house.query("SELECT 1 FROM channel_states WHERE stopped = 1"), "the stop"
        )
        house.outlet.publish("NATO meets today")
        await house.until(
            lambda: house.query("SELECT 1 FROM alerts WHERE rule_name = 'nato'"), "the alert's row"
        )
        assert not any(b"NATO meets" in each.body for each in house.sink.posted)
        house.write_config(house.sink.url("200"))
        await house.until(lambda: house.told("NATO meets today"), "the alert, late")
        await house.stop()


async def test_a_start_that_cannot_be_leaves_nothing_behind(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.rules.write_text("[[rule]]\nname = 'x'\nqueri = 'y'\n")
        before = sorted(path.name for path in tmp_path.rglob("*"))
        await house.run("once", wait=True)
        assert house.process is not None
        assert house.process.returncode == 2
        assert "nato.toml:3" in str(house.lines)
        assert sorted(path.name for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"not a database, but a letter to my aunt", "not a database", id="text"),
        pytest.param(None, "another program", id="another program's"),
    ],
)
async def test_a_foreign_database_is_refused_and_left_alone(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    async with a_house(tmp_path) as house:
        file = tmp_path / "data" / "monitor.db"
        file.parent.mkdir()
        if content is None:
            with closing(sqlite3.connect(file)) as db, db:
                db.execute("CREATE TABLE theirs (x)")
        else:
            file.write_bytes(content)
        before = file.read_bytes()
        await house.run(wait=True)
        assert house.process is not None
        assert house.process.returncode == 3
        assert says in str(house.lines)
        assert file.read_bytes() == before


async def test_once_tells_by_its_exit_code(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.outlet.publish("Old", minutes_ago=600)
        await house.run("once", wait=True)
        assert house.process is not None
        assert house.process.returncode == 0
        house.write_config(house.sink.url("500"))
        house.feed_url = house.feed_url.replace("/feed", "/none")
        house.write_config(house.sink.url("200"))
        await house.run("once", wait=True)
        assert house.process.returncode == 1
        assert "HTTP 404" in str(house.logged("polled")[-1]["detail"])


async def test_mail_reaches_a_real_server(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, smtp_sink() as mail:
        house.outlet.publish("NATO met")
        house.write_config(mail.url("anna@desk.example"), extra="")
        text = house.config.read_text().replace("[poll]", '[poll]\nfirst_poll = "alert"')
        house.config.write_text(text)
        await house.run("once", wait=True)
        assert house.process is not None
        assert house.process.returncode == 0, house.lines
        subjects = [str(each.message["subject"]) for each in mail.mails]
        assert "[NORMAL] Outlet: NATO met" in subjects
