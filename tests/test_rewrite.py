"""config.toml is replaced whole, by what `check` accepts, or not at all."""

from __future__ import annotations

import os
import threading
from functools import partial
from pathlib import Path

import pytest

from monitor.cli.rewrite import rewrite
from monitor.configedit import add_feeds, names_in, remove_feed, switch_off
from monitor.errors import ConfigError, NotWritten

CONFIG = """# mine
[[feeds]]
name = "A"  # the best
url = "https://a.example/"
tags = ["press"]

[[routes]]
feed_tags = ["press"]
channels = ["desk"]

[[channels]]
name = "desk"
url = "${NOT_SET_IN_THIS_SHELL}"
"""
B = {"name": "B", "url": "https://b.example/"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(CONFIG)
    file.chmod(0o640)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/r.toml").write_text('[[rule]]\nname = "r"\nany = ["x"]\nfeed = "A"\n')
    return file


def test_mode_and_remarks_stay_and_nothing_is_left_beside_it(path: Path) -> None:
    assert rewrite(path, partial(add_feeds, tables=[B])) == ()
    assert path.read_text().startswith(CONFIG.partition("\n[[routes]]")[0])
    assert names_in(path.read_text()) == ["A", "B"]
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in path.parent.iterdir()) == ["config.toml", "rules"]


@pytest.mark.parametrize(
    "table",
    [
        pytest.param({"name": "A", "url": "https://b.example/"}, id="a name twice"),
        pytest.param({"name": "B", "url": "https://a.example/"}, id="an address twice"),
        pytest.param({"name": "B", "url": "ftp://b.example/"}, id="no web address"),
        pytest.param({"name": "B", "url": "https://b.example/", "tags": [""]}, id="an empty tag"),
        pytest.param({"name": "B", "url": "https://b.example/", "interval": "1s"}, id="too often"),
    ],
)
def test_what_check_would_refuse_is_not_written(path: Path, table: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        rewrite(path, partial(add_feeds, tables=[table]))
    assert path.read_text() == CONFIG


def test_the_last_feed_with_a_tag_that_a_route_asks_for_stays(path: Path) -> None:
    with pytest.raises(ConfigError, match='no feed has the tag "press"'):
        rewrite(path, lambda text: remove_feed(text, "A")[0])
    assert path.read_text() == CONFIG


def test_what_is_worth_a_look_since_is_said(path: Path) -> None:
    path.write_text(CONFIG.replace('feed_tags = ["press"]\n', ""))
    warnings = rewrite(path, lambda text: remove_feed(text, "A")[0])
    assert any('no feed in config.toml has the name "A"' in str(each) for each in warnings)
    assert any("no feed is watched" in str(each) for each in warnings)


def test_broken_rules_do_not_stand_in_the_way(path: Path) -> None:
    (path.parent / "rules/r.toml").write_text("[[rule")
    rewrite(path, partial(add_feeds, tables=[B]))
    assert names_in(path.read_text()) == ["A", "B"]


def test_an_edit_that_came_in_between_is_not_lost(path: Path) -> None:
    def edit(text: str) -> str:
        path.write_text(text + "# theirs\n")  # an editor saves just now
        return switch_off(text, "A", "")

    with pytest.raises(NotWritten, match="is being edited; nothing was written"):
        rewrite(path, edit)
    assert path.read_text() == CONFIG + "# theirs\n"


def test_two_commands_at_once_both_count(path: Path) -> None:
    def add(number: int) -> None:
        table = {"name": str(number), "url": f"https://{number}.example/"}
        rewrite(path, partial(add_feeds, tables=[table]))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names_in(path.read_text())) == ["0", "1", "2", "3", "A"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_the_wrong_user_is_told_whom_to_be(path: Path) -> None:
    path.parent.chmod(0o555)
    try:
        with pytest.raises(ConfigError, match="cannot be written"):
            rewrite(path, partial(add_feeds, tables=[B]))
    finally:
        path.parent.chmod(0o755)
