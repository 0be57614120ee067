"""[websub]: what may stand there, and what is said of the rest."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from monitor import config
from monitor.errors import ConfigError
from monitor.settings import WebSubSettings

HEAD = '[[feeds]]\nname = "A"\nurl = "https://a.example/feed"\n[websub]\n'
CALLBACK = 'callback = "https://desk.example.org/websub/"\n'


def read(folder: Path, table: str, **how: bool) -> tuple[config.Config, str]:
    path = folder / "config.toml"
    path.write_text(HEAD + table)
    found, warnings = config.read(path, {}, **how)
    return found, "\n".join(map(str, warnings))


def test_without_the_table_nothing_listens(tmp_path):
    (tmp_path / "config.toml").write_text(HEAD.replace("[websub]", ""))
    assert config.load(tmp_path / "config.toml", {}).websub is None


def test_a_callback_is_enough(tmp_path):
    found, warnings = read(tmp_path, CALLBACK)
    callback = "https://desk.example.org/websub"
    assert found.websub == WebSubSettings(callback=callback, host="127.0.0.1", port=8480)
    assert warnings == ""


def test_a_machine_of_ones_own_may_do_without_tls(tmp_path):
    found, _ = read(tmp_path, 'callback = "http://127.0.0.1:9"\nlisten = "[::1]:9"')
    assert found.websub == WebSubSettings(callback="http://127.0.0.1:9", host="::1", port=9)


@pytest.mark.parametrize(
    ("table", "line", "remedy"),
    [
        ('callback = "http://desk.example.org/"', 5, 'such as "https://desk.example.org/websub"'),
        ('callback = "https://u:p@desk.example.org/"', 5, "without log-in"),
        ('callback = "https://desk.example.org/?a=b"', 5, "without log-in, query"),
        ('callback = "desk.example.org"', 5, 'such as "https://desk.example.org/websub"'),
        (CALLBACK + 'listen = "8480"', 6, 'such as "127.0.0.1:8480"'),
        (CALLBACK + 'listen = "localhost:8480"', 6, 'such as "127.0.0.1:8480"'),
        (CALLBACK + 'listen = "127.0.0.1:0"', 6, 'such as "127.0.0.1:8480"'),
        (CALLBACK + 'listen = "::1:8480"', 6, 'or "[::1]:8480"'),
        (CALLBACK + "port = 1", 6, "port"),
        ('listen = "127.0.0.1:1"', 4, "callback"),
    ],
)
def test_mistakes_are_told_with_line_and_remedy(tmp_path, table, line, remedy):
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, table)
    (problem,) = raised.value.problems
    assert problem.line == line
    assert remedy in str(problem)


def test_an_open_door_is_warned_of(tmp_path):
    found, warnings = read(tmp_path, CALLBACK + 'listen = "0.0.0.0:8480"')
    assert found.websub is not None
    assert "config.toml:6: warning: everybody who reaches 0.0.0.0" in warnings
    assert "let a web server with TLS stand before it" in warnings


def test_without_uvicorn_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ConfigError, match=r"config.toml:4: .*install -e '.\[websub\]'"):
        read(tmp_path, CALLBACK)
    found, warnings = read(tmp_path, CALLBACK, need_secrets=False)
    assert found.websub is not None
    assert "uvicorn is not installed" in warnings
