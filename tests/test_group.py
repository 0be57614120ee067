"""monitor.stories: which entries tell one event, why, and what it costs to remember them."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any

import pytest

from monitor.model import Feed
from monitor.stories import background
from monitor.stories.features import (
    MAX_FEATURES,
    PAIR_WEIGHT,
    Frequencies,
    dot,
    furniture,
    key,
    pack,
    stem,
    terms,
    unpack,
    weigh,
)
from monitor.stories.group import Assignment, assign, telling, told
from monitor.stories.index import BOILERPLATE, Index
from monitor.stories.likeness import ENOUGH_COUNTED
from tests.builders import NOW, a_feed, an_entry
from tests.test_sketch import text
from tests.thorough import thorough

REUTERS, AFP, STATE = (
    a_feed(url=f"https://{name}.example/feed.xml", name=name)
    for name in ("reuters", "afp", "state")
)
RELEASES = (
    Path(__file__).parents[2]
    / "shared/corpus/articles/state-department-releases-2021-05_2022-03.jsonl.gz"
)
SALE = "State Department approves possible sale of Patriot missiles to Ukraine"
SALE_TOO = "US clears Patriot missile sale for Ukraine"
QUAKE = "Strong earthquake shakes northern Chile, no tsunami warning"


@dataclass
class Desk:
    """Entries as the monitor would take them, one after another."""

    index: Index = field(default_factory=Index)
    frequencies: Frequencies = field(default_factory=lambda: background.frequencies("en"))
    taken: int = 0

    def take(self, title: str, at: datetime = NOW, **changes: Any) -> Assignment:
        self.taken += 1
        feed, ignored = changes.pop("feed", REUTERS), changes.pop("ignored", frozenset())
        values = {"summary": "", "url": f"{feed.url}/{self.taken}", "first_seen_at": at} | changes
        entry = an_entry(title, feed=feed, key=f"{self.taken}", **values)
        new = telling(entry, self.frequencies, ignored)
        assignment = assign(new, self.index, at)
        self.index.add(told(new, assignment))
        self.frequencies.count(new.terms)
        return assignment


def hours(n: float) -> timedelta:
    return timedelta(hours=n)


# --- the same event


def test_two_outlets_telling_one_event_are_one_story_and_the_reason_is_named() -> None:
    desk = Desk()
    assert desk.take(SALE).story_id is None
    joined = desk.take(SALE_TOO, NOW + hours(3), feed=AFP)
    assert joined.story_id == desk.index.entry_id(0)
    assert joined.gap == hours(3)
    assert "patriot" in " ".join(joined.because)
    assert 1 <= len(joined.because) <= 5


def test_reasons_do_not_repeat_a_word_of_a_pair() -> None:
    desk = Desk()
    desk.take(SALE)
    because = desk.take(SALE + ", officials say", feed=AFP).because
    singles = {name for name in because if " " not in name}
    assert not singles & {word for name in because if " " in name for word in name.split(" ")}


@pytest.mark.parametrize(
    ("title", "later"),
    [
        pytest.param(QUAKE, 1, id="another event"),
        pytest.param(SALE_TOO, 80, id="the same words after the window"),
        pytest.param("Ukraine", 1, id="one word"),
        pytest.param("", 1, id="no headline"),
        pytest.param("!?…", 1, id="no words"),
    ],
)
def test_what_founds_a_story_of_its_own(title: str, later: float) -> None:
    desk = Desk()
    desk.take(SALE)
    assert desk.take(title, NOW + hours(later), feed=AFP).story_id is None


def test_a_story_fades_while_nobody_tells_it() -> None:
    scores = []
    for later in (0, 24):
        desk = Desk()
        desk.take(SALE)
        scores.append(desk.take(SALE_TOO, NOW + hours(later), feed=AFP).score)
    assert scores[1] == pytest.approx(scores[0] / 2) or scores[1] == 0.0


def test_a_story_that_is_told_on_stays_open() -> None:
    desk = Desk()
    desk.take(SALE)
    for later in range(10, 100, 10):
        assert desk.take(f"{SALE}, {later}", NOW + hours(later), feed=AFP).story_id is not None


def test_languages_are_apart() -> None:
    desk = Desk()
    desk.take("Zelensky Macron Patriot Kyiv Berlin NATO", language="en")
    other = desk.take("Zelensky Macron Patriot Kyiv Berlin NATO!", feed=AFP, language="de")
    assert other.story_id is None


def test_a_language_nothing_is_known_of_is_not_grouped_until_it_was_read_for_a_while() -> None:
    desk = Desk(frequencies=Frequencies())
    desk.take("Le ministre de la défense est à Kiev", language="fr")
    assert desk.take("Le ministre de la défense à Kiev", feed=AFP, language="fr").story_id is None
    for number in range(ENOUGH_COUNTED):
        desk.frequencies.count(terms("", f"le la de est les des {number} mot{number}", "fr"))
    joined = desk.take("Le ministre de la défense arrive à Kiev", feed=AFP, language="fr")
    assert joined.story_id is not None


# --- two releases under one headline

CALL = "Secretary Blinken’s Call with NATO Secretary General Stoltenberg"


def test_two_releases_with_one_headline_stay_two_stories() -> None:
    desk = Desk()
    desk.take(CALL, feed=STATE, summary="They spoke of Kosovo and the talks. " + text(1, 80))
    again = desk.take(CALL, NOW + hours(5), feed=STATE, summary="On Belarus. " + text(2, 80))
    assert again.story_id is None


def test_parts_of_a_series_stay_apart_though_they_share_most_words() -> None:
    desk = Desk()
    said = "Secretary Blinken spoke today with the foreign minister about the unprovoked invasion."
    desk.take("Secretary Blinken’s Call with Polish Foreign Minister Rau", feed=STATE, summary=said)
    other = desk.take(
        "Secretary Blinken’s Call with Turkish Foreign Minister Cavusoglu",
        feed=STATE,
        summary=said.replace("today", "yesterday by telephone"),
    )
    assert other.story_id is None


def test_notices_under_a_short_label_stay_apart() -> None:
    desk = Desk()
    desk.take("Arms Sales Notification", feed=STATE)
    assert desk.take("Arms Sales Notification", feed=STATE).story_id is None


def test_a_release_issued_again_is_a_copy() -> None:
    desk = Desk()
    desk.take(CALL, feed=STATE, summary=text(1))
    again = desk.take(CALL, NOW + hours(1), feed=STATE, summary=text(1) + " Corrected.")
    assert again.copy_of == desk.index.entry_id(0)


@thorough
@pytest.mark.skipif(not RELEASES.exists(), reason="the corpus is not here")
def test_real_releases_under_one_headline_are_joined_only_where_issued_again() -> None:
    """Of 967 releases of the State Department, 31 headlines stand over two or more."""
    desk, first_of = Desk(), dict[str, set[str]]()
    with gzip.open(RELEASES, "rt", encoding="utf-8") as lines:
        rows = sorted(map(json.loads, lines), key=lambda row: row["first_seen"])
    reissued = 0
    for row in rows:
        at = datetime.fromisoformat(row["first_seen"])
        found = desk.take(row["title"], at, feed=STATE, url=row["link"], content=row["text"])
        story_id = found.story_id or desk.index.entry_id(desk.index.end - 1)
        stories = first_of.setdefault(row["title"], set())
        assert found.copy_of or story_id not in stories, row["title"]
        reissued += story_id in stories
        stories.add(story_id)
    assert reissued == 5  # "-2" in the address, the same text but for a time or a name


def test_what_stands_in_most_headlines_of_a_feed_joins_nothing() -> None:
    titles = [f"Reuters exclusive: {'abcdefghij'[n] * 5} in the news" for n in range(10)]
    ignored = furniture(titles)
    assert ignored == {"reuter", "exclusive", "in", "the", "new"}
    for words, joined in ((frozenset[str](), True), (ignored, False)):
        desk = Desk()
        desk.take("Reuters exclusive: activist dies")
        found = desk.take("Reuters exclusive: probe lost", feed=AFP, ignored=words)
        assert (found.story_id is not None) is joined


def test_an_entry_is_remembered_with_what_its_feed_puts_into_most_headlines() -> None:
    plain, cut = (
        telling(an_entry(SALE), background.frequencies("en"), ignored)
        for ignored in (frozenset[str](), frozenset({"ukraine"}))
    )
    assert cut.features == plain.features
    assert "ukraine" not in " ".join(name for name, _ in cut.about.weights)
    assert sum(weight**2 for _, weight in cut.about.weights) == pytest.approx(1.0)


def test_few_headlines_have_no_furniture() -> None:
    assert furniture(["The same - Reuters"] * 7) == frozenset()


@pytest.mark.parametrize(
    ("feed", "joined"),
    [pytest.param(REUTERS, False, id="one outlet"), pytest.param(AFP, True, id="two outlets")],
)
def test_one_name_does_not_make_one_event_in_one_outlet(feed: Feed, joined: bool) -> None:
    desk = Desk()
    desk.take("Northrop Grumman revenue")
    assert (desk.take("Northrop Grumman partner", feed=feed).story_id is not None) is joined


def test_one_outlet_must_repeat_more_of_its_words_than_another() -> None:
    title = (
        "Department of State and Congress disagree over missiles that Ukraine was promised"
        " in Ramstein last year"
    )
    for feed, joined in ((REUTERS, False), (AFP, True)):
        desk = Desk()
        desk.take(SALE)
        assert (desk.take(title, feed=feed).story_id is not None) is joined


def test_what_an_outlet_puts_under_all_its_texts_joins_nothing() -> None:
    desk = Desk()
    footer = " Get our morning and afternoon news emails, free app or daily news podcast."
    titles = ("Rare rat found near Melbourne", "Robodebt critics outraged", QUAKE, SALE)
    for number, title in enumerate(titles):
        taken = desk.take(title, summary=text(number, 12) + footer)
        assert (taken.story_id, taken.copy_of) == (None, None), title


# --- copies


def test_a_wire_text_under_another_headline_is_a_copy_and_says_how_much() -> None:
    desk = Desk()
    desk.take(SALE, content=text(1))
    copy = desk.take("Washington moves on missiles", feed=AFP, content=text(1) + text(2, 20))
    assert copy.story_id == copy.copy_of == desk.index.entry_id(0)
    assert copy.containment == pytest.approx(0.9, abs=0.1)


def test_a_summary_is_a_copy_of_the_full_text_and_the_other_way_round() -> None:
    for first, second in ((240, 60), (60, 240)):
        desk = Desk()
        desk.take(SALE, summary=text(1, first))
        assert desk.take("Other words here", feed=AFP, summary=text(1, second)).copy_of


def test_a_text_comes_back_after_the_window_as_news() -> None:
    desk = Desk()
    desk.take(QUAKE, content=text(1))
    assert desk.take(QUAKE, NOW + timedelta(days=6), feed=AFP, content=text(1)).copy_of
    assert desk.take(QUAKE, NOW + timedelta(days=8), feed=AFP, content=text(1)).copy_of is None


def test_what_is_older_than_the_windows_is_forgotten() -> None:
    desk = Desk()
    for number in range(1_000):  # tidied every thousand entries
        desk.take(f"Headline {number}", NOW + timedelta(days=8 if number > 500 else 0))
    assert desk.index.end - desk.index.first == 499


def test_a_chain_of_copies_does_not_lead_from_one_text_to_another() -> None:
    desk, parts = Desk(), [text(number, 100) for number in range(4)]
    found = []
    for number, (one, two) in enumerate(pairwise(parts)):
        feed = a_feed(url=f"https://outlet{number}.example/feed.xml")
        found.append(desk.take(f"x{number}", feed=feed, content=f"{one} {two}").copy_of)
    assert found == [None, desk.index.entry_id(0), None]


def test_copies_have_no_vote() -> None:
    desk = Desk()
    desk.take(SALE, content=text(1))
    alone = desk.index.story(0).core
    for _ in range(5):
        desk.take(QUAKE, feed=AFP, content=text(1))
    assert desk.index.story(0).core == alone
    assert desk.index.story(0).voters == 1


def test_the_same_text_any_number_of_times_is_found_under_its_first_entry_only() -> None:
    desk = Desk()
    for number in range(BOILERPLATE * 3):
        feed = (REUTERS, AFP)[number % 2]
        copy = desk.take(QUAKE, NOW + timedelta(seconds=number), feed=feed, content=text(1, 100))
    assert copy.copy_of == desk.index.entry_id(0)
    hashes = desk.index.with_text(telling(an_entry(content=text(1, 100)), Frequencies()).sketch)
    assert hashes.keys() == {0}


def test_a_sentence_that_hundreds_of_texts_share_says_nothing() -> None:
    desk, footer = Desk(), text(9, 60)
    for number in range(BOILERPLATE + 1):
        desk.take(f"x{number}", content=text(100 + number, 100) + footer)
    assert desk.take("A short one", feed=AFP, content=footer).copy_of is None


# --- addresses


def test_one_address_in_two_feeds_is_one_story() -> None:
    desk = Desk()
    desk.take("Hegseth in Brussels", url="https://www.politico.example/a?utm_source=rss")
    again = desk.take(
        "Hegseth speaks to the allies",
        url="http://politico.example/a",
        feed=AFP,
    )
    assert again.because == ("the same address",)


def test_an_address_says_nothing_where_nothing_else_is_shared() -> None:
    desk = Desk()
    desk.take(SALE, url="https://politico.example/live")
    assert desk.take(QUAKE, url="https://politico.example/live", feed=AFP).story_id is None


# --- the index


def test_a_draft_is_seen_by_its_own_poll_and_by_nobody_else_until_adopted() -> None:
    desk = Desk()
    desk.take(QUAKE)
    draft = desk.index.draft()
    first = telling(an_entry(SALE, key="1", summary="", feed=REUTERS), desk.frequencies)
    draft.add(told(first, assign(first, draft, NOW)))
    second = telling(an_entry(SALE_TOO, key="2", summary="", feed=AFP, url=""), desk.frequencies)
    assert assign(second, draft, NOW).story_id == first.entry_id
    assert assign(second, desk.index, NOW).story_id is None
    desk.index.adopt(draft)
    assert assign(second, desk.index, NOW).story_id == first.entry_id
    assert desk.index.end == draft.end


def test_an_index_made_from_rows_decides_as_the_one_that_grew() -> None:
    desk, rows, restarted = Desk(), [], Index()
    for number in range(40):
        title = (SALE, SALE_TOO, QUAKE, "NATO ministers meet")[number % 4]
        feed = (REUTERS, AFP)[number // 2 % 2]
        entry = an_entry(f"{title} {number}", feed=feed, key=str(number), summary="", url="")
        new = telling(entry, desk.frequencies)
        rows.append(told(new, assign(new, desk.index, NOW)))
        desk.index.add(rows[-1])
    restarted.load((replace(row, near=None) for row in rows), NOW)
    probe = telling(an_entry("Patriot sale for Ukraine cleared", url="", feed=STATE), Frequencies())
    assert assign(probe, restarted, NOW) == assign(probe, desk.index, NOW)
    assert restarted.story(0) == desk.index.story(0)


@thorough
def test_a_headline_that_changes_at_each_poll_costs_what_entries_cost() -> None:
    """Revisions are not added; a feed that makes them new entries is forgotten with the window."""
    desk = Desk()
    for number in range(3_000):
        desk.take(f"Live {number}: {number * 7} so far", NOW + timedelta(minutes=10 * number))
    assert desk.index.end - desk.index.first < 2_100


def test_an_entry_of_five_megabytes() -> None:
    desk = Desk()
    long = "".join(f"word{number} " for number in range(500_000))
    assert len(long) > 5_000_000
    assert desk.take("A very long text", content=long).story_id is None
    assert len(desk.index.vector(0)) <= 40 * 6
    assert desk.take(long[:1_000_000], feed=AFP).story_id is not None  # the same beginning


# --- features


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("sales", "sale"),
        ("allies", "ally"),
        ("missiles", "missile"),
        ("us", "us"),
        ("press", "press"),
        ("status", "status"),
        ("gas", "gas"),
        ("taxes", "taxe"),
    ],
)
def test_plural_endings_are_cut(word: str, expected: str) -> None:
    assert stem(word) == expected


def test_rare_words_weigh_more_and_the_vector_has_unit_length() -> None:
    features = weigh(terms("The minister in Chornobaivka", "", "en"), background.frequencies("en"))
    weights = dict(features.weights)
    assert weights["chornobaivka"] > weights["minister"] > weights.get("the", 0.0)
    assert sum(weight**2 for weight in weights.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("length", [6, 30, 60, 300], ids=lambda n: f"{n} words")
def test_the_forty_strongest_words_and_pairs_are_kept(length: int) -> None:
    found, counted = terms(SALE, text(1, length), "en"), background.frequencies("en")
    rarity = counted.rarities(found.words)
    weights = {word: (1 + log(n)) * rarity[word] for word, n in found.words.items()}
    for (one, two), n in found.pairs.items():
        weights[f"{one} {two}"] = PAIR_WEIGHT * (1 + log(n)) * (rarity[one] + rarity[two]) / 2
    strongest = sorted(weights, key=lambda name: (-weights[name], name))[:MAX_FEATURES]
    assert [name for name, _ in weigh(found, counted).weights] == strongest


def test_a_packed_vector_keeps_its_features() -> None:
    items = [(key("en", "nato"), 0.8), (key("en", "aid"), 0.6)]
    vector = pack(items)
    assert len(vector) == 12
    assert [k for k, _ in unpack(vector)] == [k for k, _ in items]
    assert dot(vector, dict(items)) == pytest.approx(1.0, abs=1e-4)


def test_counted_words_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.stories.features.MAX_WORDS_COUNTED", 100)
    frequencies = Frequencies()
    for number in range(300):
        frequencies.count(terms("", f"the minister {number} x{number}", "en"))
    assert len(frequencies.counts) <= 102
    rarities = frequencies.rarities(("the", "never"))
    assert rarities["the"] < rarities["never"]


def test_unknown_languages_begin_at_zero() -> None:
    assert background.frequencies("xx").documents == 0
    assert background.frequencies("../en").documents == 0
    assert background.frequencies("en").documents > 10_000
