"""Buyer and amount of arms-sale notices, as their publishers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.facts import READ, facts
from monitor.countries import COUNTRIES
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
            "Kuwait to buy Patriot missiles",
            "The State Department approved a possible Foreign Military Sale to Kuwait of Patriot"
            " missiles for about $800 million.",
            ("Kuwait", "$800 million"),
            id="press: for a sum",
        ),
        pytest.param(
            "Taipei Economic and Cultural Representative Office in the United States – Ammunition",
            "A possible Foreign Military Sale for an estimated cost of $180 million.",
            ("Taiwan", "$180 million"),
            id="a buyer by another name",
        ),
        pytest.param(
            "Arms Sales Notification",
            "[Transmittal No. 26-24] (i) (U) Prospective Purchaser: Government of Singapore\n"
            " (ii) (U) Total Estimated Value:\n\nMajor Defense Equipment *......  $82.50 million\n"
            f"Other......   $ 0.64 million\n {'-' * 31}\n\n[[Page 24850]]\n\n"
            f"  TOTAL{'.' * 33}  $83.14 million",
            ("Singapore", "$83.14 million"),
            id="Federal Register: a table over two pages",
        ),
        pytest.param(
            "Arms Sales Notification",
            "Transmittal No. 20-23 (i) Prospective Purchaser: Republic of Korea (ii)Total Estimated"
            " Value: Major Defense Equipment*.... $100 million Other.... $575 million"
            f" Total{'.' * 49}    $675 million",
            ("South Korea", "$675 million"),
            id="Federal Register: total in small letters",
        ),
        pytest.param(
            "Arms Sales Notification",
            "Transmittal No. 26-1C (i) Purchaser: Germany (iii) The estimated total program value"
            " was $8.50 billion. Major defense equipment (MDE) constituted $3.35 billion.",
            ("Germany", "$8.50 billion"),
            id="Federal Register: an enhancement",
        ),
        pytest.param(
            "ARMS SALES NOTIFICATION",
            "We are forwarding Transmittal No. 20-46 concerning the proposed Letter(s) of Offer and"
            " Acceptance to the Republic of Korea for services estimated to cost $250 million.",
            ("South Korea", "$250 million"),
            id="Congressional Record",
        ),
        pytest.param(
            "NATO Support and Procurement Agency (NSPA) – Logistics Support",
            "A possible Foreign Military Sale. The total estimated program cost is $300 million.",
            ("NSPA", "$300 million"),
            id="an agency with its letters in the title",
        ),
        pytest.param(
            "Agency approves sale",
            "a possible Foreign Military Sale to TECRO in the United States for the continuation of"
            " a programme in Arizona for an estimated cost of $500 million",
            ("Taiwan", "$500 million"),
            id="a buyer by its letters",
        ),
        pytest.param(
            "Approval",
            "a possible Foreign Military Sale to the Republic of China (Taiwan) for NT$425 million",
            ("Taiwan",),
            id="not China; not another dollar",
        ),
        pytest.param(
            "Notice",
            "Purchaser: North Atlantic Treaty Organization. Arms sales notification.",
            ("NATO",),
            id="an alliance",
        ),
        pytest.param(
            "Support for Ukraine grows, aid for Israel too",
            DETERMINATION.format(buyer="Poland", amount="$1.2 billion"),
            ("Poland", "$1.2 billion"),
            id="the buyer, not another country",
        ),
        pytest.param(
            "Israel-Hamas war: latest",
            DETERMINATION.format(buyer="Poland", amount="$1.2 billion"),
            ("Poland", "$1.2 billion"),
            id="a hyphen in the title is no dash",
        ),
        pytest.param(
            "Sale",
            "A possible foreign military sale to NATO allies, later to the Government of Norway.",
            ("Norway",),
            id="allies are not the alliance",
        ),
        pytest.param(
            "Notice",
            "Possible Foreign Military Sale to Kuwait. The first case, valued at $40.26 million, is"
            " old. The estimated total case value is $250.2 million.",
            ("Kuwait", "$250.2 million"),
            id="the estimated total before other sums",
        ),
        pytest.param(
            "State Dept. approves potential $80Mln sale of missiles to Romania",
            "The Defense Security Cooperation Agency said so on Tuesday.",
            ("Romania", "$80 million"),
            id="press: sum and buyer in the title",
        ),
        pytest.param(
            "US approves sale",
            "a possible $1 billion foreign military sale (FMS) of 2,747 vehicles to the United"
            " Kingdom",
            ("United Kingdom", "$1 billion"),
            id="press: the sum before the sale",
        ),
        pytest.param(
            "Congress passes aid", "Ukraine gets $61 billion in aid.", (), id="ordinary news"
        ),
        pytest.param(
            "Ottawa plans a bridge",
            "The estimated total cost is $3 billion, the Government of Canada said.",
            (),
            id="an estimate of something else",
        ),
        pytest.param(
            "Army awards contract",
            "Worth $230 million, for Ukraine and other foreign military sales partners.",
            (),
            id="the programme, not a sale",
        ),
        pytest.param(
            "Report on major arms sales",
            "Sales to Ukraine were worth $5 billion.",
            (),
            id="sales in general",
        ),
        pytest.param(
            "Notice", "A foreign military sale to Ruritania.", (), id="no country, no amount"
        ),
    ],
)
def test_facts(title: str, text: str, expected: tuple[str, ...]) -> None:
    assert facts(an_entry(title, summary=text)) == expected


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("$8.2 million", "$8.2 million"),
        ("up to $1.25 billion", "$1.25 billion"),
        ("close to $3.3 billion", "$3.3 billion"),
        ("approximately US$ 1.4bn", "$1.4 billion"),
        ("USD 300 million", "$300 million"),
        ("USD150 million", "$150 million"),
        ("$8Bln", "$8 billion"),
        ("$500-million", "$500 million"),
        ("€2.5 bn", "€2.5 billion"),
        ("$425,000,000", "$425 million"),
        ("$1,250,000,000", "$1.25 billion"),
        ("$1,250 million", "$1,250 million"),
        ("A$300 million", None),
        ("$1,25 billion", None),
        ("$ 0 million", None),
        ("$425", None),
    ],
)
def test_spellings_of_amounts(written: str, shown: str | None) -> None:
    text = DETERMINATION.format(buyer="Kuwait", amount=written)
    assert facts(an_entry("Notice", summary=text)) == ("Kuwait", *([shown] if shown else []))


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("the Netherlands", "Netherlands"),
        ("the Republic of Korea", "South Korea"),
        ("the Kingdom of Bahrain", "Bahrain"),
        ("the Hashemite Kingdom of Jordan", "Jordan"),
        ("the Arab Republic of Egypt", "Egypt"),
        ("the Czech Republic", "Czechia"),
        ("the UAE", "United Arab Emirates"),
        ("Turkey", "Türkiye"),
        ("Niger", "Niger"),
        ("Nigeria", "Nigeria"),
        ("the Democratic Republic of the Congo", "Democratic Republic of the Congo"),
        ("the Democratic People's Republic of Korea", None),
        ("the United States", None),
        ("Japanese firms", None),
        ("Israel-based firms", None),
    ],
)
def test_spellings_of_buyers(written: str, shown: str | None) -> None:
    entry = an_entry("Notice", summary=f"A possible Foreign Military Sale to {written}.")
    assert facts(entry) == ((shown,) if shown else ())


def test_every_country_is_found_by_each_of_its_names() -> None:
    for name, shown in COUNTRIES.items():
        entry = an_entry(f"{name} – Missiles", summary="A possible Foreign Military Sale.")
        assert facts(entry) == (shown,), name


def test_a_title_alone_is_known_by_its_address() -> None:
    url = "https://www.dsca.mil/Press-Media/Major-Arms-Sales/Article-Display/Article/1/iraq"
    entry = an_entry("Iraq – Very Small Aperture Terminals", url=url, summary="")
    assert facts(entry) == ("Iraq",)


@given(title=st.text(max_size=80), text=st.text(max_size=400))
def test_no_text_raises(title: str, text: str) -> None:
    facts(an_entry(title, summary=f"foreign military sale {text}"))


def test_of_five_megabytes_only_the_beginning_is_read() -> None:
    notice = DETERMINATION.format(buyer="Kuwait", amount="$425 million")
    early = an_entry("Notice", content=notice + " x" * 2_500_000)
    late = an_entry("Notice", content="x " * READ + notice)
    assert (facts(early), facts(late)) == (("Kuwait", "$425 million"), ())
