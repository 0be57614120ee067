"""The script that judges the fault tests: it finds what is wrong, and only that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts import operator
from monitor.alerts.render import render
from monitor.model import Alert, Delivery, DeliveryState, Match
from monitor.settings import Channel, Target
from monitor.store.sqlite import SqliteStore
from tests.builders import NOW, a_delivery, a_rule, an_alert, an_entry, an_outcome, feed_settings
from tests.faults.invariants import check
from tests.faults.ledgers import Ledger, Life, Meta, Received, Sample, Served
from tests.faults.outlets import told

FEED = feed_settings().url
LINK = "https://www.example.org/news/1"
Spoils = Callable[["Scene"], None]


class Scene:
    """A run in which all went well: one entry, one alert, one message."""

    def __init__(self, folder: Path, *, state: DeliveryState = DeliveryState.ACCEPTED) -> None:
        self.folder, self.database = folder, folder / "monitor.db"
        self.ledger = Ledger(folder)
        self.alert = self._store(state)
        self.ledger.meta(Meta(database="monitor.db", canaries=["c4n4ry"]))
        self.served(1.0, LINK)
        self.life(0.0, "start")
        self.life(5.0, "end", code=0)
        self.received(2.0, n=1)
        self.says('{"event": "started"}\n')

    def _store(self, state: DeliveryState) -> str:
        store = SqliteStore.open(str(self.database))
        store.sync_feeds([feed_settings()], NOW)
        feed, entry = store.feeds()[0], an_entry(url=LINK, feed=store.feeds()[0])
        alert = an_alert(entry)
        row: Delivery = replace(a_delivery(alert, target="hook"), state=state)
        match = Match(entry_id=entry.id, rule=a_rule(), hits=())
        outcome = an_outcome(entry, feed=feed, alerts=(alert,), deliveries=(row,))
        assert store.commit([replace(outcome, matches=(match,))]) == [True]
        store.close()
        return alert.id

    def served(self, t: float, *links: str) -> None:
        self.ledger.write(Served(t=t, feed=FEED, whole=True, links=list(links)))

    def received(self, t: float, *, n: int, acked: bool = True, text: str = "news") -> None:
        self.ledger.write(Received(t=t, n=n, sink="hook", ids=[self.alert], text=text))
        if acked:
            self.ledger.acked(n)

    def life(self, t: float, what: str, **more: object) -> None:
        self.ledger.write(Life(t=t, what=what, **more))  # type: ignore[arg-type]

    def sample(self, when: str, **changes: int) -> None:
        usual = {"rss": 90 << 20, "handles": 20, "threads": 3, "children": 1}
        self.ledger.write(Sample(t=1.0, when=when, **(usual | changes)))

    def says(self, text: str) -> None:
        (self.folder / "output").mkdir(exist_ok=True)
        (self.folder / "output" / "001.stderr").write_text(text)

    def broken(self) -> set[str]:
        return {each.invariant for each in check(self.folder).violations}


def test_a_good_run_breaks_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.sample("before")
    scene.sample("after")
    scene.ledger.status({"feeds": []})
    assert check(scene.folder).violations == []


SPOILT: dict[str, tuple[str, Spoils]] = {
    "served and not stored": ("INV1", lambda run: run.served(2.0, LINK, f"{LINK}/lost")),
    "sent twice though taken": ("INV3", lambda run: run.received(3.0, n=2)),
    "told in two messages": ("INV3", lambda run: run.received(3.0, n=2, text="other words")),
    "a feed left alone": ("INV5", lambda run: (run.life(6.0, "start"), run.life(20.0, "end"))),
    "memory grows": (
        "INV6",
        lambda run: (run.sample("before"), run.sample("after", rss=400 << 20)),
    ),
    "handles leak": ("INV6", lambda run: (run.sample("before"), run.sample("after", handles=90))),
    "a line that is no JSON": ("INV7", lambda run: run.says("Traceback:\n{}\n")),
    "a forged line": ("INV7", lambda run: run.says('{"event": "a\n"}\n')),
    "a secret in the log": ("INV7", lambda run: run.says('{"event": "c4n4ry"}\n')),
    "a secret in status": ("INV7", lambda run: run.ledger.status({"last_error": "c4n4ry"})),
    "not to be seen": (
        "INV8",
        lambda run: run.ledger.meta(Meta(database="monitor.db", visible=["HTTP 500"])),
    ),
}


@pytest.mark.parametrize(("invariant", "spoil"), SPOILT.values(), ids=SPOILT.keys())
def test_what_is_wrong_is_found(tmp_path: Path, invariant: str, spoil: Spoils) -> None:
    scene = Scene(tmp_path)
    spoil(scene)
    assert scene.broken() == {invariant}


@pytest.mark.parametrize(
    "state", [DeliveryState.REFUSED, DeliveryState.PARKED, DeliveryState.EXPIRED]
)
def test_a_delivery_given_up_is_found_unless_the_test_expects_it(
    tmp_path: Path, state: DeliveryState
) -> None:
    scene = Scene(tmp_path, state=state)
    assert scene.broken() == {"INV2"}
    scene.ledger.meta(Meta(database="monitor.db", given_up=[state.value]))
    assert scene.broken() == set()


def test_an_accepted_alert_that_no_sink_got_is_found(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    (tmp_path / "ledgers" / "received.jsonl").unlink()
    assert scene.broken() == {"INV2"}


EXPLAINED: dict[str, Spoils] = {
    "the first was not acknowledged": lambda run: (
        run.received(3.0, n=2, acked=False, text="other"),
        run.received(4.0, n=3, text="other"),
    ),
    "the program ended in between": lambda run: run.received(5.5, n=2),
}


@pytest.mark.parametrize("repeat", EXPLAINED.values(), ids=EXPLAINED.keys())
def test_an_explained_repeat_is_none(tmp_path: Path, repeat: Spoils) -> None:
    scene = Scene(tmp_path)
    repeat(scene)
    assert not [v for v in check(scene.folder).violations if "same message twice" in v.text]


def test_a_poll_that_the_test_held_up_is_not_late(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.life(6.0, "start")
    scene.life(6.0, "fault", until=19.0)
    scene.life(20.0, "end")
    assert scene.broken() == set()


def test_what_may_take_ten_seconds_may_take_more_where_processes_queue(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.life(6.0, "start", crowd=2.5)
    scene.life(20.0, "end")
    assert scene.broken() == set()


def test_a_line_cut_off_by_a_kill_is_no_fault(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.says('{"event": "started"}\n{"eve')
    assert scene.broken() == set()


# --- which alerts a message tells


def _text(*alerts: Alert) -> str:
    channel = Channel(name="desk", kind="json", targets=(Target(name="desk", url="json://h/"),))
    items = [(a_delivery(alert), alert) for alert in alerts]
    zone = ZoneInfo("Europe/Brussels")
    return render(items, channel=channel, timezone=zone, now=NOW, message_id="m" * 16).text


@pytest.mark.parametrize("count", [1, 2, 30, 300])
def test_a_message_tells_the_alerts_that_are_in_it(count: int) -> None:
    alerts = [an_alert(an_entry(f"Story {n}")) for n in range(count)]
    assert told(_text(*alerts)) == sorted(alert.id for alert in alerts)


def test_a_notice_tells_none_of_those_it_writes_of() -> None:
    notice = operator.undelivered([a_delivery(state=DeliveryState.EXPIRED)], NOW)
    assert notice is not None
    assert told(_text(notice)) == [notice.id]
