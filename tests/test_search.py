"""``search``: the index is in step with the entries; what is printed is safe and honest."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.cli import invoke
from monitor.model import Entry, Outcome, Revision
from monitor.searchquery import to_index
from monitor.store.search import MANY, PART, Wanted, behind
from monitor.store.sqlite import SqliteStore
from tests.builders import NOW, an_entry, an_outcome, feed_settings, minutes
from tests.test_backups import CONFIG

DATA = Path(__file__).parent / "data"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    (tmp_path / "config.toml").write_text(CONFIG)
    with closing(SqliteStore.open(str(tmp_path / "monitor.db"))) as made:
        made.sync_feeds([feed_settings()], NOW)
        yield made


def add(store: SqliteStore, *titles: str, **changes: object) -> list[Entry]:
    (feed,) = store.feeds()
    entries = [an_entry(title, feed=feed, **changes) for title in titles]
    assert store.commit([an_outcome(entry, feed=feed) for entry in entries])
    store.index_new()
    return entries


def titles(store: SqliteStore, query: str, **wanted: object) -> list[str]:
    found = store.search(Wanted(words=to_index(query), **wanted))  # type: ignore[arg-type]
    return [each.entry.title for each in found]


def is_in_step(store: SqliteStore) -> bool:
    """FTS5 compares the index with every entry; raises if they differ."""
    store._db.execute("INSERT INTO entry_words (entry_words, rank) VALUES ('integrity-check', 1)")
    return store.unindexed() == 0


class TestTheIndex:
    @pytest.mark.parametrize(
        "query",
        ["cafe", "CAFÉ", "koln", "kol*", '"cafe in koln"', "Köln -Berlin", "Berlin OR Köln"],
    )
    def test_folds_capitals_and_accents(self, store: SqliteStore, query: str) -> None:
        add(store, "Another")
        add(store, "A headline", summary="", content="The café in Köln.")
        assert titles(store, query) == ["A headline"]

    def test_newest_first_best_first_and_no_more_than_asked_for(self, store: SqliteStore) -> None:
        add(store, "NATO NATO NATO", summary="NATO")
        add(store, "NATO", summary="and a great many other words about other things altogether")
        assert titles(store, "NATO") == ["NATO", "NATO NATO NATO"]
        assert titles(store, "NATO", by_rank=True) == ["NATO NATO NATO", "NATO"]
        assert titles(store, "NATO", limit=1) == ["NATO"]

    def test_of_a_feed_and_since(self, store: SqliteStore) -> None:
        add(store, "Old NATO", first_seen_at=NOW - minutes(60))
        add(store, "New NATO")
        assert titles(store, "NATO", since=NOW - minutes(5)) == ["New NATO"]
        assert titles(store, "NATO", feed="Example Defence") == ["New NATO", "Old NATO"]
        assert titles(store, "NATO", feed="Another") == []

    def test_follows_an_edit(self, store: SqliteStore) -> None:
        (entry,) = add(store, "Before", summary="old words")
        changed = replace(entry, title="After", summary="new words", fingerprint="x")
        (feed,) = store.feeds()
        revision = Revision(entry=changed, changed_at=NOW)
        assert store.commit([Outcome(feed=feed, revisions=(revision,))]) == [True]
        assert titles(store, "before OR old") == []
        assert titles(store, "after new") == ["After"]
        assert is_in_step(store)

    def test_follows_an_edit_in_the_transaction_that_stored_the_entry(
        self, store: SqliteStore
    ) -> None:
        (feed,) = store.feeds()
        entry = an_entry("Before", feed=feed)
        revision = Revision(entry=replace(entry, title="After"), changed_at=NOW)
        store.commit([an_outcome(entry, feed=feed), Outcome(feed=feed, revisions=(revision,))])
        store.index_new()
        assert titles(store, "after") == ["After"]
        assert is_in_step(store)

    def test_what_was_rolled_back_is_not_found(self, store: SqliteStore) -> None:
        (feed,) = store.feeds()
        broken = an_outcome(an_entry("Half", feed=feed), feed=feed)
        with pytest.raises(KeyError):
            store.commit([replace(broken, placements=())])
        add(store, "Whole")
        assert titles(store, "half OR whole") == ["Whole"]
        assert is_in_step(store)

    def test_many_wait_for_no_quiet_moment(self, store: SqliteStore) -> None:
        (feed,) = store.feeds()
        few, many = (
            [an_outcome(*(an_entry(f"{name} {n}", feed=feed) for n in range(count)), feed=feed)]
            for name, count in (("Few", MANY - 1), ("More", 1))
        )
        store.commit(few)
        assert titles(store, "few") == []
        store.commit(many)
        assert len(titles(store, "few", limit=MANY)) == MANY // PART  # the oldest; visits wait
        assert titles(store, "more") == []
        store.index_new()
        assert titles(store, "more") == ["More 0"]
        assert len(titles(store, "few", limit=MANY)) == MANY - 1
        assert is_in_step(store)

    def test_without_a_quiet_moment_the_index_keeps_up(self, store: SqliteStore) -> None:
        (feed,) = store.feeds()
        for commit in range(40):
            entries = (an_entry(f"Story {commit} {n}", feed=feed) for n in range(50))
            store.commit([an_outcome(*entries, feed=feed)])
        with store._reading() as db:
            assert behind(db) <= MANY

    def test_nothing_new_writes_nothing(self, store: SqliteStore) -> None:
        add(store, "One")
        before = store._db.total_changes
        store.index_new()
        assert store._db.total_changes == before

    def test_vacuum_keeps_the_numbers_of_the_rows(self, store: SqliteStore) -> None:
        """The index knows entries by row number, which SQLite does not promise to keep."""
        add(store, "One", "Two", "Three")
        before = store._db.execute("SELECT rowid, id FROM entries").fetchall()
        store._db.execute("VACUUM")
        assert store._db.execute("SELECT rowid, id FROM entries").fetchall() == before
        assert is_in_step(store)


class TestADatabaseOfBefore:
    """Schema 5 had no index: its entries become searchable in portions, the newest first."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqliteStore]:
        path = tmp_path / "monitor.db"
        path.write_bytes(gzip.decompress((DATA / "schema5.db.gz").read_bytes()))
        with closing(sqlite3.connect(path)) as old, old:
            for number in range(10):
                old.execute(
                    "INSERT INTO entries SELECT id || ?1, feed_id, keys, url, 'Copy ' || ?1,"
                    " summary, content, author, categories, language, published_at,"
                    " first_seen_at, fingerprint, story_id FROM entries LIMIT 1",
                    [number],
                )
        with closing(SqliteStore.open(str(path))) as opened:
            yield opened

    def test_in_portions(self, store: SqliteStore) -> None:
        assert (store.unindexed(), titles(store, "copy")) == (11, ["Copy 9"])
        assert (store.index_older(4), store.unindexed()) == (4, 7)
        assert titles(store, "copy") == ["Copy 9", "Copy 8", "Copy 7", "Copy 6", "Copy 5"]
        assert (store.index_older(500), store.index_older(500)) == (7, 0)
        assert is_in_step(store)

    def test_new_and_edited_entries_meanwhile(self, store: SqliteStore) -> None:
        add(store, "New")
        store._db.execute("UPDATE entries SET title = 'Rewritten' WHERE title = 'Copy 3'")
        assert store.unindexed() == 11
        store.index_older(500)
        assert titles(store, "new OR rewritten") == ["New", "Rewritten"]
        assert is_in_step(store)


