"""Times people choose: read from words, found in zones, right over both clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.timetable import Timetable, quiet_until, read_hours, read_moment, read_slot

BRUSSELS = ZoneInfo("Europe/Brussels")
ZONES = [
    ZoneInfo(name) for name in ("Europe/Brussels", "America/New_York", "Asia/Kathmandu", "UTC")
]


def table(*texts: str) -> Timetable:
    return Timetable(tuple(map(read_slot, texts)))


def at(text: str, zone: ZoneInfo = BRUSSELS) -> datetime:
    """ "2025-03-30 07:30" on the clocks of *zone*."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("texts", "moment", "expected"),
    [
        pytest.param(("07:30",), "2025-02-13 06:00", "2025-02-13 07:30", id="today"),
        pytest.param(("07:30",), "2025-02-13 07:30", "2025-02-14 07:30", id="later than now"),
        pytest.param(("07:30", "17:00"), "2025-02-13 08:00", "2025-02-13 17:00", id="twice a day"),
        pytest.param(("mon-fri 07:30",), "2025-02-14 08:00", "2025-02-17 07:30", id="no weekend"),
        pytest.param(("sat-mon 9:00",), "2025-02-14 08:00", "2025-02-15 09:00", id="over the week"),
        pytest.param(("hourly",), "2025-02-13 06:20", "2025-02-13 07:00", id="hourly"),
        pytest.param(("tue hourly",), "2025-02-13 06:20", "2025-02-18 00:00", id="hourly, one day"),
        pytest.param(("07:30",), "2025-03-30 01:59", "2025-03-30 07:30", id="clocks forward"),
        pytest.param(("07:30",), "2025-10-26 02:30", "2025-10-26 07:30", id="clocks back"),
    ],
)
def test_the_next_digest(texts: tuple[str, ...], moment: str, expected: str) -> None:
    found = table(*texts).after(at(moment), BRUSSELS)
    assert found == at(expected)


def test_a_time_that_the_clock_skips_comes_when_it_jumps() -> None:
    found = table("02:30").after(at("2025-03-30 00:10"), BRUSSELS)
    assert found == datetime(2025, 3, 30, 1, 30, tzinfo=UTC)  # 03:30 there


def test_a_time_that_comes_twice_counts_once() -> None:
    first = table("02:30").after(at("2025-10-26 00:10"), BRUSSELS)
    assert first == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    assert table("02:30").after(first, BRUSSELS) == datetime(2025, 10, 27, 1, 30, tzinfo=UTC)


def test_every_hour_of_a_day_with_25() -> None:
    moment, hours = at("2025-10-26 00:00") - timedelta(seconds=1), 0
    while (moment := table("hourly").after(moment, BRUSSELS)) < at("2025-10-27 00:00"):
        hours += 1
    assert hours == 25


@given(
    moment=st.integers(0, 3 * 365 * 86_400).map(
        lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    ),
    zone=st.sampled_from(ZONES),
    texts=st.sampled_from([("07:30",), ("mon-fri 02:30", "sun 17:00"), ("hourly",), ("02:00",)]),
)
def test_no_moment_lies_between_the_latest_and_the_next(
    moment: datetime, zone: ZoneInfo, texts: tuple[str, ...]
) -> None:
    chosen = table(*texts)
    latest, following = chosen.latest(moment, zone), chosen.after(moment, zone)
    assert latest <= moment < following
    assert chosen.after(latest, zone) == following
    assert chosen.latest(following, zone) == following


@pytest.mark.parametrize(
    ("texts", "moment", "until"),
    [
        pytest.param(("22:00-07:00",), "2025-02-13 23:10", "2025-02-14 07:00", id="the night"),
        pytest.param(("22:00-07:00",), "2025-02-14 06:59", "2025-02-14 07:00", id="after midnight"),
        pytest.param(("22:00-07:00",), "2025-02-14 07:00", None, id="its end is not in it"),
        pytest.param(("12:00-13:00",), "2025-02-14 12:00", "2025-02-14 13:00", id="its start is"),
        pytest.param(("fri 22:00-07:00",), "2025-02-16 06:00", None, id="another night"),
        pytest.param(
            ("22:00-07:00", "sat,sun 00:00-24:00"),
            "2025-02-14 23:00",
            "2025-02-17 07:00",
            id="a night that touches a weekend",
        ),
        pytest.param(("22:00-07:00",), "2025-03-29 23:00", "2025-03-30 07:00", id="clocks forward"),
        pytest.param(("22:00-07:00",), "2025-10-25 23:00", "2025-10-26 07:00", id="clocks back"),
    ],
)
def test_quiet_hours(texts: tuple[str, ...], moment: str, until: str | None) -> None:
    found = quiet_until(tuple(map(read_hours, texts)), at(moment), BRUSSELS)
    assert found == (until and at(until))


def test_quiet_all_week_has_an_end_all_the_same() -> None:
    moment = at("2025-02-13 10:00")
    found = quiet_until((read_hours("00:00-24:00"),), moment, BRUSSELS)
    assert found is not None
    assert moment < found <= moment + timedelta(days=9)


@pytest.mark.parametrize(
    "text", ["", "25:00", "7", "7:3", "monday 07:30", "mon-xyz 07:30", "daily", "07:30 mon"]
)
def test_what_is_no_time_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r'"mon-fri 07:30"'):
        read_slot(text)


@pytest.mark.parametrize(
    "text", ["", "22:00", "22:00-", "22-7", "xyz 22:00-07:00", "25:00-07:00", "22:00-22:00"]
)
def test_what_is_no_stretch_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="22:00-07:00"):
        read_hours(text)


@pytest.mark.parametrize(
    ("texts", "daily"),
    [
        (("07:30",), True),
        (("mon-fri 07:30", "sat 10:00"), True),
        (("07:30", "17:00"), False),
        (("hourly",), False),
    ],
)
def test_what_counts_as_daily(texts: tuple[str, ...], daily: bool) -> None:
    assert table(*texts).daily is daily


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("07:00", "2025-03-30 07:00", id="the next one is tomorrow, one hour sooner"),
        pytest.param("13:30", "2025-03-29 13:30", id="the next one is today"),
        pytest.param("12:00", "2025-03-30 12:00", id="later than now"),
        pytest.param("2025-04-01 7:05", "2025-04-01 07:05", id="a day"),
        pytest.param(" 2025-04-01  07:05 ", "2025-04-01 07:05", id="spaces"),
        pytest.param("2025-03-30 02:30", "2025-03-30 03:30", id="a time that is skipped"),
    ],
)
def test_moments_are_read(text: str, expected: str) -> None:
    assert read_moment(text, at("2025-03-29 12:00"), BRUSSELS) == at(expected)


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "25:00", "2025-02-30 07:00", "2025-04-01", "1.4.2025 07:00", "7"]
)
def test_what_is_no_moment_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match='write a moment as "2026-11-27 07:00"'):
        read_moment(text, at("2025-03-29 12:00"), BRUSSELS)
