"""Bad surroundings, as real processes: a clear message, a code from the table, nothing lost."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.cli import INTERRUPTED, cli
from monitor.errors import AlreadyRunning, ConfigError, MonitorError, StoreBusy, StoreRefused
from monitor.store.lock import Lock
from monitor.store.sqlite import SqliteStore
from tests.test_whole import PATIENCE, House, a_house
from tests.thorough import thorough

ROOT = Path(__file__).parents[1]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
CONFIG = """
[monitor]
database = "data/monitor.db"
[[feeds]]
name = "Off"
url = "https://off.example.org/rss"
enabled = false
"""
RULES = '[[rule]]\nname = "nato"\nany = ["NATO"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "nato.toml").write_text(RULES)
    (tmp_path / "data").mkdir()
    return tmp_path


def command(folder: Path, *arguments: str) -> list[str]:
    config = str(folder / "config.toml")
    return [sys.executable, str(ROOT / "run_monitor.py"), *arguments, "--config", config]


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    said: str


def ended(folder: Path, *arguments: str, **how: object) -> Ended:
    ran = subprocess.run(  # type: ignore[call-overload]
        command(folder, *arguments), capture_output=True, text=True, timeout=60, **how
    )
    return Ended(ran.returncode, ran.stdout + ran.stderr)


# --- a start that cannot be


def from_the_future(folder: Path) -> None:
    SqliteStore.open(str(folder / "data" / "monitor.db")).close()
    with closing(sqlite3.connect(folder / "data" / "monitor.db")) as db:
        db.execute("PRAGMA user_version = 99")


def no_database(folder: Path) -> None:
    (folder / "data" / "monitor.db").write_text("Dear diary, today nothing happened.")


def of_another_program(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "data" / "monitor.db")) as db:
        db.execute("CREATE TABLE diary (day)")


def read_only(folder: Path) -> None:
    """A folder in which nobody, not even root, can make files."""
    config = folder / "config.toml"
    config.write_text(CONFIG.replace("data/monitor.db", "/sys/kernel/monitor.db"))


def misspelt(folder: Path) -> None:
    (folder / "config.toml").write_text(CONFIG.replace("enabled", "enbaled"))


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        pytest.param(misspelt, 2, 'did you mean "enabled"?', id="a misspelt key"),
        pytest.param(from_the_future, 3, "made by a newer monitor", id="from the future"),
        pytest.param(no_database, 3, "this is not a database", id="a foreign file"),
        pytest.param(of_another_program, 3, "the database of another program", id="another's"),
        pytest.param(read_only, 3, "/sys/kernel: cannot write here", id="a read-only folder"),
    ],
)
def test_a_start_that_cannot_be_changes_nothing(
    folder: Path, spoil: Callable[[Path], None], code: int, said: str
) -> None:
    spoil(folder)
    before = {path: path.read_bytes() for path in (folder / "data").glob("monitor.db")}
    found = ended(folder, "run")
    assert found.code == code
    assert said in found.said
    assert "Traceback" not in found.said
    assert {path: path.read_bytes() for path in (folder / "data").glob("monitor.db")} == before


def test_a_second_monitor_says_who_is_the_first(folder: Path) -> None:
    with Lock(str(folder / "data" / "monitor.db")):
        found = ended(folder, "run")
    assert found.code == 4
    assert f"process {os.getpid()}" in found.said


@pytest.mark.parametrize("bytes_left", [pytest.param(0, marks=thorough), 60_000])
def test_a_full_disk_at_the_start_passes_once_there_is_room(folder: Path, bytes_left: int) -> None:
    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_left, bytes_left))

    found = ended(folder, "once", preexec_fn=full)
    assert found.code == 1
    assert "make room, or wait, and try again" in found.said
    assert "Traceback" not in found.said
    assert ended(folder, "once").code == 0


# --- streams


@pytest.mark.parametrize(
    "closed",
    [pytest.param(">&-", marks=thorough), pytest.param("2>&-", marks=thorough), "<&- >&- 2>&-"],
)
def test_closed_streams_do_not_end_in_the_database(folder: Path, closed: str) -> None:
    shell = f'exec "$@" {closed}'
    ran = subprocess.run(
        ["sh", "-c", shell, "sh", *command(folder, "once")], timeout=60, capture_output=True
    )
    assert ran.returncode == 0
    with closing(sqlite3.connect(folder / "data" / "monitor.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_output_that_cannot_be_written_is_no_crash(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            command(folder, "check"), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert ran.returncode == 1
    assert ran.stderr == "Nothing more can be written: No space left on device.\n"


def test_a_log_that_cannot_be_written_stops_nothing(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        assert subprocess.run(command(folder, "once"), stderr=full, timeout=60).returncode == 0


@contextmanager
def a_pipe_nobody_reads() -> Iterator[int]:
    """Its end for writing; it is full already."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b"x" * 4096)
    try:
        yield writing
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@thorough
async def test_alerts_arrive_though_nobody_reads_what_is_printed(
    tmp_path: Path, stream: str
) -> None:
    """Standard output is a channel here: what it cannot take waits."""
    screen = '[[channels]]\nname = "screen"\nurl = "terminal://"\n'
    async with a_house(tmp_path) as house:
        house.write_config(house.sink.url("200"), extra=screen)  # type: ignore[attr-defined]
        house.outlet.publish("Old", minutes_ago=600)
        with a_pipe_nobody_reads() as pipe:
            streams = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
            house.process = await asyncio.create_subprocess_exec(
                *command(house.folder, "run"), **(streams | {stream: pipe})
            )
            await house.until(lambda: house.told("Watching"), "the first message")
            house.outlet.publish("NATO meets today")
            await house.until(lambda: house.told("NATO meets today"), "the alert")
            began = time.monotonic()
            assert await house.stop() == 0
            assert time.monotonic() - began < PATIENCE
        assert waiting_for_the_screen(house) == (1 if stream == "stdout" else 0)


def waiting_for_the_screen(house: House) -> object:
    sql = "SELECT count(*) FROM deliveries d JOIN alerts a ON a.id = d.alert_id"
    of_news = " WHERE d.channel = 'screen' AND a.rule_name = 'nato' AND d.state != 'accepted'"
    return house.query(sql + of_news)[0][0]


# --- the table


def test_the_table_of_codes_is_that_of_the_program() -> None:
    table = OPERATIONS.partition("## Exit codes")[2].partition("\n## ")[0]
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    raised = (MonitorError, ConfigError, StoreBusy, StoreRefused, AlreadyRunning)
    assert codes == {0, INTERRUPTED, *(each.exit_code for each in raised)}
    assert cli.epilog is not None
    assert codes <= set(map(int, re.findall(r"\b(\d+)\b", cli.epilog)))
