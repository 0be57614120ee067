"""Logging: what comes out, and what must not."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from monitor import logs
from tests.thorough import thorough

SECRET = 'pa"ss wörd/1'


@pytest.fixture(autouse=True)
def _logging_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(logs, "_secrets", [])
    yield
    logs.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def said(capsys: pytest.CaptureFixture[str]) -> str:
    logs.flush()
    return capsys.readouterr().err


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in said(capsys).splitlines()]


def test_without_a_terminal_every_line_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(terminal=False)
    structlog.get_logger().info("polled", feed="NATO", new=3)
    (line,) = lines(capsys)
    assert (line["event"], line["feed"], line["new"], line["level"]) == (
        "polled",
        "NATO",
        3,
        "info",
    )
    assert str(line["timestamp"]).endswith("Z")


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(terminal=False)
    structlog.get_logger().info("polled", feed="Україна\u2028\ud800")
    text = said(capsys)
    assert text.isascii()
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize(
    "say",
    [
        pytest.param(lambda log: log.warning(SECRET), id="message"),
        pytest.param(lambda log: log.warning("sent", detail=SECRET), id="value"),
        pytest.param(lambda log: log.warning("sent", detail=[{"a": SECRET}]), id="nested"),
        pytest.param(lambda _: logging.getLogger("apprise").error("%s", SECRET), id="library"),
    ],
)
def test_secrets_are_never_printed(
    capsys: pytest.CaptureFixture[str], terminal: bool, say: object
) -> None:
    logs.set_up(terminal=terminal)
    logs.register_secrets([SECRET])
    assert callable(say)
    say(structlog.get_logger())
    text = said(capsys)
    assert logs.REDACTED in text
    assert not any(form in text for form in ("ss w", "wörd", "w\\u00f6rd"))


@pytest.mark.parametrize("terminal", [True, False])
def test_tracebacks_show_neither_secrets_nor_local_variables(
    capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    logs.set_up(terminal=terminal)
    logs.register_secrets(["hunter2-long"])
    try:
        hidden = "only-a-local"
        raise ValueError("cannot log in with hunter2-long" + hidden[:0])
    except ValueError:
        structlog.get_logger().exception("failed")
    text = said(capsys)
    assert "cannot log in with [secret]" in text
    assert "only-a-local" not in text.replace('hidden = "only-a-local"', "")


@pytest.mark.parametrize("terminal", [True, False])
def test_feed_text_cannot_forge_a_line(capsys: pytest.CaptureFixture[str], terminal: bool) -> None:
    logs.set_up(terminal=terminal)
    structlog.get_logger().info("polled", title="x\n2025-02-13 error everything is lost\x1b[2J")
    text = said(capsys)
    assert len(text.splitlines()) == 1
    assert "\x1b[2J" not in text


def test_chatty_libraries_are_heard_from_warning_on(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(terminal=False)
    logging.getLogger("httpx").info("HTTP Request: GET https://user:pass@example.org/?key=1")
    logging.getLogger("httpx").warning("odd")
    (line,) = lines(capsys)
    assert (line["event"], line["logger"]) == ("odd", "httpx")


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "apprise", "urllib3.connectionpool"])
@pytest.mark.parametrize("level", [logging.DEBUG, logging.ERROR])
def test_the_chatty_are_not_heard_at_debug_either(name: str, level: int) -> None:
    logs.set_up(terminal=False, level=level)
    heard = logging.getLogger(name)
    assert not heard.isEnabledFor(logging.INFO)
    assert heard.isEnabledFor(logging.WARNING) is (level == logging.DEBUG)


def test_short_words_are_no_secrets() -> None:
    logs.register_secrets(["a", "", "abcd"])
    assert logs.redact("a cat, abcd") == "a cat, [secret]"


def test_a_secret_inside_another_leaves_nothing_over() -> None:
    logs.register_secrets(["abcd"])
    logs.register_secrets(["abcd-efgh"])
    assert logs.redact("abcd-efgh") == "[secret]"


# --- complaints that repeat


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@thorough
def test_a_complaint_a_second_for_a_day_stays_small_and_every_one_is_counted() -> None:
    written: list[str] = []
    clock, log = Clock(), structlog.get_logger()
    logs.set_up(terminal=False, write=written.append, clock=clock)
    for second in range(86_400):
        clock.now = float(second)
        log.error("not sent", target="desk", message=f"m{second}", detail=f"try {second} failed")
        if not second % 3_600:
            logs.flush()
    logs.close()
    assert sum(map(len, written)) < 200_000
    told = [json.loads(line) for line in written]
    assert {line["event"] for line in told} == {"not sent", "repeated"}
    assert sum(line.get("times", 1) for line in told) == 86_400
    count = next(line for line in told if line["event"] == "repeated")
    assert (count["of"], count["target"]) == ("not sent", "desk")
    assert (count["times"], count["within_seconds"]) == (595, 600)


class Unspeakable:
    def __repr__(self) -> str:
        raise ValueError("no words")


@pytest.mark.parametrize("level", ["info", "error"])
def test_what_cannot_be_written_down_stops_nobody(
    capsys: pytest.CaptureFixture[str], level: str
) -> None:
    logs.set_up(terminal=False)
    getattr(structlog.get_logger(), level)("sent", detail=Unspeakable())
    (line,) = lines(capsys)
    assert line["event"] == "a log line could not be made"


def test_what_is_no_complaint_is_not_folded(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(terminal=False)
    for _ in range(3):
        structlog.get_logger().info("polled", feed="NATO")
    assert len(lines(capsys)) == 3


@pytest.mark.parametrize("terminal", [True, False])
def test_what_was_folded_shows_no_secret(
    capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    logs.set_up(terminal=terminal)
    logs.register_secrets([SECRET])
    for _ in range(7):
        structlog.get_logger().error("refused", detail=SECRET)
    logs.close()
    text = capsys.readouterr().err
    assert "repeated" in text
    assert "ss w" not in text


def test_a_traceback_stands_above_its_count(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(terminal=False)
    for number in range(7):
        try:
            raise ValueError(number)
        except ValueError:
            structlog.get_logger().exception("tick failed", tick="poll")
    logs.close()
    first, *_, count = lines(capsys)
    assert "ValueError" in str(first["exception"])
    assert (count["of"], count["times"], count["tick"]) == ("tick failed", 2, "poll")
    assert "exception" not in count
