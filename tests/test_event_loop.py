"""The daemon on another event loop than Python's own."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from monitor.cli import invoke
from monitor.cli.event_loop import OWN, UVLOOP, maker_of
from tests.test_whole import a_house

# Killed before it is recorded, a message goes out again.
ACCEPTED = """SELECT 1 FROM deliveries d JOIN alerts a ON a.id = d.alert_id
WHERE a.rule_name = 'nato' AND d.state = 'accepted'"""

pytest.importorskip("uvloop", reason="there is none for this system")


@pytest.mark.parametrize(("name", "module"), [(OWN, "asyncio"), (UVLOOP, "uvloop")])
def test_the_one_that_was_asked_for_is_made(name: str, module: str) -> None:
    loop = maker_of(name)()
    assert type(loop).__module__.partition(".")[0] == module
    loop.close()


def test_where_it_is_not_installed_it_is_said_how_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert invoke(["run", "--event-loop", UVLOOP]) == 2
    told = capsys.readouterr().err
    assert "it is not installed. Install the extra: .venv/bin/pip install" in told


async def test_what_was_published_is_told_once_though_the_daemon_is_killed(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.outlet.publish("Rain in the north")
        await house.run("run", "--event-loop", UVLOOP)
        await house.until(lambda: house.logged("polled"), "the first visit")
        house.outlet.publish("NATO meets today")
        await house.until(lambda: house.told("NATO meets today"), "the alert")
        await house.until(lambda: house.query(ACCEPTED), "that it is recorded")
        await house.stop(signal.SIGKILL)
        house.outlet.publish("NATO meets again, elsewhere")
        await house.run("run", "--event-loop", UVLOOP)
        await house.until(lambda: house.told("NATO meets again"), "the alert after the kill")
        assert await house.stop() == 0
        assert len(house.told("NATO meets today")) == 1
