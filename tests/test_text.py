"""Words of many scripts, folded, with offsets into the original text."""

from __future__ import annotations

from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.text import columns, fold, raw, sentences, words


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("The U.S. and S.A.M. sites", "the us and sam sites", id="dotted acronyms"),
        pytest.param("NATO's, NATO’s; James's", "nato nato james", id="possessives"),
        pytest.param("F-16s and anti‑tank", "f 16s and anti tank", id="hyphens part words"),
        pytest.param("Café Zürich Łódź Ørsted", "cafe zurich lodz orsted", id="accents"),
        pytest.param("Straße ŒUVRE İstanbul", "strasse oeuvre istanbul", id="letters of their own"),
        pytest.param("co\u00adoper\u200bate", "cooperate", id="invisible signs"),
        pytest.param("cafe\u0301", "cafe", id="combining accent"),
        pytest.param("l'OTAN l’Ukraine", "l otan l ukraine", id="elision"),
        pytest.param("北约峰会", "北 约 峰 会", id="Chinese signs"),
        pytest.param("나토는", "나 토 는", id="Hangul signs"),
        pytest.param("हिन्दी समाचार", "हिन्दी समाचार", id="Hindi vowels stay"),
        pytest.param("ＮＡＴＯ ﬁne", "nato fine", id="compatibility forms"),
        pytest.param("a_b 3.5 x/y", "a b 3 5 x y", id="signs between words"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_words(text: str, folded: str) -> None:
    assert words(text) == folded.split()


@given(st.text(max_size=200))
def test_offsets_point_into_the_original(text: str) -> None:
    found = columns(text)
    previous = 0
    for word, start, end in zip(found.folded, found.starts, found.ends, strict=True):
        assert previous <= start < end <= len(text)
        previous = end
        assert fold(raw(text[start:end])) == word


# Signs whose meaning depends on their neighbours, and letters that turn into others.
TRICKY = "aAsSb1..'’＇ʼ _-\n“…éšſßÉ½²ﬁ。日나ก\u00ad\u0301\ufe0f"


@given(
    st.text(max_size=200)
    | st.text(st.characters(max_codepoint=127), max_size=200)
    | st.text(TRICKY, max_size=15)
)
def test_words_are_those_of_the_columns(text: str) -> None:
    assert words(text) == columns(text).folded


def test_every_sign_is_cut_as_in_the_columns() -> None:
    # Between them there are ideographs and Hangul.
    for code in chain(range(0x3500), range(0xA4D0, 0xAC10), range(0xF8F0, 0x10400)):
        sign = chr(code)
        text = f"x'{sign}. {sign}'s {sign}.b. é{sign}ab{sign}"
        assert words(text) == columns(text).folded, hex(code)


def test_ascii_and_other_texts_are_cut_alike() -> None:
    text = "The U.S.'s F-16s: NATO's 1.5 (a.k.a. x) e.g. this."
    ours = columns(text)
    other = columns(text + " é")
    assert ours.folded == other.folded[:-1]
    assert ours.starts == other.starts[:-1]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("One. Two! Three?", ["One.", "Two!", "Three?"], id="stops"),
        pytest.param("Gen. Smith met Mr. Jones.", ["Gen. Smith met Mr. Jones."], id="short forms"),
        pytest.param("The U.S. Army won.", ["The U.S. Army won."], id="acronym"),
        pytest.param(
            "It cost $1.2 billion. Yes.", ["It cost $1.2 billion.", "Yes."], id="decimals"
        ),
        pytest.param('He said "Go." She left.', ['He said "Go."', "She left."], id="quotes"),
        pytest.param("First line\nSecond line", ["First line", "Second line"], id="lines"),
        pytest.param("北约开会。乌克兰参加。", ["北约开会。", "乌克兰参加。"], id="Chinese stops"),
        pytest.param("no stop", ["no stop"], id="none"),
        pytest.param("  ", [], id="blank"),
    ],
)
def test_sentences(text: str, parts: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == parts


@given(st.text(max_size=200))
def test_sentences_lie_in_order_and_lose_no_word(text: str) -> None:
    spans = sentences(text)
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    inside = [word for start, end in spans for word in words(text[start:end])]
    assert len(inside) >= len(words(text))
