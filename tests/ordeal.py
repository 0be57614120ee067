"""The monitor under a fake clock, with a network, channels and a store that fail on request.

Real parser child, real SQLite file, real poll, deliver, upkeep and reload loops.  ``Ordeal`` holds
the two ledgers of truth: what outlets served completely, and what recipients received.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from random import Random
from string import ascii_lowercase
from typing import Any
from xml.sax.saxutils import escape

from monitor.errors import StoreBusy
from monitor.events import Event, Polled
from monitor.feeds.parse import Parser
from monitor.ingest.identity import FEWEST_RENAMED
from monitor.model import (
    Accepted,
    FailureReason,
    Feed,
    FetchFailed,
    FetchResult,
    Message,
    NotModified,
    Refused,
    Scope,
    SendResult,
    Severity,
)
from monitor.pipeline import rule_sets
from monitor.pipeline.deliver import Deliverer
from monitor.pipeline.in_force import InForce
from monitor.pipeline.jumps import Jumps, set_back_since
from monitor.pipeline.memory import Memory
from monitor.pipeline.poll import Poller
from monitor.pipeline.reload import Reloader
from monitor.pipeline.shared import Shared
from monitor.pipeline.templating import Templating
from monitor.pipeline.upkeep import Upkeep
from monitor.settings import Channel, Config, FeedSettings, FirstPoll, Target
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from monitor.timetable import Timetable, read_slot
from tests.builders import NOW, a_silence
from tests.replay import Clock, config_of, served

OUTLETS = ("Alpha", "Beta", "Gamma")
TARGETS = ("desk", "pair/anna", "pair/ben", "daily")
CHANNELS = (
    Channel(name="desk", targets=(Target(name="desk", url=""),)),
    Channel(name="pair", targets=tuple(Target(name=f"pair/{n}", url="") for n in ("anna", "ben"))),
    Channel(
        name="daily",
        targets=(Target(name="daily", url=""),),
        digest=Timetable((read_slot("07:30"),)),
        at_once=frozenset({Severity.HIGH, Severity.CRITICAL}),
    ),
)
NO_TIME = timedelta(0)


def _rule(name: str, *terms: str, severity: str = "normal") -> str:
    return f'[[rule]]\nname = "{name}"\nany = {list(terms)}\nseverity = "{severity}"\n'


GOOD_RULES = {
    "two": _rule("nato", "NATO", severity="high") + _rule("kyiv", "Kyiv"),
    "three": _rule("nato", "NATO") + _rule("kyiv", "Kyiv") + _rule("riga", "Riga"),
    "other words": _rule("nato", "NATO", "Riga") + _rule("kyiv", "Kyiv", severity="low"),
    "one": _rule("nato", "NATO", severity="critical"),
}
BAD_RULES = {
    "half written": b'[[rule]]\nname = "nato"\nany = ["NA',
    "empty": b"",
    "not text": b"\xff\xfe\x00",
    "wrong type": b'[[rule]]\nname = "nato"\nany = 3\n',
}


class Answer(StrEnum):
    """What a recipient does with a message."""

    ACCEPT = "accept"
    LATER = "not now"  # HTTP 500
    NEVER = "never this text"  # HTTP 422
    STOPPED = "wrong address"  # HTTP 404
    TAKEN = "taken, without an answer"
    SILENT = "no answer, and nothing taken"


REFUSALS = {
    Answer.LATER: Refused(detail="HTTP 500", scope=Scope.CHANNEL),
    Answer.NEVER: Refused(detail="HTTP 422", retryable=False),
    Answer.STOPPED: Refused(detail="HTTP 404", retryable=False, scope=Scope.TARGET),
    Answer.TAKEN: Refused(detail="no answer", ambiguous=True, scope=Scope.CHANNEL),
    Answer.SILENT: Refused(detail="no answer", ambiguous=True, scope=Scope.CHANNEL),
}


class When(StrEnum):
    """Where in a step of the monitor the process dies, or the database is busy."""

    BEFORE = "before"
    INSIDE = "inside"  # of a transaction
    AFTER = "after"
    BUSY = "busy"


class Died(Exception):
    """The process is no more; whatever still runs of it achieves nothing."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """Something that happens once, at a step counted from now: a call of the store, or a send."""

    when: When
    steps: int
    where: str = ""  # only steps of this name count: a method of the store, or "send"
    deep: int = 1  # INSIDE: statements of SQLite's machine until it happens
    happened: bool = False

    def comes(self, step: str) -> bool:
        self.steps -= self.where in ("", step)
        return self.where in ("", step) and self.steps < 0 and not self.happened


class Failing:
    """A store that fails as it is told; used in the thread of the writer, like the real one."""

    def __init__(self, path: str, ordeal: Ordeal) -> None:
        self._real = SqliteStore.open(path)
        self._ordeal = ordeal

    def close(self) -> None:
        self._real.close()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._real, name)

        def call(*arguments: Any, **named: Any) -> Any:
            return self._ordeal.step(name, lambda: method(*arguments, **named), self._real)

        return call


@dataclass(slots=True)
class Item:
    """A story of an outlet; its link is what tells it apart from all others here."""

    link: str
    title: str
    text: str
    guid: str
    seen: bool = False  # it was in a document that the monitor has read to its end


class Outlet:
    """A feed and what stands in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.items: list[Item] = []
        self.down = False
        self.published = 0
        self.renaming = False  # its new ids were not read yet

    @property
    def url(self) -> str:
        return f"https://{self.name.lower()}.example/feed"

    def publish(self, title: str, text: str) -> Item:
        link = f"https://{self.name.lower()}.example/{self.published}"
        item = Item(link, title, text, guid=f"{self.name}-{self.published}")
        self.published += 1
        self.items.insert(0, item)
        return item

    def roll_over(self) -> None:
        """What was read long ago leaves the document."""
        if all(item.seen for item in self.items):
            del self.items[4:]

    def rename(self) -> None:
        """New ids for everything, as after a change of software."""
        if len(self.items) >= FEWEST_RENAMED and all(item.seen for item in self.items):
            self.renaming = True
            for item in self.items:
                item.guid = f"{item.guid}'"

    def document(self) -> bytes:
        items = "".join(
            f"<item><guid isPermaLink='false'>{escape(item.guid)}</guid><link>{item.link}</link>"
            f"<title>{escape(item.title)}</title><description>{escape(item.text)}</description>"
            "</item>"
            for item in self.items
        )
        head = f"<title>{self.name}</title><language>en</language>"
        return f"<rss version='2.0'><channel>{head}{items}</channel></rss>".encode()


