"""Connections between two exchanges: which is taken, which is closed, and when."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, cast

import pytest

from monitor.feeds import idle
from monitor.feeds.idle import Idle
from monitor.feeds.wire import Wire

HERE, THERE = ("http", "a.example", 80), ("http", "b.example", 80)


class FakeTls:
    def __init__(self, *, offered: bool = False, resumed: bool = False) -> None:
        self.offered, self.resumed = offered, resumed
        self.copies = 0

    def session(self) -> str:
        self.copies += 1
        return "session"


class FakeWire:
    def __init__(self, *, fit: bool = True, tls: FakeTls | None = None) -> None:
        self.fit, self.tls = fit, tls
        self.closed = asyncio.Event()
        self.idle_since = 0.0

    def rest(self) -> bool:
        return self.fit

    def close(self) -> None:
        self.closed.set()


def a_wire(**options: Any) -> Any:
    return cast(Wire, FakeWire(**options))


async def test_the_one_that_rested_last_is_taken() -> None:
    kept = Idle(4)
    first, last = a_wire(), a_wire()
    kept.give(HERE, first)
    kept.give(HERE, last)
    assert [kept.take(HERE) for _ in range(3)] == [last, first, None]
    kept.close()


async def test_each_origin_has_its_own() -> None:
    kept = Idle(4)
    kept.give(HERE, a_wire())
    assert kept.take(THERE) is None
    kept.close()


async def test_the_longest_idle_is_closed_for_a_new_one() -> None:
    kept = Idle(2)
    wires = [a_wire() for _ in range(3)]
    for wire, origin in zip(wires, (HERE, THERE, HERE), strict=True):
        kept.give(origin, wire)
    assert [wire.closed.is_set() for wire in wires] == [True, False, False]
    kept.close()


async def test_the_unfit_are_closed() -> None:
    kept, wire = Idle(2), a_wire(fit=False)
    kept.give(HERE, wire)
    assert wire.closed.is_set()
    assert kept.take(HERE) is None


async def test_one_that_ended_is_forgotten() -> None:
    kept, wire = Idle(2), a_wire()
    kept.give(HERE, wire)
    kept.drop(wire)
    kept.drop(wire)
    assert kept.take(HERE) is None
    kept.close()


async def test_after_the_end_nothing_is_kept() -> None:
    kept, early, late = Idle(2), a_wire(), a_wire()
    kept.give(HERE, early)
    kept.close()
    kept.give(HERE, late)
    assert early.closed.is_set()
    assert late.closed.is_set()


async def test_none_rests_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "LONGEST", 0.02)
    kept, wires = Idle(4), [a_wire(), a_wire()]
    async with asyncio.timeout(2):
        for wire in wires:
            kept.give(HERE, wire)
            await asyncio.sleep(0)
        for wire in wires:
            await wire.closed.wait()
        kept.give(HERE, again := a_wire())  # and it is watched again
        await again.closed.wait()
    assert kept.take(HERE) is None


# --- sessions


async def test_a_session_is_copied_once() -> None:
    kept, full, resumed = Idle(4), FakeTls(), FakeTls(offered=True, resumed=True)
    kept.give(HERE, a_wire(tls=full))
    kept.give(HERE, a_wire(tls=resumed))
    assert cast(Any, kept.session(HERE)) == "session"
    assert (full.copies, resumed.copies) == (1, 0)
    assert kept.session(THERE) is None
    kept.close()


async def test_one_that_was_not_taken_up_is_not_offered_again() -> None:
    kept = Idle(4)
    for offered in (False, True, False):
        kept.give(HERE, a_wire(tls=FakeTls(offered=offered)))
    session: ssl.SSLSession | None = kept.session(HERE)
    assert session is None
    kept.close()


async def test_a_connection_used_again_leaves_its_session_as_it_is() -> None:
    kept, wire = Idle(4), a_wire(tls=FakeTls())
    kept.give(HERE, wire)
    kept.give(HERE, wire)
    assert kept.session(HERE) is not None
    kept.close()


async def test_after_a_day_the_certificate_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept, first, next_day = Idle(4), FakeTls(), FakeTls()
    kept.give(HERE, a_wire(tls=first))
    kept.give(HERE, a_wire(tls=FakeTls(offered=True, resumed=True)))  # makes it no younger
    monkeypatch.setattr(idle, "SESSION_LIVES", 0.0)
    assert kept.session(HERE) is None
    monkeypatch.undo()
    kept.give(HERE, a_wire(tls=next_day))
    assert kept.session(HERE) is not None
    assert (first.copies, next_day.copies) == (1, 1)
    kept.close()


async def test_sessions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "SESSIONS", 1)
    kept = Idle(4)
    kept.give(HERE, a_wire(tls=FakeTls()))
    kept.give(THERE, a_wire(tls=FakeTls()))
    assert kept.session(HERE) is not None
    assert kept.session(THERE) is None
    kept.close()
