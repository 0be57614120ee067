"""One story, told once: several outlets through the whole pipeline, restarts and corrections."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.feeds.parse import Parser
from monitor.ingest.correction import Whole, join, split
from monitor.model import Correction, Label, Member, Story
from monitor.rules.load import load
from monitor.settings import Channel, Target, Updates
from monitor.store import Store
from tests.builders import minutes
from tests.newsroom import Newsroom, a_newsroom

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = """
[[rule]]
name = "fms"
any = ["foreign military sale", "F-16"]
severity = "high"

[[rule]]
name = "ukraine"
any = ["Ukraine", "Kyiv"]
"""

HEADLINE = "State Department approves foreign military sale of Patriot interceptors to Ukraine"
WIRE = (
    "WASHINGTON - The State Department on Thursday approved the possible foreign military sale of"
    " Patriot interceptors, launchers and radars to the government in Kyiv for an estimated cost"
    " of 825 million dollars, the Defense Security Cooperation Agency told Congress. The package"
    " includes training, spare parts and logistics support, and the principal contractors will be"
    " Raytheon and Lockheed Martin, according to the notification."
)
OTHER_WORDS = (
    "Kyiv is to get more Patriot interceptors: Washington cleared a foreign military sale worth"
    " 825 million dollars on Thursday. Congress has thirty days to object to the interceptors deal."
)
AGENCIES = ("Reuters", "AFP", "DPA", "BBC", "CNN")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parser() -> AsyncIterator[Parser]:
    parser = Parser()
    yield parser
    await parser.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def room(tmp_path: Path, parser: Parser) -> AsyncIterator[Newsroom]:
    outlets = ("Politico", *AGENCIES, "State:official")
    async with a_newsroom(tmp_path, parser, *outlets, rules=RULES) as room:
        yield room


async def test_a_wire_text_in_three_outlets_is_one_message(room: Newsroom) -> None:
    for outlet in ("Reuters", "AFP", "BBC"):
        await room.publish(outlet, HEADLINE, WIRE)
    assert len(room.messages) == 1
    (story,) = await room.stories()
    assert (story.entries, len(story.outlets)) == (3, 3)
    shares = [round(member.containment, 2) for member in await room.members(story)]
    assert shares == [0.0, 1.0, 1.0]


async def test_the_message_lists_who_had_the_text_before_it_was_sent(room: Newsroom) -> None:
    await room.publish("Reuters", HEADLINE, WIRE, deliver=False)
    await room.publish("AFP", "Patriots for Kyiv cleared", WIRE, deliver=False)
    await room.publish("BBC", "Nothing of the kind", "Rain is expected in the north.")
    (message,) = room.messages
    assert "Same text: AFP 11:20, 100 %" in message.text


async def test_other_words_on_the_same_event_join_and_say_why(room: Newsroom) -> None:
    await room.publish("Reuters", HEADLINE, WIRE, deliver=False)
    await room.publish("AFP", "US clears Patriot interceptors for Kyiv", OTHER_WORDS)
    (message,) = room.messages
    (line,) = [line for line in message.text.splitlines() if line.startswith("Also: AFP")]
    assert "joined:" in line
    assert "interceptor" in line
    assert line.endswith("10 min apart)")


async def test_one_kind_of_event_in_two_countries_is_told_twice(room: Newsroom) -> None:
    await room.publish("Reuters", HEADLINE, WIRE)
    other = OTHER_WORDS.replace("Kyiv", "Rabat")
    await room.publish("BBC", "US clears Patriot interceptors sale for Morocco", other)
    assert len(await room.stories()) == 2
    assert len(room.messages) == 2


async def test_the_fifth_outlet_is_told_in_the_thread(room: Newsroom) -> None:
    for outlet in AGENCIES:
        await room.publish(outlet, HEADLINE, WIRE)
    first, update = room.messages
    assert "Now 5 outlets: Reuters; AFP; DPA; BBC; CNN" in update.text
    assert update.subject == first.subject
    assert dict(update.headers)["References"] == dict(first.headers)["References"]


async def test_an_institution_is_told_at_once(room: Newsroom) -> None:
    await room.publish("Reuters", HEADLINE, WIRE)
    await room.publish("State", "Patriot interceptors for Ukraine: approval", OTHER_WORDS)
    _, update = room.messages
    assert "Now from State 11:20: Patriot interceptors for Ukraine: approval" in update.text
    assert "https://state.example/0" in update.text


async def test_a_term_the_story_had_not_had_is_told_with_its_sentence(room: Newsroom) -> None:
    await room.publish("Reuters", HEADLINE, WIRE)
    await room.publish("AFP", HEADLINE, WIRE)
    assert len(room.messages) == 1
    await room.publish("BBC", "Kyiv to get Patriot interceptors", f"{OTHER_WORDS} F-16 next.")
    *_, update = room.messages
    assert 'New in this story: "F-16", in BBC 11:30' in update.text
    assert "»F-16« next." in update.text


async def test_updates_off_is_quiet_after_the_first_message(tmp_path: Path, parser: Parser) -> None:
    target = Target(name="desk", url="json://127.0.0.1/")
    quiet = Channel(name="desk", targets=(target,), updates=Updates.OFF)
    async with a_newsroom(tmp_path, parser, *AGENCIES, rules=RULES, channels=[quiet]) as room:
        for outlet in AGENCIES:
            await room.publish(outlet, HEADLINE, WIRE)
        assert len(room.messages) == 1


async def test_after_a_restart_stories_are_still_known(room: Newsroom) -> None:
    await room.publish("Reuters", HEADLINE, WIRE)
    await room.publish("BBC", "Rain in the north", "It will rain in the north for two days.")
    await room.restart()
    await room.publish("AFP", HEADLINE, WIRE)
    await room.publish("DPA", "US clears Patriot interceptors for Kyiv", OTHER_WORDS)
    assert len(room.messages) == 1
    assert sorted(story.entries for story in await room.stories()) == [1, 3]


async def test_releases_with_one_title_stay_two_stories(room: Newsroom) -> None:
    title = "Secretary Blinken's Call with Foreign Minister of Ukraine"
    await room.publish("State", title, "They spoke about sanctions and the harvest.")
    await room.publish("State", title, "They discussed the winter and repairs of the power grid.")
    assert len(room.messages) == 2
    assert len(await room.stories()) == 2


async def test_a_feed_that_changes_every_title_at_each_poll_is_told_once(room: Newsroom) -> None:
    for n in range(30):
        item = ("guid-1", "https://politico.example/1", f"{HEADLINE}: update {n}", WIRE)
        await room.poll("Politico", [item])
    assert len(room.messages) == 1
    (entry,) = await room.store.call(lambda store: store.entries())
    history = await room.store.call(lambda store: store.revisions(entry.id))
    assert len(history) == 20
    assert history[0].title.endswith("update 0")  # the first is kept
    assert history[-1].title.endswith("update 28")


async def test_new_ids_for_everything_make_no_flood_and_one_warning(room: Newsroom) -> None:
    def listed(guid: str, scheme: str) -> list[tuple[str, str, str, str]]:
        return [
            (f"{guid}{n}", f"{scheme}://politico.example/{n}", f"Ukraine day {n}", f"Text {n}")
            for n in range(6)
        ]

    await room.poll("Politico", listed("old", "http"))
    told = len(room.messages)
    renamed = await room.poll("Politico", listed("new", "https"))
    assert (renamed.new, renamed.edited, len(room.messages)) == (0, 0, told)
    assert renamed.warnings == (
        "6 entries came with new ids; they were taken for those seen before",
    )
    again = await room.poll("Politico", [*listed("new", "https"), *listed("old", "http")])
    assert (again.new, again.warnings) == (0, ())


async def test_the_same_text_ten_times_over_is_told_once(room: Newsroom) -> None:
    items = [(f"g{n}", f"https://politico.example/{n}", HEADLINE, WIRE) for n in range(500)]
    polled = await room.poll("Politico", items)
    assert (polled.new, len(room.messages)) == (500, 1)


@pytest.mark.parametrize("title", ["", "NATO", "Ukraine live", "…"])
async def test_short_titles_join_nothing(room: Newsroom, title: str) -> None:
    for outlet in ("Reuters", "AFP"):
        await room.publish(outlet, title)
    assert [story.entries for story in await room.stories()] == [1, 1]


class TestByHand:
    async def test_a_split_tells_what_had_been_hidden(self, room: Newsroom) -> None:
        await room.publish("Reuters", HEADLINE, WIRE)
        await room.publish("AFP", HEADLINE, WIRE)
        (story,) = await room.stories()
        _, second = await room.members(story)
        done = await corrected(room, lambda store: split_off(store, story, {second.entry_id}, room))
        assert {alert.rule_name for alert in done.alerts} == {"fms", "ukraine"}
        assert all(alert.labels == (Label.SPLIT,) for alert in done.alerts)
        assert sorted(each.entries for each in await room.stories()) == [1, 1]
        await room.publish("BBC", "Rain in the north", "It will rain.")  # delivers
        assert len(room.messages) == 2
        assert "parted by hand" in room.messages[1].text

    async def test_the_running_monitor_follows(self, room: Newsroom) -> None:
        await room.publish("Reuters", HEADLINE, WIRE)
        await room.publish("AFP", "US clears Patriot interceptors for Kyiv", OTHER_WORDS)
        (story,) = await room.stories()
        _, second = await room.members(story)
        done = await corrected(room, lambda store: split_off(store, story, {second.entry_id}, room))
        await room.publish("BBC", "US clears Patriot interceptors for Kyiv", OTHER_WORDS)
        apart = dict(done.moved)[second.entry_id]
        (joined,) = [each for each in await room.stories() if each.id == apart]
        assert joined.entries == 2

    async def test_joined_stories_alert_no_more_and_stay_joined(self, room: Newsroom) -> None:
        await room.publish("Reuters", "Kyiv gets arms", "Ukraine receives howitzers today.")
        await room.publish("AFP", "Grain corridor of Ukraine opens", "Ships leave the port.")
        await room.publish("DPA", HEADLINE, WIRE)
        third, second, first = await room.stories()
        await corrected(room, lambda s: join([whole(s, first), whole(s, second)], now()))
        joined = await room.store.call(lambda store: store.story(second.id))
        assert joined is not None
        assert (joined.id, joined.entries) == (first.id, 2)
        await room.restart()
        await room.publish("BBC", "Grain corridor of Ukraine opens", "Ships leave the port.")
        joined = await room.store.call(lambda store: store.story(first.id))
        assert joined is not None
        assert joined.entries == 3
        assert len(room.messages) == 3
        assert third.id != joined.id

    async def test_of_two_waiting_alerts_of_a_rule_one_is_sent(self, room: Newsroom) -> None:
        one = {"title": "Kyiv gets arms", "text": "Ukraine receives howitzers today."}
        other = {"title": "Grain corridor of Ukraine opens", "text": "Ships leave the port."}
        await room.publish("Reuters", **one, deliver=False)
        await room.publish("AFP", **other, deliver=False)
        second, first = await room.stories()
        await corrected(room, lambda s: join([whole(s, first), whole(s, second)], now()))
        await room.publish("BBC", "Rain in the north", "It will rain.")
        assert len(room.messages) == 1
        (loser,) = [alert for alert in await room.alerts() if alert.subject.startswith("joined:")]
        (delivery,) = await room.store.call(lambda store: store.deliveries_of(loser.id))
        assert delivery.state.value == "discarded"


def now() -> datetime:
    return datetime(2025, 2, 14, tzinfo=UTC)


def whole(store: Store, story: Story) -> Whole:
    entries = [store.entry(member.entry_id) for member in store.members(story.id)]
    return Whole(
        story=story,
        entries=tuple(entry for entry in entries if entry is not None),
        alerts=tuple(store.alerts_of(story.id)),
    )


def split_off(store: Store, story: Story, chosen: set[str], room: Newsroom) -> Correction:
    everything = whole(store, story)
    matcher = load({"rules.toml": RULES.encode()}).matcher
    matches = {entry.id: matcher.match(entry) for entry in everything.entries}
    return split(everything, frozenset(chosen), matches, room.config, room.clock())


async def corrected(room: Newsroom, decide: Callable[[Store], Correction]) -> Correction:
    room.clock.advance(minutes(1))
    correction = await room.store.call(decide)
    await room.store.call(lambda store: store.correct(correction))
    return correction


async def test_a_notice_months_later_is_mild_and_says_when_it_was_news(room: Newsroom) -> None:
    await room.publish(
        "Politico",
        "Kuwait – PATRIOT Program Sustainment",
        "Transmittal No. 25-65: a possible foreign military sale to the Government of Kuwait for"
        " an estimated cost of $800 million.",
    )
    room.clock.advance(timedelta(days=90))
    await room.restart()
    await room.publish("State", "Arms Sales Notification", "[Transmittal No. 25-65] Kuwait.")
    first, later = room.messages
    assert first.subject == "[HIGH] Politico: Kuwait – PATRIOT Program Sustainment"
    assert "Kuwait · $800 million" in first.text
    assert later.subject == "[LOW] Politico: Kuwait – PATRIOT Program Sustainment"
    assert "Published again by State" in later.text
    assert "first alerted 13 Feb 2025" in later.text


async def test_notices_are_remembered_as_long_as_their_stories_draw_news(room: Newsroom) -> None:
    for number in range(10, 20):
        await room.publish("State", f"Kuwait {number}", f"Transmittal No. 25-{number}: a sale.")
        room.clock.advance(timedelta(days=2))
    assert len(room.memory._notices) <= 4


async def test_two_notices_that_read_alike_stay_two(room: Newsroom) -> None:
    for outlet, number in (("Politico", "25-65"), ("State", "25-66")):
        await room.publish(outlet, HEADLINE, f"{WIRE} Transmittal No. {number}.")
    assert len(await room.stories()) == 2


async def test_a_notice_stays_apart_from_a_story_that_was_split(room: Newsroom) -> None:
    await room.publish("Politico", HEADLINE, f"{WIRE} Transmittal No. 25-65.")
    await room.publish("BBC", HEADLINE, WIRE)
    (story,) = await room.stories()
    (_, second) = await room.store.call(lambda store: store.members(story.id))
    await corrected(room, lambda s: split_off(s, story, {second.entry_id}, room))
    await room.publish("State", HEADLINE, f"{WIRE} Transmittal No. 25-66.")
    for half in await room.stories():
        members = await room.store.call(partial(_members, half))
        assert not {"Politico", "State"} <= {each.outlet for each in members}


def _members(story: Story, store: Store) -> Sequence[Member]:
    return store.members(story.id)


async def test_an_event_reported_again_on_its_page_is_news(room: Newsroom) -> None:
    for _ in range(2):
        await room.publish("State", HEADLINE, WIRE, link="https://state.example/status")
    assert len(room.messages) == 2
