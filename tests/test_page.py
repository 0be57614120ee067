"""Web pages → their text, through the real child process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from monitor.feeds.article_extra import can_read_pages
from monitor.feeds.page import PageReader
from monitor.feeds.page_child import read
from monitor.model import FailureReason, Fetched, PageText, ParseFailed
from tests.pages import PARAGRAPHS, page

LATIN2 = "iso-8859-2"
URL = "https://news.example/1"


def test_the_extra_is_part_of_dev() -> None:
    assert can_read_pages()


def text_of(body: bytes, content_type: str = "text/html") -> str:
    return str(read({"final_url": URL, "content_type": content_type}, body)["text"])


def test_what_stands_around_an_article_is_left_out() -> None:
    text = text_of(page().encode())
    assert all(paragraph in text for paragraph in PARAGRAPHS)
    assert "Most read" not in text
    assert "Cookies" not in text
    assert "alert(" not in text


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(page("Łódź").encode(LATIN2), f"text/html; charset={LATIN2}", id="header"),
        pytest.param(page("Łódź", charset=LATIN2).encode(LATIN2), "text/html", id="meta"),
        pytest.param(page("Łódź").encode(), "text/html", id="neither: UTF-8"),
        pytest.param(page("Łódź").encode(), "text/html; charset=klingon", id="unknown"),
        pytest.param(
            b"<?xml version='1.0' encoding='utf-8'?>" + page("Łódź").encode(), "text/html", id="XML"
        ),
    ],
)
def test_encodings(body: bytes, content_type: str) -> None:
    assert "Łódź" in text_of(body, content_type)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(b"", "", id="nothing"),
        pytest.param(b"\0\1\2\xff", "", id="rubbish"),
        pytest.param(b"<div>" * 20_000, "", id="deep"),
    ],
)
def test_a_page_without_text(body: bytes, text: str) -> None:
    assert text_of(body) == text


def test_unwanted_signs_are_taken_out() -> None:
    assert "\u202e" not in text_of(page("a\u202eb").encode())


@pytest.mark.parametrize(("mark", "said"), [("", False), ('"isAccessibleForFree": "False"', True)])
def test_a_publisher_may_say_that_a_page_is_for_subscribers(mark: str, said: bool) -> None:
    script = f'<script type="application/ld+json">{{{mark}}}</script>'
    body = page().replace("</head>", f"{script}</head>").encode()
    assert read({"final_url": URL}, body)["for_subscribers"] is said


@pytest.fixture
async def reader() -> AsyncIterator[PageReader]:
    made = PageReader(deadline=timedelta(seconds=20))
    yield made
    await made.aclose()


async def test_it_comes_back_from_the_child(reader: PageReader) -> None:
    found = await reader.read(Fetched(body=page().encode(), final_url=URL))
    assert isinstance(found, PageText)
    assert PARAGRAPHS[0] in found.text


async def test_a_child_that_is_late_is_a_failure() -> None:
    reader = PageReader(deadline=timedelta(seconds=0.001))
    found = await reader.read(Fetched(body=page().encode(), final_url=URL))
    await reader.aclose()
    assert found == ParseFailed(
        reason=FailureReason.PARSER_KILLED,
        detail="reading the page takes too long; it was stopped",
    )
