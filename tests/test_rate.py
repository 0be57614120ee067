"""The bucket: singles up to its size, then digests; nothing lost, never faster than its rate."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.rate import Allowance, Bucket, allow, full
from monitor.settings import Rate
from tests.builders import NOW

RATE = Rate(a_second=1.0, burst=10)
MOST = 100


def ask(waiting: int, bucket: Bucket, after: float = 0.0, rate: Rate = RATE) -> Allowance:
    return allow(waiting, bucket, rate, bucket.at + timedelta(seconds=after), MOST)


def test_a_few_go_one_by_one() -> None:
    found = ask(10, full(RATE, NOW))
    assert (found.singly, found.rest, found.until) == (10, False, None)


def test_above_the_burst_the_rest_is_one_digest() -> None:
    found = ask(25, full(RATE, NOW))
    assert (found.singly, found.rest) == (9, True)
    assert found.bucket.flooded


def test_in_a_flood_it_gathers_until_the_bucket_is_full() -> None:
    flooded = ask(25, full(RATE, NOW)).bucket
    early = ask(7, flooded, 3)
    assert (early.singly, early.rest, early.until) == (0, False, NOW + timedelta(seconds=10))
    late = ask(40, flooded, 10)
    assert (late.singly, late.rest) == (0, True)


def test_what_fills_a_digest_already_goes_at_the_rate() -> None:
    flooded = ask(25, full(RATE, NOW)).bucket
    found = ask(500, flooded, 1)
    assert (found.singly, found.rest) == (0, True)
    assert ask(400, found.bucket, 0.5).until == NOW + timedelta(seconds=2)


def test_a_flood_is_over_when_few_wait_at_a_full_bucket() -> None:
    flooded = ask(25, full(RATE, NOW)).bucket
    found = ask(5, flooded, 10)
    assert (found.singly, found.rest, found.bucket.flooded) == (5, False, False)


def test_a_single_message_at_an_empty_bucket_waits() -> None:
    slow = Rate(a_second=1 / 60, burst=2)
    spent = ask(2, full(slow, NOW), rate=slow).bucket
    found = ask(1, spent, 30, slow)
    assert (found.singly, found.rest) == (0, False)
    assert found.until == NOW + timedelta(seconds=120)


def test_a_clock_set_back_neither_fills_nor_blocks() -> None:
    spent = ask(10, full(RATE, NOW)).bucket
    found = allow(1, spent, RATE, NOW - timedelta(hours=1), MOST)
    assert found.until == NOW - timedelta(hours=1) + timedelta(seconds=10)


@given(st.lists(st.tuples(st.integers(0, 300), st.floats(0, 30)), max_size=40))
def test_everything_goes_and_never_faster_than_the_bucket_allows(
    arrivals: list[tuple[int, float]],
) -> None:
    bucket, now, waiting, sent, passed = full(RATE, NOW), NOW, 0, 0, 0.0
    for new, pause in [*arrivals, (0, 30.0), (0, 30.0), (0, 30.0)]:
        waiting += new
        while waiting:
            found = allow(waiting, bucket, RATE, now, MOST)
            bucket = found.bucket
            if found.until is not None:
                assert found.until > now
                break
            digest = min(MOST, waiting - found.singly) if found.rest else 0
            assert found.singly + digest > 0
            waiting -= found.singly + digest
            sent += found.singly + bool(digest)
            if waiting and not found.rest:
                raise AssertionError("what may not go must be told until when")
            if waiting:
                now += timedelta(seconds=1 / RATE.a_second)
                passed += 1 / RATE.a_second
        now += timedelta(seconds=pause)
        passed += pause
    assert sent <= RATE.burst + RATE.a_second * passed + 1
    if waiting:
        assert allow(waiting, bucket, RATE, now + timedelta(seconds=60), MOST).until is None
