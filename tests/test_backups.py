"""``backup`` and ``restore``: whole or not at all, beside a writer, and never over what is good."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from monitor.cli import invoke
from monitor.errors import StoreRefused
from monitor.store.backup import examine, make, put_back
from monitor.store.lock import Lock
from monitor.store.sqlite import SqliteStore
from tests.builders import (
    NOW,
    a_delivery,
    an_alert,
    an_entry,
    an_outcome,
    feed_settings,
    minutes,
)

CONFIG = """
[monitor]
database = "monitor.db"
[[feeds]]
name = "Example Defence"
url = "https://feeds.example.org/defence.xml"
"""


def add(store: SqliteStore, title: str) -> None:
    (feed,) = store.feeds()
    entry = an_entry(title, feed=feed)
    alert = an_alert(entry)
    store.commit([an_outcome(entry, feed=feed, alerts=(alert,), deliveries=(a_delivery(alert),))])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An open database with one alert, as a running monitor has it."""
    (tmp_path / "config.toml").write_text(CONFIG)
    with closing(SqliteStore.open(str(tmp_path / "monitor.db"))) as made:
        made.sync_feeds([feed_settings()], NOW)
        add(made, "NATO meets")
        yield made


def titles(path: Path) -> list[str]:
    with closing(SqliteStore.looking(str(path))) as store:
        return sorted(entry.title for entry in store.entries())


def test_a_copy_beside_a_writer_is_whole(store: SqliteStore, tmp_path: Path) -> None:
    contents = make(str(tmp_path / "monitor.db"), tmp_path / "copy.db")
    add(store, "Later")
    assert (contents.entries, contents.alerts, contents.waiting) == (1, 1, 1)
    assert contents.newest == NOW
    assert titles(tmp_path / "copy.db") == ["NATO meets"]
    assert sorted(path.name for path in tmp_path.iterdir() if "copy" in path.name) == ["copy.db"]


def test_nothing_is_overwritten(store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(StoreRefused, match="there is a file already"):
        make(str(tmp_path / "monitor.db"), tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "precious"


def test_a_copy_that_cannot_be_written_leaves_nothing(store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(StoreRefused):
        make(str(tmp_path / "monitor.db"), tmp_path / "absent" / "copy.db")
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("broken", ["cut", "foreign", "text", "newer"])
def test_what_is_no_whole_backup_is_refused_and_changes_nothing(
    store: SqliteStore, tmp_path: Path, broken: str
) -> None:
    copy = tmp_path / "copy.db"
    for n in range(200):
        add(store, f"Story {n} " + "x" * 500)
    make(str(tmp_path / "monitor.db"), copy)
    if broken == "cut":
        copy.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    elif broken == "text":
        copy.write_text("hello")
    else:
        with closing(sqlite3.connect(copy)) as database, database:
            key = "application_id" if broken == "foreign" else "user_version"
            database.execute(f"PRAGMA {key} = 99")
    before = (tmp_path / "monitor.db").read_bytes()
    with pytest.raises(StoreRefused):
        put_back(copy, str(tmp_path / "monitor.db"), NOW)
    assert (tmp_path / "monitor.db").read_bytes() == before


def test_restoring_puts_it_back_and_keeps_what_was_there(
    store: SqliteStore, tmp_path: Path
) -> None:
    place = tmp_path / "monitor.db"
    make(str(place), tmp_path / "copy.db")
    add(store, "Since then")
    store.close()
    _, kept = put_back(tmp_path / "copy.db", str(place), NOW + minutes(5))
    assert titles(place) == ["NATO meets"]
    assert kept is not None
    assert titles(kept) == ["NATO meets", "Since then"]
    with closing(SqliteStore.open(str(place))) as again:
        add(again, "After")
    assert titles(place) == ["After", "NATO meets"]


def test_a_backup_of_an_older_schema_can_be_restored(tmp_path: Path) -> None:
    import gzip

    old = Path(__file__).parent / "data" / "schema2.db.gz"
    (tmp_path / "old.db").write_bytes(gzip.decompress(old.read_bytes()))
    assert examine(tmp_path / "old.db").entries == 2
    put_back(tmp_path / "old.db", str(tmp_path / "monitor.db"), NOW)
    with closing(SqliteStore.open(str(tmp_path / "monitor.db"))) as store:
        assert store.count_entries() == 2


# --- as people type it


def asked(tmp_path: Path, *words: str) -> int:
    return invoke([*words, "--config", str(tmp_path / "config.toml")])


def test_the_commands_say_what_they_did(
    store: SqliteStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy.db"
    assert asked(tmp_path, "backup", str(copy)) == 0
    out = capsys.readouterr().out
    assert "whole, " in out
    assert "1 entry, the newest of 2025-02-13 10:00, 1 alert, 1 delivery waiting." in out
    store.close()
    assert asked(tmp_path, "restore", str(copy), "--yes") == 0
    assert "Restored. What was there before is now " in capsys.readouterr().out


def test_into_a_folder_it_is_named_by_the_time(store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    assert asked(tmp_path, "backup", str(tmp_path / "backups")) == 0
    (made,) = (tmp_path / "backups").iterdir()
    assert made.name.startswith("monitor-20")
    assert titles(made) == ["NATO meets"]


def test_a_running_monitor_is_not_robbed_of_its_database(
    store: SqliteStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(str(tmp_path / "monitor.db"), tmp_path / "copy.db")
    with Lock(str(tmp_path / "monitor.db")):
        assert asked(tmp_path, "restore", str(tmp_path / "copy.db"), "--yes") == 4
    assert "Stop the monitor, restore, start it again." in capsys.readouterr().err


def test_a_backup_that_is_not_there(
    store: SqliteStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(tmp_path, "restore", str(tmp_path / "absent.db"), "--yes") == 3
    assert "there is no backup of that name" in capsys.readouterr().err


def test_a_folder_that_is_not_there_becomes_no_file(
    store: SqliteStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(tmp_path, "backup", f"{tmp_path}/backups/") == 2
    assert "there is no such folder" in capsys.readouterr().err
    assert not (tmp_path / "backups").exists()


def test_a_folder_is_no_backup(
    store: SqliteStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(tmp_path, "restore", str(tmp_path)) == 2
    assert "is a folder; name the backup in it" in capsys.readouterr().err


def test_without_anybody_to_ask_nothing_is_put_back(
    store: SqliteStore,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make(str(tmp_path / "monitor.db"), tmp_path / "copy.db")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert asked(tmp_path, "restore", str(tmp_path / "copy.db")) == 1
    assert "Without a person to ask, add --yes." in capsys.readouterr().err
