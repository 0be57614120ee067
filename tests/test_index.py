"""monitor.stories.index: what persons move, and a restart after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor import ids
from monitor.model import Told
from monitor.stories.group import assign, telling, told
from monitor.stories.index import Index, Story
from tests.builders import NOW, an_entry
from tests.test_group import AFP, QUAKE, REUTERS, SALE, SALE_TOO, STATE, Desk, hours
from tests.test_sketch import text

MEETING = "NATO ministers meet in Brussels on Ukraine aid"
NEW_STORY = ids.derive("story", "made by hand")


class Rows(Desk):
    """A desk that keeps what the store would."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Told] = []

    def tell(self, title: str, at: datetime = NOW, content: str = "") -> str:
        """Take an entry; its id."""
        self.taken += 1
        feed = (REUTERS, AFP, STATE)[self.taken % 3]
        url = f"{feed.url}/{self.taken}"
        entry = an_entry(title, feed=feed, key=url, url=url, summary=content, first_seen_at=at)
        new = telling(entry, self.frequencies)
        self.rows.append(replace(told(new, assign(new, self.index, at))))
        self.index.add(self.rows[-1])
        return entry.id

    def move(self, entry_id: str, story_id: str) -> None:
        self.index.move(entry_id, story_id)
        self.rows = [
            replace(row, story_id=story_id) if row.entry_id == entry_id else row
            for row in self.rows
        ]

    def restarted(self, now: datetime | None = None) -> Index:
        """*now*: when the last entry was told, unless said otherwise."""
        index = Index()
        now = now or (self.rows[-1].seen_at if self.rows else NOW)
        index.load((replace(row, near=None) for row in self.rows), now)
        return index


def stories(index: Index) -> list[tuple[str, Story]]:
    """The story of each entry, by name and as it is compared."""
    return [(index.story_id(n), index.story(n)) for n in range(index.first, index.end)]


# --- moved by hand


def test_an_entry_like_one_that_was_moved_joins_the_story_it_was_moved_to() -> None:
    desk = Rows()
    sale, quake = desk.tell(SALE), desk.tell(QUAKE)
    desk.move(quake, sale)
    found = desk.take("Strong earthquake shakes Chile", feed=AFP)
    assert found.story_id == sale
    assert desk.index.story(0).voters == 3


def test_an_entry_like_one_that_was_split_off_joins_the_new_story() -> None:
    desk = Rows()
    sale = desk.tell(SALE)
    joined = desk.tell(SALE_TOO)
    assert desk.index.story_id(1) == sale
    desk.move(joined, NEW_STORY)
    assert desk.take(f"{SALE_TOO} today", feed=AFP).story_id == NEW_STORY
    assert desk.index.story(0) == Story(1, desk.index.vector(0), desk.index.seen_at(0))
    assert desk.index.story(1).voters == 2


def test_a_story_lives_on_after_its_founder_was_moved_away() -> None:
    desk = Rows()
    sale, quake = desk.tell(SALE), desk.tell(QUAKE)
    desk.tell(SALE_TOO, NOW + hours(1))
    desk.move(sale, quake)
    assert [desk.index.story_id(n) for n in range(3)] == [quake, quake, sale]
    assert desk.index.story(2).voters == 1
    desk.tell(f"{SALE_TOO}, again", NOW + hours(2))
    assert desk.index.story_id(3) in (sale, quake)
    assert stories(desk.restarted()) == stories(desk.index)


def test_a_story_is_as_if_what_was_moved_away_and_back_had_stayed() -> None:
    desk = Rows()
    sale, joined = desk.tell(SALE), desk.tell(SALE_TOO, NOW + hours(1))
    before = stories(desk.index)
    desk.move(joined, NEW_STORY)
    assert desk.index.story(0).last_at < desk.index.story(1).last_at
    desk.move(joined, sale)
    assert stories(desk.index) == before


