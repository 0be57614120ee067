"""What a later entry of a story tells people: mostly nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor import ids, ingest
from monitor.model import (
    DeliveryKind,
    Entry,
    Hit,
    Match,
    Outcome,
    Placement,
    Severity,
    UpdateReason,
)
from monitor.settings import Channel, Target, Updates
from tests.builders import NOW, a_feed, a_placement, a_rule, an_entry
from tests.test_ingest import config

SALE = "Foreign Military Sale to Ukraine"


class Rules:
    """Each rule is a severity and the words it looks for in the title."""

    def __init__(self, **rules: tuple[Severity, list[str]]) -> None:
        self._rules = rules

    def match(self, entry: Entry) -> list[Match]:
        return [
            Match(rule=a_rule(name, severity=severity), entry_id=entry.id, hits=tuple(hits))
            for name, (severity, terms) in self._rules.items()
            if (hits := [_hit(entry, term) for term in terms if term in entry.title])
        ]


def _hit(entry: Entry, term: str) -> Hit:
    at = entry.title.index(term)
    return Hit(field="title", start=at, end=at + len(term), term=term)


RULES = Rules(
    fms=(Severity.HIGH, ["Military Sale", "F-16"]), ukraine=(Severity.NORMAL, ["Ukraine"])
)


class Desk:
    """Decides on entries one after the other, as polls bring them."""

    def __init__(self, *channels: Channel, rules: Rules = RULES) -> None:
        channels = channels or (channel("desk"),)
        self.config = replace(config(), channels=channels)
        self.rules = rules
        self.standings: ingest.Standings = {}
        self.story = ""

    def take(self, title: str, outlet: str, *, tags: str = "", **placed: object) -> Outcome:
        """The outcome of one more entry of the same story."""
        feed = a_feed(
            url=f"https://{outlet.lower()}.example/feed",
            name=outlet,
            tags=frozenset(tags.split()),
            baseline_at=placed.pop("baseline_at", NOW),
        )
        published = placed.pop("published_at", NOW)
        entry = an_entry(title, feed=feed, key=f"g:{outlet}{title}", published_at=published)
        self.story = self.story or entry.id
        placement = a_placement(entry, self.story, **placed)
        situation = ingest.Situation(
            feed=feed, matcher=self.rules, config=self.config, now=NOW + timedelta(hours=1)
        )
        outcome, self.standings = ingest.decide([(entry, placement)], self.standings, situation)
        return outcome


def channel(name: str, updates: Updates = Updates.THREAD) -> Channel:
    target = Target(name=name, url="json://127.0.0.1/")
    return Channel(name=name, targets=(target,), updates=updates)


def told_of(outcome: Outcome) -> list[str]:
    return [alert.rule_name for alert in outcome.alerts]


def reasons(outcome: Outcome) -> list[UpdateReason]:
    return [update.reason for update in outcome.updates]


def test_a_later_outlet_attaches_silently() -> None:
    desk = Desk()
    assert told_of(desk.take(SALE, "Politico")) == ["fms", "ukraine"]
    later = desk.take(f"{SALE} approved", "Reuters")
    assert (later.alerts, later.updates, later.deliveries) == ((), (), ())
    assert len(later.matches) == 2
    (story,) = later.stories
    assert (story.entries, story.outlets) == (2, ("Politico", "Reuters"))


def test_a_rule_that_had_not_matched_alerts_once() -> None:
    desk = Desk()
    assert told_of(desk.take("Arms for Ukraine", "Politico")) == ["ukraine"]
    assert told_of(desk.take(SALE, "Reuters")) == ["fms"]
    assert told_of(desk.take(SALE, "AFP")) == []


def test_two_entries_of_one_poll_alert_once() -> None:
    desk = Desk()
    first, second = an_entry(SALE, key="g:1"), an_entry(f"{SALE} again", key="g:2")
    new = [(first, a_placement(first)), (second, a_placement(second, first.id))]
    situation = ingest.Situation(
        feed=a_feed(baseline_at=NOW), matcher=RULES, config=desk.config, now=NOW
    )
    outcome, _ = ingest.decide(new, {}, situation)
    assert told_of(outcome) == ["fms", "ukraine"]
    assert [story.entries for story in outcome.stories] == [2]


def test_the_fifth_outlet_makes_one_update() -> None:
    desk = Desk()
    outlets = ["Politico", "Reuters", "AFP", "DPA", "BBC", "CNN", "NPR"]
    told = [reasons(desk.take(SALE, outlet)) for outlet in outlets]
    assert told == [[], [], [], [], [UpdateReason.OUTLETS], [], []]


def test_an_official_feed_is_told_at_once_and_its_copy_is_not() -> None:
    desk = Desk()
    desk.take(SALE, "Politico")
    assert reasons(desk.take("Remarks", "State", tags="official")) == [UpdateReason.OFFICIAL]
    copy = desk.take("Remarks", "State", tags="official us", copy_of=desk.story)
    assert reasons(copy) == []


def test_words_the_story_had_not_had_are_told_at_once_and_only_once() -> None:
    desk = Desk()
    desk.take(SALE, "Politico")
    (update,) = desk.take("F-16 for Ukraine", "Reuters").updates
    assert (update.reason, update.rule_name, update.terms) == (
        UpdateReason.NEW_TERMS,
        "fms",
        ("F-16",),
    )
    (excerpt,) = update.excerpts
    assert [excerpt.text[slice(*mark)] for mark in excerpt.marks] == ["F-16"]
    assert desk.take("F-16 again for Ukraine", "AFP").updates == ()


def test_an_update_goes_to_those_who_were_told_once_each() -> None:
    desk = Desk(channel("desk"), channel("quiet", Updates.OFF))
    desk.take(SALE, "Politico")
    outcome = desk.take("Remarks", "State", tags="official")
    (delivery,) = outcome.deliveries
    (update,) = outcome.updates
    assert (delivery.kind, delivery.target) == (DeliveryKind.UPDATE, "desk")
    assert delivery.sequence == update.number
    assert delivery.alert_id == ids.alert_id(ids.story_subject(desk.story, "fms"))  # the severest


def test_what_was_there_before_the_feed_was_watched_attaches_silently() -> None:
    desk = Desk()
    desk.take(SALE, "Politico")
    outcome = desk.take(
        "Remarks on F-16", "State", tags="official", baseline_at=None, published_at=None
    )
    assert (outcome.alerts, outcome.updates) == ((), ())
    assert len(outcome.entries) == 1


def test_a_story_nobody_was_told_of_has_no_updates() -> None:
    desk = Desk()
    for outlet in ("Politico", "Reuters", "AFP", "DPA", "BBC", "State"):
        outcome = desk.take("Weather", outlet, tags="official")
        assert (outcome.alerts, outcome.updates) == ((), ())


@pytest.mark.parametrize("title", ["Arms Sales Notification", "Military Sale notified"])
def test_a_notice_published_again_is_mild_and_says_when_it_was_news(title: str) -> None:
    desk = Desk()
    desk.take(f"{SALE}: notice", "DSCA", references=("transmittal 25-07",))
    again: dict[str, object] = {
        "references": ("transmittal 25-07",),
        "because": ("transmittal 25-07",),
    }
    (update,) = desk.take(title, "Register", **again).updates
    assert update.reason is UpdateReason.PUBLISHED_AGAIN
    assert update.first_alerted_at == NOW + timedelta(hours=1)


def test_a_new_rule_finds_a_notice_published_again_mild() -> None:
    rules = Rules(
        fms=(Severity.HIGH, ["Military Sale"]), register=(Severity.HIGH, ["Notification"])
    )
    desk = Desk(rules=rules)
    desk.take(SALE, "DSCA", references=("transmittal 25-07",))
    (alert,) = desk.take(
        "Arms Sales Notification",
        "Register",
        references=("transmittal 25-07",),
        because=("transmittal 25-07",),
    ).alerts
    assert (alert.severity, alert.first_alerted_at) == (Severity.LOW, NOW + timedelta(hours=1))


def test_updates_are_numbered_the_same_when_decided_again() -> None:
    def number() -> int:
        desk = Desk()
        desk.take(SALE, "Politico")
        return desk.take("Remarks", "State", tags="official").updates[0].number

    assert number() == number()


def test_a_placement_knows_whether_it_joined() -> None:
    entry = an_entry()
    placements: list[Placement] = [a_placement(entry), a_placement(entry, "f" * 16)]
    assert [placement.joined for placement in placements] == [False, True]
