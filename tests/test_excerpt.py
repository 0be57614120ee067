"""The sentences that show why a rule matched."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.excerpt import MAX_LENGTH, excerpts
from monitor.model import Entry, Excerpt, Hit
from tests.builders import an_entry

TITLE = "US commits to faster arms sales to Europe"
CONTENT = (
    "Ministers met in Brussels on Thursday. The Pentagon promised a foreign military sale "
    "within weeks. Kyiv welcomed the step. A second foreign military sale goes to Poland."
)


def hit(entry: Entry, term: str, field: str = "content", occurrence: int = 1) -> Hit:
    start = -1
    for _ in range(occurrence):
        start = getattr(entry, field).index(term, start + 1)
    return Hit(field=field, start=start, end=start + len(term), term=term)


def shown(excerpt: Excerpt) -> str:
    """The text with »hits« marked."""
    text = excerpt.text
    for start, end in reversed(excerpt.marks):
        text = f"{text[:start]}»{text[start:end]}«{text[end:]}"
    return text


def entry_with(content: str, **changes: str) -> Entry:
    return an_entry(changes.pop("title", TITLE), content=content, summary="", **changes)


def test_the_sentence_round_a_hit() -> None:
    entry = entry_with(CONTENT)
    [excerpt] = excerpts(entry, [hit(entry, "Pentagon")])
    assert shown(excerpt) == "The »Pentagon« promised a foreign military sale within weeks."
    assert excerpt.field == "content"


def test_hits_in_one_sentence_share_it() -> None:
    entry = entry_with(CONTENT)
    [excerpt] = excerpts(entry, [hit(entry, "foreign military sale"), hit(entry, "Pentagon")])
    assert shown(excerpt) == "The »Pentagon« promised a »foreign military sale« within weeks."


def test_overlapping_hits_are_one_mark() -> None:
    entry = entry_with(CONTENT)
    hits = [hit(entry, "foreign military sale"), hit(entry, "military sale within")]
    [excerpt] = excerpts(entry, hits)
    assert shown(excerpt) == "The Pentagon promised a »foreign military sale within« weeks."


def test_a_hit_across_a_border_joins_its_sentences() -> None:
    entry = entry_with(CONTENT)
    [excerpt] = excerpts(entry, [hit(entry, "weeks. Kyiv")])
    assert shown(excerpt).startswith("The Pentagon promised")
    assert shown(excerpt).endswith("within »weeks. Kyiv« welcomed the step.")


def test_the_title_comes_first_and_whole_then_the_body() -> None:
    entry = entry_with(CONTENT)
    found = excerpts(entry, [hit(entry, "Kyiv"), hit(entry, "arms sales", "title")])
    assert [(each.field, shown(each)) for each in found] == [
        ("title", "US commits to faster »arms sales« to Europe"),
        ("content", "»Kyiv« welcomed the step."),
    ]


def test_sentences_with_new_terms_are_preferred_and_stand_in_order() -> None:
    entry = entry_with(CONTENT)
    hits = [
        hit(entry, "foreign military sale", occurrence=1),
        hit(entry, "foreign military sale", occurrence=2),
        hit(entry, "Poland"),
        hit(entry, "Kyiv"),
    ]
    found = [shown(each) for each in excerpts(entry, hits, limit=2)]
    assert found == [
        "»Kyiv« welcomed the step.",
        "A second »foreign military sale« goes to »Poland«.",
    ]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_no_more_than_asked_for(limit: int) -> None:
    entry = entry_with(CONTENT)
    hits = [hit(entry, term) for term in ("Ministers", "Pentagon", "Kyiv", "Poland")]
    assert len(excerpts(entry, [*hits, hit(entry, "Europe", "title")], limit=limit)) == limit


def test_a_content_that_repeats_its_summary_is_shown_once() -> None:
    entry = an_entry(TITLE, summary="Kyiv  welcomed it.", content="Kyiv welcomed it. More.")
    found = excerpts(entry, [hit(entry, "Kyiv", "summary"), hit(entry, "Kyiv")])
    assert [(each.field, each.text) for each in found] == [("summary", "Kyiv welcomed it.")]


@pytest.mark.parametrize("field", ["feed", "tag", "author", "category", "url", "language"])
def test_labels_give_no_sentence(field: str) -> None:
    entry = entry_with(CONTENT)
    assert excerpts(entry, [Hit(field=field, start=0, end=3, term="x")]) == ()


def test_nothing_hit_nothing_shown() -> None:
    assert excerpts(entry_with(CONTENT), []) == ()


def test_white_space_is_squeezed_and_marks_follow() -> None:
    entry = entry_with("The  Pentagon \t promised\u00a0 much.")
    [excerpt] = excerpts(entry, [hit(entry, "Pentagon"), hit(entry, "much")])
    assert shown(excerpt) == "The »Pentagon« promised »much«."


# --- long sentences

LONG = " ".join(f"word{n}" for n in range(400))


@pytest.mark.parametrize("word", ["word0", "word7", "word200", "word398", "word399"])
def test_a_long_sentence_is_cut_round_the_hit_at_words(word: str) -> None:
    entry = entry_with(LONG)
    [excerpt] = excerpts(entry, [hit(entry, word)])
    [(start, end)] = excerpt.marks
    assert excerpt.text[start:end] == word
    assert MAX_LENGTH // 2 < len(excerpt.text) <= MAX_LENGTH + 4
    inner = excerpt.text.removeprefix("… ").removesuffix(" …")
    assert f" {inner} " in f" {LONG} "
    assert excerpt.text.startswith("… ") is not LONG.startswith(inner)
    assert excerpt.text.endswith(" …") is not LONG.endswith(inner)


def test_of_hits_far_apart_the_first_ones_are_shown() -> None:
    entry = entry_with(LONG)
    [excerpt] = excerpts(
        entry, [hit(entry, "word100"), hit(entry, "word110"), hit(entry, "word390")]
    )
    assert [excerpt.text[start:end] for start, end in excerpt.marks] == ["word100", "word110"]


def test_a_hit_longer_than_an_excerpt_is_cut() -> None:
    entry = entry_with("x" * 2_000)
    [excerpt] = excerpts(entry, [Hit(field="content", start=500, end=1_500, term="x*")])
    assert len(excerpt.text) <= MAX_LENGTH + 4
    [(start, end)] = excerpt.marks
    assert end - start > MAX_LENGTH // 2


def test_a_long_title_is_cut_too() -> None:
    entry = entry_with("", title=LONG)
    [excerpt] = excerpts(entry, [hit(entry, "word200", "title")])
    assert excerpt.field == "title"
    assert len(excerpt.text) <= MAX_LENGTH + 4


@given(text=st.text(max_size=700), data=st.data())
def test_any_hits_in_any_text(text: str, data: st.DataObject) -> None:
    spans = data.draw(st.lists(st.tuples(*[st.integers(0, len(text))] * 2), max_size=6))
    hits = [
        Hit(field="content", start=min(span), end=max(span), term=str(index))
        for index, span in enumerate(spans)
        if span[0] != span[1]
    ]
    for excerpt in excerpts(entry_with(text), hits):
        assert len(excerpt.text) <= MAX_LENGTH + 4
        assert all(0 <= start < end <= len(excerpt.text) for start, end in excerpt.marks)
        assert all(a[1] < b[0] for a, b in pairwise(excerpt.marks))
