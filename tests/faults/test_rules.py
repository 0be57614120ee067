"""What people, editors and file systems do to rule files; patterns that other engines choke on."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.fault import fault, scaled
from tests.faults.house import RULES, House, a_house

Held = Callable[[object], None]

RIGA = '\n[[rule]]\nname = "riga"\nany = ["Riga"]\n'
SPOILT = {
    "truncated": RULES.encode()[:-12],
    "empty": b"",
    "invalid UTF-8": RULES.encode() + b'note = "\xff\xfe"\n',
    "NUL bytes": b"\0" * 4096,
    "wrong type": b'[[rule]]\nname = "nato"\nany = 7\n',
    "a key nobody knows": RULES.encode() + b'querry = "x"\n',
    "nested too deep": b"a = " + b"[" * 50_000,
}
EVIL = ("(a+)+$", "(a|aa)+b", "(?:NATO|.*a.*b.*c.*d)+x", "([a-z]+)*[0-9]", "(x{0,100}){0,9}y")


async def _refused(house: House, before: int) -> None:
    await house.until(lambda: len(house.logged("not live")) > before, "the refusal")


@fault(
    37,
    "rule file spoilt",
    injected=f"{', '.join(SPOILT)}; deleted; unreadable; a folder in its place; a dead symlink",
    holds="the last good rules stay in force and alert; told which file and why; repaired at once",
    ci=True,
)
async def test_spoilt_rule_files(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house:
        await house.settled_in()
        count = 0
        for spoilt in SPOILT.values():
            house.rules.write_bytes(spoilt)
            count += await _still_alerts(house)
        house.rules.unlink()
        count += await _still_alerts(house)
        house.rules.symlink_to(tmp_path / "nowhere.toml")
        count += await _still_alerts(house)
        house.rules.unlink()
        house.rules.mkdir()
        count += await _still_alerts(house)
        house.rules.rmdir()
        house.rules.write_text(RULES)
        await house.until(lambda: house.told("live again"), "the repair to be told")
        await house.recovers()
        await house.settled()
        held(f"{count} of {len(SPOILT) + 3} told as refused; {await house.audit()}")


async def _still_alerts(house: House) -> bool:
    """After the file was seen twice, the old rules find news; whether it was refused."""
    before = len(_refusals(house))
    await asyncio.sleep(scaled(ci=2.5, scaled=2.5, full=5))
    await house.recovers()
    return len(_refusals(house)) > before


def _refusals(house: House) -> list[object]:
    return [line for line in house.lines() if line.get("event") == "not live"]


@fault(
    37,
    "rule file swapped and written 100× a second",
    injected="a symlink swapped between two sets, then a writer that never pauses, half by half",
    holds="only whole sets are ever in force; the last one is, once the writer rests",
)
async def test_restless_rule_files(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house:
        sets = [tmp_path / "one.toml", tmp_path / "two.toml"]
        sets[0].write_text(RULES)
        sets[1].write_text(RULES + RIGA)
        await house.settled_in()
        for number in range(scaled(ci=4, scaled=8, full=40)):
            _swap(house.rules, sets[number % 2])
            await asyncio.sleep(0.7)
            house.outlet.publish()
        house.rules.unlink()
        stop = threading.Event()
        writer = threading.Thread(target=_write_for_ever, args=(house.rules, stop))
        writer.start()
        try:
            for _ in range(scaled(ci=2, scaled=4, full=30)):
                await asyncio.sleep(1)
                await house.recovers()
        finally:
            stop.set()
            writer.join()
        house.rules.write_text(RULES + RIGA)
        await asyncio.sleep(3)
        house.outlet.publish("Talks in Riga on quite another thing")
        await house.until(lambda: house.told("Rule riga"), "the last set to be in force")
        await house.settled()
        held(await house.audit())


def _swap(link: Path, to: Path) -> None:
    """As editors and configuration systems do: a new link, renamed over the old one."""
    new = link.with_name("new")
    new.symlink_to(to)
    new.replace(link)


def _write_for_ever(path: Path, stop: threading.Event) -> None:
    """In halves, a hundred times a second."""
    text = (RULES + RIGA).encode()
    number = 0
    while not stop.wait(0.01):
        number += 1
        with path.open("wb") as file:
            file.write(text[: len(text) // 2])
            file.flush()
            file.write(text[len(text) // 2 :] + f"# {number}\n".encode())


@fault(
    39,
    "evil regular expressions on long text",
    injected=f"rules with {len(EVIL)} patterns that back-tracking engines never finish, on 100 kB",
    holds="matched in linear time: news within 10 s, polls on time",
)
async def test_evil_patterns(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house:
        rules = "".join(
            f"[[rule]]\nname = \"evil-{number}\"\nquery = '/{pattern}/ AND NATO'\n"
            for number, pattern in enumerate(EVIL)
        )
        house.rules.write_text(RULES + rules)
        await house.settled_in()
        long = "a" * 50_000 + " " + "aa" * 25_000
        for _ in range(3):
            house.outlet.publish(f"NATO {long}")
            took = await house.recovers()
        await house.settled()
        held(f"told in {took:.1f} s; {await house.audit()}")


@fault(
    37,
    "rule file unreadable",
    injected="chmod 000, where the user may not read everything",
    holds="the last good rules stay in force; told why",
)
async def test_an_unreadable_rule_file(tmp_path: Path, held: Held) -> None:
    if os.geteuid() == 0:
        pytest.skip("this user may read everything")
    async with a_house(tmp_path) as house:
        await house.settled_in()
        house.rules.chmod(0)
        await house.until(lambda: house.told("NOT live"), "the refusal to be told")
        await house.recovers()
        house.rules.chmod(0o600)
        await house.settled()
        held(await house.audit())
