"""At night: the file is proved, old texts go, and what is wrong is told once."""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.cli import invoke
from monitor.clocktrust import Reading
from monitor.events import Event, Trouble
from monitor.feeds.parse import Parser
from monitor.pipeline import housekeeping
from monitor.pipeline.housekeeping import Housekeeping
from monitor.pipeline.in_force import InForce
from monitor.pipeline.shared import Shared
from monitor.rules.load import load
from monitor.store.care import LAST_NIGHT, Night
from monitor.store.retention import KEPT_FROM
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from tests.builders import NOW, an_entry, an_outcome, feed_settings
from tests.newsroom import a_newsroom
from tests.replay import Clock, config_of
from tests.test_backups import CONFIG

DAY, YEARS = timedelta(days=1), timedelta(days=365 * 50)
NO_TIME = timedelta(0)


@pytest_asyncio.fixture
async def parser() -> AsyncIterator[Parser]:
    made = Parser(size=1)
    yield made
    await made.aclose()


class House:
    """Housekeeping over a real file, both clocks in the test's hand."""

    def __init__(self, folder: Path, log_limit: int = 64 << 20, **changes: object) -> None:
        self.clock, self.ticked, self.events = Clock(NOW), NO_TIME, list[Event]()
        self.config = replace(config_of(folder), monitor_reports_to=("desk",), **changes)  # type: ignore[arg-type]
        self.path = self.config.database
        self.store = Writer(lambda: SqliteStore.open(self.path))
        shared = Shared(
            in_force=InForce(config=self.config, rules=load({})),
            store=self.store,
            clock=self.clock,
            report=self.events.append,
        )
        self.keeping = Housekeeping(
            shared, ticks=lambda: self.ticked, pause=NO_TIME, log_limit=log_limit
        )

    async def __aenter__(self) -> House:
        await self.store.call(lambda store: store.sync_feeds([feed_settings()], NOW))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.keeping.aclose()
        await self.store.aclose()

    def pass_by(self, time: timedelta) -> None:
        self.clock.advance(time)
        self.ticked += time

    async def add(self, *titles: str, at: datetime | None = None) -> None:
        at = at or self.clock()
        (feed,) = await self.store.call(lambda store: store.feeds())
        entries = [
            an_entry(title, feed=feed, first_seen_at=at, published_at=at) for title in titles
        ]
        assert await self.store.commit(an_outcome(*entries, feed=feed))

    async def texts(self) -> list[str]:
        entries = await self.store.call(lambda store: store.entries(limit=10_000))
        return [entry.title for entry in entries if entry.summary]

    async def night(self) -> Night:
        await self.keeping.night()
        found = Night.from_note(await self.store.call(lambda store: store.note(LAST_NIGHT)))
        assert found is not None
        return found

    async def told(self) -> list[str]:
        return [alert.title for alert in await self.store.call(lambda store: store.alerts())]


