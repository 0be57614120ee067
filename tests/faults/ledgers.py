"""The ledgers of a fault test: what was served, received, sampled, and when the program lived.

JSON lines in ``DIR/ledgers``, so that a run can be looked at again:
``python -m tests.faults.invariants DIR``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A request for a feed, and the links in the document that was written out whole."""

    t: float
    feed: str
    whole: bool
    links: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message that a sink has read whole, whatever it answered; ``acked`` once it said yes."""

    t: float
    n: int
    sink: str
    ids: list[str]  # of alerts
    text: str
    acked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The program was started ("start"), told to stop or killed ("end"), or the test held it up
    ("fault", until ``until``: gaps between polls are excused for so long)."""

    t: float
    what: str
    detail: str = ""
    code: int | None = None
    until: float = 0.0
    crowd: float = 1.0  # see ``crowd``


def crowd() -> float:
    """How many processes want each processor, at least one: where two do, all takes twice as long,
    and what must happen within ten seconds may take twenty."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the program and its children held; ``when``: "before" the fault or "after" it."""

    t: float
    when: str
    rss: int  # bytes
    handles: int
    threads: int
    children: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What a test says of itself."""

    database: str  # path, relative to DIR
    interval: float = 1.0  # seconds between polls
    canaries: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)  # states of deliveries that may be
    prose: list[str] = field(default_factory=list)  # beginnings of stderr lines that are no JSON
    ailing: list[str] = field(default_factory=list)  # feeds that fail, and may be polled later
    visible: list[str] = field(default_factory=list)  # what ``status --json`` must have shown
    rss_margin: int = 48 << 20
    handles_margin: int = 8


class Ledger:
    """Writes the records of one test; ``now`` is what they are dated with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "ledgers"
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def now(self) -> float:
        return monotonic()  # tests of a jumping clock must not confuse their own ledger

    def write(self, record: Served | Received | Life | Sample) -> None:
        self._append(type(record).__name__.lower(), asdict(record))

    def acked(self, n: int) -> None:
        self._append("acked", {"n": n, "t": self.now})

    def status(self, told: Any) -> None:
        self._append("status", {"t": self.now, "status": told})

    def meta(self, meta: Meta) -> None:
        (self.folder / "meta.json").write_text(json.dumps(asdict(meta)))

    def _append(self, name: str, record: dict[str, Any]) -> None:
        with (self.folder / f"{name}.jsonl").open("a") as file:
            file.write(json.dumps(record) + "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """All that a test wrote down."""

    folder: Path
    meta: Meta
    served: list[Served]
    received: list[Received]
    life: list[Life]
    samples: list[Sample]
    statuses: list[Any]

    @property
    def database(self) -> Path:
        return self.folder / self.meta.database

    def output(self) -> Iterator[tuple[Path, str]]:
        """Each captured stream of the program."""
        for path in sorted((self.folder / "output").glob("*")):
            yield path, path.read_text(errors="replace")


def read(folder: Path) -> Records:
    """The ledgers that a test left in *folder*."""
    where = folder / "ledgers"
    acked = {each["n"] for each in _lines(where / "acked.jsonl")}
    received = _lines(where / "received.jsonl")
    return Records(
        folder=folder,
        meta=Meta(**json.loads((where / "meta.json").read_text())),
        served=[Served(**each) for each in _lines(where / "served.jsonl")],
        received=[Received(**(each | {"acked": each["n"] in acked})) for each in received],
        life=[Life(**each) for each in _lines(where / "life.jsonl")],
        samples=[Sample(**each) for each in _lines(where / "sample.jsonl")],
        statuses=[each["status"] for each in _lines(where / "status.jsonl")],
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]
