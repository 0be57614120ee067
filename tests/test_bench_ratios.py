"""How much cheaper a visit is than with the obvious script: it must stay so.

CPU time of both in one run, taken in turns, the least of three each: the ratios hold on a busy
machine too.  The bars leave room below what was measured; docs/performance.md has the figures.
"""

from __future__ import annotations

from tests.bench.rounds import PHASES, contest
from tests.thorough import thorough

FEEDS = 12  # one of each pattern
BARS = {
    "304": 2.0,
    "200, the same bytes": 15.0,
    "200, only the feed's date differs": 10.0,
}


@thorough
async def test_a_visit_without_news_costs_a_fraction_of_the_obvious_script() -> None:
    phases = [phase for phase in PHASES if phase.name in BARS]
    figures = await contest(FEEDS, 3, phases, made=True)
    times = {name: figures.times_cheaper(name) for name in BARS}
    too_dear = {name: times[name] for name, bar in BARS.items() if times[name] < bar}
    assert not too_dear, f"times cheaper than the obvious script: {times}"
