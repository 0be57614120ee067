"""A feed that has moved for good: told at the third equal redirect, accepted by a command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.cli import invoke
from monitor.configedit import readdress
from monitor.errors import NotWritten
from monitor.feeds.parse import Parser
from monitor.model import AlertKind
from monitor.settings import FeedSettings
from monitor.store.sqlite import SqliteStore
from tests.builders import NOW, an_outcome, minutes
from tests.replay import replay, served
from tests.servers import FEED

OLD, NEW = "https://old.example/feed", "https://new.example/feed"
CONFIG = f"""# mine
[[feeds]]
name = "Old Times"
url = "{OLD}"   # since 2019
tags = ["us"]

[[feeds]]
name = "Private"
url = "https://user:canary@old.example/feed"
# the end
"""
NATO = '[[rule]]\nname = "nato"\nquery = "NATO"\n'


@pytest.fixture
async def parser() -> AsyncIterator[Parser]:
    made = Parser(size=1)
    yield made
    await made.aclose()


async def test_it_is_told_once_at_the_third_equal_redirect(tmp_path: Path, parser: Parser) -> None:
    polls = [(NOW + minutes(15 * n), served(FEED, permanent_url=NEW)) for n in range(5)]
    ledger = await replay(polls, rules=NATO, folder=tmp_path, parser=parser)
    (alert,) = [each for each in ledger.alerts if each.kind is AlertKind.OPERATOR]
    assert alert.title == "Replay has moved for good"
    assert alert.created_at == NOW + minutes(30)
    assert len(ledger.messages) == 1


# --- the command


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.toml").write_text(NATO)
    written = tmp_path / "config.toml"
    written.write_text(CONFIG.replace("# mine", '# mine\n[monitor]\ndatabase = "monitor.db"'))
    return written


def moved(path: Path, times: int) -> None:
    """What polls left in the database."""
    store = SqliteStore.open(str(path.parent / "monitor.db"))
    store.sync_feeds([FeedSettings(name="Old Times", url=OLD)], NOW)
    (feed,) = store.claim_due(0, 1, NOW, timedelta(minutes=10))
    left = replace(feed, polled_at=NOW, succeeded_at=NOW, moved_to=NEW, moved_count=times)
    store.commit([an_outcome(feed=left)])
    store.close()


def accept(path: Path, name: str) -> int:
    return invoke(["--config", str(path), "feeds", "accept-move", name])


def test_the_new_address_is_written_and_every_remark_stays(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved(path, 3)
    before = path.read_text()
    assert accept(path, "Old Times") == 0
    assert path.read_text() == before.replace(f'"{OLD}"', f'"{NEW}"', 1)
    assert f'"Old Times" is {NEW} in config.toml now; it was {OLD}.' in capsys.readouterr().out


def test_the_list_says_how_to_accept_it(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moved(path, 3)
    assert invoke(["--config", str(path), "feeds", "list"]) == 0
    assert "feeds accept-move 'Old Times'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Old Times", '"Old Times" has not moved'),
        ("Private", "has a log-in in it"),
        ("Old Time", 'Did you mean "Old Times"?'),
    ],
)
def test_what_cannot_be_accepted(
    path: Path, name: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    moved(path, 2)
    before = path.read_text()
    assert accept(path, name) != 0
    said = capsys.readouterr().err
    assert why in said
    assert "canary" not in said
    assert path.read_text() == before


def test_a_feed_that_is_not_in_the_file() -> None:
    with pytest.raises(NotWritten, match='no feed "X"'):
        readdress(CONFIG, "X", NEW)