async def test_a_quiet_night(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        night = await house.night()
        assert night == Night(
            at=NOW,
            damage="",
            texts="kept, though some may be old: no feed gives dates that would confirm the clock",
            log_folded=True,
        )
        assert Path(f"{house.path}-wal").stat().st_size < 10_000  # the note


class TestOldTexts:
    async def test_go_once_they_are_too_old(self, tmp_path: Path) -> None:
        async with House(tmp_path) as house:
            await house.add("Old")
            house.pass_by(399 * DAY)
            await house.add("New")
            assert (await house.night()).texts == "0 emptied"
            house.pass_by(2 * DAY)
            assert (await house.night()).texts == "1 emptied"
            assert await house.texts() == ["New"]

    async def test_stay_for_ever_if_so_configured(self, tmp_path: Path) -> None:
        async with House(tmp_path, keep_text=None) as house:
            await house.add("Old")
            house.pass_by(4000 * DAY)
            await house.add("New")
            assert (await house.night()).texts == ""
            assert await house.texts() == ["New", "Old"]

    async def test_go_in_portions(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(housekeeping, "PORTION", 3)
        monkeypatch.setattr(housekeeping, "AT_A_TIME", 7)
        async with House(tmp_path) as house:
            await house.add(*(f"Old {n}" for n in range(20)))
            house.pass_by(401 * DAY)
            await house.add("New")
            assert (await house.night()).texts == "20 emptied"
            assert await house.texts() == ["New"]

    async def test_stay_when_the_clock_jumps_50_years_ahead(self, tmp_path: Path) -> None:
        async with House(tmp_path) as house:
            await house.add("Now")
            house.clock.advance(YEARS)
            assert (await house.night()).texts.endswith("the clock has jumped")
            await house.add("Then", at=NOW)  # what feeds give is of their time, not ours
            house.pass_by(DAY)
            assert (await house.night()).texts.endswith("the clock has jumped")
            assert len(await house.texts()) == 2

    async def test_stay_when_a_start_finds_the_clock_50_years_ahead(self, tmp_path: Path) -> None:
        async with House(tmp_path) as house:
            await house.add("Now")
        async with House(tmp_path) as house:
            house.clock.advance(YEARS)
            house.keeping._trust._before = Reading(house.clock(), house.ticked)
            assert "over a week away" in (await house.night()).texts
            assert await house.texts() == ["Now"]

    async def test_a_clock_that_is_set_right_while_it_is_judged_empties_nothing(
        self, tmp_path: Path
    ) -> None:
        async with House(tmp_path) as house:
            await house.add("Now")
            verdict = house.keeping._trust.verdict

            async def set_right():
                house.clock.now = min(house.clock.now, NOW + DAY)
                return await verdict()

            house.keeping._trust.verdict = set_right  # type: ignore[method-assign]
            house.clock.advance(YEARS)
            await house.night()
            assert await house.texts() == ["Now"]

    async def test_a_jump_in_the_middle_ends_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(housekeeping, "PORTION", 1)
        async with House(tmp_path) as house:
            await house.add("One", "Two", "Three")
            house.pass_by(401 * DAY)
            await house.add("New")
            verdict = house.keeping._trust.verdict
            calls = 0

            async def jumping():
                nonlocal calls
                calls += 1
                if calls == 3:
                    house.clock.advance(YEARS)
                return await verdict()

            house.keeping._trust.verdict = jumping  # type: ignore[method-assign]
            assert (await house.night()).texts.endswith("the clock has jumped")
            assert len(await house.texts()) == 3


async def test_a_pruned_entry_that_leaves_and_returns_is_not_news(
    tmp_path: Path, parser: Parser
) -> None:
    """I6: reliability.md."""
    rules = '[[rule]]\nname = "nato"\nany = ["NATO"]\n'
    async with a_newsroom(tmp_path, parser, "Wire", rules=rules) as room:
        await room.publish("Wire", "NATO agrees on deliveries", "A long text about it.")
        assert len(room.messages) == 1
        document = list(room._items["Wire"])
        room.clock.advance(timedelta(days=500))
        await room.poll("Wire", [("other", "https://wire.example/o", "Weather", "Rain.")])
        before = room.clock() - 400 * DAY
        texts = await room.store.call(lambda store: store.old_texts(before, 100))
        await room.store.call(lambda store: store.empty_texts(texts, before))
        polled = await room.poll("Wire", document)
        assert (polled.new, polled.edited, polled.alerts) == (0, 0, ())
        await room.restart()
        document.append(("more", "https://wire.example/m", "Sport", "Goals."))
        polled = await room.poll("Wire", document)
        assert (polled.new, polled.edited, polled.alerts) == (1, 0, ())
        assert len(room.messages) == 1


class TestDamage:
    async def test_is_told_once_with_what_to_do(self, tmp_path: Path) -> None:
        async with House(tmp_path) as house:
            await house.add(*(f"Entry {n}" for n in range(400)))
            await house.store.call(lambda store: store.fold_log())
            with closing(sqlite3.connect(house.path)) as db:
                query = "SELECT rootpage FROM sqlite_master WHERE name = 'entries_url'"
                (page,) = db.execute(query).fetchone()
            with Path(house.path).open("r+b") as file:
                file.seek(page * 4096 - 900)
                file.write(b"\xff" * 900)
            assert (await house.night()).damage
            house.pass_by(DAY)
            assert (await house.night()).damage
            (alert,) = await house.store.call(lambda store: store.alerts())
            assert alert.title == "The database is damaged: restore a backup"
            assert "run_monitor.py restore PATH" in alert.text

    async def test_that_comes_again_is_told_again(self, tmp_path: Path) -> None:
        async with House(tmp_path) as house:
            for damage in ("page 7", "page 7", "", "page 9"):
                await house.keeping._tell_damage(damage)
                house.pass_by(DAY)
            assert len(await house.told()) == 2


class TestTheLog:
    async def test_a_reader_that_does_not_let_go_is_told_of_once(self, tmp_path: Path) -> None:
        async with House(tmp_path, log_limit=100_000) as house:
            with closing(sqlite3.connect(house.path)) as reader:
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM entries").fetchone()
                await house.add(*(f"Entry {n}" for n in range(200)))
                for _ in range(3):
                    await house.keeping._watch_log()
                    house.pass_by(timedelta(minutes=1))
                assert not (await house.night()).log_folded
                (title,) = await house.told()
                assert "something keeps it open" in title
            await house.keeping._watch_log()
            assert Path(f"{house.path}-wal").stat().st_size == 0
            assert len(await house.told()) == 1

    async def test_that_is_short_is_nobodys_business(self, tmp_path: Path) -> None:
        async with House(tmp_path) as house:
            await house.keeping._watch_log()
            assert await house.told() == []


class TestWhen:
    async def due(self, house: House) -> bool:
        return await house.keeping._is_due()

    async def test_at_half_past_three_of_the_zone(self, tmp_path: Path) -> None:
        async with House(tmp_path) as house:  # NOW is 11:00 in Brussels
            assert await self.due(house)
            await house.night()
            assert not await self.due(house)
            house.pass_by(timedelta(hours=16, minutes=29))
            assert not await self.due(house)
            house.pass_by(timedelta(minutes=1))
            assert await self.due(house)

    async def test_after_a_clock_that_was_ahead(self, tmp_path: Path) -> None:
        async with House(tmp_path) as house:
            house.clock.advance(YEARS)
            await house.night()
            house.clock.advance(-YEARS)
            assert await self.due(house)

    async def test_ticks_begin_it_beside_the_others(self, tmp_path: Path) -> None:
        async with House(tmp_path) as house:
            async with asyncio.timeout(10):
                while not await house.store.call(lambda store: store.note(LAST_NIGHT)):
                    assert await house.keeping.tick() == housekeeping.EVERY
            assert not [event for event in house.events if isinstance(event, Trouble)]

    async def test_the_end_breaks_off_a_check(self, tmp_path: Path) -> None:
        async with House(tmp_path) as house:
            await house.add("One")
            begun, loop = asyncio.Event(), asyncio.get_running_loop()

            def endless(store: SqliteStore) -> object:
                loop.call_soon_threadsafe(begun.set)
                with store._reading() as db:
                    return db.execute(
                        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                        " SELECT count(*) FROM n"
                    ).fetchone()

            reading = asyncio.create_task(
                house.keeping._catching(lambda: house.keeping._reading(endless))
            )
            await begun.wait()
            async with asyncio.timeout(5):
                await house.keeping.aclose()
                await reading
            (trouble,) = house.events
            assert trouble.what == "housekeeping was put off"  # type: ignore[union-attr]


async def test_entries_of_an_older_program_become_searchable(tmp_path: Path) -> None:
    data = Path(__file__).parent / "data" / "schema5.db.gz"
    (tmp_path / "monitor.db").write_bytes(gzip.decompress(data.read_bytes()))
    async with House(tmp_path) as house:
        assert await house.store.call(lambda store: store.unindexed()) == 1
        await house.keeping.round()
        assert await house.store.call(lambda store: store.unindexed()) == 0


def test_status_says_how_the_file_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)

    def said(**night: object) -> str:
        values: dict[str, object] = {"damage": "", "texts": "3 emptied", "log_folded": True}
        with closing(SqliteStore.open(str(tmp_path / "monitor.db"))) as store:
            if night:
                done = Night(at=NOW, **values | night)  # type: ignore[arg-type]
                store.set_note(LAST_NIGHT, done.to_note())
        assert invoke(["status", "--config", str(tmp_path / "config.toml")]) == 0
        return capsys.readouterr().out

    assert "Database: not checked yet" in said()
    assert "Database: whole, checked" in said(damage="")
    assert "Texts older than keep_text: 3 emptied." in said(damage="")
    assert "DAMAGED, found" in said(damage="row 3 missing from index")
    assert "cannot be shortened: another program reads" in said(log_folded=False)


class TestATextThatIsGone:
    """It is said wherever somebody looks at it."""

    @pytest.fixture
    def asked(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
        (tmp_path / "config.toml").write_text(CONFIG)
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "nato.toml").write_text('[[rule]]\nname = "nato"\nany = ["NATO"]\n')
        old, now = datetime.now(UTC) - 401 * DAY, datetime.now(UTC)
        with closing(SqliteStore.open(str(tmp_path / "monitor.db"))) as store:
            store.sync_feeds([feed_settings()], NOW)
            (feed,) = store.feeds()
            entry = an_entry("Ministers meet", feed=feed, first_seen_at=old)
            store.commit([an_outcome(entry, feed=feed)])
            before = now - 400 * DAY
            store.empty_texts(store.old_texts(before, 10), before)
            store.set_note(KEPT_FROM, before.isoformat())

        def ask(*words: str) -> str:
            words = tuple(entry.id if word == "ENTRY" else word for word in words)
            assert invoke([*words, "--config", str(tmp_path / "config.toml")]) == 0
            told = capsys.readouterr()
            return told.out + told.err

        return ask

    @pytest.mark.parametrize(
        "words",
        [
            ("rules", "explain", "ENTRY"),
            ("rules", "missed", "nato", "ENTRY"),
            ("rules", "backtest", "--days", "500"),
        ],
    )
    def test_by_commands_about_rules(self, asked, words: tuple[str, ...]) -> None:
        assert "text is gone: what is older than 400 days is emptied" in asked(*words)

    def test_by_entries_show(self, asked) -> None:
        assert "(the text was too old to be kept)" in asked("entries", "show", "ENTRY")

    def test_and_not_where_nothing_old_is_looked_at(self, asked) -> None:
        assert "gone" not in asked("rules", "backtest", "--days", "30")
