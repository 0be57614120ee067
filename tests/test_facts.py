"""Buyer and amount of arms-sale notices, as their publishers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.facts import facts
from tests.builders import an_entry

DETERMINATION = (
    "The Department of State has made a determination approving a possible Foreign Military Sale"
    " to the Government of {buyer} of equipment for an estimated cost of {amount}."
)


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        pytest.param(
            "Kuwait – PATRIOT Program Sustainment",
            DETERMINATION.format(buyer="Kuwait", amount="$425 million"),
            ("Kuwait", "$425 million"),
            id="DSCA, title and text",
        ),
        pytest.param(
            "Sweden – M142 High Mobility Artillery Rocket Systems",
            "Transmittal #26-27 The U.S. Department of State has made a determination approving a"
            " possible Foreign Military Sale to the Government of Sweden. The estimated total cost"
            " is $930 million.",
            ("Sweden", "$930 million"),
            id="State Department",
        ),
        pytest.param(
            "Kingdom of Saudi Arabia – F-15 Sustainment",
            "A possible Foreign Military Sale.",
            ("Saudi Arabia",),
            id="formal name, no amount",
        ),
        pytest.param(
            "Arms Sales Notification [Transmittal No. 26-64]",
            "(i) Prospective Purchaser: Government of the United Kingdom (ii) Total Estimated"
            " Value: Major Defense Equipment * $120 million Other $40 million TOTAL $160 million",
            ("United Kingdom", "$160 million"),
            id="Federal Register: the total",
        ),
        pytest.param(
            "US clears foreign military sale to Republic of Korea",
            "The package is valued at up to US$1.25bn, officials said.",
            ("South Korea", "$1.25 billion"),
            id="press",
        ),
        pytest.param(
            "Taipei Economic and Cultural Representative Office in the United States – Ammunition",
            "A possible Foreign Military Sale for an estimated cost of $180 million.",
            ("Taiwan", "$180 million"),
            id="a buyer by another name",
        ),
        pytest.param(
            "Congress passes aid", "Ukraine gets $61 billion in aid.", (), id="ordinary news"
        ),
    ],
)
def test_facts(title: str, text: str, expected: tuple[str, ...]) -> None:
    assert facts(an_entry(title, summary=text)) == expected


def test_a_title_alone_is_known_by_its_address() -> None:
    url = "https://www.dsca.mil/Press-Media/Major-Arms-Sales/Article-Display/Article/1/iraq"
    entry = an_entry("Iraq – Very Small Aperture Terminals", url=url, summary="")
    assert facts(entry) == ("Iraq",)


@given(title=st.text(max_size=80), text=st.text(max_size=400))
def test_no_text_raises(title: str, text: str) -> None:
    facts(an_entry(title, summary=f"foreign military sale {text}"))
