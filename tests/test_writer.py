"""The thread that owns the write connection: order, group commit, poison, the end."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import StoreBusy, StoreDamaged, StoreRefused
from monitor.model import Feed, Outcome
from monitor.store import Store
from monitor.store import writer as writers
from monitor.store.search import Wanted
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import FEW, Writer
from tests.beats import Beat, beating
from tests.builders import NOW, an_entry, an_outcome, feed_settings, minutes

FEEDS = [feed_settings(url=f"https://feeds.example/{n}", name=f"Feed {n}") for n in range(5)]


class CountingStore(SqliteStore):
    """Real, and remembers how many outcomes each commit took."""

    def commit(self, outcomes: Sequence[Outcome]) -> list[bool]:
        groups.append(len(outcomes))
        return super().commit(outcomes)


groups: list[int] = []


@pytest.fixture(autouse=True)
def _no_groups_yet() -> None:
    groups.clear()


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Writer]:
    writer = Writer(lambda: CountingStore.open(str(path), busy_timeout=timedelta(milliseconds=20)))
    try:
        yield writer
    finally:
        await writer.aclose()


async def claimed(writer: Writer) -> list[Feed]:
    await writer.call(lambda store: store.sync_feeds(FEEDS, NOW))
    return await writer.call(lambda store: store.claim_due(0, 10, NOW, minutes(10)))


async def while_busy(writer: Writer, start: Callable[[], Sequence[Any]]) -> list[Any]:
    """What the awaitables of *start* come to, all of them queued while the thread works."""
    go = threading.Event()
    busy = asyncio.create_task(writer.call(lambda _: go.wait(10)))
    await asyncio.sleep(0)
    waiting = [asyncio.ensure_future(each) for each in start()]
    await asyncio.sleep(0)
    go.set()
    assert await busy
    return await asyncio.gather(*waiting, return_exceptions=True)


def an_outcome_of(feed: Feed, title: str = "NATO") -> Outcome:
    return an_outcome(an_entry(title, feed=feed), feed=feed)


def run(test: Callable[[Writer], Any], path: Path) -> None:
    async def all_of_it() -> None:
        async with opened(path) as writer:
            await test(writer)

    asyncio.run(all_of_it())


def test_everything_runs_in_one_thread_that_is_not_the_loops(tmp_path):
    async def test(writer: Writer) -> None:
        threads = {await writer.call(lambda _: threading.get_ident()) for _ in range(5)}
        assert len(threads) == 1
        assert threading.get_ident() not in threads

    run(test, tmp_path / "m.db")


def test_outcomes_that_waited_are_committed_together(tmp_path):
    async def test(writer: Writer) -> None:
        feeds = await claimed(writer)
        done = await while_busy(writer, lambda: [writer.commit(an_outcome_of(f)) for f in feeds])
        assert done == [True] * 5
        assert groups == [5]

    run(test, tmp_path / "m.db")


def test_of_many_that_were_committed_together_few_go_on_at_once(tmp_path):
    turns = Counter[int]()

    async def test(writer: Writer) -> None:
        feed, *_ = await claimed(writer)

        async def commit(number: int, beat: Beat) -> None:
            await writer.commit(an_outcome_of(feed, f"NATO {number}"))
            turns[beat.turn] += 1

        async with beating() as beat:
            await while_busy(writer, lambda: [commit(n, beat) for n in range(50)])
        assert groups == [50]

    run(test, tmp_path / "m.db")
    assert turns.total() == 50
    assert max(turns.values()) <= FEW


def test_a_lone_outcome_does_not_wait_for_others(tmp_path):
    async def test(writer: Writer) -> None:
        (feed, *_) = await claimed(writer)
        assert await writer.commit(an_outcome_of(feed))
        assert groups == [1]

    run(test, tmp_path / "m.db")


def test_calls_keep_their_place_between_outcomes(tmp_path):
    async def test(writer: Writer) -> None:
        first, second, *_ = await claimed(writer)
        count = lambda store: store.count_entries()  # noqa: E731
        done = await while_busy(
            writer,
            lambda: [
                writer.commit(an_outcome_of(first)),
                writer.call(count),
                writer.commit(an_outcome_of(second)),
                writer.call(count),
            ],
        )
        assert done == [True, 1, True, 2]

    run(test, tmp_path / "m.db")


@pytest.mark.parametrize(
    ("poisoned", "error"),
    [
        pytest.param(
            lambda feed: an_outcome_of(feed, "\ud800"), UnicodeEncodeError, id="surrogate"
        ),
        pytest.param(
            lambda feed: replace(an_outcome_of(feed), feed=replace(feed, failures=2**70)),
            OverflowError,
            id="a number too large for a column",
        ),
        pytest.param(
            lambda feed: replace(an_outcome_of(feed), placements=()),
            KeyError,
            id="an entry without a story",
        ),
    ],
)
def test_a_poisoned_outcome_fails_alone(tmp_path, poisoned, error):
    async def test(writer: Writer) -> None:
        feeds = await claimed(writer)
        made = [poisoned(f) if n == 2 else an_outcome_of(f) for n, f in enumerate(feeds)]
        done = await while_busy(writer, lambda: [writer.commit(each) for each in made])
        assert isinstance(done.pop(2), error)
        assert done == [True] * 4
        assert await writer.call(lambda store: store.count_entries()) == 4

    run(test, tmp_path / "m.db")


def test_an_outcome_fenced_off_fails_no_other(tmp_path):
    async def test(writer: Writer) -> None:
        late, *others = await claimed(writer)
        made = [an_outcome_of(replace(late, claim=0)), *map(an_outcome_of, others)]
        done = await while_busy(writer, lambda: [writer.commit(each) for each in made])
        assert done == [False, True, True, True, True]

    run(test, tmp_path / "m.db")


def test_a_locked_database_is_told_to_all_and_passes(tmp_path):
    path = tmp_path / "m.db"

    async def test(writer: Writer) -> None:
        feeds = await claimed(writer)
        other = SqliteStore.open(str(path))
        with other._writing():
            done = await while_busy(
                writer, lambda: [writer.commit(an_outcome_of(feed)) for feed in feeds]
            )
        other.close()
        assert [type(each) for each in done] == [StoreBusy] * 5
        assert await writer.commit(an_outcome_of(feeds[0]))

    run(test, path)


def test_what_a_call_raises_reaches_its_caller_only(tmp_path):
    async def test(writer: Writer) -> None:
        with pytest.raises(ZeroDivisionError):
            await writer.call(lambda _: 1 // 0)
        assert await writer.call(lambda _: "fine") == "fine"

    run(test, tmp_path / "m.db")


def test_a_database_that_is_refused_is_tried_again_at_the_next_call(tmp_path):
    path = tmp_path / "m.db"
    path.write_text("something else, as long as the head of a database")

    async def test(writer: Writer) -> None:
        with pytest.raises(StoreRefused):
            await writer.call(lambda store: store.feeds())
        path.unlink()
        assert await writer.call(lambda store: store.feeds()) == []

    run(test, path)


def test_a_caller_that_gives_up_does_not_undo_its_commit(tmp_path):
    async def test(writer: Writer) -> None:
        (feed, *_) = await claimed(writer)
        go = threading.Event()
        busy = asyncio.create_task(writer.call(lambda _: go.wait(10)))
        caller = asyncio.create_task(writer.commit(an_outcome_of(feed)))
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.sleep(0)
        go.set()
        await busy
        assert caller.cancelled()
        assert await writer.call(lambda store: store.count_entries()) == 1

    run(test, tmp_path / "m.db")


def test_closing_finishes_what_is_queued(tmp_path):
    async def test(writer: Writer) -> None:
        feeds = await claimed(writer)

        def commits_and_end() -> list[Any]:
            return [*(writer.commit(an_outcome_of(feed)) for feed in feeds), writer.aclose()]

        assert await while_busy(writer, commits_and_end) == [*[True] * 5, None]

    run(test, tmp_path / "m.db")


@pytest.mark.parametrize("used", [True, False])
def test_after_closing_a_call_is_refused_and_does_not_hang(tmp_path, used):
    async def test(writer: Writer) -> None:
        if used:
            await writer.call(lambda store: store.feeds())
        await writer.aclose()
        with pytest.raises(RuntimeError, match="closed"):
            await asyncio.wait_for(writer.call(lambda store: store.feeds()), 5)

    run(test, tmp_path / "m.db")


def test_while_closing_a_call_is_refused_and_does_not_hang(tmp_path):
    async def test(writer: Writer) -> None:
        async def late() -> list[Feed]:
            return await asyncio.wait_for(writer.call(lambda store: store.feeds()), 5)

        done = await while_busy(writer, lambda: [writer.aclose(), late()])
        assert done[0] is None
        assert isinstance(done[1], RuntimeError)

    run(test, tmp_path / "m.db")


def test_closing_twice_is_closing_once(tmp_path):
    async def test(writer: Writer) -> None:
        await writer.call(lambda store: store.feeds())
        await writer.aclose()
        await writer.aclose()

    run(test, tmp_path / "m.db")


async def test_damage_is_told_wherever_it_is_found(tmp_path: Path) -> None:
    found: list[StoreDamaged] = []

    def damaged(_: Store) -> None:
        raise StoreDamaged("malformed")

    async with opened(tmp_path / "monitor.db") as writer:
        writer.on_damage = found.append
        await writer.call(lambda store: store.feeds())
        with pytest.raises(StoreDamaged):
            await writer.call(damaged)
    assert [str(each) for each in found] == ["malformed"]


async def test_the_end_does_not_wait_for_the_lock_of_another(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    writer = Writer(lambda: SqliteStore.open(str(path), busy_timeout=timedelta(minutes=5)))
    await writer.call(lambda store: store.sync_feeds(FEEDS, NOW))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waits = asyncio.create_task(writer.call(lambda store: store.set_note("a", "b")))
        await asyncio.sleep(0.05)
        writer.hurry()
        async with asyncio.timeout(20):
            with pytest.raises(StoreBusy):
                await waits
            await writer.aclose()


def searchable(path: Path) -> int:
    with closing(SqliteStore.read_only(str(path))) as store:
        return len(store.search(Wanted(words="nato")))


def test_words_are_indexed_when_nothing_else_is_to_be_done(tmp_path):
    path = tmp_path / "m.db"

    async def test(writer: Writer) -> None:
        (feed, other, *_) = await claimed(writer)
        await writer.commit(an_outcome_of(feed))
        assert searchable(path) == 0  # nobody waits for it
        async with asyncio.timeout(10):
            while searchable(path) == 0:
                await asyncio.sleep(0.05)
        await writer.commit(an_outcome_of(other))  # and goes on

    run(test, path)
    assert searchable(path) == 2  # at the end at the latest


def test_words_that_cannot_be_indexed_now_are_later(tmp_path, monkeypatch):
    path = tmp_path / "m.db"
    monkeypatch.setattr(writers, "QUIET", 0.01)

    async def test(writer: Writer) -> None:
        (feed, other, *_) = await claimed(writer)
        await writer.commit(an_outcome_of(feed))
        with closing(sqlite3.connect(path)) as rival:
            rival.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(0.2)
            assert searchable(path) == 0
        await writer.commit(an_outcome_of(other))
        async with asyncio.timeout(10):
            while searchable(path) < 2:
                await asyncio.sleep(0.05)

    run(test, path)


def test_words_that_cannot_be_indexed_end_nothing(tmp_path, monkeypatch):
    """Without the thread of the store nobody would ever get an answer again."""
    monkeypatch.setattr(writers, "QUIET", 0.01)
    tried = threading.Event()

    def trips(_: object) -> None:
        tried.set()
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(SqliteStore, "index_new", trips)

    async def test(writer: Writer) -> None:
        await claimed(writer)
        assert await asyncio.to_thread(tried.wait, 5)
        async with asyncio.timeout(5):
            assert len(await writer.call(lambda store: store.feeds())) == 5

    run(test, tmp_path / "m.db")
