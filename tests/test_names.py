"""Names in headlines: what parts two events of one kind, and what does not."""

from __future__ import annotations

import pytest

from monitor.stories.names import apart, mentions, together

TWO_EVENTS = [
    ("Earthquake hits Quito", "Earthquake of magnitude 6.2 hits Indonesia, 40 dead"),
    ("Earthquake rattles Athens", "Magnitude 6.4 earthquake strikes Sumatra"),
    ("Pipeline blast kills three near Basra", "Pipeline explosion: blast kills five in Lagos"),
    ("Strike closes Hamburg port", "Strike halts Genoa port"),
    ("Strike grounds 120 flights at Munich airport", "Strike grounds flights at Brussels airport"),
    ("Walkout at Gdansk shipyard over pay", "Walkout hits Cadiz shipyard"),
    ("US clears sale of Patriot to Poland", "US clears sale of Patriot to Kuwait"),
    ("Earthquake Hits Northern Indonesia", "Earthquake Hits Southern Iran"),
]
ONE_EVENT = [
    ("Earthquake hits Quito", "Quake in Ecuador's capital Quito leaves many homeless"),
    ("Missile hits Kyiv", "Ukrainian capital Kyiv struck by missile"),
    ("US clears missiles for Ukraine", "The Ukrainian army is to get missiles"),
    ("Strike closes port", "Strike halts Genoa port"),  # nobody said where the first is
    ("EARTHQUAKE HITS QUITO IN ECUADOR", "Earthquake hits Guayaquil"),  # capitals say nothing
    ("Earthquake Hits Quito After Long Calm", "Earthquake hits Guayaquil"),
    ("키토에서 지진", "아테네에서 지진"),
    ("US and Poland agree on Patriot", "Germany and Poland agree on Patriot"),
    ("Orders of tanks rise - MarketScreener", "Orders of tanks rise - ET Manufacturing"),
]


@pytest.mark.parametrize(("one", "other"), TWO_EVENTS, ids=[one for one, _ in TWO_EVENTS])
def test_two_places_are_two_events(one: str, other: str) -> None:
    assert apart(mentions(one), mentions(other))
    assert apart(mentions(other), mentions(one))


@pytest.mark.parametrize(("one", "other"), ONE_EVENT, ids=[other for _, other in ONE_EVENT])
def test_where_it_is_not_certain_names_part_nothing(one: str, other: str) -> None:
    assert not apart(mentions(one), mentions(other))


def test_what_the_text_mentions_counts() -> None:
    first = mentions("Strike closes Hamburg port", "Dockers in Germany stopped work.")
    second = mentions("Strike at port in Germany", "Ver.di called its members out.")
    assert not apart(first, second)


def test_a_story_names_what_all_its_entries_name() -> None:
    story = together([mentions("Strike closes Hamburg port"), mentions("Port of Bremen shut, too")])
    assert not apart(mentions("Strike spreads to Bremen"), story)
    assert apart(mentions("Strike halts Genoa port"), story)
