"""Making the tables: cut off anywhere, run twice, and what a refusal leaves on disk."""

from __future__ import annotations

import gzip
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.errors import StoreRefused
from monitor.model import HubState
from monitor.store.search import Wanted
from monitor.store.sqlite import SqliteStore
from monitor.store.version import APPLICATION_ID, VERSION
from monitor.urls import page_key
from tests.builders import NOW, feed_settings

ROOT = Path(__file__).parents[1]


def killed(script: str, path: Path) -> None:
    """Run *script* in a child that must end by SIGKILL; it finds ``path`` and ``die()``."""
    head = f"import os, signal, sqlite3\npath = {str(path)!r}\n"
    head += "die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
    child = subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(script)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert child.returncode == -signal.SIGKILL


KILLED_WHEN_RUNNING = """
    from monitor.store import sqlite as module

    connect = module.connect

    def traced(*given):
        database = connect(*given)
        database.set_trace_callback(lambda sql: die() if {start!r} in sql else None)
        return database

    module.connect = traced
    module.SqliteStore.open(path)
"""


@pytest.mark.parametrize(
    "start",
    [
        pytest.param("PRAGMA application_id =", id="before it is marked as ours"),
        pytest.param("CREATE TABLE feeds", id="before the first table"),
        pytest.param("CREATE TABLE stories", id="between two tables"),
        pytest.param("PRAGMA user_version =", id="after the tables, before their version"),
        pytest.param("PRAGMA quick_check", id="after everything"),
    ],
)
def test_a_set_up_that_was_killed_is_finished_by_the_next_start(tmp_path, start):
    path = tmp_path / "monitor.db"
    killed(KILLED_WHEN_RUNNING.format(start=start), path)
    store = SqliteStore.open(str(path))
    store.sync_feeds([feed_settings()], NOW)
    assert len(store.feeds()) == 1
    store.close()


def test_a_reader_of_a_set_up_that_was_killed_is_told_to_start_the_monitor(tmp_path):
    path = tmp_path / "monitor.db"
    killed(KILLED_WHEN_RUNNING.format(start="CREATE TABLE stories"), path)
    with pytest.raises(StoreRefused, match="start the monitor once"):
        SqliteStore.read_only(str(path))


class TestUpgrade:
    """tests/data/schema1.db.gz: a database of the first release, with something of everything."""

    @pytest.fixture
    def old(self, tmp_path: Path) -> Path:
        path = tmp_path / "monitor.db"
        path.write_bytes(gzip.decompress((ROOT / "tests/data/schema1.db.gz").read_bytes()))
        return path

    def test_keeps_everything_and_leaves_a_copy(self, old: Path) -> None:
        before = old.read_bytes()
        store = SqliteStore.open(str(old))
        assert len(store.entries()) == len(store.stories()) == 6
        assert len(store.alerts()) == 6
        assert store.queue_lengths() == {"claimed": 1, "queued": 5}
        (edited,) = [each for each in store.entries() if "edited" in each.title]
        assert [text.title for text in store.revisions(edited.id)] == ["NATO meeting 0"]
        (story,) = [each for each in store.stories() if each.id == edited.id]
        assert [member.title for member in store.members(story.id)] == [edited.title]
        assert list(store.standings([story.id])[story.id].alerts) == ["nato"]
        store.close()
        copy = old.with_name("monitor.db.schema1")
        with closing(sqlite3.connect(copy)) as kept:
            assert kept.execute("PRAGMA user_version").fetchone() == (1,)
            assert kept.execute("SELECT count(*) FROM entries").fetchone() == (6,)
        assert before[:16] == copy.read_bytes()[:16]

    def test_one_that_was_killed_between_two_steps_is_as_it_was_and_so_is_its_copy(
        self, old: Path
    ) -> None:
        killed(KILLED_WHEN_RUNNING.format(start="CREATE TABLE silences"), old)
        SqliteStore.open(str(old)).close()
        with closing(sqlite3.connect(old.with_name("monitor.db.schema1"))) as copy:
            tables = {row[0] for row in copy.execute("SELECT name FROM sqlite_master")}
        assert tables.isdisjoint({"joins", "traces", "silences"})

    def test_entries_are_known_by_their_page_from_then_on(self, old: Path) -> None:
        store = SqliteStore.open(str(old))
        (edited,) = [each for each in store.entries() if "edited" in each.title]
        page = page_key("http://example.org/news/0")
        assert store.known(edited.feed_id, [page])[page].entry_id == edited.id
        store.close()

    def test_a_reader_asks_for_a_start(self, old: Path) -> None:
        with pytest.raises(StoreRefused, match="older monitor"):
            SqliteStore.read_only(str(old))

    @pytest.mark.parametrize(
        "start", ["ALTER TABLE stories", "CREATE TABLE traces", "PRAGMA user_version ="]
    )
    def test_killed_halfway_it_is_finished_by_the_next_start(self, old: Path, start: str) -> None:
        killed(KILLED_WHEN_RUNNING.format(start=start), old)
        store = SqliteStore.open(str(old))
        assert len(store.stories()) == 6
        store.close()


