"""What a terminal shows while it runs, and that one that is held up (Ctrl-S) holds up nobody."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import TextIO

import pytest

from monitor.cli.screen import Screen
from tests.test_whole import ROOT, House, a_house

HOLD, GO_ON = b"\x13", b"\x11"  # Ctrl-S, Ctrl-Q
CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """A pseudo-terminal: ``theirs`` is what a program prints on, ``seen`` what came out of it."""

    def __init__(self) -> None:
        self._ours, end = pty.openpty()
        self.theirs: TextIO = os.fdopen(end, "w")
        self._seen = b""
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while some := os.read(self._ours, 65536):
                self._seen += some
        except OSError:  # nobody has the other end any more
            return

    @property
    def seen(self) -> str:
        return CODES.sub("", self._seen.decode()).replace("\r\n", "\n")

    def press(self, key: bytes) -> None:
        os.write(self._ours, key)

    def shows(self, words: str, within: float = 10) -> bool:
        until = time.monotonic() + within
        while words not in self.seen and time.monotonic() < until:
            time.sleep(0.01)
        return words in self.seen

    def close(self) -> None:
        self.theirs.close()
        os.close(self._ours)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with closing(Terminal()) as made:
        yield made


def test_what_is_printed_is_shown(terminal: Terminal) -> None:
    screen = Screen(terminal.theirs)
    assert screen.isatty()
    print("Ministers meet – today", file=screen)
    assert terminal.shows("Ministers meet – today\n")
    screen.end()


def test_a_terminal_that_is_held_up_holds_up_nobody(terminal: Terminal) -> None:
    screen = Screen(terminal.theirs, room=50_000)
    terminal.press(HOLD)
    time.sleep(0.05)  # the key is read by the terminal, not by us
    began = time.monotonic()
    for number in range(10_000):
        screen.write(f"line {number}\n")
    assert time.monotonic() - began < 5
    assert "line 9" not in terminal.seen
    terminal.press(GO_ON)
    assert terminal.shows("(some lines are left out here: this terminal was held up)\n")
    screen.write("the last\n")
    assert terminal.shows("the last\n")
    shown = [int(line[5:]) for line in terminal.seen.splitlines() if line.startswith("line ")]
    assert shown == list(range(len(shown)))
    assert 1_000 < len(shown) < 10_000
    screen.end()


def test_what_is_to_be_shown_for_sure_waits_until_it_is(terminal: Terminal) -> None:
    screen = Screen(terminal.theirs, room=1_000)
    terminal.press(HOLD)
    time.sleep(0.05)
    while screen._writer._missing < 10:
        screen.write("too much\n")
    message = Thread(target=screen.show, args=["an alert\n"], daemon=True)
    message.start()
    message.join(0.1)
    assert message.is_alive()
    terminal.press(GO_ON)
    message.join(10)
    assert terminal.shows("an alert\n")
    screen.end()


def test_whoever_shows_what_cannot_be_shown_is_told() -> None:
    # Not a terminal that hangs up: not every kernel refuses what is written on that.
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "w") as gone:
        screen = Screen(gone)
        screen.write("for nobody\n")
        with pytest.raises(BrokenPipeError):
            screen.show("for somebody\n")
        screen.end()


async def at(terminal: Terminal, house: House) -> None:
    """Start the monitor at *terminal*."""
    house.process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "run_monitor.py"), "run", "--config", str(house.config)),
        stdin=terminal.theirs,
        stdout=terminal.theirs,
        stderr=terminal.theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )


async def test_where_no_feed_answers_the_first_look_ends_and_it_is_said(
    terminal: Terminal, tmp_path: Path
) -> None:
    async with a_house(tmp_path) as house:
        house.feed_url = "http://127.0.0.1:1/feed"
        other = '[[feeds]]\nname = "Other"\nurl = "http://127.0.0.1:1/other"\n'
        house.write_config("terminal://", extra=other)
        await at(terminal, house)
        await house.until(lambda: "None of 2 feeds answers" in terminal.seen, "that none does")
        drawn = terminal.seen.count("first look at")
        await asyncio.sleep(1)  # a bar that stands is drawn ten times a second
        assert terminal.seen.count("first look at") == drawn
        assert terminal.seen.count("None of 2 feeds answers") == 1
        assert await house.stop() == 0


async def told_while_held_up(terminal: Terminal, house: House) -> None:
    """Start the monitor, hold up its terminal, and see an alert come elsewhere."""
    await at(terminal, house)
    await house.until(lambda: "baseline: 1 entry" in terminal.seen, "the first round")
    terminal.press(HOLD)
    house.outlet.publish("NATO meets today")
    await house.until(lambda: house.told("NATO meets today"), "the alert by webhook")


async def test_the_monitor_goes_on_while_its_terminal_is_held_up(
    tmp_path: Path, terminal: Terminal
) -> None:
    async with a_house(tmp_path) as house:
        house.write_config(
            house.sink.url("200"), extra='[[channels]]\nname = "me"\nurl = "terminal"'
        )
        house.outlet.publish("NATO met last week", minutes_ago=600)
        await told_while_held_up(terminal, house)
        polls = house.outlet.gets
        await house.until(lambda: house.outlet.gets >= polls + 2, "two more polls")
        assert "NATO meets today" not in terminal.seen
        terminal.press(GO_ON)
        await house.until(lambda: "sent to me" in terminal.seen, "the alert on the terminal")
        assert await house.stop() == 0
    said = terminal.seen
    assert "Feeds    1 watched, 0 switched off\n" in said
    assert "Rules    1 from " in said
    assert "Outlet: 1 new, alerts: nato\n" in said
    assert said.count("Alert ") == 2, "the one that would have been, and the new one"


async def test_the_end_does_not_wait_for_a_terminal_that_is_held_up(
    tmp_path: Path, terminal: Terminal
) -> None:
    async with a_house(tmp_path) as house:
        house.outlet.publish("Old", minutes_ago=600)
        await told_while_held_up(terminal, house)
        assert await house.stop() == 0  # within 15 s
