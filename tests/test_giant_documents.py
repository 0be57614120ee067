"""Documents with very many new entries: stored in portions, in between others have their turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.feeds.parse import Parser
from monitor.pipeline import poll
from tests.newsroom import Item, Newsroom, a_newsroom

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = '[[rule]]\nname = "any"\nany = ["number"]\n'
MANY = 30


def items(count: int) -> list[Item]:
    return [
        (f"g{n}", f"https://giant.example/{n}", f"{chr(97 + n % 26) * 9} number {n}", "word " * n)
        for n in range(count)
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parser() -> AsyncIterator[Parser]:
    parser = Parser()
    yield parser
    await parser.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def room(
    tmp_path: Path, parser: Parser, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Newsroom]:
    monkeypatch.setattr(poll, "PORTION", 5)
    async with a_newsroom(tmp_path, parser, "Giant", "Small", rules=RULES) as room:
        yield room


async def stored(room: Newsroom) -> int:
    return await room.store.call(lambda store: store.count_entries())


async def until_some_are_stored(room: Newsroom) -> None:
    async with asyncio.timeout(10):
        while not await stored(room):
            await asyncio.sleep(0)


async def test_all_are_stored_and_counted_as_of_one_poll(room: Newsroom) -> None:
    polled = await room.poll("Giant", items(MANY), deliver=False)
    assert (polled.entries, polled.new, polled.matched) == (MANY, MANY, MANY)
    assert len(polled.alerts) == len(await room.alerts())
    assert await stored(room) == MANY
    again = await room.poll("Giant", items(MANY)[::-1], deliver=False)
    assert (again.new, again.alerts, await stored(room)) == (0, (), MANY)


async def test_another_feed_is_polled_in_between(
    room: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poll, "PORTION_LEASE", timedelta(hours=1))  # a newsroom's clock leaps
    giant = asyncio.create_task(room.poll("Giant", items(MANY * 5), deliver=False))
    await until_some_are_stored(room)
    await room.poll("Small", items(1), deliver=False)
    assert [polled.feed.name for polled in room.polls] == ["Small"]
    await giant
    assert await stored(room) == MANY * 5 + 1


async def test_a_crash_between_portions_loses_nothing_and_doubles_nothing(room: Newsroom) -> None:
    giant = asyncio.create_task(room.poll("Giant", items(MANY), deliver=False))
    await until_some_are_stored(room)
    giant.cancel()
    with suppress(asyncio.CancelledError):
        await giant
    before = await room.alerts()
    assert 0 < await stored(room) < MANY
    (feed, _) = await room.store.call(lambda store: store.feeds())
    assert feed.baseline_at is None
    assert feed.next_poll_at <= room.clock() + poll.PORTION_LEASE

    await room.restart()
    polled = await room.poll("Giant", items(MANY), deliver=False)
    assert await stored(room) == MANY
    assert polled.new == MANY - len(before)
    subjects = [alert.id for alert in await room.alerts()]
    assert len(subjects) == len(set(subjects)) == len(before) + len(polled.alerts)


async def test_giant_documents_known_under_other_ids_are_left_whole(room: Newsroom) -> None:
    await room.poll("Giant", items(MANY), deliver=False)
    renamed = [(f"new-{guid}", *rest) for guid, *rest in items(MANY)]
    polled = await room.poll("Giant", renamed, deliver=False)
    assert (polled.new, await stored(room)) == (0, MANY)
    assert "entries came with new ids" in polled.warnings[0]
