"""What a soak says: lost, late, growing, and the targets it missed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tests.bench import soak_figures, soak_report
from tests.bench.soak_feeds import Published
from tests.faults.ledgers import Life, Received, Served

FEED = "http://127.4.0.1:1/healthy/0"


def published(t: float, n: int, *, hit: bool = True) -> Published:
    return Published(t=t, feed=FEED, link=f"https://news.example/{n}", mark=f"zq{n}x", hit=hit)


def served(t: float, *links: int, whole: bool = True) -> Served:
    return Served(t=t, feed=FEED, whole=whole, links=[f"https://news.example/{n}" for n in links])


def received(t: float, *marks: int, sink: str = "hook") -> Received:
    text = " ".join(f"*NATO* words zq{n}x" for n in marks)
    return Received(t=t, n=int(t), sink=sink, ids=["0" * 16], text=text)


def test_the_first_receipt_counts_also_within_a_digest() -> None:
    receipts = soak_figures.first_receipts([received(9, 1), received(5, 1, 2), received(7, 3)])
    assert receipts == {("hook", "zq1x"): 5, ("hook", "zq2x"): 5, ("hook", "zq3x"): 7}


@pytest.mark.parametrize(
    ("visit", "hit", "lost"),
    [
        pytest.param(served(2, 1), True, [("mail", "zq1x")], id="served whole, not received"),
        pytest.param(served(2, 1, whole=False), True, [], id="never served whole"),
        pytest.param(served(2, 1), False, [], id="matches nothing"),
        pytest.param(served(2, 7), True, [], id="never served"),
    ],
)
def test_lost_is_what_was_served_whole_and_never_came(
    visit: Served, hit: bool, lost: list[tuple[str, str]]
) -> None:
    receipts = {("hook", "zq1x"): 5.0}
    entries = [published(1, 1, hit=hit)]
    assert soak_figures.lost(entries, [visit], receipts, ["hook", "mail"]) == lost


@pytest.mark.parametrize(
    ("t", "whole"),
    [(89.0, True), (91.0, False), (101.0, True)],
    ids=["long before the kill", "just before it", "after it"],
)
def test_who_is_killed_over_a_document_has_not_had_it(t: float, whole: bool) -> None:
    life = [Life(t=100, what="end", code=-9), Life(t=102, what="end", code=0)]
    (found,) = soak_figures.answered_for([served(t, 1)], life)
    assert found.whole is whole


@pytest.mark.parametrize(
    ("at", "acked", "cause"),
    [
        pytest.param(10, False, "not acknowledged", id="no answer"),
        pytest.param(10, True, "killed before it was recorded", id="killed"),
        pytest.param(51, True, "handed over by a child that the kill left behind", id="left over"),
        pytest.param(53, True, "unexplained", id="unexplained"),
    ],
)
def test_why_a_message_came_twice(at: float, acked: bool, cause: str) -> None:
    life = [Life(t=50, what="end", code=-9, crowd=2.0)]
    pair = (replace(received(at, 1), acked=acked), received(60, 1))
    assert soak_figures.causes([pair], life) == {cause: 1}


def test_detection_is_of_what_was_published_in_the_span() -> None:
    entries = [published(t, t) for t in range(10)]
    receipts = {("hook", f"zq{n}x"): n + 1.0 + n / 10 for n in range(10)}
    found = soak_figures.detection(entries, receipts, "hook", (2, 8))
    assert (found.count, found.p50, found.longest) == (7, pytest.approx(1.5), pytest.approx(1.8))


def test_recovery_is_from_an_end_by_force_to_the_first_poll() -> None:
    life = [
        Life(t=0, what="start"),
        Life(t=10, what="end", code=-9),
        Life(t=11, what="start"),
        Life(t=20, what="end", code=0),
        Life(t=21, what="start"),
    ]
    polls = [served(t, 1) for t in (1, 9, 12.5, 30)]
    assert soak_figures.recoveries(life, polls) == [2.5]


def test_a_poll_that_the_dead_had_sent_is_no_recovery() -> None:
    life = [Life(t=10, what="end", code=-9), Life(t=11, what="start")]
    assert soak_figures.recoveries(life, [served(10.5, 1)]) == [math.inf]


@pytest.mark.parametrize(
    ("an_hour", "flat"), [(0.0, True), (60.0, False), (-60.0, True)], ids=["flat", "up", "down"]
)
def test_a_slope_stands_out_of_the_noise_or_does_not(an_hour: float, flat: bool) -> None:
    points = [(t, 100 + an_hour * t / 3600 + (t * 7 % 5) / 50) for t in range(0, 600, 5)]
    found = soak_figures.slope(points)
    assert found.an_hour == pytest.approx(an_hour, abs=1.0)
    assert found.flat is flat


def test_too_few_readings_say_nothing() -> None:
    assert soak_figures.slope([(0, 1.0), (5, 2.0)]).noise == math.inf


def a_result(**changes: Any) -> dict[str, Any]:
    good = {"count": 9, "p50": 5.0, "p99": 11.0, "longest": 11.5}
    values: dict[str, Any] = {
        "minutes": 30,
        "quiet": 10,
        "feeds": 200,
        "seed": 1,
        "clock jumps": True,
        "load": 1.0,
        "exit code": 0,
        "published": 100,
        "hits": 10,
        "receipts": 30,
        "lost": [],
        "feeds that fail now": 1,
        "repeated": {"not acknowledged": 2},
        "kills": 2,
        "recovery": [1.0, 2.0],
        "detection": dict.fromkeys(soak_report.SINKS, good),
        "rss": {"an_hour": 5.0, "noise": 1.0},
        "rss now": 300.0,
        "rss of entries": 4.5,
        "own": {"an_hour": 1.0, "noise": 1.0},
        "own now": 80.0,
        "handles": {"an_hour": 0.0, "noise": 1.0},
        "handles now": 22,
        "wal": 4.0,
        "cpu": 0.2,
        "violations": [],
    }
    return values | changes


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        pytest.param({"lost": [("hook", "zq1x")]}, "0 lost", id="lost"),
        pytest.param({"violations": ["INV3: x"]}, "0 unexplained repeats", id="told twice"),
        pytest.param({"repeated": {"unexplained": 1}}, "0 unexplained repeats", id="repeated"),
        pytest.param({"violations": ["INV1: x"]}, "INV1, 2, 4, 7", id="not stored"),
        pytest.param({"recovery": [3.5]}, "recovery ≤ 3 s", id="slow to recover"),
        pytest.param({"rss": {"an_hour": 9.0, "noise": 1.0}}, "memory flat", id="grows"),
        pytest.param({"handles": {"an_hour": 9.0, "noise": 1.0}}, "handles flat", id="leaks"),
        pytest.param({"exit code": 1}, "ended in order", id="ended badly"),
    ],
)
def test_a_missed_target_is_named(changes: dict[str, Any], target: str) -> None:
    assert soak_report.missed(a_result(**changes)) == [target]
    assert f"missed: {target}" in soak_report.told(a_result(**changes))


def test_late_news_misses_a_target() -> None:
    late = {"count": 9, "p50": 5.0, "p99": 12.5, "longest": 13.0}
    result = a_result(detection=dict.fromkeys(soak_report.SINKS, late))
    assert soak_report.missed(result) == ["detection p99 ≤ 12 s"]


def test_all_targets_met_is_said() -> None:
    assert soak_report.missed(a_result()) == []
    assert soak_report.told(a_result()).endswith("all targets met")
