"""What a visit leaves on its feed, and when the next one is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.feeds import rhythm as rhythms
from monitor.feeds import schedule
from monitor.feeds.schedule import JITTER, MAX_BACKOFF
from monitor.model import (
    FailureReason,
    Feed,
    Fetched,
    FetchFailed,
    NotModified,
    ParsedFeed,
    ParseFailed,
    RawEntry,
    Rhythm,
    SameBytes,
    Unchanged,
    Word,
)
from monitor.settings import PollSettings
from tests.builders import NOW, a_feed, an_entry, feed_settings, minutes

DOWN = FetchFailed(reason=FailureReason.CONNECT, detail="no connection")
SETTINGS = PollSettings()
WHOLE, CUT_OFF = ParsedFeed(version="rss20"), ParsedFeed(version="rss20", complete=False)


def fetched(body: bytes = b"<rss/>", **changes: Any) -> Fetched:
    values: dict[str, Any] = {"final_url": "https://feeds.example.org/", "etag": '"2"'}
    return Fetched(body=body, **(values | changes))


def succeeded(feed: Feed, result: Fetched | Unchanged, parsed: Any = WHOLE, **more: Any) -> Feed:
    values: dict[str, Any] = {"settings": SETTINGS, "now": NOW, "parsed": parsed}
    return schedule.succeeded(feed, fetched=result, **(values | more))


def wait(feed: Feed) -> timedelta:
    return feed.next_poll_at - NOW


def nearly(longest: timedelta) -> Any:
    """Between nine and ten tenths of it."""
    middle = longest * (1 - JITTER / 2)
    return pytest.approx(middle, abs=longest * JITTER / 2)


# --- success


def test_a_complete_document_saves_everything() -> None:
    result = fetched(last_modified="Thu, 13 Feb 2025 10:00:00 GMT")
    after = succeeded(a_feed(failures=3, failing_since=NOW, failure=DOWN.reason), result)
    assert after == replace(
        a_feed(),
        polled_at=NOW,
        succeeded_at=NOW,
        baseline_at=NOW,
        validators_at=NOW,
        etag='"2"',
        last_modified="Thu, 13 Feb 2025 10:00:00 GMT",
        body_hash=schedule.body_hash(result.body),
        next_poll_at=after.next_poll_at,
        rhythm=after.rhythm,
    )


def test_the_baseline_is_set_once() -> None:
    first = NOW - minutes(60)
    assert succeeded(a_feed(baseline_at=first), fetched()).baseline_at == first


def test_validators_the_server_no_longer_sends_are_dropped() -> None:
    after = succeeded(a_feed(etag='"1"', last_modified="then"), fetched(etag=None))
    assert (after.etag, after.last_modified) == (None, None)


OLD = {
    "etag": '"1"',
    "validators_at": NOW - minutes(30),
    "body_hash": "1",
    "succeeded_at": NOW - minutes(30),
}


def test_a_cut_off_document_leaves_what_asks_for_the_rest() -> None:
    before = a_feed(**OLD, failures=2, failing_since=NOW)
    after = succeeded(before, fetched(), CUT_OFF)
    assert {name: getattr(after, name) for name in OLD} == OLD
    assert (after.baseline_at, after.failures, after.polled_at) == (None, 0, NOW)


def test_the_same_body_again_is_as_good_as_a_new_one() -> None:
    before = a_feed(**(OLD | {"body_hash": schedule.body_hash(b"<rss/>")}))
    after = succeeded(before, fetched(), None)
    assert (after.etag, after.validators_at) == ('"2"', NOW)


def test_another_body_that_nobody_parsed_saves_nothing() -> None:
    after = succeeded(a_feed(**OLD), fetched(), None)
    assert {name: getattr(after, name) for name in OLD} == OLD


def test_the_same_packed_bytes_are_as_good_as_a_new_document() -> None:
    hashes = {"body_hash": "1", "packed_hash": "2", "baseline_at": NOW - minutes(90)}
    after = succeeded(a_feed(**(OLD | hashes), failures=2), SameBytes(etag='"2"'), None)
    assert {name: getattr(after, name) for name in hashes} == hashes
    assert (after.etag, after.last_modified, after.validators_at) == ('"2"', None, NOW)
    assert (after.succeeded_at, after.failures) == (NOW, 0)


@pytest.mark.parametrize(("parsed", "kept"), [(WHOLE, "2"), (CUT_OFF, None)])
def test_the_packed_hash_is_that_of_the_document_of_the_body_hash(parsed, kept) -> None:
    after = succeeded(a_feed(), fetched(packed_hash="2"), parsed)
    assert after.packed_hash == kept


def test_not_modified_keeps_the_validators() -> None:
    after = succeeded(a_feed(**OLD, failures=2), NotModified(), None)
    assert (after.etag, after.body_hash) == ('"1"', "1")
    assert after.validators_at == OLD["validators_at"]  # so the whole is asked for once a day
    assert (after.succeeded_at, after.failures) == (NOW, 0)


def test_the_claim_and_the_reported_flag_are_not_ours() -> None:
    before = a_feed(claim=7, reported=True, paused=False)
    for after in (succeeded(before, fetched()), schedule.failed(before, DOWN, SETTINGS, NOW)):
        assert (after.claim, after.reported, after.id) == (7, True, before.id)


@pytest.mark.parametrize(
    ("urls", "moved_to", "count"),
    [
        ([None], None, 0),
        (["a"], "a", 1),
        (["a", "a", "a"], "a", 3),
        (["a", "b"], "b", 1),
        (["a", "a", None], None, 0),
        (["a", None, "a"], "a", 1),
    ],
)
def test_moves_are_counted_in_a_row(
    urls: list[str | None], moved_to: str | None, count: int
) -> None:
    feed = a_feed()
    for url in urls:
        feed = succeeded(feed, fetched(permanent_url=url))
    assert (feed.moved_to, feed.moved_count) == (moved_to, count)


# --- when next


def polled(**changes: Any) -> Feed:
    """A feed that was visited before: its next visit is not spread."""
    return a_feed(polled_at=NOW - minutes(15), **changes)


@pytest.mark.parametrize(
    ("own", "max_age", "ttl", "longest"),
    [
        ({}, None, None, minutes(15)),
        ({}, minutes(5), minutes(1), minutes(15)),
        ({}, minutes(40), None, minutes(40)),
        ({}, minutes(40), minutes(60), minutes(60)),
        ({}, timedelta(days=30), None, timedelta(days=1)),
        ({"interval": minutes(5)}, minutes(40), minutes(60), minutes(5)),
        ({"interval": timedelta(days=30)}, None, None, timedelta(days=1)),
        ({"interval": timedelta(seconds=1)}, None, None, minutes(2) / (1 - JITTER)),
        ({"max_interval": minutes(10)}, minutes(40), None, minutes(10)),
        ({"min_interval": minutes(90)}, minutes(40), None, minutes(100)),
    ],
    ids=[
        "the default",
        "a publisher in more of a hurry changes nothing",
        "max-age asks for longer",
        "ttl asks for still longer",
        "nobody asks for more than the longest",
        "the feed's own setting wins",
        "but not over the longest",
        "nor over the shortest",
        "its own longest",
        "its own shortest",
    ],
)
def test_interval(
    own: dict[str, Any], max_age: timedelta | None, ttl: timedelta | None, longest: timedelta
) -> None:
    parsed = replace(WHOLE, word=Word(ttl=ttl))
    settings = feed_settings(**own)
    after = succeeded(polled(), fetched(max_age=max_age), parsed, own=settings)
    assert wait(after) == nearly(longest)
    assert wait(after) >= (settings.min_interval or SETTINGS.min_interval)


def test_a_visit_teaches_its_rhythm_and_the_next_is_due_by_it() -> None:
    times = [NOW - minutes(5 * n) for n in range(1, 50)]
    new = [an_entry(published_at=at) for at in times]
    parsed = replace(WHOLE, entries=(RawEntry(),) * 49)
    after = succeeded(polled(), fetched(), parsed, new=new)
    assert (after.rhythm.listed, after.rhythm.last_at) == (49, times[0])
    assert wait(after) < minutes(8)


def test_undated_entries_teach_only_after_the_first_document() -> None:
    undated = [an_entry(published_at=None, first_seen_at=NOW)]
    first = succeeded(polled(), fetched(), WHOLE, new=undated)
    assert first.rhythm.last_at is None
    second = succeeded(first, fetched(), WHOLE, new=undated, now=NOW + minutes(15))
    assert second.rhythm.last_at == NOW


def test_a_document_that_was_cut_off_does_not_say_how_much_is_listed() -> None:
    feed = polled(rhythm=Rhythm(listed=30, word=Word(ttl=minutes(60))))
    after = succeeded(feed, fetched(), CUT_OFF)
    assert (after.rhythm.listed, after.rhythm.word.ttl) == (30, minutes(60))


def test_its_word_is_remembered_when_nothing_has_changed() -> None:
    first = succeeded(polled(), fetched(), replace(WHOLE, word=Word(ttl=minutes(60))))
    assert wait(succeeded(first, NotModified(), None)) == nearly(minutes(60))


def test_feeds_added_together_part_with_their_second_visit() -> None:
    feeds = [a_feed(url=f"https://{n}.example.org/") for n in range(200)]
    waits = sorted(wait(succeeded(feed, fetched())) for feed in feeds)
    assert waits[0] == SETTINGS.min_interval
    assert max(late - early for early, late in pairwise(waits)) < minutes(1.5)
    assert minutes(13) < waits[-1] < minutes(15)


def test_feeds_that_succeed_together_part() -> None:
    feeds = [polled(url=f"https://{n}.example.org/") for n in range(200)]
    waits = {wait(succeeded(feed, fetched())) for feed in feeds}
    assert len(waits) > 190
    assert max(waits) - min(waits) > minutes(15) * JITTER / 2


def test_feeds_at_their_shortest_part_too_but_for_a_bound_above() -> None:
    feeds = [polled(url=f"https://{n}.example.org/") for n in range(200)]
    own = feed_settings(interval=SETTINGS.min_interval)
    waits = {wait(succeeded(feed, fetched(), own=own)) for feed in feeds}
    assert min(waits) >= minutes(2)
    assert minutes(2.2) < max(waits) < minutes(2) / (1 - JITTER)
    pinned = feed_settings(min_interval=minutes(2), max_interval=minutes(2))
    assert {wait(succeeded(feed, fetched(), own=pinned)) for feed in feeds} == {minutes(2)}


def test_feeds_part_further_with_every_visit() -> None:
    one, other = (polled(url=f"https://{n}.example.org/") for n in range(2))
    apart = []
    for _ in range(3):
        one = succeeded(one, fetched(), now=one.next_poll_at)
        other = succeeded(other, fetched(), now=other.next_poll_at)
        apart.append(abs(one.next_poll_at - other.next_poll_at))
    assert timedelta(0) < apart[0] < apart[1] < apart[2]


# --- failure


def test_a_failure_is_recorded_and_keeps_the_validators() -> None:
    before = a_feed(**OLD)
    after = schedule.failed(before, DOWN, SETTINGS, NOW)
    assert after == replace(
        before,
        polled_at=NOW,
        failures=1,
        failing_since=NOW,
        failure=FailureReason.CONNECT,
        failure_detail="no connection",
        next_poll_at=after.next_poll_at,
    )


def test_failing_since_is_the_first_failure() -> None:
    first = schedule.failed(a_feed(), DOWN, SETTINGS, NOW)
    other = ParseFailed(reason=FailureReason.HTML, detail="a web page")
    second = schedule.failed(first, other, SETTINGS, NOW + minutes(15))
    assert (second.failing_since, second.failures) == (NOW, 2)
    assert (second.failure, second.failure_detail) == (FailureReason.HTML, "a web page")


R = FailureReason


@pytest.mark.parametrize(
    ("reason", "waits"),
    [
        (R.DNS, [15, 15, 22.5, 33.75, 120]),
        (R.CONNECT, [15, 15, 22.5, 33.75, 120]),
        (R.STARVED, [15, 15, 22.5, 33.75, 120]),
        (R.TIMEOUT, [15, 15, 30, 60, 360]),
        (R.HTTP_SERVER, [15, 15, 30, 60, 360]),
        (R.NOT_FOUND, [15, 15, 45, 135, 1440]),
        (R.FORBIDDEN, [15, 15, 45, 135, 1440]),
        (R.HTML, [15, 15, 45, 135, 1440]),
        (R.THROTTLED, [15, 15, 60, 240, 1440]),
        (R.PARSER_KILLED, [15, 15, 60, 240, 1440]),
    ],
    ids=lambda value: value.value if isinstance(value, FailureReason) else "",
)
def test_the_kind_of_failure_says_how_fast_the_waits_grow(
    reason: FailureReason, waits: list[float]
) -> None:
    found = [schedule.backoff("feed", n, reason, minutes(15)) for n in (1, 2, 3, 4, 10_000)]
    assert found == [nearly(minutes(each)) for each in waits]


@pytest.mark.parametrize("reason", FailureReason)
def test_whatever_the_kind_three_failures_take_half_an_hour(reason: FailureReason) -> None:
    """So an official feed that is dead is told after that."""
    if reason is not R.GONE:
        waits = [schedule.backoff("feed", n, reason, minutes(15)) for n in (1, 2)]
        assert sum(waits, timedelta(0)) <= minutes(30)


@pytest.mark.parametrize("reason", [each for each in R if each is not R.GONE])
def test_it_is_never_left_alone_for_longer_than_it_has_been_failing(reason: FailureReason) -> None:
    own = feed_settings(interval=timedelta(seconds=10), min_interval=timedelta(seconds=10))
    feed, now = a_feed(), NOW
    for _ in range(40):
        feed = schedule.failed(feed, FetchFailed(reason=reason, detail=""), SETTINGS, now, own)
        assert feed.next_poll_at - now <= max(now - NOW, timedelta(seconds=10))
        now = feed.next_poll_at
    assert now - NOW > timedelta(days=1)


def test_visits_that_come_sooner_than_planned_make_nobody_more_patient() -> None:
    feed = a_feed(failures=30, failing_since=NOW - minutes(40), failure=R.HTTP_SERVER)
    after = schedule.failed(feed, replace(DOWN, reason=R.NOT_FOUND), SETTINGS, NOW)
    assert wait(after) == nearly(minutes(40))


def test_a_busy_feed_is_tried_again_at_its_own_pace() -> None:
    times = [NOW - minutes(n) for n in range(1, 200)]
    rhythm = rhythms.learn(Rhythm(listed=30), times, NOW)
    assert wait(schedule.failed(a_feed(rhythm=rhythm), DOWN, SETTINGS, NOW)) < minutes(4)


def test_a_feed_is_not_tried_again_sooner_than_its_own_bound() -> None:
    own = feed_settings(min_interval=minutes(40))
    assert wait(schedule.failed(a_feed(), DOWN, SETTINGS, NOW, own)) == nearly(minutes(40))


@pytest.mark.parametrize(
    ("asked", "least"),
    [(timedelta(hours=3), timedelta(hours=3)), (timedelta(days=9), MAX_BACKOFF)],
)
def test_retry_after_is_obeyed_up_to_a_day(asked: timedelta, least: timedelta) -> None:
    throttled = FetchFailed(reason=FailureReason.THROTTLED, detail="later", retry_after=asked)
    assert wait(schedule.failed(a_feed(), throttled, SETTINGS, NOW)) == least


def test_a_short_retry_after_does_not_hurry_us() -> None:
    throttled = replace(DOWN, retry_after=timedelta(seconds=1))
    assert wait(schedule.failed(a_feed(), throttled, SETTINGS, NOW)) == nearly(minutes(15))


def test_a_feed_that_is_gone_is_asked_once_a_day() -> None:
    gone = FetchFailed(reason=FailureReason.GONE, detail="gone", status=410)
    assert wait(schedule.failed(a_feed(), gone, SETTINGS, NOW)) == MAX_BACKOFF


def test_ten_days_down_are_polled_daily_and_never_given_up() -> None:
    feed, now, polls = a_feed(), NOW, []
    while now < NOW + timedelta(days=10):
        feed = schedule.failed(feed, DOWN, SETTINGS, now)
        polls.append(now)
        now = feed.next_poll_at
    gaps = [later - earlier for earlier, later in pairwise(polls)]
    assert max(gaps) <= MAX_BACKOFF
    assert len(polls) > 15


@settings(deadline=None)
@given(
    st.integers(1, 10**9),
    st.text(max_size=20),
    st.sampled_from(FailureReason),
    st.timedeltas(minutes(2), timedelta(days=1)),
)
def test_back_off_is_bounded_and_the_same_every_time(
    failures: int, feed_id: str, reason: FailureReason, first: timedelta
) -> None:
    found = schedule.backoff(feed_id, failures, reason, first)
    assert first * (1 - JITTER) <= found <= MAX_BACKOFF
    assert found == schedule.backoff(feed_id, failures, reason, first)


# --- the whole once a day


@pytest.mark.parametrize(
    ("validators_at", "whole"),
    [
        (None, True),
        (NOW, False),
        (NOW - timedelta(hours=23), False),
        (NOW - timedelta(days=1), True),
        (NOW + timedelta(hours=1), True),
    ],
    ids=["never", "just now", "today", "a day ago", "in the future: the clock was set back"],
)
def test_the_whole_is_asked_for_once_a_day(validators_at: datetime | None, whole: bool) -> None:
    assert schedule.wants_whole(a_feed(validators_at=validators_at), NOW) is whole


def test_body_hash_tells_bodies_apart() -> None:
    assert schedule.body_hash(b"a") == schedule.body_hash(b"a") != schedule.body_hash(b"b")
