"""A list of feeds that is broken when the monitor starts: what could last be read goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor import config
from monitor.cli import invoke
from monitor.errors import ConfigError
from monitor.feeds.opml import Outline, write
from monitor.pipeline import last_list, lists
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer

CONFIG = '[monitor]\ndatabase = "monitor.db"\nfeeds_from = ["feeds.opml"]\n'


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A configuration whose list was good, and is broken now."""
    file, listed = tmp_path / "config.toml", tmp_path / "feeds.opml"
    file.write_text(CONFIG)
    outline = Outline(url="https://a.example/", name="A", tags=("Łódź",), enabled=True)
    listed.write_bytes(write("theirs", [outline]))
    settings = config.load(file, {})
    store = Writer(lambda: SqliteStore.open(settings.database))
    assert await lists.keep(settings, store) == []
    listed.write_text("<opml>\n<body>\n")
    (broken,) = await lists.keep(settings, store)
    assert "the XML is broken here" in str(broken)
    await store.aclose()
    return file


async def test_its_feeds_are_those_of_the_last_good_form(path: Path) -> None:
    read, warnings = config.read(path, {}, last_good=last_list.last_good)
    assert [(feed.name, feed.url, sorted(feed.tags)) for feed in read.feeds] == [
        ("A", "https://a.example/", ["Łódź"])
    ]
    assert all(each.warning for each in warnings)
    with pytest.raises(ConfigError):
        config.load(path, {})


async def test_a_list_that_was_never_good_is_a_mistake(path: Path) -> None:
    path.write_text(CONFIG.replace("feeds.opml", "other.opml"))
    with pytest.raises(ConfigError, match="there is no such file"):
        config.load(path, {}, last_good=last_list.last_good)


@pytest.mark.parametrize("content", [None, b"no database"])
def test_without_a_database_nothing_is_known(tmp_path: Path, content: bytes | None) -> None:
    database = tmp_path / "monitor.db"
    if content is not None:
        database.write_bytes(content)
    assert last_list.last_good(str(database), "/feeds.opml") is None


async def test_commands_that_look_go_on(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["feeds", "list", "--config", str(path)]) == 0
    assert capsys.readouterr().out.startswith("A\t")
    assert invoke(["feeds", "show", "A", "--config", str(path)]) == 0


def test_check_tells_of_a_broken_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    assert invoke(["check", "--config", str(tmp_path / "config.toml")]) == 2
    assert "feeds.opml: there is no such file" in capsys.readouterr().out
