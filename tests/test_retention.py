"""Old texts are emptied, identities stay: what comes back is neither new nor edited."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.model import DeliveryState, Excerpt, Finished, Outcome, Revision
from monitor.searchquery import to_index
from monitor.store.retention import _EMPTY, Kind, Text
from monitor.store.search import Wanted
from monitor.store.sqlite import SqliteStore
from tests.builders import (
    NOW,
    a_delivery,
    a_message,
    an_alert,
    an_entry,
    an_outcome,
    an_update,
    feed_settings,
    minutes,
)

LATER = NOW + timedelta(days=1)
EXCERPT = Excerpt(field="summary", text="Allies discussed aid.", marks=((0, 6),))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore.open(str(tmp_path / "monitor.db"))) as made:
        made.sync_feeds([feed_settings()], NOW)
        yield made


def told(store: SqliteStore, state: DeliveryState = DeliveryState.ACCEPTED):
    """An entry, its alert and the delivery of it, which is *state* by now."""
    (feed,) = store.feeds()
    entry = an_entry(feed=feed, content="The whole of it.")
    alert = an_alert(entry, excerpts=(EXCERPT,))
    row = a_delivery(alert)
    update = an_update(story_id=entry.id, entry_id=entry.id, excerpts=(EXCERPT,))
    store.commit(
        [an_outcome(entry, feed=feed, alerts=(alert,), deliveries=(row,), updates=(update,))]
    )
    store.index_new()
    store.claim_deliveries(NOW, 10)
    store.freeze([a_message(delivery=row)])
    done = replace(row, state=state, attempts=1)
    store.finish([Finished(deliveries=(done,), at=NOW, state=None, result=None)])
    return entry, alert, row


def emptied(store: SqliteStore, before=LATER) -> list[Text]:
    texts = store.old_texts(before, 1000)
    store.empty_texts(texts, before)
    return texts


def test_texts_go_and_identities_stay(store: SqliteStore) -> None:
    entry, alert, row = told(store)
    assert {text.kind for text in emptied(store)} == set(Kind)
    (left,) = store.entries()
    assert left == replace(entry, summary="", content="")
    assert store.alert(alert.id) == replace(alert, excerpts=())
    (delivery,) = store.deliveries_of(alert.id)
    assert (delivery.id, delivery.state) == (row.id, DeliveryState.ACCEPTED)
    assert store.known(entry.feed_id, entry.keys)[entry.keys[0]].fingerprint == entry.fingerprint
    assert store.updates_of(entry.id)[0].excerpts == ()
    assert store.deliveries_with([a_message(delivery=row).id]) == []
    assert store.old_texts(LATER, 1000) == []


def test_headlines_are_still_found_texts_are_not(store: SqliteStore) -> None:
    told(store)
    emptied(store)
    assert store.search(Wanted(words=to_index("headquarters")))
    assert not store.search(Wanted(words=to_index("allies")))
    store._db.execute("INSERT INTO entry_words (entry_words, rank) VALUES ('integrity-check', 1)")


def test_room_is_used_again(store: SqliteStore) -> None:
    """A row that shrinks in its place would keep its page."""
    (feed,) = store.feeds()
    many = [an_entry(f"E {n}", feed=feed, summary="word " * 300) for n in range(200)]
    store.commit([an_outcome(*many, feed=feed)])
    store.index_new()
    number = store._db.execute("SELECT rowid, id FROM entries ORDER BY rowid").fetchall()
    emptied(store)
    (free,) = store._db.execute("PRAGMA freelist_count").fetchone()
    assert free > 60  # of 100
    assert store._db.execute("SELECT rowid, id FROM entries ORDER BY rowid").fetchall() == number
    assert store._db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert store._db.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    while store.tidy_index(begin=False):
        pass
    store._db.execute("INSERT INTO entry_words (entry_words, rank) VALUES ('integrity-check', 1)")


def test_what_is_younger_stays(store: SqliteStore) -> None:
    told(store)
    assert emptied(store, NOW) == []


@pytest.mark.parametrize("state", [DeliveryState.QUEUED, DeliveryState.CLAIMED])
def test_what_waits_to_be_sent_keeps_its_words(store: SqliteStore, state: DeliveryState) -> None:
    _, alert, row = told(store, state)
    assert {text.kind for text in emptied(store)} == {Kind.ENTRY}
    assert store.alert(alert.id) == alert
    (queued,) = store.deliveries_with([a_message(delivery=row).id])
    assert queued.delivery.id == row.id


def test_a_delivery_tried_again_after_that_gets_a_new_message(store: SqliteStore) -> None:
    _, alert, row = told(store, DeliveryState.PARKED)
    emptied(store)
    assert store.retry_deliveries([row.id], ["desk"], LATER) == {row.id}
    (queued,) = store.claim_deliveries(LATER, 10)
    assert (queued.message, queued.alert.title) == (None, alert.title)


class TestAnEdit:
    """A text's age counts from when it came."""

    @pytest.fixture
    def store(self, store: SqliteStore) -> SqliteStore:
        entry, *_ = told(store)
        (feed,) = store.feeds()
        new = replace(entry, summary="A new text.", fingerprint="new")
        revision = Revision(entry=new, changed_at=NOW + minutes(60))
        store.commit([Outcome(feed=feed, revisions=(revision,))])
        return store

    def test_keeps_the_new_text_and_the_old(self, store: SqliteStore) -> None:
        assert Kind.ENTRY not in {text.kind for text in emptied(store, NOW + minutes(30))}
        (entry,) = store.entries()
        assert entry.summary == "A new text."
        assert len(store.revisions(entry.id)) == 1

    def test_goes_too_in_its_time(self, store: SqliteStore) -> None:
        emptied(store)
        (entry,) = store.entries()
        assert (entry.summary, store.revisions(entry.id)) == ("", [])

    def test_that_comes_between_looking_and_emptying_is_kept(self, store: SqliteStore) -> None:
        (row,) = store._db.execute("SELECT rowid FROM entries").fetchone()
        store.empty_texts([Text(Kind.ENTRY, row)], NOW + minutes(30))
        (entry,) = store.entries()
        assert entry.summary == "A new text."


def test_no_more_than_asked_for(store: SqliteStore) -> None:
    (feed,) = store.feeds()
    store.commit([an_outcome(*(an_entry(f"E {n}", feed=feed) for n in range(20)), feed=feed)])
    assert len(store.old_texts(LATER, 7)) == 7


@pytest.mark.parametrize("kind", list(_EMPTY))
def test_emptying_a_row_reads_no_table_whole(store: SqliteStore, kind: Kind) -> None:
    for statement in _EMPTY[kind]:
        plan = store._db.execute(f"EXPLAIN QUERY PLAN {statement}", {"row": 1, "before": 1})
        assert not [each["detail"] for each in plan if each["detail"].startswith("SCAN")]
