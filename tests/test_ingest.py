"""What a slice of entries changes: pure, so every case is a value."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor import ingest
from monitor.ingest.identity import sort_out
from monitor.ingest.telling import story_alert
from monitor.model import Entry, Feed, Hit, Known, Label, Match, Outcome, Severity
from monitor.settings import Channel, Config, FirstPoll, PollSettings, Target
from tests.builders import NOW, a_feed, a_placement, a_rule, an_entry

BASED = a_feed(baseline_at=NOW - timedelta(days=1))
UNSEEN = a_feed(added_at=NOW - timedelta(hours=1))


class MatchesWords:
    """A matcher whose rules are single words."""

    def __init__(self, *words: str) -> None:
        self._words = words

    def match(self, entry: Entry) -> list[Match]:
        return [
            Match(
                rule=a_rule(word.lower(), severity=Severity.HIGH),
                entry_id=entry.id,
                hits=(Hit(field="title", start=at, end=at + len(word), term=word),),
            )
            for word in self._words
            if (at := entry.title.find(word)) >= 0
        ]


def config(**poll: FirstPoll) -> Config:
    desk = Channel(name="desk", targets=(Target(name="desk", url="json://127.0.0.1/"),))
    return Config(
        path="/etc/monitor/config.toml",
        database="/var/lib/monitor.db",
        rules="/etc/monitor/rules",
        timezone=ZoneInfo("UTC"),
        channels=(desk,),
        poll=PollSettings(**poll),
    )


def decide(
    *entries: Entry,
    feed: Feed = BASED,
    known: dict[str, Known] | None = None,
    first_poll: FirstPoll = FirstPoll.NO_ALERTS,
    since: dict[str, object] | None = None,
) -> Outcome:
    situation = ingest.Situation(
        feed=feed,
        matcher=MatchesWords("NATO", "Ukraine"),
        config=config(first_poll=first_poll),
        now=NOW,
        rules_since=since or {},
    )
    found = sort_out(entries, known or {}, NOW)
    new = [(entry, a_placement(entry)) for entry in found.new]
    outcome, standings = ingest.decide(new, {}, situation)
    return ingest.combine(outcome, [ingest.decide_edited(found.edited, standings, situation)])


def known_as(entry: Entry, **changes: object) -> Known:
    values = {
        "entry_id": entry.id,
        "story_id": entry.id,
        "fingerprint": entry.fingerprint,
        "first_seen_at": entry.first_seen_at,
    }
    return Known(**(values | changes))  # type: ignore[arg-type]


def test_a_new_entry_founds_a_story_and_alerts_once_per_rule() -> None:
    entry = an_entry("NATO and Ukraine")
    outcome = decide(entry)
    assert outcome.entries == (entry,)
    assert [(p.told.entry_id, p.told.story_id) for p in outcome.placements] == [(entry.id,) * 2]
    assert [alert.rule_name for alert in outcome.alerts] == ["nato", "ukraine"]
    assert {delivery.alert_id for delivery in outcome.deliveries} == {
        alert.id for alert in outcome.alerts
    }


def test_the_alert_carries_its_reason() -> None:
    (alert,) = decide(an_entry("Ministers meet at NATO")).alerts
    assert alert.terms == ("NATO",)
    assert alert.excerpts[0].text[slice(*alert.excerpts[0].marks[0])] == "NATO"
    assert alert.severity is Severity.HIGH
    assert alert.outlet == BASED.name


def test_a_known_entry_changes_nothing() -> None:
    entry = an_entry("NATO")
    outcome = decide(entry, known={entry.keys[0]: known_as(entry)})
    assert outcome == Outcome(feed=BASED)


@pytest.mark.parametrize(
    ("published", "alerted", "labels"),
    [
        pytest.param(UNSEEN.added_at - timedelta(seconds=1), 0, (), id="before the feed was added"),
        pytest.param(UNSEEN.added_at, 1, (Label.LATE,), id="after it: late"),
        pytest.param(None, 0, (), id="undated"),
    ],
)
def test_the_first_poll_tells_only_of_what_came_since(published, alerted, labels) -> None:
    outcome = decide(an_entry("NATO", published_at=published), feed=UNSEEN)
    assert len(outcome.matches) == 1
    assert len(outcome.alerts) == len(outcome.deliveries) == alerted
    assert [alert.labels for alert in outcome.alerts] == [labels] * alerted


def test_first_poll_alert_tells_of_everything() -> None:
    entry = an_entry("NATO", published_at=None)
    outcome = decide(entry, feed=UNSEEN, first_poll=FirstPoll.ALERT)
    assert [alert.labels for alert in outcome.alerts] == [()]


class TestEdited:
    before = an_entry("Ministers meet", key="g:1")
    after = an_entry("Ministers meet at NATO", key="g:1", first_seen_at=NOW + timedelta(hours=1))

    def test_keeps_the_stored_id_and_first_sight(self) -> None:
        was = known_as(self.before, entry_id="stored", first_seen_at=NOW)
        (revision,) = decide(self.after, known={"g:1": was}).revisions
        assert (revision.entry.id, revision.entry.first_seen_at) == ("stored", NOW)
        assert revision.entry.title == "Ministers meet at NATO"

    def test_alerts_for_a_rule_that_fits_only_now(self) -> None:
        (alert,) = decide(self.after, known={"g:1": known_as(self.before)}).alerts
        assert (alert.rule_name, alert.labels) == ("nato", (Label.EDITED,))

    def test_does_not_repeat_a_rule_that_fitted_before(self) -> None:
        was = known_as(self.before, rules=frozenset({"nato"}))
        assert decide(self.after, known={"g:1": was}).alerts == ()

    def test_leaves_out_rules_younger_than_the_entry(self) -> None:
        was = known_as(self.before)
        since = {"nato": was.first_seen_at + timedelta(minutes=1)}
        assert decide(self.after, known={"g:1": was}, since=since).alerts == ()


def test_slices_combine_to_the_same_outcome() -> None:
    entries = [an_entry(f"NATO {n}", key=f"g:{n}") for n in range(7)]
    whole = decide(*entries)
    parts = [decide(*entries[:3]), decide(*entries[3:])]
    assert ingest.combine(Outcome(feed=BASED), parts) == whole


def test_an_entry_without_title_is_named_by_its_summary() -> None:
    entry = replace(an_entry("NATO"), summary="Short news")
    match = MatchesWords("NATO").match(entry)[0]
    untitled = replace(entry, title="")
    alert = story_alert(untitled, replace(match, hits=()), story_id=untitled.id, labels=(), now=NOW)
    assert alert.title == "Short news"