@dataclass(slots=True)
class Receipts:
    """What came of one delivery on the other side."""

    taken: int = 0
    unanswered: int = 0  # taken, or perhaps taken, and the monitor was not told so
    deaths: int = 0  # of the monitor between its being taken and its being recorded
    refused: int = 0  # for good
    tries: int = 0


@dataclass(slots=True)
class Ledgers:
    """The truth, from outside."""

    receipts: dict[str, Receipts] = field(default_factory=dict)  # by delivery
    items: dict[str, Item] = field(default_factory=dict)  # by link; read completely

    def of(self, delivery_id: str) -> Receipts:
        return self.receipts.setdefault(delivery_id, Receipts())


class Ordeal:
    """The monitor, whatever happens to it."""

    def __init__(self, folder: Path, parser: Parser) -> None:
        self.folder = folder
        self.clock = Clock(NOW)
        self.steady = 1000.0  # seconds; what no clock jump changes
        self.outlets = {name: Outlet(name) for name in OUTLETS}
        self.answers = dict.fromkeys(TARGETS, Answer.ACCEPT)
        self.ledgers = Ledgers()
        self.faults: list[Fault] = []
        self.dead = False
        self.deaths = 0
        self.polls: list[Polled] = []
        self._chance = Random(1)
        self._parser = parser
        self.config = _config(folder)
        self.rules_file = Path(self.config.rules) / "rules.toml"
        self.rules_file.parent.mkdir()
        self.rules_file.write_text(GOOD_RULES["two"])

    # --- the process

    async def start(self) -> None:
        """As ``session.opened`` does."""
        self.dead = False
        self.store = Writer(lambda: Failing(self.config.database, self))  # type: ignore[arg-type,return-value]
        await self.store.call(lambda store: store.clear_claims())
        await self.store.call(lambda store: set_back_since(store, self.clock()))
        await self.store.call(lambda store: store.resume())
        in_force, problems = await rule_sets.at_start(self.config, self.store, self.clock())
        await self.store.call(lambda store: store.sync_feeds(self.config.feeds, self.clock()))
        shared = Shared(in_force=in_force, store=self.store, clock=self.clock, report=self._note)
        self.in_force: InForce = in_force
        memory = Memory(self.store)
        await memory.load(self.clock())
        self.poller = Poller(shared, fetcher=self, parser=self._parser, memory=memory)
        self.deliverer = Deliverer(shared, sender=self)
        self.upkeep = Upkeep(shared, memory=memory, ticks=lambda: timedelta(seconds=self.steady))
        templating = Templating(shared, tell=self.upkeep.tell_operators)
        self.reloader = Reloader(shared, fetcher=self, upkeep=self.upkeep, templating=templating)  # type: ignore[arg-type]
        self.jumps = Jumps(shared)
        await self.reloader.started(problems)

    async def close(self) -> None:
        await self.store.aclose()

    async def killed(self) -> None:
        """The process dies; what was not committed has never been."""
        self.dead = True
        self.faults.clear()
        for loop in (self.poller, self.deliverer):
            with suppress(Died):
                await loop.aclose(NO_TIME)
        await self.store.aclose()
        self.deaths += 1
        recorded = {
            row[0] for row in self.query("SELECT id FROM deliveries WHERE state='accepted'")
        }
        for id_, receipts in self.ledgers.receipts.items():
            receipts.deaths += bool(receipts.taken) and id_ not in recorded

    def step(self, name: str, act: Callable[[], Any], real: SqliteStore | None = None) -> Any:
        """*act*, unless the process is dead, or dies or fails just now."""
        if self.dead:
            raise Died
        fault = next((each for each in self.faults if each.comes(name)), None)
        if fault is None:
            return act()
        fault.happened = True
        if fault.when is When.BUSY:
            if real is None:  # a channel is never busy with our database
                return act()
            raise StoreBusy("database is locked")
        if fault.when is When.BEFORE:
            self._die()
        if fault.when is When.INSIDE and real is not None:
            self._die_inside(real._db, fault.deep)
        with suppress(sqlite3.Error):  # of a transaction that was cut off
            act()
        self._die()

    def _die(self) -> None:
        self.dead = True
        raise Died

    def _die_inside(self, db: sqlite3.Connection, deep: int) -> None:
        left = deep

        def one_more() -> int:
            nonlocal left
            left -= 1
            self.dead = self.dead or left <= 0
            return int(self.dead)

        db.set_progress_handler(one_more, 1)

    def _note(self, event: Event) -> None:
        if isinstance(event, Polled) and not self.dead:
            self.polls.append(event)

    # --- the network, as the poll loop knows it

    async def fetch(self, feed: Feed, *, unconditional: bool = False) -> FetchResult:
        outlet = self.outlets[feed.name]
        if outlet.down:
            return FetchFailed(reason=FailureReason.HTTP_SERVER, detail="HTTP 500", status=500)
        body = outlet.document()
        answer = served(body, final_url=outlet.url)
        if feed.etag == answer.etag and not unconditional:
            return NotModified()
        return answer

    def use(self, *_: object, **__: object) -> None:
        """The settings of the network have changed."""

    # --- the channels, as the deliver loop knows them

    async def send(
        self, message: Message, target: Target, channel: Channel, *, thread: str = ""
    ) -> SendResult:
        result: SendResult = self.step("send", lambda: self._answered(message))
        return result

    def _answered(self, message: Message) -> SendResult:
        answer = self.answers[message.target]
        for id_ in message.delivery_ids:
            receipts = self.ledgers.of(id_)
            receipts.tries += 1
            receipts.taken += answer in (Answer.ACCEPT, Answer.TAKEN)
            receipts.unanswered += answer is Answer.TAKEN
            receipts.refused += answer is Answer.NEVER
        return REFUSALS.get(answer, Accepted())

    # --- what people and time do

    async def edited(self) -> None:
        """An edit of the rule file is noticed, once it holds still."""
        for _ in range(2):
            await self.reloader.check()

    async def jump(self, by: timedelta) -> None:
        """Somebody sets the clock; the daemon notices."""
        self.clock.advance(by)
        await self.jumps.jumped(by)

    def wait(self, time: timedelta) -> None:
        self.clock.advance(time)
        self.steady += time.total_seconds()

    def headline(self, terms: tuple[str, ...]) -> str:
        """Words nobody else uses, and *terms*: a story that must not be joined to another."""
        words = ["".join(self._chance.choices(ascii_lowercase, k=9)) for _ in range(5)]
        return " ".join((*words, *terms))

    async def silence(self, rule: str, length: timedelta) -> None:
        now = self.clock()
        made = a_silence(
            id=f"{self._chance.getrandbits(64):016x}",
            rules=frozenset({rule}),
            created_at=now,
            ends_at=now + length,
        )
        await self.store.call(lambda store: store.add_silence(made))

    # --- what the database says

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        db = sqlite3.connect(self.config.database)
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()


def _config(folder: Path) -> Config:
    feeds = tuple(FeedSettings(url=Outlet(name).url, name=name) for name in OUTLETS)
    config = config_of(folder, first_poll=FirstPoll.ALERT, interval=timedelta(minutes=15))
    return replace(config, feeds=feeds, channels=CHANNELS)
