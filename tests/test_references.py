"""Numbers of notices, in all spellings."""

from __future__ import annotations

from typing import ClassVar, SupportsIndex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stories.references import READ, references
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
        ("TRANSMITTAL NO. RSAT 26-24", ("26-24",)),
        ("a letter, Transmittal 26-28 with attached", ("26-28",)),
        ("Transmittal No.25-07", ("25-07",)),
        ("Transmittal No: 17-14", ("17-14",)),
        ("Transmittal Number: 25-07", ("25-07",)),
        ("transmittal\n      number 23-26", ("23-26",)),
        ("Transmittal No. 24–0U, submitted", ("24-0U",)),
        ("Transmittal No. 0M-25", ("0M-25",)),
        ("Transmittal No. 26‐27", ("26-27",)),
        ("Transmittal 26−27", ("26-27",)),
        ("Transmittal No. 25 - 07", ("25-07",)),
        ("Transmittal No. 25-7", ("25-07",)),
        ("[Transmittal Nos. 13-06]", ("13-06",)),
        ("Transmittals 13-06 with attached transmittal", ("13-06",)),
        ("Transmittal Nos. 13-06, 13-07, and 13-08", ("13-06", "13-07", "13-08")),
        ("Transmittal No. 25-07, 10-15 launchers", ("25-07",)),
        ("letter of transmittal", ()),
        ("the transmittal to Congress of the list", ()),
        ("Transmittal No. 25-07-2024", ()),
        ("Transmittal No. 2026-0001", ()),
        ("State plan Transmittal Number: 24-0012", ()),
        ("retransmittal 25-07", ()),
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


def test_a_list_that_says_the_word_once_is_none_of_them_either() -> None:
    text = "Transmittal Nos. " + ", ".join(f"25-{n:02}" for n in range(1, 10))
    assert references(an_entry("Annual list", summary=text)) == ()


def test_as_many_as_five_are_named() -> None:
    text = ", ".join(f"Transmittal No. 25-{n:02}" for n in range(5))
    assert len(references(an_entry("Five", summary=text))) == 5


def test_the_title_and_the_content_are_read() -> None:
    entry = an_entry("[Transmittal No. 25-07]", summary="", content="Transmittal No. 25-08")
    assert references(entry) == ("transmittal 25-07", "transmittal 25-08")


@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    references(an_entry(text, summary=f"transmittal {text}"))


def test_a_huge_text_is_read_at_its_beginning() -> None:
    text = "transmittal " * 450_000 + "No. 25-07"
    assert references(an_entry("Notice", content=text)) == ()


class Watched(str):
    """A text that notes how much of it is read, and may be read by slices only."""

    read: ClassVar[list[int]] = []

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        part = super().__getitem__(key)
        self.read.append(len(part))
        return part

    def __contains__(self, key: object) -> bool:
        raise AssertionError("read as a whole")

    __iter__ = __format__ = __str__ = split = __contains__  # type: ignore[assignment]


def test_of_five_megabytes_only_the_beginning_is_touched() -> None:
    text = Watched("Transmittal No. 25-07. " + "x" * 5_000_000)
    assert references(an_entry("Notice", content=text)) == ("transmittal 25-07",)
    assert Watched.read == [READ]
