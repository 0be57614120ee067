"""The measure of the machine in ``bench capacity``."""

from __future__ import annotations

import pytest

from tests.bench.cycle import Cost
from tests.bench.rounds import PHASES, Figures
from tests.bench.yardstick import of_the_mix

UNCHANGED, SAME, TOUCHED, NEWS = 1.0, 20.0, 30.0, 40.0  # milliseconds a visit


def test_a_visit_of_the_mix_costs_what_its_kinds_do() -> None:
    some_news = 0.8 * SAME + 0.2 * NEWS
    of = {
        "304": UNCHANGED,
        "20 % with news, the rest 304": 0.8 * UNCHANGED + 0.2 * NEWS,
        "200, the same bytes": SAME,
        "200, only the feed's date differs": TOUCHED,
        "200, 20 % with news": some_news,
    }
    assert set(of) == {phase.name for phase in PHASES}
    costs = {name: [Cost(wall=0, cpu=10 * each / 1e3)] for name, each in of.items()}
    expected = 0.65 * UNCHANGED + 0.15 * SAME + 0.15 * TOUCHED + 0.05 * NEWS
    assert of_the_mix(Figures(feeds=10, toy=costs)) == pytest.approx(expected)
