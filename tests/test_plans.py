"""What every poll and delivery asks costs the same after years: no table is read whole.

Each statement that a real newsroom runs is explained by SQLite.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from monitor.feeds.parse import Parser
from tests.newsroom import a_newsroom

RULES = '[[rule]]\nname = "nato"\nany = ["NATO"]\n'
GROWING = "alerts|articles|deliveries|entries|entry_keys|entry_references|joins|matches|messages"
GROWING += "|revisions|stories|threads|traces|updates|entry_words_docsize|a|b|d|e|j|k|m|o|r"
# All that waits, or that was ever sent, is read whole by what looks for a state only.
WHOLE = re.compile(rf"SCAN (?:{GROWING})\b|SEARCH \w+ USING INDEX deliveries_state \(state=\?\)$")


@pytest_asyncio.fixture
async def parser() -> AsyncIterator[Parser]:
    made = Parser(size=1)
    yield made
    await made.aclose()


def read_whole(db: sqlite3.Connection, statements: set[str]) -> dict[str, list[str]]:
    """Statement → the steps of it that go through a table from end to end."""
    found = {}
    for statement in sorted(statements):
        plan = db.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        if steps := [row["detail"] for row in plan if WHOLE.match(row["detail"])]:
            found[statement] = steps
    return found


async def test_no_poll_and_no_delivery_reads_a_table_whole(tmp_path: Path, parser: Parser) -> None:
    statements: set[str] = set()

    def note(statement: str) -> None:
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            statements.add(statement)

    async with a_newsroom(tmp_path, parser, "Wire", "Post", "Press", rules=RULES) as room:
        await room.publish("Wire", "NATO agrees on faster deliveries", "A long text about it.")
        await room.store.call(lambda store: store._db.set_trace_callback(note))  # type: ignore[attr-defined]
        await room.publish("Post", "NATO agrees on faster deliveries", "A long text about it.")
        await room.publish("Press", "NATO and the weather", "Rain transmittal 25-07.")
        changed = [("Wire-0", "https://wire.example/0", "NATO agrees on more", "Another text.")]
        await room.poll("Wire", changed)
        now = room.clock()
        await room.store.call(lambda store: store.next_due_at())
        await room.store.call(lambda store: store.since_digest("desk", now))
        await room.store.call(lambda store: store.claim_deliveries(now, 10, "desk"))
        await room.store.call(lambda store: store.next_poll_at(0))
        await room.store.call(lambda store: store.next_article_at(()))
        await room.store.call(lambda store: store.claim_due(0, 10, now, now - now))
        await room.store.call(lambda store: store.expire(now))
        await room.store.call(lambda store: store._db.set_trace_callback(None))  # type: ignore[attr-defined]
        assert len(statements) > 20
        found = await room.store.call(lambda store: read_whole(store._db, statements))  # type: ignore[attr-defined]
        assert found == {}
