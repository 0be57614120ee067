"""What channels do: refuse, hang, answer nothing, flap, vanish; and poison that waits for them."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.alerts.addresses import Security, mail_url
from monitor.feeds.parse import Parser
from tests.faults.fault import fault, scaled
from tests.faults.house import House, a_house
from tests.faults.outlets import Hook, Mailbox, notes
from tests.ordeal import Answer, Ordeal
from tests.sinks import SmtpSink, _serving, smtp_sink, talking

Held = Callable[[object], None]
WAITING = "SELECT count(*) FROM deliveries WHERE channel = '{}' AND state IN ('queued', 'claimed')"

HTTP = (
    *("400", "401", "404", "410", "429", "500", "503"),
    *("hang", "slow", "reset", "ambiguous", "drip", "redirect"),
)
SMTP = {
    "refuse": {"on_mail": "421 closing"},
    "greylist": {"on_rcpt": "451 later"},
    "reject": {"on_rcpt": "550 unknown"},
    "too big": {"on_data": "552 too big"},
    "hang after data": {"hang_after_data": True},
    "ambiguous": {"drop_after_data": True},
}
WELL = {"on_mail": None, "on_rcpt": None, "on_data": None} | {
    "hang_after_data": False,
    "drop_after_data": False,
}


def _channels(house: House, urls: Mapping[str, str]) -> str:
    """``[[channels]]`` of the hook, which is always well, and of others."""
    every = {"hook": house.hook_url(), **urls}
    return "".join(f'[[channels]]\nname = "{name}"\nurl = "{url}"\n' for name, url in every.items())


async def _news_meanwhile(house: House, seconds: float) -> None:
    """Three stories, each of which the healthy channel has within ten seconds."""
    await house.recovers(within=30)  # the senders of all channels are being started
    for _ in range(3):
        await asyncio.sleep(seconds / 3)
        await house.recovers()


# --- webhooks


@asynccontextmanager
async def _hooks(house: House) -> AsyncIterator[dict[str, Hook]]:
    """A webhook for each way to misbehave."""
    async with AsyncExitStack() as stack:
        hooks = {}
        for mode in HTTP:
            hook = Hook(notes=notes(f"hook-{mode}", house.ledger), slow=5.0)
            hook.port = await stack.enter_async_context(_serving(hook._talk))
            hooks[mode] = hook
        yield hooks


def _hook_urls(hooks: Mapping[str, Hook], mode: str = "") -> dict[str, str]:
    return {f"hook-{name}": hook.url(mode or name) for name, hook in hooks.items()}


@fault(
    32,
    "webhooks misbehave, all at once",
    injected=f"a channel for each: {', '.join(HTTP)}; then an edit that mends all addresses",
    holds="the healthy channel has all news within 10 s; the others once they are mended",
)
async def test_webhooks_misbehave(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house, _hooks(house) as hooks:
        house.write_config(channels=_channels(house, _hook_urls(hooks)))
        await house.settled_in()
        await _news_meanwhile(house, scaled(ci=3, scaled=12, full=300))
        house.write_config(channels=_channels(house, _hook_urls(hooks, "200")))
        await house.until(lambda: house.logged("live"), "the edit to be taken over")
        await house.recovers()
        await house.settled(within=scaled(ci=90, scaled=120, full=2400))
        held(await house.audit(given_up=["refused", "parked"]))


@fault(
    34,
    "a channel flaps every second",
    injected="503 and 200 in turn, a second each (scaled: 20 s), while stories come",
    holds="nothing lost, nothing repeated",
)
async def test_a_channel_flaps(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house:
        await house.settled_in()
        for second in range(scaled(ci=6, scaled=20, full=300)):
            house.hook.mode = "" if second % 2 else "503"
            house.outlet.publish()
            await asyncio.sleep(1)
        house.hook.mode = ""
        await house.settled(within=scaled(ci=60, scaled=90, full=1200))
        held(await house.audit())


# --- mail


@asynccontextmanager
async def _mailboxes(house: House) -> AsyncIterator[dict[str, SmtpSink]]:
    """A mail server for each way to misbehave, and one for that which says nothing at all."""
    async with AsyncExitStack() as stack:
        boxes = {}
        for name in (*SMTP, "silent"):
            book = notes(f"mail-{name}", house.ledger)
            boxes[name] = await stack.enter_async_context(smtp_sink(Mailbox, notes=book))
        yield boxes


def _mail_urls(boxes: Mapping[str, SmtpSink]) -> dict[str, str]:
    return {f"mail-{name}": box.url() for name, box in boxes.items()}


@fault(
    31,
    "mail servers misbehave, all at once",
    injected=f"a channel for each: {', '.join(SMTP)}, no banner; then a restart with all well",
    holds="the healthy channel has all news within 10 s; the others once they are mended",
)
async def test_mail_servers_misbehave(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house, _mailboxes(house) as boxes, talking(b"") as silent:
        nobody = mail_url(
            server="127.0.0.1",
            port=silent,
            from_="mon@corp.org",
            to="anna@example.org",
            security=Security.NONE,
        )
        urls = _mail_urls(boxes)
        house.write_config(channels=_channels(house, {**urls, "mail-silent": nobody}))
        for name, how in SMTP.items():
            _set(boxes[name], how)
        await house.settled_in()
        await _news_meanwhile(house, scaled(ci=3, scaled=12, full=300))
        for box in boxes.values():
            _set(box, WELL)
        await house.stop()
        house.write_config(channels=_channels(house, urls))
        await house.run()
        await house.recovers(within=30)  # it starts, and so do the senders
        await house.settled(within=scaled(ci=90, scaled=120, full=2400))
        held(await house.audit(given_up=["refused", "parked"]))


def _set(box: SmtpSink, how: Mapping[str, object]) -> None:
    for name, value in how.items():
        setattr(box, name, value)


# --- long, and much


@fault(
    33,
    "one channel down for 3 days, others fine",
    injected="a fake clock, in one process: 72 hours without an answer, or with HTTP 500",
    holds="others have each story within the hour; it gets all, once, when it is back",
    ci=True,
)
@pytest.mark.parametrize("answer", [Answer.SILENT, Answer.LATER], ids=["hangs", "refuses"])
async def test_three_days_down(tmp_path: Path, answer: Answer, held: Held) -> None:
    parser = Parser(size=1)
    ordeal = Ordeal(tmp_path, parser)
    try:
        await ordeal.start()
        ordeal.answers["pair/anna"] = answer
        for _ in range(scaled(ci=24, scaled=72, full=72)):
            await _an_hour(ordeal)
            assert _waiting_for(ordeal) <= {"pair/anna", "daily"}
        ordeal.answers["pair/anna"] = Answer.ACCEPT
        for _ in range(30):
            await _an_hour(ordeal, news=False)
        assert _waiting_for(ordeal) == set()
        taken = [each.taken for each in ordeal.ledgers.receipts.values()]
        assert set(taken) == {1}
        held(f"{len(taken)} deliveries, each received once; none waits")
    finally:
        await ordeal.close()
        await parser.aclose()


async def _an_hour(ordeal: Ordeal, *, news: bool = True) -> None:
    outlet = ordeal.outlets["Alpha"]
    if news:
        title = ordeal.headline(("NATO",))
        outlet.publish(title, title)
    for _ in range(4):
        ordeal.wait(timedelta(minutes=15))
        await ordeal.poller.round()
        await ordeal.deliverer.round()
        await ordeal.upkeep.sweep()
    for item in outlet.items:
        item.seen = True
    outlet.roll_over()


def _waiting_for(ordeal: Ordeal) -> set[str]:
    rows = "SELECT DISTINCT target FROM deliveries WHERE state <> 'accepted'"
    return {row[0] for row in ordeal.query(rows)}


@fault(
    35,
    "10 000 matches in one minute",
    injected="500 new matching entries at each poll (scaled: 2000 in all)",
    holds="all are stored and told, as digests; polls on time; memory as before",
)
async def test_a_flood(tmp_path: Path, held: Held) -> None:
    portions = scaled(ci=1, scaled=4, full=20)
    async with a_house(tmp_path) as house:
        await house.settled_in()
        await house.sample("before")
        began = house.ledger.now
        for _ in range(portions):
            for _ in range(500):
                house.outlet.publish()
            await house.polled(2)
        await house.settled(within=60 + 30 * portions)
        took = house.ledger.now - began
        await house.sample("after")
        count = house.query("SELECT count(*) FROM alerts WHERE rule_name = 'nato'")[0][0]
        assert count == 500 * portions
        messages = len(house.hook.notes.texts)
        verdict = await house.audit(rss_margin=160 << 20)
        held(f"{count} alerts in {messages} messages, {took:.0f} s; {verdict}")


# --- poison


def _told(**changes: object) -> str:
    values = {"title": "NATO poison", "url": "https://x.example/", "outlet": "X"}
    return json.dumps(values | changes)


POISON = {
    "lone surrogate": {"told": _told(title="NATO \ud800 poison")},
    "10 MB headline": {"told": _told(title="NATO " + "x" * (10 << 20))},
    "control characters": {"told": _told(title="NATO \x00\x1b[31m\r\nBcc: all@example.org")},
    "not JSON": {"told": '{"title": "NATO'},
    "no object": {"told": "[1, 2]"},
    "wrong types": {"told": _told(title=7, excerpts="no list")},
    "unknown kind": {"kind": "rumour"},
    "unknown severity": {"severity": 99},
    "year 300000": {"created_at": 2**62},
    "unknown channel": {"channel": "gone"},
    "unknown recipient": {"target": "hook/nobody"},
    "unknown delivery kind": {"delivery_kind": "telepathy"},
}


@fault(
    36,
    "poison rows",
    injected=f"rows written into the outbox by hand: {', '.join(POISON)}",
    holds="each is set aside, or told as far as it can be; what is behind them arrives in 10 s",
)
async def test_poison_rows(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house:
        await house.settled_in()
        await house.stop()
        with closing(sqlite3.connect(house.file)) as db, db:
            for number, changes in enumerate(POISON.values()):
                _insert(db, number, changes)
        await house.run()
        await house.until(lambda: house.logged("polled"), "the start")
        took = await house.recovers()
        await house.polled(3)
        _, out, err = await house.command("deliveries", "list", "--json")
        assert json.loads(out), err
        await house.stop()
        with closing(sqlite3.connect(house.file)) as db, db:
            left = db.execute(
                "SELECT state, count(*) FROM deliveries WHERE id LIKE 'poison%' GROUP BY state"
            ).fetchall()
            db.execute("DELETE FROM deliveries WHERE id LIKE 'poison%'")
            db.execute("DELETE FROM alerts WHERE id LIKE 'poison%'")
        held(f"told {took:.1f} s after; {dict(left)}; {await house.audit()}")


def _insert(db: sqlite3.Connection, number: int, changes: Mapping[str, object]) -> None:
    values: dict[str, object] = {
        "id": f"poison{number:010}", "kind": "story", "severity": 2, "created_at": 1,
        "told": _told(), "channel": "hook", "target": "hook", "delivery_kind": "first",
    }  # fmt: skip
    (now,) = db.execute("SELECT max(created_at) FROM alerts").fetchone()
    values |= {"created_at": now} | changes
    db.execute(
        "INSERT INTO alerts VALUES (:id, :kind, :id, :severity, :created_at, 's', 'e', 'nato',"
        " CAST(:told AS TEXT))",
        values,
    )
    db.execute(
        "INSERT INTO deliveries (id, alert_id, channel, target, kind, sequence, state, due_at,"
        " created_at, attempts, ambiguous, claim, last_error) VALUES (:id, :id, :channel, :target,"
        " :delivery_kind, 0, 'queued', 0, :created_at, 0, 0, 0, '')",
        values,
    )


# --- a channel that is gone


@fault(
    38,
    "a channel leaves config.toml while rows wait for it",
    injected="a channel that answers 503 is removed, alerts wait; later it comes back, well",
    holds="what waits is kept and counted; others are told; it gets all once it is back",
    ci=True,
)
async def test_a_channel_is_removed(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house, _hooks(house) as hooks:
        second = {"hook-503": hooks["503"].url("503")}
        house.write_config(channels=_channels(house, second))
        await house.settled_in()
        await house.recovers()
        house.write_config()
        await house.until(lambda: house.logged("live"), "the channel to be gone")
        await house.recovers()
        waiting = house.query(WAITING.format("hook-503"))[0][0]
        assert waiting
        await house.stop()
        house.write_config(channels=_channels(house, {"hook-503": hooks["503"].url("200")}))
        await house.run()
        await house.settled(within=60)
        held(f"{waiting} waited; {await house.audit()}")
