"""Articles in the store: the contract, on a real SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.errors import StoryChanged
from monitor.model import Article, ArticleState, Entry, Outcome, Revision
from monitor.store.sqlite import SqliteStore
from tests.builders import NOW, a_feed, an_entry, an_outcome, feed_settings, minutes

LEASE = minutes(10)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore.open(str(tmp_path / "monitor.db"))
    opened.sync_feeds([feed_settings()], NOW)
    yield opened
    opened.close()


def queued(store: SqliteStore, *pages: tuple[str, float]) -> list[Entry]:
    """Entries, one for each (host, minutes until due)."""
    (feed,) = store.claim_due(0, 1, NOW + minutes(60), LEASE)
    entries = [an_entry(f"Entry {number}") for number in range(len(pages))]
    articles = tuple(
        Article(entry_id=entry.id, host=host, due_at=NOW + minutes(due))
        for entry, (host, due) in zip(entries, pages, strict=True)
    )
    assert store.commit([an_outcome(*entries, feed=feed, articles=articles)]) == [True]
    return entries


def test_the_longest_due_page_of_each_host_comes_first(store: SqliteStore) -> None:
    first, second, _, _, _ = queued(store, ("a", 1), ("b", 2), ("a", 3), ("c", 3), ("d", 9))
    found = store.claim_articles(NOW + minutes(3), LEASE, busy=("c",), limit=4)
    assert [article.entry_id for article in found] == [first.id, second.id]
    assert [article.attempts for article in found] == [1, 1]
    assert store.next_article_at(("a", "b", "c")) == NOW + minutes(9)


def test_no_more_than_there_is_room_for(store: SqliteStore) -> None:
    queued(store, ("a", 0), ("b", 0), ("c", 0))
    assert len(store.claim_articles(NOW, LEASE, busy=(), limit=2)) == 2


def test_what_nobody_settles_is_due_again_after_the_lease(store: SqliteStore) -> None:
    queued(store, ("a", 0))
    store.claim_articles(NOW, LEASE, busy=(), limit=1)
    assert store.claim_articles(NOW, LEASE, busy=(), limit=1) == []
    (again,) = store.claim_articles(NOW + LEASE, LEASE, busy=(), limit=1)
    assert again.attempts == 2


def test_a_clock_that_was_set_back_holds_nothing_up(store: SqliteStore) -> None:
    queued(store, ("a", 60 * 24 * 365))
    assert len(store.claim_articles(NOW, LEASE, busy=(), limit=1)) == 1


def test_what_is_settled_is_not_due(store: SqliteStore) -> None:
    (entry,) = queued(store, ("a", 0))
    (article,) = store.claim_articles(NOW, LEASE, busy=(), limit=1)
    failed = replace(article, state=ArticleState.FAILED, due_at=NOW, detail="no such page")
    store.settle_article(failed)
    assert store.article(entry.id) == failed
    assert store.next_article_at(()) is None
    assert store.count_articles() == {ArticleState.FAILED: 1}


def test_a_text_that_was_read_is_known_and_the_feed_s_mark_stays(store: SqliteStore) -> None:
    (entry,) = queued(store, ("a", 0))
    assert store.known(entry.feed_id, entry.keys)[entry.keys[0]].article == ""
    settle(store, entry)
    known = store.known(entry.feed_id, entry.keys)[entry.keys[0]]
    assert known.article == "All of it."
    assert known.fingerprint == entry.fingerprint


def test_nothing_is_written_when_people_corrected_stories(store: SqliteStore) -> None:
    (entry,) = queued(store, ("a", 0))
    with pytest.raises(StoryChanged):
        settle(store, entry, corrections_seen=store.corrections() + 1)
    article = store.article(entry.id)
    assert article is not None
    assert article.state is ArticleState.QUEUED


def settle(store: SqliteStore, entry: Entry, **changes: int) -> None:
    revision = Revision(entry=replace(entry, content="All of it."), changed_at=NOW)
    done = Article(entry_id=entry.id, host="a", state=ArticleState.DONE, due_at=NOW)
    store.settle_article(done, Outcome(feed=a_feed(), revisions=(revision,), **changes))
