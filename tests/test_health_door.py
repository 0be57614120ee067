"""/healthz and /metrics by real HTTP: who may ask, and what is answered."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.events import Trouble
from monitor.pipeline.distress import Distress
from monitor.pipeline.health_door import HealthDoor
from monitor.pipeline.measures import Measures, TimedWriter
from monitor.pipeline.noted import METRICS_TROUBLE
from monitor.pipeline.vigil import Vigil
from monitor.settings import MetricsSettings
from monitor.store import Store
from monitor.store.sqlite import SqliteStore
from tests.builders import NOW, an_outcome, feed_settings, minutes
from tests.desk import Desk
from tests.hubs import exchange, free_port


class House:
    """A door, and what stands behind it."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder)
        self.stuck: list[str] = []
        distress = Distress(self.desk.shared, sender=self.desk.sender)
        vigil = Vigil(self.desk.shared, distress=distress, stuck=lambda: self.stuck)
        self.measures = Measures(self.desk.clock)
        self.door = HealthDoor(self.desk.shared, vigil=vigil, measures=self.measures)
        self.port = free_port()

    async def listen(self, wanted: MetricsSettings | None) -> None:
        in_force = self.desk.shared.in_force
        in_force.config = replace(in_force.config, metrics=wanted)
        await self.door.tick()

    async def ask(self, path: str, host: str | None = None, method: str = "GET") -> tuple[int, str]:
        named = host or f"127.0.0.1:{self.port}"
        raw = f"{method} {path} HTTP/1.1\r\nHost: {named}\r\n\r\n".encode()
        said = await exchange("127.0.0.1", self.port, raw)
        return said.status, said.body.decode()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    await made.desk.store.call(lambda store: store.sync_feeds([feed_settings()], NOW))
    await made.listen(MetricsSettings(host="127.0.0.1", port=made.port, hosts=("monitor.lan",)))
    yield made
    await made.door.aclose()
    await made.desk.store.aclose()


async def fails(house: House) -> None:
    def put(store: Store) -> None:
        (feed,) = store.claim_due(0, 1, NOW, minutes(1))
        store.commit([an_outcome(feed=replace(feed, failures=2, failing_since=NOW))])

    await house.desk.store.call(put)


async def test_healthz_says_whether_the_monitor_can_see(house: House) -> None:
    assert await house.ask("/healthz") == (200, '{"status": "ok", "reasons": []}\n')
    await fails(house)
    house.stuck = ["deliver"]
    status, text = await house.ask("/healthz")
    assert status == 503
    assert json.loads(text) == {
        "status": "blind",
        "reasons": [
            {"what": "stuck", "detail": "no progress: deliver"},
            {"what": "feeds", "detail": "the only feed fails"},
        ],
    }


async def test_metrics_are_those_of_prometheus(house: House) -> None:
    house.measures.note(Trouble(what="x"))
    said = await exchange(
        "127.0.0.1", house.port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    assert said.status == 200
    assert said.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = said.body.decode()
    assert "monitor_troubles_total 1.0" in text
    assert 'monitor_feeds{state="new"} 1.0' in text
    assert 'monitor_storage_bytes{file="database"}' in text
    assert 'monitor_blind{reason="feeds"} 0.0' in text
    assert "Example Defence" not in text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:9464", 200),
        ("[::1]:9464", 200),
        ("monitor.lan:80", 200),
        ("evil.test", 421),
        ("127.0.0.1.evil.test:9464", 421),
        ("localhost:9464@evil.test", 421),
        ("", 421),
    ],
)
async def test_only_who_means_us_is_answered(house: House, host: str, status: int) -> None:
    raw = f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    assert (await exchange("127.0.0.1", house.port, raw)).status == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/metrics/../x", 404), ("POST", "/metrics", 405)],
)
async def test_other_questions_are_not_answered(
    house: House, method: str, path: str, status: int
) -> None:
    assert (await house.ask(path, method=method))[0] == status


async def test_without_the_table_nothing_listens(house: House) -> None:
    await house.listen(None)
    with pytest.raises(ConnectionRefusedError):
        await house.ask("/healthz")


async def test_an_address_that_is_taken_is_told_once_and_tried_again(house: House) -> None:
    taken, other = house.port, House(Path(house.desk.shared.in_force.config.database).parent)
    wanted = MetricsSettings(host="127.0.0.1", port=taken)
    for _ in range(2):
        await other.listen(wanted)
    (told,) = other.desk.events
    assert isinstance(told, Trouble)
    assert f"cannot listen on 127.0.0.1, port {taken}" in told.detail
    assert await other.desk.store.call(lambda store: store.note(METRICS_TROUBLE)) == told.detail
    await house.listen(None)
    await other.listen(wanted)
    assert await other.desk.store.call(lambda store: store.note(METRICS_TROUBLE)) is None
    await other.door.aclose()
    await other.desk.store.aclose()


async def test_without_metrics_nothing_is_counted_and_with_them_commits_are(tmp_path: Path) -> None:
    measures = Measures(lambda: NOW)
    measures.note(Trouble(what="x"))
    assert measures.metrics is None
    metrics = measures.switch_on()
    store = TimedWriter(lambda: SqliteStore.open(str(tmp_path / "m.db")), measures)
    await store.commit(an_outcome())
    await store.aclose()
    assert metrics.registry.get_sample_value("monitor_commit_seconds_count") == 1
    assert measures.switch_on() is metrics
