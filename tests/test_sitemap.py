"""News sitemaps as documents: the newest dated pages, and nothing from outside."""

from __future__ import annotations

import pytest

from monitor.feeds import document

HEAD = (
    '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    ' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">'
)


def page(number: int, date: str) -> str:
    return (
        f"<url><loc>https://news.example/{number}</loc><news:news><news:publication>"
        f"<news:name>News</news:name><news:language>en</news:language></news:publication>"
        f"<news:publication_date>{date}</news:publication_date><news:title>Story {number}"
        "</news:title></news:news></url>"
    )


def read(*pages: str) -> dict[str, object]:
    return document.read({}, f"{HEAD}{''.join(pages)}</urlset>".encode())


def test_its_pages_are_entries_the_newest_first() -> None:
    found = read(page(1, "2025-02-13T08:00:00Z"), page(2, "2025-02-13T11:00:00+01:00"))
    entries = found["entries"]
    assert isinstance(entries, list)
    assert [(each["link"], each["title"], each["language"]) for each in entries] == [
        ("https://news.example/2", "Story 2", "en"),
        ("https://news.example/1", "Story 1", "en"),
    ]
    assert found["version"] == "sitemap"


def test_a_plain_sitemap_has_no_titles() -> None:
    found = read("<url><loc>https://news.example/1</loc><lastmod>2025-02-13</lastmod></url>")
    entries = found["entries"]
    assert isinstance(entries, list)
    assert entries[0]["title"] is None


BAD = {
    "no dates": f"{HEAD}<url><loc>https://news.example/1</loc></url></urlset>",
    "cut off": f"{HEAD}<url><loc>https://news.example/1</loc>",
    "entities": f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>{HEAD}&e;</urlset>',
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_what_cannot_be_used_is_no_feed(body: str) -> None:
    found = document.read({}, body.encode())
    assert found["failed"] == "not a feed"
    assert "root:" not in found["detail"]
