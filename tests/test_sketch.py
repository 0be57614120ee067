"""monitor.stories.sketch: how much of one text stands in another."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stories.sketch import AT_LEAST, ENOUGH, MAX_WORDS, compare, containment, sketch

_NAMES = [f"{a}{b}" for a in ("kal", "mor", "ven", "tir", "os", "pel") for b in "aeiouytrsnml"]


def text(seed: int, words: int = 240) -> str:
    return " ".join(random.Random(seed).choices(_NAMES, k=words))


def test_a_text_contains_itself() -> None:
    assert compare(sketch(text(1)), sketch(text(1))) == 1.0


def test_different_texts_share_nothing_to_speak_of() -> None:
    assert compare(sketch(text(1)), sketch(text(2))) < 0.1


@pytest.mark.parametrize(
    "altered",
    [
        pytest.param(text(1).upper(), id="capitals"),
        pytest.param(text(1).replace(" ", ",\n "), id="punctuation"),
        pytest.param("Another headline. " + text(1) + " All rights reserved.", id="boilerplate"),
        pytest.param(" ".join(text(1).split()[:140]), id="first 60 %"),
        pytest.param(" ".join(text(1).split()[:70]), id="first 30 %: a summary beside the text"),
    ],
)
def test_a_copy_is_recognised(altered: str) -> None:
    assert compare(sketch(text(1)), sketch(altered)) >= ENOUGH


@pytest.mark.parametrize("short", ["", "News", "Two words", "a b c"], ids=repr)
def test_short_texts_are_like_nothing(short: str) -> None:
    assert compare(sketch(short), sketch(short)) == 0.0


def test_a_few_common_sequences_are_chance() -> None:
    assert containment(AT_LEAST - 1, AT_LEAST - 1, 100) == 0.0
    assert containment(AT_LEAST, AT_LEAST, 100) == 1.0


def test_a_text_of_five_megabytes_has_a_sketch_of_its_beginning() -> None:
    long = text(3, words=1_000_000)
    assert len(long) > 4_000_000
    found = sketch(long)
    assert len(found) < MAX_WORDS
    assert found == sketch(long[:100_000])


def test_signs_of_scripts_without_spaces_are_words() -> None:
    chinese = "北约秘书长周四在布鲁塞尔表示盟国将增加国防开支并继续向乌克兰提供军事援助" * 2
    assert compare(sketch(chinese), sketch("快讯:" + chinese)) == 1.0


@given(st.text(max_size=300))
def test_any_text_has_an_ascending_sketch_without_repeats(any_text: str) -> None:
    found = sketch(any_text)
    assert list(found) == sorted(set(found))
