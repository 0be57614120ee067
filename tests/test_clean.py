"""Text at the border: nothing that a sink, the store or a terminal should see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.clean import clean_text, html_to_text, one_line


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        pytest.param("a\0b", "ab", id="NUL"),
        pytest.param("a\x1b[31mb", "a[31mb", id="escape sequence"),
        pytest.param("a\x9bb", "ab", id="C1"),
        pytest.param("a\u202eb\u2066c", "abc", id="bidi controls"),
        pytest.param("a\ud800b", "a\ufffdb", id="surrogate"),
        pytest.param("a\r\nb\u2028c", "a\nb\nc", id="line ends"),
        pytest.param("cafe\u0301", "café", id="NFC"),
        pytest.param("a\ufffeb", "ab", id="noncharacter"),
    ],
)
def test_clean_text(dirty: str, clean: str) -> None:
    assert clean_text(dirty) == clean


@given(st.text(st.characters(codec=None)))
def test_clean_text_can_be_stored_and_cleaning_again_changes_nothing(text: str) -> None:
    clean = clean_text(text)
    clean.encode("utf-8")
    assert "\0" not in clean
    assert clean_text(clean) == clean
    assert "\n" not in one_line(text)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\nTwo"),
        ("One<br>Two", "One\nTwo"),
        ("<b>one</b>two", "onetwo"),
        ("w&ouml;rld", "wörld"),
        ("a < b", "a < b"),
        ("AT&amp;T", "AT&T"),
        ("<style>p{}</style>x<!-- y -->", "x"),
        ("<img src=x onerror=alert(1)>tail", "tail"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("", ""),
    ],
)
def test_html_to_text(html: str, text: str) -> None:
    assert " ".join(html_to_text(html).split(" ")) == text or html_to_text(html).split() == (
        text.split()
    )


def test_deep_nesting_is_bounded() -> None:
    assert html_to_text("<div>" * 50_000 + "x &amp; y") == "x & y"
