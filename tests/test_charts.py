"""Charts: well-formed, in proportion, and what comes from outside is text."""

from __future__ import annotations

from xml.etree import ElementTree

from tests.bench.charts import Bar, Group, chart

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*values: float) -> list[float]:
    bars = [Bar(value=value, told=str(value)) for value in values]
    tree = ElementTree.fromstring(chart("x", [Group(name="g", bars=bars)]))
    return [float(bar.get("width", "")) for bar in tree.iter(f"{SVG}rect")]


def test_bars_are_in_proportion() -> None:
    long, short = drawn(40.0, 10.0)
    assert long == 4 * short


def test_the_smallest_bar_can_be_seen() -> None:
    assert drawn(10_000.0, 0.001)[1] == 1.0


def test_names_are_text() -> None:
    picture = chart('a "<b>"', [Group(name="<i>&", bars=[Bar(value=1, told="</svg>")])])
    texts = [each.text for each in ElementTree.fromstring(picture).iter(f"{SVG}text")]
    assert texts == ['a "<b>"', "<i>&", "</svg>"]
