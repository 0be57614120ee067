"""``feeds_from``: feeds of OPML files, beside those of config.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor import config
from monitor.configopml import named_in
from monitor.errors import ConfigError
from monitor.feeds.opml import Outline, write

CONFIG = """
[monitor]
feeds_from = ["feeds.opml"]
[[feeds]]
name = "A"
url = "https://a.example/feed"
tags = ["own"]
[[routes]]
feed_tags = ["press"]
channels = ["terminal"]
[[channels]]
name = "terminal"
url = "json://localhost/"
"""


def outlet(name: str, **changes: Any) -> Outline:
    values = {"url": f"https://{name.lower()}.example/feed", "name": name, "tags": ("press",)}
    return Outline(**(values | changes))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(CONFIG)
    return tmp_path


def test_their_feeds_are_watched_and_config_toml_decides_on_its_own(folder: Path) -> None:
    feeds = [outlet("A"), outlet("B"), outlet("C", enabled=False), outlet("a", url="https://x.a")]
    (folder / "feeds.opml").write_bytes(write("mine", feeds))
    read = config.load(folder / "config.toml", {})
    assert [(feed.name, feed.url, sorted(feed.tags), feed.enabled) for feed in read.feeds] == [
        ("A", "https://a.example/feed", ["own"], True),
        ("B", "https://b.example/feed", ["press"], True),
        ("C", "https://c.example/feed", ["press"], False),
        ("a (x.a)", "https://x.a", ["press"], True),
    ]
    assert [feed.source for feed in read.feeds[:2]] == ["config.toml:4", "feeds.opml:9"]
    assert read.feeds[2].reason == "commented out in feeds.opml"
    assert read.feeds_from == (str(folder / "feeds.opml"),)


def test_what_is_no_feed_there_is_a_warning(folder: Path) -> None:
    feeds = [outlet("B"), outlet("X", url="ftp://x.example/")]
    (folder / "feeds.opml").write_bytes(write("mine", feeds))
    read, warnings = config.read(folder / "config.toml", {})
    assert len(read.feeds) == 2
    assert [str(each).partition(";")[0] for each in warnings if "opml" in each.file] == [
        'feeds.opml:9: warning: "X": "ftp://x.example/" does not begin with http:// or https://'
    ]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        pytest.param(None, "feeds.opml: there is no such file", id="none"),
        pytest.param(b"<opml>\n<body", "feeds.opml:2: the XML is broken", id="broken"),
    ],
)
def test_a_broken_list_is_a_mistake_with_its_own_place(
    folder: Path, raw: bytes | None, said: str
) -> None:
    if raw is not None:
        (folder / "feeds.opml").write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        config.load(folder / "config.toml", {})
    (problem,) = caught.value.problems  # and not that the tag in the route is unknown
    assert said in str(problem)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param(CONFIG, ["feeds.opml"], id="named"),
        pytest.param(CONFIG + "oops = 1\n", ["feeds.opml"], id="with a mistake elsewhere"),
        pytest.param("[monitor]\nfeeds_from = 'x'\n", [], id="no list"),
        pytest.param("[monitor\n", [], id="broken"),
        pytest.param("", [], id="none"),
    ],
)
def test_which_lists_a_file_names(folder: Path, text: str, names: list[str]) -> None:
    (folder / "config.toml").write_text(text)
    assert [Path(each).name for each in named_in(folder / "config.toml")] == names
    assert named_in(folder / "none.toml") == ()