def test_the_database_of_schema_2_keeps_what_waits_and_what_was_frozen(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    path.write_bytes(gzip.decompress((ROOT / "tests/data/schema2.db.gz").read_bytes()))
    store = SqliteStore.open(str(path))
    claimed = store.claim_deliveries(NOW + timedelta(hours=1), 10)
    assert len(claimed) == 2
    (frozen,) = [each.message for each in claimed if each.message]
    assert (frozen.payload, frozen.story_id) == ("", "")
    (state,) = store.channel_states()
    assert (state.failures, state.outage_from, state.outage_until) == (1, None, None)
    assert store.silences(ended=True) == []
    store.close()


def test_the_database_of_schema_3_keeps_silences_threads_and_outages(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    path.write_bytes(gzip.decompress((ROOT / "tests/data/schema3.db.gz").read_bytes()))
    store = SqliteStore.open(str(path))
    (silence,) = store.silences()
    assert (silence.rules, silence.reason) == ({"nato"}, "noise")
    (alert, *_) = [each for each in store.alerts() if each.title == "NATO meets"]
    assert store.thread("desk", "desk", alert.story_id) == "1.2"
    (state,) = store.channel_states()
    assert state.outage_until == NOW - timedelta(minutes=1)
    assert store.queue_lengths() == {"accepted": 1, "queued": 1}
    store.close()


def test_the_database_of_schema_4_keeps_rhythms_gaps_and_articles(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    path.write_bytes(gzip.decompress((ROOT / "tests/data/schema4.db.gz").read_bytes()))
    store = SqliteStore.open(str(path))
    (feed,) = store.feeds()
    assert (feed.rhythm.listed, feed.rhythm.word.ttl) == (20, timedelta(minutes=30))
    assert (feed.gap_from, feed.gap_until) == (NOW - timedelta(hours=2), NOW)
    assert (feed.suspicion.detail, feed.suspected_since) == ("1 entry instead of 20", NOW)
    (entry,) = store.entries()
    article = store.article(entry.id)
    assert article is not None
    assert article.due_at == NOW
    assert store.subscriptions() == []
    store.close()


def test_the_database_of_schema_5_keeps_hubs_and_becomes_searchable(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    path.write_bytes(gzip.decompress((ROOT / "tests/data/schema5.db.gz").read_bytes()))
    store = SqliteStore.open(str(path))
    (subscription,) = store.subscriptions()
    assert (subscription.state, subscription.secret) == (HubState.JOINED, "s3")
    assert store.queue_lengths() == {"claimed": 1}
    assert store.unindexed() == store.index_older(100) == 1
    (found,) = store.search(Wanted(words='"cafe society"'))
    assert found.entry.title == "Zażółć gęślą jaźń"
    store.close()


def test_the_database_of_schema_7_keeps_what_the_next_document_is_compared_with(tmp_path) -> None:
    path = tmp_path / "monitor.db"
    path.write_bytes(gzip.decompress((ROOT / "tests/data/schema7.db.gz").read_bytes()))
    store = SqliteStore.open(str(path))
    (feed,) = store.feeds()
    assert (feed.body_hash, feed.packed_hash) == ("ab", None)
    assert store.listing(feed.id).entries == b"e" * 16
    assert store.unindexed() == 0
    store.close()


def test_the_database_of_schema_8_keeps_what_was_under_way(tmp_path) -> None:
    path = tmp_path / "monitor.db"
    path.write_bytes(gzip.decompress((ROOT / "tests/data/schema8.db.gz").read_bytes()))
    store = SqliteStore.open(str(path))
    (feed,) = store.feeds()
    assert feed.packed_hash == "cd"
    due = feed.next_poll_at - timedelta(minutes=5)
    assert store.claim_due(0, 9, due, timedelta(minutes=5)) == []
    store.clear_claims()
    (claimed,) = store.claim_due(0, 9, due, timedelta(minutes=5))
    assert claimed.id == feed.id
    store.close()


def test_opening_again_changes_no_table(tmp_path):
    def tables() -> list[str]:
        with closing(sqlite3.connect(path)) as other, other:
            found = other.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
        other.close()
        return [row[0] for row in found]

    path = tmp_path / "monitor.db"
    SqliteStore.open(str(path)).close()
    before = tables()
    SqliteStore.open(str(path)).close()
    assert tables() == before


def test_how_the_database_is_kept(tmp_path):
    store = SqliteStore.open(str(tmp_path / "monitor.db"))
    wanted = {
        "application_id": APPLICATION_ID,
        "user_version": VERSION,
        "journal_mode": "wal",
        "synchronous": 2,  # FULL: a commit survives a power cut
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }
    found = {name: store._db.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}
    store.close()
    assert found == wanted


def test_every_table_of_ours_is_strict(tmp_path):
    store = SqliteStore.open(str(tmp_path / "monitor.db"))
    loose = store._db.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
        " AND strict = 0 AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_sqlite_%'"
    ).fetchall()
    store.close()
    assert loose == []


def test_the_log_of_another_programs_database_is_left_as_it_is(tmp_path):
    path = tmp_path / "theirs.db"
    script = """
        theirs = sqlite3.connect(path, isolation_level=None)
        theirs.execute("PRAGMA journal_mode = WAL")
        theirs.execute("CREATE TABLE t (x)")
        die()
    """
    killed(script, path)
    files = [path, tmp_path / "theirs.db-wal"]
    before = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    with pytest.raises(StoreRefused, match="another program"):
        SqliteStore.open(str(path))
    assert [hashlib.sha256(file.read_bytes()).hexdigest() for file in files] == before


@pytest.mark.parametrize("folder", ["a b", "a#b", "a?b", "a%20b", "ä"])
def test_a_reader_finds_the_database_in_a_folder_called(tmp_path, folder):
    path = tmp_path / folder / "monitor.db"
    store = SqliteStore.open(str(path))
    store.set_note("here", "yes")
    store.close()
    reader = SqliteStore.read_only(str(path))
    assert reader.note("here") == "yes"
    reader.close()
    assert [each.name for each in tmp_path.iterdir()] == [folder]


def test_a_reader_cannot_write(tmp_path):
    path = str(tmp_path / "monitor.db")
    SqliteStore.open(path).close()
    reader = SqliteStore.read_only(path)
    with pytest.raises(StoreRefused, match="cannot be written"):
        reader.set_note("a", "b")
    reader.close()


def test_a_write_cut_off_in_the_old_journal_mode_is_cleared_up(tmp_path):
    """A hot rollback journal, which a connection that only reads cannot undo."""
    path = tmp_path / "monitor.db"
    script = """
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("CREATE TABLE t (x)")
        db.execute("DROP TABLE t")
        db.execute("PRAGMA cache_size = 1")
        db.execute("BEGIN")
        db.execute("CREATE TABLE half (x)")
        for _ in range(200):
            db.execute("INSERT INTO half VALUES (?)", ["x" * 3000])
        die()
    """
    killed(script, path)
    assert (tmp_path / "monitor.db-journal").stat().st_size
    store = SqliteStore.open(str(path))
    assert store.feeds() == []
    store.close()
