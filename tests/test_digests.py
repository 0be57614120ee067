"""Digests through the real deliver loop and store: when, what, and that nothing is left out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.model import (
    Accepted,
    DeliveryKind,
    FailureReason,
    Oddity,
    Placement,
    Refused,
    Scope,
    Severity,
    Silence,
    Suspicion,
)
from monitor.settings import Channel, Target
from monitor.store import Store
from monitor.timetable import Timetable, read_hours, read_slot
from tests.builders import (
    NOW,
    a_delivery,
    a_placement,
    an_entry,
    an_operator_alert,
    an_outcome,
    feed_settings,
    minutes,
)
from tests.desk import Desk

BRUSSELS = ZoneInfo("Europe/Brussels")
TARGET = Target(name="desk", url="json://127.0.0.1/")
DAILY = Channel(
    name="desk",
    targets=(TARGET,),
    digest=Timetable((read_slot("07:30"),)),
    empty_digest=True,
    at_once=frozenset({Severity.CRITICAL}),
)
NIGHT = (read_hours("22:00-07:00"),)


def morning(day: int, clock: str = "07:30:06") -> datetime:
    return datetime.fromisoformat(f"2025-02-{day} {clock}").replace(tzinfo=BRUSSELS)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path, DAILY)
    await made.deliverer.round()  # the channel is known from here on
    yield made
    await made.store.aclose()


async def test_what_matched_comes_as_one_message_at_its_time(desk: Desk) -> None:
    await desk.queue("NATO", "Kyiv")
    assert await desk.at(NOW + minutes(5)) == []
    assert await desk.at(morning(14, "07:29:59")) == []
    (message,) = await desk.at(morning(14))
    assert "NATO" in message.text
    assert "Kyiv" in message.text
    assert message.text.startswith("Digest, Fri 14 Feb 2025, 07:30 CET: 2 stories.")
    assert message.subject.startswith("[NORMAL] Digest, 2 stories: ")
    assert await desk.states() == {"accepted": 3}
    assert await desk.at(morning(14, "12:00:00")) == []


async def test_an_empty_digest_is_sent_every_day_and_says_what_was_seen(desk: Desk) -> None:
    await desk.store.call(lambda store: store.sync_feeds([feed_settings()], NOW))
    (message,) = await desk.at(morning(14))
    assert message.subject == "[DIGEST] Nothing matched; 0 of 1 feed healthy"
    assert "1 feed not yet visited" in message.text
    (other,) = await desk.at(morning(15))
    assert other.id != message.id
    assert await desk.at(morning(15, "07:31:00")) == []


async def test_a_restart_neither_repeats_nor_skips_a_digest(desk: Desk, tmp_path: Path) -> None:
    await desk.queue("NATO")
    await desk.at(morning(14))
    again = Desk(tmp_path, DAILY)
    assert await again.at(morning(14, "09:00:00")) == []
    assert len(await again.at(morning(15, "11:00:00"))) == 1  # it was down at 07:30
    await again.store.aclose()


async def test_a_clock_that_was_years_ahead_does_not_end_the_digests(desk: Desk) -> None:
    await desk.at(morning(14) + timedelta(days=50 * 365))
    await desk.at(morning(14, "12:00:00"))
    assert len(await desk.at(morning(15))) == 1


async def test_the_severities_at_once_pass_and_are_listed_in_the_digest(desk: Desk) -> None:
    await desk.queue("Missile hits", severity=Severity.CRITICAL)
    (at_once,) = await desk.at(NOW + minutes(1))
    assert at_once.subject == "[CRITICAL] Example Defence: Missile hits"
    (digest,) = await desk.at(morning(14))
    assert digest.subject.startswith("[DIGEST] Nothing matched")
    assert "Sent at once since Thu 13 Feb 2025, 07:30 CET:" in digest.text
    assert "· 11:00 [CRITICAL] Example Defence: Missile hits (nato)" in digest.text
    (following,) = await desk.at(morning(15))
    assert "Missile" not in following.text


async def test_entries_that_joined_silently_are_listed(desk: Desk) -> None:
    await desk.queue("Missile hits", severity=Severity.CRITICAL)
    await desk.at(NOW + minutes(1))
    desk.clock.now = NOW + minutes(30)

    def join(store: Store) -> None:
        feed = store.feeds()[0]
        founder = store.entries()[0]
        copy = an_entry("Rakete schlägt ein", feed=feed, first_seen_at=desk.clock.now)
        placed: Placement = a_placement(copy, founder.id, because=("missile",))
        outcome = an_outcome(copy, feed=feed)
        store.commit([replace(outcome, stories=(), placements=(placed,))])
        assert store.stories_of([copy.id]) == {copy.id: founder.id}

    await desk.store.call(join)
    (digest,) = await desk.at(morning(14))
    assert "Told by others since, without a message:" in digest.text
    assert "Rakete schlägt ein (story: Missile hits)" in digest.text


async def test_a_dead_feed_stays_in_each_digest_until_it_is_mended(desk: Desk) -> None:
    def broken(store: Store) -> None:
        store.sync_feeds([feed_settings(name="NATO")], NOW)
        (feed,) = store.claim_due(0, 1, NOW + minutes(60), minutes(10))
        failed = replace(
            feed,
            polled_at=NOW,
            succeeded_at=NOW - timedelta(hours=4),
            failing_since=NOW - timedelta(hours=3),
            failures=5,
            failure=FailureReason.FORBIDDEN,
            failure_detail="it answers 403",
        )
        store.commit([an_outcome(feed=failed)])

    await desk.store.call(broken)
    for day in (14, 15):
        (digest,) = await desk.at(morning(day))
        assert "0 of 1 feed healthy" in digest.subject
        assert "· NATO failing since 13 Feb, 07:00: it answers 403" in digest.text


async def test_a_digest_owns_up_to_what_it_could_not_see(desk: Desk) -> None:
    def troubled(store: Store) -> None:
        names = ("Cut", "Silent", "Gap", "Fine")
        store.sync_feeds([feed_settings(name=n, url=f"https://{n}.example/") for n in names], NOW)
        troubles: dict[str, dict[str, object]] = {
            "Cut": {
                "suspicion": Suspicion(oddity=Oddity.CUT_OFF, detail="the document is cut off"),
                "suspected_since": NOW,
            },
            "Silent": {"quiet_since": NOW - timedelta(days=6)},
            "Gap": {"gap_from": NOW, "gap_until": NOW + minutes(90)},
        }
        for feed in store.claim_due(0, 9, NOW + minutes(60), minutes(10)):
            changes = troubles.get(feed.name, {})
            after = replace(feed, polled_at=NOW, succeeded_at=NOW, **changes)
            store.commit([an_outcome(feed=after)])
            store.report_feeds([after], [], [])

    await desk.store.call(troubled)
    (digest,) = await desk.at(morning(14))
    assert "2 of 4 feeds healthy" in digest.subject
    assert "· Cut looks wrong since 13 Feb, 11:00: the document is cut off" in digest.text
    assert "· Silent has brought nothing since 7 Feb, 11:00, unusually long for it" in digest.text
    assert "· possible gap in Gap, 13 Feb, 11:00 – 13 Feb, 12:30" in digest.text
    (following,) = await desk.at(morning(15))
    assert "possible gap" not in following.text
    assert "Silent has brought nothing" in following.text


async def test_a_frequent_digest_is_sent_only_when_something_matched(tmp_path: Path) -> None:
    hourly = replace(DAILY, digest=Timetable((read_slot("hourly"),)), empty_digest=False)
    desk = Desk(tmp_path, hourly)
    await desk.deliverer.round()
    assert await desk.at(NOW + minutes(61)) == []
    await desk.queue("NATO")
    assert len(await desk.at(NOW + minutes(121))) == 1
    assert await desk.at(NOW + minutes(181)) == []
    await desk.store.aclose()


async def test_quiet_hours_hold_and_let_go_as_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Channel(name="desk", targets=(TARGET,), quiet_hours=NIGHT))
    desk.clock.now = morning(13, "23:00:00")
    await desk.queue("NATO", "Kyiv", "Oslo")
    assert await desk.at(morning(13, "23:01:00")) == []
    (message,) = await desk.at(morning(14, "07:00:01"))
    assert message.text.startswith("Held during quiet hours, sent Fri 14 Feb 2025, 07:00 CET: 3")
    assert message.subject.startswith("[NORMAL] 3 stories from quiet hours: ")
    await desk.store.aclose()


async def test_notices_alone_are_not_told_as_a_digest_without_a_match(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Channel(name="desk", targets=(TARGET,), quiet_hours=NIGHT))
    night = desk.clock.now = morning(13, "23:00:00")
    alerts = [an_operator_alert(f"feed-broken:{n}", now=night) for n in (1, 2)]
    rows = [a_delivery(each, target="desk", due_at=night, created_at=night) for each in alerts]
    rows = [replace(row, id=f"{n}", kind=DeliveryKind.NOTICE) for n, row in enumerate(rows)]
    await desk.store.call(lambda store: store.raise_alerts(alerts, rows))
    assert await desk.at(night) == []
    (message,) = await desk.at(morning(14, "07:00:01"))
    assert message.subject.startswith(f"[MONITOR] 2 notices from quiet hours: {alerts[0].title}")
    assert message.text.startswith(
        "Held during quiet hours, sent Fri 14 Feb 2025, 07:00 CET: 2 notices."
    )
    await desk.store.aclose()


@pytest.mark.parametrize(
    ("first", "second", "hours"),
    [
        pytest.param("2025-03-29", "2025-03-30", 23, id="clocks forward"),
        pytest.param("2025-10-25", "2025-10-26", 25, id="clocks back"),
    ],
)
async def test_the_digest_keeps_to_the_wall_clock(
    tmp_path: Path, first: str, second: str, hours: int
) -> None:
    desk = Desk(tmp_path, DAILY)
    local = datetime.fromisoformat(f"{first} 07:30:06").replace(tzinfo=BRUSSELS)
    desk.clock.now = local.astimezone(UTC)
    await desk.deliverer.round()
    await desk.queue("NATO")
    due = desk.clock.now + timedelta(hours=hours)
    assert await desk.at(due - timedelta(minutes=1)) == []
    (message,) = await desk.at(due)
    assert "07:30" in message.text.splitlines()[0]
    assert due.astimezone(BRUSSELS).date().isoformat() == second
    await desk.store.aclose()


async def test_a_silence_is_counted_in_the_digest(desk: Desk) -> None:
    silence = Silence(
        id="5" * 16,
        rules=frozenset({"nato"}),
        created_at=NOW,
        ends_at=NOW + timedelta(days=3),
        reason="noise",
        owner="anna",
    )
    await desk.store.call(lambda store: store.add_silence(silence))
    await desk.queue("NATO")
    await desk.at(NOW + minutes(1))
    (digest,) = await desk.at(morning(14))
    assert "Muted by silences: 1 alert." in digest.text
    assert (await desk.states())["silenced"] == 1
    (known,) = await desk.store.call(lambda store: store.silences())
    assert known.muted == 1


async def test_a_digest_that_is_refused_comes_again_unchanged(desk: Desk) -> None:
    await desk.queue("NATO")
    desk.sender.answer = lambda _: Refused(detail="HTTP 500", scope=Scope.CHANNEL)
    (first,) = await desk.at(morning(14))
    desk.sender.answer = lambda _: Accepted()
    (second,) = await desk.at(morning(14, "08:00:00"))
    assert (first.id, first.text) == (second.id, second.text)


async def test_the_next_digest_wakes_the_loop(desk: Desk) -> None:
    desk.clock.now = morning(14, "07:29:00")
    assert desk.deliverer.next_digest_at() == morning(14, "07:30:05")


async def test_other_targets_times_are_their_own(tmp_path: Path) -> None:
    two = replace(DAILY, targets=(Target(name="desk/a", url="x"), Target(name="desk/b", url="y")))
    desk = Desk(tmp_path, two)
    await desk.deliverer.round()
    await desk.queue("NATO", target="desk/a")
    messages = {m.target: m for m in await desk.at(morning(14))}
    assert "NATO" in messages["desk/a"].text
    assert "Nothing matched" in messages["desk/b"].subject
    await desk.store.aclose()


async def test_three_digests_that_could_not_be_sent_come_as_one(desk: Desk) -> None:
    desk.sender.answer = lambda _: Refused(
        detail="it answers 404", retryable=False, scope=Scope.CHANNEL
    )
    await desk.queue("NATO")
    await desk.at(morning(14))
    for day in (15, 16, 17):
        await desk.queue(f"Story {day}")
        assert await desk.at(morning(day)) == []
    desk.sender.answer = lambda _: Accepted()
    await desk.store.call(lambda store: store.resume())
    messages = await desk.at(morning(17, "12:00:00"))
    text = "\n".join(message.text for message in messages)
    assert all(f"Story {day}" in text for day in (15, 16, 17))
    assert len(messages) == 2  # the one that was refused, as it was, and the others
