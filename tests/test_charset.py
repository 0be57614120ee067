"""In which code a document is read, by header, declaration, byte order mark and bytes."""

from __future__ import annotations

import codecs

import pytest

from monitor.feeds import document
from monitor.feeds.charset import UTF8, in_utf8

WESTERN = "Zürich – “café”"
RUSSIAN = "Новости дня"
CHINESE = "新闻联播"
KOREAN = "뉴스 속보"


def rss(title: str, declared: str | None) -> str:
    head = "" if declared is None else f"<?xml version='1.0' encoding='{declared}'?>\n"
    item = f"<item><title>{title}</title><guid>1</guid></item>"
    return f"{head}<rss version='2.0'><channel>{item}</channel></rss>"


def title_of(body: bytes, content_type: str | None) -> str:
    found = document.read({"final_url": "https://n.example/f", "content_type": content_type}, body)
    assert "failed" not in found, found
    return found["entries"][0]["title"]


@pytest.mark.parametrize(
    ("title", "code", "declared", "header"),
    [
        pytest.param(WESTERN, "utf-8", "utf-8", None, id="all agree"),
        pytest.param(WESTERN, "utf-8", None, None, id="nobody says"),
        pytest.param(WESTERN, "utf-8", "utf-8", "iso-8859-1", id="the header is wrong"),
        pytest.param(WESTERN, "utf-8", "utf-8", "windows-1252", id="it is wrong, and no Latin-1"),
        pytest.param(RUSSIAN, "utf-8", "utf-8", "koi8-r", id="it is wrong, and fits all bytes"),
        pytest.param(RUSSIAN, "utf-8", None, "windows-1251", id="it is wrong, nobody else says"),
        pytest.param(RUSSIAN, "utf-8", "windows-1252", None, id="the declaration is wrong"),
        pytest.param(RUSSIAN, "utf-8", "iso-8859-1", "utf-8", id="the declaration alone is wrong"),
        pytest.param(RUSSIAN, "utf-8-sig", "windows-1251", "koi8-r", id="the mark decides"),
        pytest.param(WESTERN, "utf-16", "utf-16", "utf-8", id="UTF-16, the header is wrong"),
        pytest.param(CHINESE, "utf-16-be", None, None, id="UTF-16 without mark and word"),
        pytest.param(CHINESE, "utf-16-le", "utf-16", None, id="UTF-16 without a mark"),
        pytest.param(CHINESE, "utf-32", "utf-32", None, id="UTF-32"),
        pytest.param(WESTERN, "windows-1252", "utf-8", None, id="called UTF-8, is windows-1252"),
        pytest.param(WESTERN, "windows-1252", "iso-8859-1", None, id="called Latin-1, is more"),
        pytest.param(RUSSIAN, "windows-1251", "windows-1251", None, id="windows-1251"),
        pytest.param(RUSSIAN, "windows-1251", "windows-1251", "utf-8", id="the header says UTF-8"),
        pytest.param(
            RUSSIAN, "windows-1251", "windows-1251", "iso-8859-1", id="the header is a default"
        ),
        pytest.param(RUSSIAN, "koi8-r", "windows-1251", "koi8-r", id="recoded on the way"),
        pytest.param(CHINESE, "gb18030", "gb2312", None, id="GB2312"),
        pytest.param("新聞聯播", "big5", "big5", "text/xml", id="Big5"),
        pytest.param(KOREAN, "euc-kr", "euc-kr", None, id="EUC-KR"),
        pytest.param("ニュース", "shift_jis", "Shift_JIS", None, id="Shift_JIS"),
        pytest.param("ニュース", "iso-2022-jp", "iso-2022-jp", None, id="seven bits"),
    ],
)
def test_a_title_is_read_as_it_was_meant(
    title: str, code: str, declared: str | None, header: str | None
) -> None:
    content_type = f"application/rss+xml; charset={header}" if header else None
    assert title_of(rss(title, declared).encode(code), content_type) == title


@pytest.mark.parametrize("content_type", ["text/html", "text/plain", "text/xml", "", "nonsense"])
def test_a_content_type_without_charset_decides_nothing(content_type: str) -> None:
    assert title_of(rss(WESTERN, "utf-8").encode(), content_type) == WESTERN


def test_one_broken_character_does_not_change_all_others() -> None:
    whole = rss(WESTERN * 20, "utf-8").encode()
    broken = whole.replace("”".encode(), "”".encode()[:2], 1)
    body, content_type, count = in_utf8(broken, "text/xml")
    assert (content_type, count) == (UTF8, 1)
    assert body.decode().count("ü") == 20
    found = document.read({"final_url": "", "content_type": None}, broken)
    assert "1 character of its UTF-8 broken, shown as \ufffd" in found["warnings"]


def test_many_broken_ones_do() -> None:
    body = rss(WESTERN, "utf-8").encode("windows-1252")
    assert in_utf8(body, "text/xml") == (body, "text/xml", 0)


@pytest.mark.parametrize(
    "body",
    [
        codecs.BOM_UTF16_LE + b"<",
        b"<\0r",
        b"",
        b"\0",
        b"<?xml version='1.0' encoding='\xff'?>",
        b"<?xml " * 1_000,
    ],
    ids=repr,
)
def test_what_is_broken_is_left_to_the_reader(body: bytes) -> None:
    came, _, broken = in_utf8(body, None)
    assert (came, broken) == (body, 0)
