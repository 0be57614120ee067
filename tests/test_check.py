"""``check``: all mistakes at once, where rules go, and whether feeds answer."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from monitor.cli import invoke
from monitor.cli.check import destinations
from monitor.cli.online import switch_on
from monitor.config import load
from monitor.errors import ConfigError
from monitor.model import Severity
from tests.builders import a_rule

RULE = """
[[rule]]
name = "fms"
any = ["FMS"]
must_match = ["FMS case for Norway"]
"""
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Example</title>
<item><title>One</title><link>https://www.example.org/1</link></item></channel></rss>"""


def project(tmp_path: Path, config: str, rules: str = RULE) -> Path:
    (tmp_path / "rules").mkdir(exist_ok=True)
    (tmp_path / "rules/fms.toml").write_text(rules)
    (tmp_path / "config.toml").write_text(config)
    return tmp_path / "config.toml"


def check(path: Path, *arguments: str) -> int:
    return invoke(["check", "--config", str(path), *arguments])


# --- offline


def test_mistakes_of_configuration_and_rules_come_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project(tmp_path, "[monitor]\nopps = 1\n", RULE.replace("any", "anny"))
    monkeypatch.chdir(tmp_path)
    assert check(path) == 2
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("config.toml:2:")
    assert "fms.toml:4:" in second


def test_a_route_for_rules_that_do_not_exist_is_worth_a_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = '[[channels]]\nname = "desk"\nurl = "json://localhost/"\n'
    route = '[[routes]]\nrules = ["fsm"]\nrule_tags = ["arms", "war"]\nchannels = ["desk"]\n'
    path = project(tmp_path, config + route, RULE + 'tags = ["arms"]\n')
    monkeypatch.chdir(tmp_path)
    assert check(path) == 0
    out = capsys.readouterr().out
    assert 'config.toml:4: warning: routes[1].rules: there is no rule "fsm"' in out
    assert 'did you mean "fms"?' in out
    assert 'routes[1].rule_tags: no rule has the tag "war"' in out
    assert '"arms"' not in out


def test_a_rule_with_an_unknown_channel_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = '[[channels]]\nname = "desk"\nurl = "json://localhost/"\n'
    path = project(tmp_path, config, RULE + 'channels = ["desc"]\n')
    assert check(path) == 2
    text = capsys.readouterr().out
    assert "fms.toml:" in text
    assert '"desc"' in text
    assert '"desk"' in text


def test_destinations_depend_on_severity_routes_and_feeds(tmp_path: Path) -> None:
    config = load(
        project(
            tmp_path,
            """
            [monitor]
            default_channels = ["mail"]
            [[feeds]]
            name = "NATO"
            url = "https://nato.example.org/"
            tags = ["official"]
            [[channels]]
            name = "mail"
            url = "json://localhost/1"
            [[channels]]
            name = "slack"
            url = "json://localhost/2"
            [[routes]]
            severity = ["critical"]
            channels = ["mail", "slack"]
            [[routes]]
            feed_tags = ["official"]
            channels = ["slack"]
            """,
        ),
        {},
    )
    assert destinations(a_rule(), config) == "mail; from feeds tagged official: slack"
    assert destinations(a_rule(severity=Severity.CRITICAL), config) == "mail, slack"
    assert destinations(a_rule(channels=()), config) == "nobody, on purpose"


def test_a_template_with_a_mistake_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project(tmp_path, "")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/mail.html").write_text("<p>\n{{ storys }}")
    (tmp_path / "templates/slak.txt").write_text("")
    assert check(path) == 2
    text = capsys.readouterr().out
    assert "templates/mail.html:2: 'storys' is not known; did you mean 'stories'?" in text
    assert 'slak.txt: warning: no message uses a file of this name; did you mean "slack' in text


# --- online


class Outlets(BaseHTTPRequestHandler):
    """/good is a feed, everything else is not there."""

    def do_GET(self) -> None:
        found = self.path.startswith("/good")
        body = FEED.encode() if found else b"gone"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def outlets() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Outlets)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def online(tmp_path: Path, outlets: str, more: str) -> Path:
    return project(
        tmp_path,
        f"""# mine
[poll]
per_host_gap = "0s"
allow_private = ["127.0.0.0/8"]

[[feeds]]
name = "Good"        # the best
url = "{outlets}/good"
{more.replace("OUTLETS", outlets)}""",
    )


def test_feeds_that_answer(
    tmp_path: Path, outlets: str, capsys: pytest.CaptureFixture[str]
) -> None:
    off = '[[feeds]]\nname = "Off"\nurl = "OUTLETS/good-too"\nenabled = false\nreason = "later"\n'
    assert check(online(tmp_path, outlets, off), "--online") == 0
    text = capsys.readouterr().out
    assert "Good\t1 entry" in text
    assert "Switched off, but answering: Off." in text
    assert "2 of 2 feeds answer." in text


def test_a_feed_that_does_not_answer(
    tmp_path: Path, outlets: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = '[[feeds]]\nname = "Dead"\nurl = "OUTLETS/dead"\n'
    assert check(online(tmp_path, outlets, dead), "--online") == 1
    text = capsys.readouterr().out
    assert "404" in text
    assert "1 of 2 feeds answer." in text


def test_where_no_feed_answers_the_network_is_suspected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = '[[feeds]]\nname = "Dead"\nurl = "OUTLETS/dead"\n'
    assert check(online(tmp_path, "http://127.0.0.1:1", dead), "--online") == 1
    text = capsys.readouterr().out
    assert "0 of 2 feeds answer.\nThat is probably this machine's network" in text


def test_switching_on_keeps_comments_and_the_mode_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '# mine\n[[feeds]]\nname = "A"  # first\nurl = "https://a/"\n'
        '[[feeds]]\nname = "B"\nurl = "https://b/"\nenabled = false\nreason = "later"\n'
    )
    path.chmod(0o640)
    switch_on(path, ["B"])
    assert path.read_text() == (
        '# mine\n[[feeds]]\nname = "A"  # first\nurl = "https://a/"\n'
        '[[feeds]]\nname = "B"\nurl = "https://b/"\n'
    )
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_configuration_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[[feeds]]\nname = "A"\nurl = "https://a/"\nenabled = false\n')
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(ConfigError, match="cannot be written"):
            switch_on(path, ["A"])
    finally:
        tmp_path.chmod(0o755)
