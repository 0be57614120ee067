"""Documents that name the wrong encoding, made UTF-8."""

from __future__ import annotations

import pytest

from monitor.feeds.document import read
from monitor.feeds.encoding import read_as
from monitor.model import Fetched

ITEM = "<rss version='2.0'><channel><title>x</title><item><title>Wojsko – Łódź</title></item>"
TEXT = f"{ITEM}</channel></rss>"


@pytest.mark.parametrize(
    ("before", "encoding", "content_type"),
    [
        pytest.param("", "windows-1250", "text/xml; charset=iso-8859-1", id="the header lies"),
        pytest.param(
            "<?xml version='1.0' encoding='us-ascii'?>", "iso8859-2", None, id="the document lies"
        ),
        pytest.param("\ufeff", "utf-16-le", "application/rss+xml", id="a mark before it"),
    ],
)
def test_is_read_as_the_user_says(before: str, encoding: str, content_type: str | None) -> None:
    body = (before + TEXT).replace("–", "-").encode(encoding)
    fetched = Fetched(body=body, final_url="https://wire.example/", content_type=content_type)
    made = read_as(fetched, encoding)
    found = read({"final_url": "", "content_type": made.content_type}, made.body)
    assert found["entries"][0]["title"] == "Wojsko - Łódź"


def test_what_it_cannot_be_is_replaced() -> None:
    fetched = Fetched(body=b"<rss>\xff</rss>", final_url="https://wire.example/")
    assert read_as(fetched, "utf-8").body == "<rss>\ufffd</rss>".encode()