def test_a_moved_copy_has_no_vote_where_it_goes() -> None:
    desk = Rows()
    desk.tell(SALE, content=text(1))
    quake = desk.tell(QUAKE)
    copy = desk.tell("Other words", NOW + hours(1), content=text(1))
    assert desk.rows[2].copy_of
    desk.move(copy, quake)
    story = desk.index.story(1)
    assert (story.voters, story.core) == (1, desk.index.vector(1))
    assert story.last_at == desk.index.seen_at(2)
    assert stories(desk.restarted()) == stories(desk.index)


def test_an_entry_that_is_not_known_any_more_changes_nothing() -> None:
    desk = Rows()
    desk.tell(SALE)
    before = stories(desk.index)
    desk.move(ids.derive("entry", "long ago"), NEW_STORY)
    assert stories(desk.index) == before


@pytest.mark.parametrize(
    ("moved", "to"),
    [
        pytest.param(0, 1, id="a founder into a younger story"),
        pytest.param(1, 0, id="a founder into an older story"),
        pytest.param(0, 3, id="a founder under the name of a later entry"),
        pytest.param(2, None, id="a member into a story of its own"),
        pytest.param(0, None, id="a founder out of its story"),
    ],
)
def test_a_restart_after_a_move_finds_the_stories_as_they_were(moved: int, to: int | None) -> None:
    desk = Rows()
    titles = (SALE, QUAKE, SALE_TOO, MEETING, "NATO ministers met in Brussels", SALE + " again")
    names = [desk.tell(title, NOW + hours(number)) for number, title in enumerate(titles)]
    desk.move(names[moved], NEW_STORY if to is None else names[to])
    for number, title in enumerate((SALE_TOO + " now", "Earthquake shakes northern Chile")):
        desk.tell(title, NOW + hours(10 + number))
    assert stories(desk.restarted()) == stories(desk.index)


# --- growing and forgetting


def test_rows_loaded_in_several_goes_are_as_added_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("monitor.stories.index._LOADED", 7)
    desk = Rows()
    for number in range(50):
        desk.tell(f"{(SALE, QUAKE, MEETING)[number % 3]} {number}", content=text(number % 20, 30))
    restarted = desk.restarted()
    assert stories(restarted) == stories(desk.index)
    for row in desk.rows:
        assert restarted.with_text(row.sketch) == desk.index.with_text(row.sketch)
        assert restarted.with_label(row.page) == desk.index.with_label(row.page)


def test_an_index_of_nothing() -> None:
    index = Index()
    index.load([], NOW)
    assert index.first == index.end == index.draft().end == 0
    assert index.with_text(()) == {}
    assert index.with_text((1, 2)) == {}
    assert index.with_label(None) == []


def test_rows_older_than_the_windows_are_forgotten_when_loaded() -> None:
    desk = Rows()
    desk.tell(SALE, NOW - timedelta(days=9))
    desk.tell(QUAKE)
    restarted = desk.restarted()
    assert restarted.end - restarted.first == 1
    assert restarted.entry_id(restarted.first) == desk.rows[1].entry_id


def test_an_entry_of_the_future_does_not_keep_all_that_came_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The clock was wrong for a moment."""
    monkeypatch.setattr("monitor.stories.index._TIDY_EVERY", 1)
    desk = Rows()
    desk.tell(SALE, NOW + timedelta(days=400))
    for day in range(30):
        desk.tell(f"{QUAKE} {day}", NOW + timedelta(days=day))
    for index in (desk.index, desk.restarted()):
        assert index.end - index.first <= 8
    assert desk.tell(SALE, NOW + timedelta(days=30)) == desk.rows[-1].story_id


def test_a_last_entry_of_the_future_does_not_make_a_restart_forget_the_others() -> None:
    desk = Rows()
    desk.tell(SALE)
    desk.tell(QUAKE, NOW + timedelta(days=400))
    assert desk.restarted(NOW).story_id(0) == desk.rows[0].story_id
    assert desk.restarted(NOW).first == 0
