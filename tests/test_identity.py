"""Which entries of a document are new: renamed ones are not, repeated texts are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.ingest.identity import page_keys, sort_out
from monitor.model import Entry, Known
from monitor.urls import page_key
from tests.builders import NOW, an_entry

LATER = NOW + timedelta(hours=1)


def entry(n: int, *, guid: str = "old", scheme: str = "https", title: str = "") -> Entry:
    url = f"{scheme}://www.example.org/news/{n}"
    return an_entry(
        title or f"News number {n}",
        key=f"g:{guid}{n}",
        keys=(f"g:{guid}{n}", page_key(url)),
        url=url,
        first_seen_at=LATER,
    )


def stored(*entries: Entry) -> dict[str, Known]:
    """What the store says of *entries* under any of their keys."""
    return {
        key: Known(
            entry_id=each.id,
            story_id=each.id,
            title=each.title,
            fingerprint=each.fingerprint,
            first_seen_at=NOW,
        )
        for each in entries
        for key in each.keys
    }


def test_a_mass_change_of_ids_makes_nothing_new() -> None:
    before = [entry(n) for n in range(5)]
    after = [entry(n, guid="new", scheme="http") for n in range(5)]
    found = sort_out(after, stored(*before), LATER)
    assert (found.new, found.edited) == ((), ())
    assert set(found.renamed) == {
        (old.id, key) for old, new in zip(before, after, strict=True) for key in new.keys
    }


def test_news_among_renamed_entries_is_news() -> None:
    before = [entry(n) for n in range(5)]
    after = [entry(9, guid="new"), *(entry(n, guid="new") for n in range(5))]
    assert [each.title for each in sort_out(after, stored(*before), LATER).new] == ["News number 9"]


def test_a_renamed_entry_may_be_edited_too() -> None:
    before = [entry(n) for n in range(4)]
    after = [entry(n, guid="new") for n in range(3)]
    changed = an_entry(
        "News number 3", key="g:new3", keys=("g:new3", before[3].keys[1]), summary="More is known."
    )
    ((revision, was),) = sort_out([*after, changed], stored(*before), LATER).edited
    assert (revision.entry.id, was.entry_id) == (before[3].id, before[3].id)
    assert revision.entry.summary == "More is known."


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(
            [entry(0, guid="new"), *(entry(n) for n in range(5))], id="beside the old entry"
        ),
        pytest.param([entry(0, guid="new"), *(entry(n) for n in range(1, 5))], id="in its place"),
        pytest.param([entry(0, guid="new")], id="alone in the document"),
    ],
)
def test_one_new_id_on_a_known_page_is_news(after: list[Entry]) -> None:
    before = [entry(n) for n in range(5)]
    found = sort_out(after, stored(*before), LATER)
    assert [each.keys[0] for each in found.new] == ["g:new0"]
    assert found.renamed == ()


def test_other_headlines_on_known_pages_are_news() -> None:
    before = [entry(n) for n in range(5)]
    after = [entry(n, guid="new", title=f"Quite another {n}") for n in range(5)]
    assert len(sort_out(after, stored(*before), LATER).new) == 5


def test_pages_are_looked_up_only_where_many_are_unknown() -> None:
    before = [entry(n) for n in range(5)]
    known = stored(*before)
    assert page_keys([entry(9), *before], known) == []
    renamed = [entry(n, guid="new") for n in range(5)]
    assert page_keys(renamed, known) == [each.keys[1] for each in renamed]


def test_a_trivial_edit_is_no_revision() -> None:
    before = entry(1)
    assert sort_out([before], stored(before), LATER).edited == ()
