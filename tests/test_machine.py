"""Whatever happens in whatever order: each entry stored once, no match lost, nothing sent twice.

A state machine over polls, edits, new ids, kills, a busy database, reloads, answers of recipients,
silences, digests and clock jumps.  After each step the database is compared with what was served
and received from outside: INV1 to INV3 of the fault suite; at the end all is well again, and what
waits must arrive without a restart.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from structlog.testing import capture_logs

from monitor.errors import StoreBusy
from monitor.feeds.parse import Parser
from monitor.pipeline import jumps, lane
from monitor.rules.load import load
from tests.ordeal import (
    BAD_RULES,
    GOOD_RULES,
    OUTLETS,
    TARGETS,
    Answer,
    Died,
    Fault,
    Ordeal,
    When,
)

LIVES = int(os.environ.get("MONITOR_LIVES", "0"))  # by chance; without it a few, always the same
EXAMPLES, STEPS = (LIVES, 60) if LIVES else (6, 40)
PATIENCE = 60  # real seconds for a step
FORTNIGHT = timedelta(days=14).total_seconds()
DAY, YEARS = timedelta(days=1), timedelta(days=50 * 365)

# Steps of the monitor after which the world is another.
WRITES = ("commit", "freeze", "send", "finish", "claim_deliveries", "raise_alerts", "set_note")

outlets = st.sampled_from(OUTLETS)
terms = st.lists(st.sampled_from(("NATO", "Kyiv", "Riga")), unique=True, max_size=3).map(tuple)


class World:
    """What all runs of the machine share: an event loop and a parser."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.parser = Parser(size=1)

    def close(self) -> None:
        self.runner.run(self.parser.aclose())
        self.runner.close()


