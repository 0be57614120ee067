"""Dates as publishers write them."""

from __future__ import annotations

import pytest

from monitor.feeds.dates import read


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Thu, 13 Feb 2025 10:00:00 GMT", "2025-02-13T10:00"),
        ("Thu, 13 Feb 2025 10:00:00 +0100", "2025-02-13T09:00"),
        ("Thu, 13 Feb 2025 10:00:00 CET", "2025-02-13T09:00"),
        ("Thu, 13 Jun 2025 10:00:00 CEST", "2025-06-13T08:00"),
        ("Thu, 13 Feb 2025 10:00:00 EST", "2025-02-13T15:00"),
        ("Thu, 13 Feb 2025 10:00:00 JST", "2025-02-13T01:00"),
        ("Thu, 13 Feb 2025 10:00:00 Z", "2025-02-13T10:00"),
        ("13 Feb 25 10:00 UT", "2025-02-13T10:00"),
        ("Thu, 13 Feb 2025 10:00:00 -0500 (EST)", "2025-02-13T15:00"),
        ("19 Sep. 2025 12:00:00 GMT", "2025-09-19T12:00"),
        ("Do, 13 März 2025 10:00:00 +0100", "2025-03-13T09:00"),
        ("jeu., 13 févr. 2025 10:00:00 +0100", "2025-02-13T09:00"),
        ("2025-02-13T10:00:00+01:00", "2025-02-13T09:00"),
        ("2025-02-13T10:00:00.123Z", "2025-02-13T10:00"),
        ("2025-02-13 10:00:00", "2025-02-13T10:00"),
        ("2025-02-13", "2025-02-13T00:00"),
        ("Thu Feb 13 10:00:00 2025", "2025-02-13T10:00"),
    ],
)
def test_is_read(text: str, at: str) -> None:
    found = read(text)
    assert found is not None
    assert found.isoformat().startswith(at)
    assert str(found.tzinfo) == "UTC"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Thu, 13 Feb 2025 10:00:00 XYZ", id="an unknown zone is not UTC"),
        pytest.param("1795428000", id="epoch seconds are not the year 1795"),
        pytest.param("0000-00-00", id="zero"),
        pytest.param("2025-02-30T10:00:00Z", id="no such day"),
        pytest.param("10000-01-01", id="the year 10000"),
        pytest.param("-0001-01-01T00:00:00Z", id="before year one"),
        pytest.param("yesterday", id="a word"),
        pytest.param("", id="nothing"),
        pytest.param("23/11/2026", id="a day or a month"),
        pytest.param("9" * 5000, id="digits without end"),
    ],
)
def test_is_not_guessed(text: str) -> None:
    assert read(text) is None
