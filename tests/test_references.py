"""Numbers of notices, in all spellings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stories.references import references
from tests.builders import an_entry


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Arms Sales Notification [Transmittal No. 25-105]", ("25-105",)),
        ("Transmittal #26-27 The U.S. Department of State", ("26-27",)),
        ("TRANSMITTAL NO. 25–07", ("25-07",)),
        ("Transmittal No.: 23-26. Date: May 11, 2023", ("23-26",)),
        ("certification transmittal number 0k-24", ("0K-24",)),
        ("[Transmittal No. 26-1C] … transmittal number 23-26 of", ("26-1C", "23-26")),
        ("Transmittal No. 25-07, Transmittal No. 25-07", ("25-07",)),
        ("transmittal of the report in 2025-26", ()),
        ("letter of transmittal", ()),
        ("The F-16 and 25-07", ()),
    ],
    ids=lambda value: str(value)[:40],
)
def test_references(text: str, expected: tuple[str, ...]) -> None:
    found = references(an_entry("Notice", summary=text))
    assert found == tuple(f"transmittal {number}" for number in expected)


def test_a_list_of_many_notices_is_none_of_them() -> None:
    text = ", ".join(f"Transmittal No. 25-{n:02}" for n in range(6))
    assert references(an_entry("Annual list", summary=text)) == ()


@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    references(an_entry(text, summary=f"transmittal {text}"))


def test_a_huge_text_is_read_at_its_beginning() -> None:
    text = "transmittal " * 450_000 + "No. 25-07"
    assert references(an_entry("Notice", content=text)) == ()