class Machine(RuleBasedStateMachine):
    """One life of the monitor."""

    world: ClassVar[World]

    @initialize()
    def begin(self) -> None:
        self.stack = ExitStack()
        folder = tempfile.mkdtemp(prefix="machine-")
        self.stack.callback(shutil.rmtree, folder)
        self.ordeal = Ordeal(Path(folder), self.world.parser)
        self.jumped = timedelta(0)  # how far the wall clock is from the truth
        self.born: dict[str, float] = {}  # delivery → when it was first seen, by the steady clock
        self.last_good = "two"  # rules
        self.judged: set[str] = set()  # entries whose matches were looked at
        self.silenced: list[tuple[str, str]] = []
        self._run(self.ordeal.start())

    def _run(self, step: Coroutine[Any, Any, Any]) -> None:
        """One step of the monitor; after a death, a start."""
        with capture_logs() as logged, suppress(Died, StoreBusy):
            self.world.runner.run(asyncio.wait_for(step, PATIENCE))
        if self.ordeal.dead:
            self._restart()
            return
        errors = [line for line in logged if line["log_level"] == "error"]
        assert not errors, errors

    def _restart(self) -> None:
        with capture_logs():
            self.world.runner.run(self.ordeal.killed())
        if abs(self.jumped) > YEARS / 2:  # a clock that is wrong at the start is believed
            self.ordeal.clock.advance(-self.jumped)
            self.jumped = timedelta(0)
        self._run(self.ordeal.start())

    # --- what outlets do

    @rule(outlet=outlets, terms=terms, wire=st.booleans())
    def publish(self, outlet: str, terms: tuple[str, ...], wire: bool) -> None:
        """Something new, or the text that another outlet has."""
        at = self.ordeal.outlets[outlet]
        others = [o.items[0] for o in self.ordeal.outlets.values() if o is not at and o.items]
        if at.renaming:
            return
        if wire and others:
            at.publish(others[0].title, others[0].text)
            return
        title = self.ordeal.headline(terms)
        at.publish(title, f"{self.ordeal.headline(())} {title}")

    @rule(outlet=outlets, which=st.integers(0, 5), terms=terms)
    def edit(self, outlet: str, which: int, terms: tuple[str, ...]) -> None:
        at = self.ordeal.outlets[outlet]
        if at.items and not at.renaming:
            at.items[which % len(at.items)].title = self.ordeal.headline(terms)

    @rule(outlet=outlets)
    def rename(self, outlet: str) -> None:
        self.ordeal.outlets[outlet].rename()

    @rule(outlet=outlets)
    def roll_over(self, outlet: str) -> None:
        self.ordeal.outlets[outlet].roll_over()

    @rule(outlet=outlets, down=st.booleans())
    def break_down(self, outlet: str, down: bool) -> None:
        self.ordeal.outlets[outlet].down = down

    # --- what the monitor does

    @rule()
    def poll(self) -> None:
        self.ordeal.polls.clear()
        self._run(self.ordeal.poller.round())
        self._served()

    def _served(self) -> None:
        """What was read to its end counts as served from now on."""
        for polled in self.ordeal.polls:
            assert polled.feed.failure != "internal"
            if polled.kind == "failed":
                continue
            outlet = self.ordeal.outlets[polled.feed.name]
            outlet.renaming = False
            for item in outlet.items:
                item.seen = True
                self.ordeal.ledgers.items[item.link] = item

    @rule()
    def deliver(self) -> None:
        self._run(self.ordeal.deliverer.round())

    @rule()
    def sweep(self) -> None:
        self._run(self.ordeal.upkeep.sweep())

    @rule(name=st.sampled_from(sorted(GOOD_RULES)))
    def edit_rules(self, name: str) -> None:
        self.last_good = name
        self.ordeal.rules_file.write_text(GOOD_RULES[name])
        self._run(self.ordeal.edited())

    @rule(name=st.sampled_from(sorted(BAD_RULES)))
    def spoil_rules(self, name: str) -> None:
        before, deaths = self.ordeal.in_force.rules, self.ordeal.deaths
        self.ordeal.rules_file.write_bytes(BAD_RULES[name])
        self._run(self.ordeal.edited())
        if self.ordeal.deaths == deaths:  # a start may find a set that was just being taken over
            assert self.ordeal.in_force.rules.version == before.version

    # --- what happens to it

    @rule(
        when=st.sampled_from(When),
        where=st.sampled_from(("", *WRITES)),
        steps=st.integers(0, 3),
        deep=st.integers(1, 400),
    )
    def prepare_fault(self, when: When, where: str, steps: int, deep: int) -> None:
        self.ordeal.faults.append(Fault(when=when, where=where, steps=steps, deep=deep))

    @rule()
    def kill(self) -> None:
        self._restart()

    @rule(who=st.sampled_from(TARGETS), answer=st.sampled_from(Answer))
    def change_answer(self, who: str, answer: Answer) -> None:
        self.ordeal.answers[who] = answer

    @rule(name=st.sampled_from(("nato", "kyiv")), hours=st.integers(1, 30))
    def silence(self, name: str, hours: int) -> None:
        self._run(self.ordeal.silence(name, timedelta(hours=hours)))

    @rule(minutes=st.sampled_from((1, 16, 60, 600, 1500)))
    def wait(self, minutes: int) -> None:
        self.ordeal.wait(timedelta(minutes=minutes))

    @rule(jump=st.sampled_from((-timedelta(hours=1), -DAY, DAY, YEARS)))
    def jump(self, jump: timedelta) -> None:
        self.jumped += jump
        self._run(self.ordeal.jump(jump))

    @precondition(lambda self: self.jumped)
    @rule()
    def set_clock_right(self) -> None:
        back, self.jumped = -self.jumped, timedelta(0)
        self._run(self.ordeal.jump(back))

    # --- what must hold

    @invariant()
    def inv1_stored_once(self) -> None:
        stored = dict(self.ordeal.query("SELECT url, count(*) FROM entries GROUP BY url"))
        assert {url for url, number in stored.items() if number != 1} == set()
        assert self.ordeal.ledgers.items.keys() <= stored.keys()

    @invariant()
    def inv2_no_match_is_lost(self) -> None:
        self._matches_are_stored()
        lost = self.ordeal.query(
            "SELECT m.rule, e.title FROM matches m JOIN entries e ON e.id = m.entry_id"
            " WHERE NOT EXISTS (SELECT 1 FROM alerts a WHERE a.story_id = e.story_id"
            " AND a.rule_name = m.rule)"
        )
        assert lost == []
        found = self.ordeal.query(
            "SELECT a.id, group_concat(DISTINCT d.target) FROM alerts a LEFT JOIN deliveries d"
            " ON d.alert_id = a.id AND d.kind = 'first' WHERE a.kind = 'story' GROUP BY a.id"
        )
        assert [each for each in found if set((each[1] or "").split(",")) != set(TARGETS)] == []
        rows = "SELECT id, state, attempts, ambiguous, silence_id FROM deliveries"
        for row in self.ordeal.query(rows):
            self._accounted_for(*row)

    def _matches_are_stored(self) -> None:
        """New entries have all matches that the rules in force find."""
        ids = {row[0] for row in self.ordeal.query("SELECT id FROM entries")}
        new, self.judged = ids - self.judged, ids
        matcher = self.ordeal.in_force.rules.matcher
        for id_ in new:
            entry = self.world.runner.run(_entry(self.ordeal, id_))
            found = {match.rule.name for match in matcher.match(entry)}
            stored = self.ordeal.query("SELECT rule FROM matches WHERE entry_id = ?", id_)
            assert {row[0] for row in stored} == found

    def _accounted_for(
        self, id_: str, state: str, attempts: int, ambiguous: int, silence: str | None
    ) -> None:
        receipts, now = self.ordeal.ledgers.of(id_), self.ordeal.steady
        born = self.born.setdefault(id_, now)
        holds = {
            "queued": True,
            "claimed": True,
            "accepted": receipts.taken > 0,
            "refused": receipts.refused > 0,
            "parked": attempts >= 5 and receipts.tries >= 5,
            "expired": now - born >= FORTNIGHT,
            "silenced": silence is not None,
        }
        assert holds[state], (id_, state, receipts)

    @invariant()
    def inv3_nothing_twice(self) -> None:
        twice = {
            id_: each
            for id_, each in self.ordeal.ledgers.receipts.items()
            if each.taken - 1 > each.unanswered + each.deaths
        }
        assert twice == {}

    # --- and in the end

    def teardown(self) -> None:
        if not hasattr(self, "ordeal"):
            return
        try:
            self._all_is_well_again()
            self._nothing_waits()
        finally:
            self.world.runner.run(self.ordeal.close())
            self.stack.close()

    def _all_is_well_again(self) -> None:
        """Everybody answers, the clock is right; what the monitor learns without a restart."""
        self.ordeal.faults.clear()
        self.ordeal.answers = dict.fromkeys(TARGETS, Answer.ACCEPT)
        for outlet in self.ordeal.outlets.values():
            outlet.down = False
        if self.jumped:
            self.set_clock_right()
        self._run(_resume(self.ordeal))

    def _nothing_waits(self) -> None:
        """Within two days every item is stored, and every delivery has come to an end."""
        for _ in range(13):
            self.ordeal.wait(timedelta(hours=4))
            self._run(self.ordeal.edited())
            self.poll()
            self.sweep()
            self.deliver()
        file = load({"rules.toml": GOOD_RULES[self.last_good].encode()})
        assert self.ordeal.in_force.rules.version == file.version
        assert all(item.seen for outlet in self.ordeal.outlets.values() for item in outlet.items)
        waiting = (
            "SELECT target, state, due_at FROM deliveries WHERE state IN ('queued', 'claimed')"
        )
        assert self.ordeal.query(waiting) == []
        self.inv1_stored_once()
        self.inv2_no_match_is_lost()
        self.inv3_nothing_twice()
        assert self.ordeal.query("PRAGMA integrity_check") == [("ok",)]


async def _entry(ordeal: Ordeal, id_: str) -> Any:
    return await ordeal.store.call(lambda store: store.entry(id_))


async def _resume(ordeal: Ordeal) -> None:
    """As after an edit of config.toml that gives stopped targets another address."""
    await ordeal.store.call(lambda store: store.resume(TARGETS))


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def test_whatever_happens_nothing_is_lost_and_nothing_told_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (jumps, lane):
        monkeypatch.setattr(module, "BUSY_WAIT", timedelta(0))
    Machine.world = world
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not LIVES,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
        ),
    )
