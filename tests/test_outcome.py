"""What was seen on the wire → what it means."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.alerts.outcome import DETAIL_LENGTH, judge
from monitor.model import Accepted, Refused, Scope
from tests.builders import NOW

FOR_GOOD, PASSING = False, True


def seen(protocol: str = "http", **changes: Any) -> dict[str, Any]:
    return {
        "accepted": False,
        "protocol": protocol,
        "phase": "",
        "status": None,
        "answer": "",
        "fault": "",
        "handed_over": False,
        "retry_after": None,
    } | changes


def refused(report: dict[str, Any]) -> Refused:
    result = judge(report, NOW)
    assert isinstance(result, Refused)
    return result


def test_accepted() -> None:
    assert judge(seen(accepted=True, status=200), NOW) == Accepted()


@pytest.mark.parametrize(
    ("status", "retryable", "scope"),
    [
        (200, PASSING, Scope.MESSAGE),  # with an error inside
        (302, PASSING, Scope.CHANNEL),
        (400, PASSING, Scope.MESSAGE),
        (401, FOR_GOOD, Scope.CHANNEL),
        (403, FOR_GOOD, Scope.CHANNEL),
        (404, FOR_GOOD, Scope.CHANNEL),
        (408, PASSING, Scope.CHANNEL),
        (410, FOR_GOOD, Scope.CHANNEL),
        (413, PASSING, Scope.MESSAGE),
        (425, PASSING, Scope.CHANNEL),
        (429, PASSING, Scope.CHANNEL),
        (500, PASSING, Scope.CHANNEL),
        (503, PASSING, Scope.CHANNEL),
        (599, PASSING, Scope.CHANNEL),
    ],
)
def test_http(status: int, retryable: bool, scope: Scope) -> None:
    result = refused(seen(status=status))
    assert (result.retryable, result.scope, result.ambiguous) == (retryable, scope, False)
    assert str(status) in result.detail


@pytest.mark.parametrize(
    ("phase", "code", "retryable", "scope"),
    [
        pytest.param("CONNECT", 421, PASSING, Scope.CHANNEL, id="greeting: try later"),
        pytest.param("CONNECT", 554, PASSING, Scope.CHANNEL, id="greeting: our address is blocked"),
        pytest.param("CONNECT", -1, PASSING, Scope.CHANNEL, id="not SMTP"),
        pytest.param("AUTH", 535, FOR_GOOD, Scope.CHANNEL, id="log-in refused"),
        pytest.param("AUTH", 454, PASSING, Scope.CHANNEL, id="log-in not possible now"),
        pytest.param("MAIL", 553, FOR_GOOD, Scope.CHANNEL, id="sender refused"),
        pytest.param("MAIL", 452, PASSING, Scope.CHANNEL, id="disk full"),
        pytest.param("RCPT", 550, FOR_GOOD, Scope.TARGET, id="unknown recipient"),
        pytest.param("RCPT", 451, PASSING, Scope.TARGET, id="greylisted"),
        pytest.param("TEXT", 552, PASSING, Scope.MESSAGE, id="too big"),
        pytest.param("TEXT", 554, PASSING, Scope.MESSAGE, id="taken for spam"),
        pytest.param("TEXT", 451, PASSING, Scope.CHANNEL, id="not now"),
    ],
)
def test_smtp(phase: str, code: int, retryable: bool, scope: Scope) -> None:
    result = refused(seen("smtp", phase=phase, status=code, answer="no"))
    assert (result.retryable, result.scope, result.ambiguous) == (retryable, scope, False)


@pytest.mark.parametrize(
    "fault",
    "dns tls timeout refused reset unreachable unsupported encoding failed".split(),  # noqa: SIM905
)
@pytest.mark.parametrize("handed_over", [False, True])
@pytest.mark.parametrize("protocol", ["http", "smtp"])
def test_no_answer(protocol: str, fault: str, handed_over: bool) -> None:
    result = refused(seen(protocol, fault=fault, handed_over=handed_over))
    assert (result.retryable, result.scope) == (PASSING, Scope.CHANNEL)
    assert result.ambiguous is handed_over
    assert len(result.detail) > 10


def test_nothing_tried_is_the_fault_of_the_message() -> None:
    result = refused(seen(""))
    assert (result.retryable, result.scope, result.ambiguous) == (PASSING, Scope.MESSAGE, False)


def test_an_address_apprise_cannot_use_stops_the_channel() -> None:
    result = refused({"accepted": False, "unusable": "apprise cannot use it"})
    assert (result.retryable, result.scope) == (FOR_GOOD, Scope.CHANNEL)


@pytest.mark.parametrize(
    ("status", "header", "expected"),
    [
        pytest.param(429, "7", timedelta(seconds=7), id="seconds"),
        pytest.param(503, "7", timedelta(seconds=7), id="503 as well"),
        pytest.param(429, None, timedelta(minutes=1), id="429 without one: a minute"),
        pytest.param(503, None, None, id="503 without one: our own back-off"),
        pytest.param(429, "0", timedelta(seconds=1), id="none at all: a second"),
        pytest.param(429, "9" * 400, timedelta(days=1), id="absurd: a day"),
        pytest.param(429, "Thu, 13 Feb 2025 10:02:00 GMT", timedelta(minutes=2), id="a date"),
        pytest.param(429, "Thu, 13 Feb 2020 10:02:00 GMT", timedelta(seconds=1), id="a past date"),
        pytest.param(429, "Thu, 99 Foo", timedelta(minutes=1), id="nonsense"),
        pytest.param(429, "-5", timedelta(minutes=1), id="negative"),
        pytest.param(
            429, "Thu, 13 Feb 2025 10:02:00", timedelta(minutes=2), id="date without zone"
        ),
    ],
)
def test_retry_after(status: int, header: str | None, expected: timedelta | None) -> None:
    assert refused(seen(status=status, retry_after=header)).retry_after == expected


def test_the_detail_is_one_harmless_line() -> None:
    hostile = "no\r\nsuch\x1b[31m user\u2028" + "x" * 500
    detail = refused(seen("smtp", phase="RCPT", status=550, answer=hostile)).detail
    assert detail.startswith("it answers 550 no such [31m user xxx")
    assert detail.isprintable()
    assert len(detail) <= DETAIL_LENGTH
