"""The hostile feeds of the category "identity", through the whole pipeline."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from monitor.feeds.parse import Parser
from monitor.settings import FirstPoll
from tests.builders import NOW
from tests.replay import SHARED, replay

HOSTILE = SHARED / "bench" / "hostile"
RULES = '[[rule]]\nname = "alertword"\nany = ["alertword"]\n'

pytestmark = pytest.mark.skipif(not HOSTILE.exists(), reason="the hostile feeds are not here")


def cases() -> list[dict[str, Any]]:
    if not HOSTILE.exists():
        return []
    everything = json.loads((HOSTILE / "expectations.json").read_text())["cases"]
    return [case for case in everything if case["category"] == "identity"]


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hostile")
    script = str(HOSTILE / "gen_hostile.py")
    subprocess.run(
        [sys.executable, script, "--out", str(out), "--only", "identity"],
        check=True,
        capture_output=True,
    )
    return out


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parser() -> AsyncIterator[Parser]:
    parser = Parser()
    yield parser
    await parser.aclose()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
async def test_identity(
    case: dict[str, Any], documents: Path, tmp_path: Path, parser: Parser
) -> None:
    names = case.get("polls") or [case["file"]]
    found = {path.name: path for path in documents.rglob("*.xml")}
    polls = [(NOW + timedelta(hours=n), found[name].read_bytes()) for n, name in enumerate(names)]
    ledger = await replay(
        polls, rules=RULES, folder=tmp_path, parser=parser, first_poll=FirstPoll.ALERT
    )
    wanted = case["expect"]["alerts"]
    alerts = [len(poll.alerts) for poll in ledger.polls]
    assert alerts == (wanted if isinstance(wanted, list) else [wanted])
    stored = case["expect"]["stored"]
    last = stored[-1] if isinstance(stored, list) else stored
    assert len(ledger.entries) in ([last] if isinstance(last, int) else range(last[0], last[1] + 1))
