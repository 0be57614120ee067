"""A database that is locked, read for long, moved away, damaged, old, or of the future."""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from monitor.store.opening import WAL_LIMIT
from monitor.store.version import VERSION
from tests.faults.fault import fault, scaled
from tests.faults.house import ROOT, House, a_house, sentences
from tests.faults.ledgers import crowd

Held = Callable[[object], None]

# No log can begin anew while somebody reads what was before it: it holds every page as often as it
# was written.  An entry that raises an alert is in thirty trees, in half of them at a place of its
# own.  Beyond the limit operators are told.
AN_ENTRY = 128 << 10  # bytes

HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
for statement in sys.argv[2].split(";"):
    db.execute(statement).fetchall()
print("held", flush=True)
sys.stdin.read()
"""


@asynccontextmanager
async def held_open(file: Path, statements: str) -> AsyncIterator[None]:
    """Another process has run *statements* on the database, and stays."""
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD, str(file), statements),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert other.stdout is not None
    try:
        assert await other.stdout.readline() == b"held\n"
        yield
    finally:
        await other.communicate(b"")  # ends its input, and so the process


@fault(
    11,
    "database locked for 1 s, 10 s, 10 min",
    injected="another process holds BEGIN IMMEDIATE (scaled: 1 s, 10 s, 40 s)",
    holds="reported when it lasts; nothing lost; polling goes on within 10 s of its end",
    ci=True,
)
@pytest.mark.parametrize("seconds", scaled(ci=[10], scaled=[1, 10, 40], full=[1, 10, 600]))
async def test_a_locked_database(tmp_path: Path, seconds: int, held: Held) -> None:
    async with a_house(tmp_path) as house:
        await house.settled_in()
        await house.sample("before")
        async with house.holding_up("locked"):
            async with held_open(house.file, "BEGIN IMMEDIATE"):
                house.outlet.publish()
                await asyncio.sleep(seconds)
                if seconds > 180:  # the operators are told past the outbox, while it lasts
                    assert house.told("cannot write its database")
            took = await house.recovers()
        if seconds > 30:
            assert house.logged("database busy")
        await house.settled()
        await house.sample("after")
        held(f"{seconds} s: told {took:.1f} s after its end; {await house.audit()}")


@fault(
    5,
    "SIGTERM while the database is locked",
    injected="another process holds BEGIN IMMEDIATE; SIGTERM",
    holds="it ends within 15 s; nothing lost",
)
async def test_told_to_stop_while_locked(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house:
        await house.settled_in()
        async with held_open(house.file, "BEGIN IMMEDIATE"):
            house.outlet.publish()
            await asyncio.sleep(2)  # the store's thread waits for the lock by now
            began = house.ledger.now
            assert await house.stop(within=15 * crowd()) == 0
            took = house.ledger.now - began
        await house.run()
        await house.settled()
        held(f"ended after {took:.0f} s; {await house.audit()}")


@fault(
    12,
    "long reader",
    injected="another process keeps a read transaction open while hundreds of entries come",
    holds="nothing waits for it; a log of over 64 MiB is told, and cut when it has gone",
)
async def test_a_long_reader(tmp_path: Path, held: Held) -> None:
    count = scaled(ci=20, scaled=60, full=600)
    async with a_house(tmp_path) as house:
        await house.settled_in()
        wal = house.file.with_name("monitor.db-wal")
        async with held_open(house.file, "BEGIN;SELECT count(*) FROM entries"):
            for _ in range(count):
                for _ in range(5):
                    house.outlet.publish()
                house.roll_over()
                await house.polled()
            await house.settled()
            grown = wal.stat().st_size
            if grown > WAL_LIMIT:
                await house.until(lambda: house.told("log has grown"), "the operators to be told")
        assert grown < (4 << 20) + count * 5 * AN_ENTRY
        await house.until(lambda: wal.stat().st_size <= WAL_LIMIT, "the log to be cut")
        took = await house.recovers()
        verdict = await house.audit()
        assert not wal.exists()
        held(f"log {grown >> 10} kB at the most; {took:.0f} s; {verdict}")


@fault(
    13,
    "database deleted or replaced while running",
    injected="mv of the file and its companions, of the file alone; another file in its place",
    holds="alerts go on, operators are told within a minute and a half, `status` refuses",
)
@pytest.mark.parametrize("replaced", [False, True], ids=["gone", "replaced"])
async def test_a_database_moved_away(tmp_path: Path, replaced: bool, held: Held) -> None:
    async with a_house(tmp_path) as house:
        await house.settled_in()
        kept = house.file.with_name("kept.db")
        for end in ("", "-wal", "-shm"):
            part = house.file.with_name(f"monitor.db{end}")
            part.rename(f"{kept}{end}")
        if replaced:
            house.file.write_bytes(b"not a database")
        took = await house.recovers()
        await house.until(lambda: house.told("database"), "the operators to be told", 100)
        told = await house.status()
        assert "refused" in told
        assert await house.stop() == 0
        house.database = "data/kept.db"
        held(f"news after {took:.0f} s; status: {told['refused'].strip()}; {await house.audit()}")


def zeros(file: Path, start: int, count: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(start)
        opened.write(bytes(count))


DAMAGE: dict[str, Callable[[Path], None]] = {
    "page 2": lambda file: zeros(file, 4096, 4096),
    "many pages": lambda file: zeros(file, 8192, 20 * 4096),
    "header": lambda file: zeros(file, 0, 100),
    "cut in half": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
}


@fault(
    14,
    "database corrupt at the start",
    injected="page 2, twenty pages, the header zeroed; the file cut in half",
    holds="refused with exit code 3, the place and what to do; the file is left as it is",
    ci=True,
)
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
async def test_a_corrupt_database(
    tmp_path: Path, damage: Callable[[Path], None], held: Held
) -> None:
    async with a_house(tmp_path) as house:
        await house.settled_in()
        await house.stop()
        damage(house.file)
        before = house.file.read_bytes()
        await house.run()
        assert await house.ended() == 3
        (said,) = [each for each in house.said().split("\n") if each.startswith(str(house.file))]
        assert house.file.read_bytes() == before
        told = await house.status()
        assert "refused" in told or told["feeds"]
        held(said.removeprefix(f"{house.file.parent}/"))


@fault(
    14,
    "log of the database cut off",
    injected="kill −9, then the write-ahead log is cut in half, and removed",
    holds="it starts; what the log held is fetched and told again; the database is whole",
)
@pytest.mark.parametrize("left", [0.5, 0.0])
async def test_a_log_cut_off(tmp_path: Path, left: float, held: Held) -> None:
    async with a_house(tmp_path) as house:
        await house.settled_in()
        await house.stop()
        await house.run()
        for _ in range(9):
            house.outlet.publish()
        await house.settled()
        await house.kill()
        wal = house.file.with_name("monitor.db-wal")
        whole = wal.read_bytes()
        wal.write_bytes(whole[: int(len(whole) * left)])
        await house.run()
        await house.recovers()
        await house.settled()
        held(await house.audit(without=("INV3",)))  # the kill explains the repeats, if not so often


@fault(
    14,
    "database corrupt while running",
    injected="all pages but the first zeroed beneath the running program",
    holds="operators are told, exit code 3: a person must act",
)
async def test_corrupt_while_running(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house:
        await house.settled_in()
        with closing(sqlite3.connect(house.file)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        zeros(house.file, 4096, house.file.stat().st_size - 4096)
        house.outlet.publish()
        assert await house.ended(within=100) == 3
        assert house.told("damaged")
        held(house.told("damaged")[0].split("\n")[0])


SCHEMAS = sorted((ROOT / "tests/data").glob("schema*.db.gz"))


@fault(
    44,
    "databases of every released schema",
    injected="each is put in place and the program started on it",
    holds="upgraded, a copy kept, nothing of it lost; news are told",
)
@pytest.mark.parametrize("packed", SCHEMAS, ids=[path.name.split(".")[0] for path in SCHEMAS])
async def test_an_old_database(tmp_path: Path, packed: Path, held: Held) -> None:
    async with a_house(tmp_path) as house:
        house.file.parent.mkdir()
        house.file.write_bytes(gzip.decompress(packed.read_bytes()))
        counts = "SELECT (SELECT count(*) FROM entries), (SELECT count(*) FROM alerts)"
        before = house.query(counts)
        await house.settled_in()
        took = await house.recovers()
        await house.settled()
        (entries, alerts), (had, raised) = house.query(counts)[0], before[0]
        assert entries >= had
        assert alerts >= raised
        copies = [path.name for path in house.file.parent.glob("monitor.db.schema*")]
        assert copies == [f"monitor.db.{packed.name.split('.')[0]}"]
        held(f"{packed.name}: {took:.0f} s; {await house.audit(given_up=['expired'])}")


@fault(
    44,
    "database of a newer monitor",
    injected="user_version one higher",
    holds="refused with exit code 3, left as it is",
)
async def test_a_database_of_the_future(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house:
        await house.settled_in()
        await house.stop()
        with closing(sqlite3.connect(house.file)) as db:
            db.execute(f"PRAGMA user_version = {VERSION + 1}")
        before = house.file.read_bytes()
        await house.run()
        assert await house.ended() == 3
        assert "newer monitor" in house.said()
        assert house.file.read_bytes() == before
        held(told_by(house))


def told_by(house: House) -> str:
    return sentences(house.said()).removeprefix(f"{house.file.parent}/")