class TestTheCommand:
    @pytest.fixture
    def asked(self, store: SqliteStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
        add(store, "NATO meets\x1b[2J in Kyiv", summary="Ministers\nagreed on Patriots.")

        def ask(*words: str, code: int = 0) -> str:
            assert invoke(["search", *words, "--config", str(tmp_path / "config.toml")]) == code
            told = capsys.readouterr()
            return told.err if code else told.out

        return ask

    def test_shows_when_where_and_the_words(self, asked) -> None:
        out = asked("ministers")
        assert "2025-02-13 10:00  Example Defence  NATO meets" in out
        assert "»Ministers« agreed on Patriots." in out
        assert "https://www.example.org/news/1" in out

    def test_prints_nothing_a_terminal_obeys(self, asked) -> None:
        assert "\x1b" not in asked("meets")

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["-Kyiv"], "say what to look for"),
            (['"NATO meets'], "is never closed"),
            (["NATO", "--limt", "3"], "No such option"),
        ],
    )
    def test_wrong_use_is_told_in_words(self, asked, words: list[str], said: str) -> None:
        assert said in asked(*words, code=2)

    def test_a_feed_that_does_not_exist(self, asked) -> None:
        assert 'There is no feed "Exmple"' in asked("NATO", "--feed", "Exmple", code=2)

    def test_nothing_found_hints_at_small_operators(self, asked) -> None:
        assert "OR in capitals" in asked("Kyiv or Odesa")
        assert asked("Odesa") == "Nothing was found.\n"

    def test_more_than_was_asked_for(self, asked) -> None:
        assert "more with --limit" in asked("NATO", "--limit", "1")

    def test_json(self, asked) -> None:
        told = json.loads(asked("patriots", "--json"))
        (found,) = told["found"]
        assert told["unsearchable"] == 0
        (start, end) = found["excerpt"]["marks"][0]
        assert found["excerpt"]["text"][start:end] == "Patriots"
