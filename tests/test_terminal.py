"""What commands print."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from monitor.terminal import age, counted, duration, plain, print_json, print_table
from tests.builders import NOW


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=5), "5 s"),
        (timedelta(seconds=119), "119 s"),
        (timedelta(minutes=4), "4 min"),
        (timedelta(hours=1, minutes=59), "119 min"),
        (timedelta(hours=30), "30 h"),
        (timedelta(days=9), "9 d"),
    ],
)
def test_duration(length: timedelta, said: str) -> None:
    assert duration(length) == said


def test_age() -> None:
    assert age(None, NOW) == "never"
    assert age(NOW - timedelta(minutes=4), NOW) == "4 min ago"
    assert age(NOW + timedelta(minutes=4), NOW) == "in 4 min"


def test_what_a_terminal_would_obey_is_shown_instead() -> None:
    assert plain("a\x1b[2Jb\u202ec").plain == "a\ufffd[2Jb\ufffdc"


def test_markup_in_feed_text_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("title",), [("[red]NATO[/red] :smile: [link=x]",)])
    assert "[red]NATO[/red] :smile: [link=x]" in capsys.readouterr().out


def test_in_a_pipe_a_row_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("a", "b"), [("x" * 500, "two\nlines"), ("y", "z\tz")])
    assert capsys.readouterr().out.splitlines() == ["x" * 500 + "\ttwo lines", "y\tz z"]


def test_json_is_ascii_and_knows_our_values(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"at": NOW, "for": timedelta(minutes=1), "tags": frozenset("ba"), "title": "Ł"})
    text = capsys.readouterr().out
    assert text.isascii()
    assert json.loads(text) == {
        "at": "2025-02-13T10:00:00+00:00",
        "for": 60.0,
        "tags": ["a", "b"],
        "title": "Ł",
    }


def test_counted() -> None:
    assert counted(1, "problem") == "1 problem"
    assert counted(0, "problem") == "no problems"
    assert counted(2, "delivery", "deliveries") == "2 deliveries"
