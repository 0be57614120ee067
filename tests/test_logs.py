"""Logging: what comes out, and what must not."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from monitor import logs

SECRET = 'pa"ss wörd/1'


@pytest.fixture(autouse=True)
def _logging_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(logs, "_secrets", [])
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


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
    text = capsys.readouterr().err
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
    text = capsys.readouterr().err
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
    text = capsys.readouterr().err
    assert "cannot log in with [secret]" in text
    assert "only-a-local" not in text.replace('hidden = "only-a-local"', "")


@pytest.mark.parametrize("terminal", [True, False])
def test_feed_text_cannot_forge_a_line(capsys: pytest.CaptureFixture[str], terminal: bool) -> None:
    logs.set_up(terminal=terminal)
    structlog.get_logger().info("polled", title="x\n2025-02-13 error everything is lost\x1b[2J")
    text = capsys.readouterr().err
    assert len(text.splitlines()) == 1
    assert "\x1b[2J" not in text


def test_chatty_libraries_are_heard_from_warning_on(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(terminal=False)
    logging.getLogger("httpx").info("HTTP Request: GET https://user:pass@example.org/?key=1")
    logging.getLogger("httpx").warning("odd")
    (line,) = lines(capsys)
    assert (line["event"], line["logger"]) == ("odd", "httpx")


def test_short_words_are_no_secrets() -> None:
    logs.register_secrets(["a", "", "abcd"])
    assert logs.redact("a cat, abcd") == "a cat, [secret]"


def test_a_secret_inside_another_leaves_nothing_over() -> None:
    logs.register_secrets(["abcd"])
    logs.register_secrets(["abcd-efgh"])
    assert logs.redact("abcd-efgh") == "[secret]"
