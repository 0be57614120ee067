"""[heartbeat] and [metrics]: what may stand there, and what is said of the rest."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from monitor import config
from monitor.confidential import secrets_of
from monitor.errors import ConfigError
from monitor.settings import Config, HeartbeatSettings, MetricsSettings

HEAD = '[[feeds]]\nname = "A"\nurl = "https://a.example/feed"\n'
URL = "https://hc.example.org/ping/5f3a9c71-canary"


def read(
    folder: Path, table: str, environment: dict[str, str] | None = None, **how: bool
) -> tuple[Config, str]:
    path = folder / "config.toml"
    path.write_text(HEAD + table)
    path.chmod(0o600)
    found, warnings = config.read(path, environment or {}, **how)
    return found, "\n".join(map(str, warnings))


def test_without_the_tables_nobody_is_told_and_nobody_can_ask(tmp_path: Path) -> None:
    found, _ = read(tmp_path, "")
    assert (found.heartbeat, found.metrics) == (None, None)


@pytest.mark.parametrize("written", [f'url = "{URL}"', 'url = "${BEAT}"', 'url_file = "beat"'])
def test_the_heartbeat_is_a_secret_like_any_other(tmp_path: Path, written: str) -> None:
    (tmp_path / "beat").write_text(f"{URL}\n")
    (tmp_path / "beat").chmod(0o600)
    found, warnings = read(tmp_path, f"[heartbeat]\n{written}\n", {"BEAT": URL})
    assert found.heartbeat == HeartbeatSettings(url=URL, interval=timedelta(minutes=5))
    assert warnings == ""
    assert "canary" not in repr(found)
    secrets = secrets_of(found)
    assert {URL, "5f3a9c71-canary"} <= set(secrets)
    assert not any(each in "hc.example.org" for each in secrets)


@pytest.mark.parametrize(
    ("table", "line", "said"),
    [
        ("[heartbeat]", 4, "needs exactly one of url and url_file"),
        (f'[heartbeat]\nurl = "{URL}"\nurl_file = "x"', 4, "needs exactly one of url and"),
        ('[heartbeat]\nurl = "hc.example.org"', 5, "it begins with https://"),
        ('[heartbeat]\nurl = "ftp://hc.example.org/x"', 5, "it begins with https://"),
        ('[heartbeat]\nurl = "${BEAT}"', 5, "BEAT is not set; export it or use url_file"),
        ('[heartbeat]\nurl_file = "none"', 5, "cannot read"),
        (f'[heartbeat]\nurl = "{URL}"\ninterval = "2d"', 6, 'such as "5m"'),
        (f'[heartbeat]\nurl = "{URL}"\ninterval = "0s"', 6, 'such as "5m"'),
        (f'[heartbeat]\nurl = "{URL}"\ninterval = 5', 6, "a number and a unit"),
        ('[metrics]\nlisten = "9464"', 5, 'such as "127.0.0.1:9464"'),
        ('[metrics]\nlisten = "localhost:9464"', 5, 'such as "127.0.0.1:9464"'),
        ('[metrics]\nlisten = "0.0.0.0:9464"', 5, 'hosts = ["monitor.example.org"]'),
        ('[metrics]\nhosts = ["http://monitor"]', 5, "without http:// and port"),
        ('[metrics]\nhosts = ["monitor:9464"]', 5, "without http:// and port"),
        ("[metrics]\nport = 1", 5, "port"),
    ],
)
def test_mistakes_are_told_with_line_and_remedy(
    tmp_path: Path, table: str, line: int, said: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, table)
    (problem,) = raised.value.problems
    assert problem.line == line
    assert said in str(problem)
    assert "canary" not in str(problem)


def test_whoever_only_looks_learns_of_a_heartbeat_without_its_secret(tmp_path: Path) -> None:
    found, warnings = read(tmp_path, '[heartbeat]\nurl = "${BEAT}"\n', need_secrets=False)
    assert found.heartbeat == HeartbeatSettings(url="")
    assert "BEAT is not set" in warnings
    assert secrets_of(found) == ()


def test_a_heartbeat_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "beat").write_text(URL)
    (tmp_path / "beat").chmod(0o644)
    _, warnings = read(tmp_path, '[heartbeat]\nurl_file = "beat"\n')
    assert "everybody on this machine can read" in warnings
    _, warnings = read(tmp_path, '[heartbeat]\nurl = "http://hc.example.org/x"\n')
    assert "the heartbeat goes out unencrypted" in warnings


@pytest.mark.parametrize(
    ("table", "settings"),
    [
        ("[metrics]", MetricsSettings(host="127.0.0.1", port=9464)),
        ('[metrics]\nlisten = "[::1]:1"', MetricsSettings(host="::1", port=1)),
        (
            '[metrics]\nlisten = "10.0.0.7:9464"\nhosts = ["Monitor.lan", "[fd00::1]"]',
            MetricsSettings(host="10.0.0.7", port=9464, hosts=("monitor.lan", "[fd00::1]")),
        ),
    ],
)
def test_where_it_can_be_asked(tmp_path: Path, table: str, settings: MetricsSettings) -> None:
    found, warnings = read(tmp_path, table)
    assert found.metrics == settings
    assert warnings == ""


def test_without_its_libraries_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigError, match=r"config.toml:4: .*install -e '.\[metrics\]'"):
        read(tmp_path, "[metrics]")
    found, warnings = read(tmp_path, "[metrics]", need_secrets=False)
    assert found.metrics is not None
    assert "prometheus-client not installed" in warnings
