"""``feeds add|remove|pause|resume|show|list|import|export``, as people type them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from monitor import config as configuration
from monitor.cli import invoke
from monitor.configedit import names_in
from monitor.feeds.opml import Outline, write
from tests.test_cli import config, stored  # noqa: F401 - fixtures

ROOT = Path(__file__).parents[1]
CONFIG = """# mine
[monitor]
feeds_from = ["shared.opml"]

[poll]
per_host_gap = "0s"
allow_private = ["127.0.0.0/8"]

[[feeds]]
name = "Old Times"            # since 2019
url = "http://user:canary-secret@old.example/feed"
tags = ["press", "us"]

[[feeds]]
name = "Asleep"
url = "https://asleep.example/feed"
enabled = false               # for now
reason = "it moved"

# --- the end
"""
RULES = '[[rule]]\nname = "nato"\nany = ["NATO"]\n[[rule]]\nname = "us"\nany = ["x"]\ntag = "us"\n'
SITE = (
    '<html><link rel=alternate type="application/rss+xml" href="/main">'
    '<link rel=alternate type="application/rss+xml" href="/talk"></html>'
)


def document(title: str) -> str:
    date = format_datetime(datetime.now(UTC))
    return (
        f'<rss version="2.0"><channel><title>{title}</title><language>en</language><item>'
        f"<title>NATO meets</title><guid>1</guid><pubDate>{date}</pubDate></item></channel></rss>"
    )


PAGES = {"/": SITE, "/main": document("Daily"), "/talk": document("Talk"), "/json": "{}"}


class Site(BaseHTTPRequestHandler):
    """A site with two feeds; /403 refuses, what is not there is not there."""

    def do_GET(self) -> None:
        body = PAGES.get(self.path, "").encode()
        self.send_response(403 if self.path == "/403" else 200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/r.toml").write_text(RULES)
    listed = Outline(url="https://shared.example/feed", name="Shared")
    (tmp_path / "shared.opml").write_bytes(write("theirs", [listed]))
    (tmp_path / "config.toml").write_text(CONFIG)
    return tmp_path / "config.toml"


Feeds = Callable[..., tuple[int, str]]


@pytest.fixture
def feeds(path: Path, capsys: pytest.CaptureFixture[str]) -> Feeds:
    """Runs ``feeds …``: exit code and all that was said."""

    def run(*arguments: str) -> tuple[int, str]:
        code = invoke(["--config", str(path), "feeds", *arguments])
        told = capsys.readouterr()
        assert "canary" not in told.out + told.err
        assert "Traceback" not in told.err
        return code, told.out + told.err

    return run


def remarks(text: str) -> int:
    return sum("# " in line for line in text.splitlines())


# --- add


def test_a_feed_is_shown_and_written(feeds: Feeds, path: Path, site: str) -> None:
    more = ("--tag", "us", "--tag", "eu", "--interval", "90m", "--yes")
    code, said = feeds("add", f"http://{site}/main", *more)
    assert code == 0
    assert "Title     Daily" in said
    assert "nato: NATO meets (because of: NATO)" in said
    assert '"Daily" is in config.toml:20 now. A running monitor takes it over' in said
    assert CONFIG.partition("\n# --- the end")[0] in path.read_text()
    assert remarks(path.read_text()) == remarks(CONFIG)
    added = configuration.load(path, {}).feeds[2]
    assert (added.name, added.url, sorted(added.tags), str(added.interval)) == (
        "Daily",
        f"http://{site}/main",
        ["eu", "us"],
        "1:30:00",
    )


def test_of_several_one_must_be_picked(feeds: Feeds, path: Path, site: str) -> None:
    code, said = feeds("add", site)
    assert code == 2
    assert "1\tDaily\t1 entry" in said
    assert "2\tTalk\t1 entry" in said
    assert "Choose one with --pick N." in said
    assert path.read_text() == CONFIG
    code, said = feeds("add", f"http://{site}", "--pick", "2", "--name", "Chat", "--yes")
    assert (code, names_in(path.read_text())) == (0, ["Old Times", "Asleep", "Chat"])
    assert "/talk (named by the page)" in said


def test_nothing_is_written_without_a_word(feeds: Feeds, path: Path, site: str) -> None:
    code, said = feeds("add", f"http://{site}/main")
    assert code == 2
    assert "Nothing was written: add --yes" in said
    assert path.read_text() == CONFIG


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["http://old.example/feed/"], 2, 'config.toml:9 already, as "Old', id="twice"),
        pytest.param(
            ["asleep.example/feed"], 2, '(it moved). Switch it on with: feeds resume "', id="asleep"
        ),
        pytest.param(
            ["https://shared.example/feed"], 2, 'in shared.opml:7 already, as "', id="OPML"
        ),
        pytest.param(["x.example", "--name", "old times"], 2, "another name", id="name"),
        pytest.param(["x.example", "--interval", "1s"], 2, "which is 2m", id="too often"),
        pytest.param(["ftp://x.example"], 2, "does not begin with http://", id="ftp"),
        pytest.param(["http://SITE/403"], 1, "HTTP 403", id="403"),
        pytest.param(["http://SITE/404"], 1, "Check it for a typing mistake", id="404"),
        pytest.param(["http://SITE/json"], 1, "feeds are RSS, Atom, RDF or JSON Feed", id="JSON"),
        pytest.param(["http://SITE/main", "--pick", "2"], 2, "only 1 feed found", id="too few"),
        pytest.param(["http://127.0.0.1:1/"], 1, "Seen:    no connection", id="down"),
        pytest.param(["http://10.0.0.1/"], 1, "http://10.0.0.1/ was not asked;", id="private"),
    ],
)
def test_what_cannot_be_added_says_what_was_seen_and_what_to_do(
    feeds: Feeds, path: Path, site: str, arguments: list[str], code: int, said: str
) -> None:
    typed = [each.replace("SITE", site) for each in arguments]
    found, told = feeds("add", *typed, "--yes")
    assert found == code
    assert said in told
    assert path.read_text() == CONFIG


def test_a_feed_that_is_down_is_added_anyway(feeds: Feeds, path: Path) -> None:
    code, said = feeds("add", "http://127.0.0.1:1/x", "--anyway", "--yes", "--name", "Down")
    assert code == 0
    assert "No feed is seen there now: no connection" in said
    assert names_in(path.read_text()) == ["Old Times", "Asleep", "Down"]


def test_at_a_terminal_it_asks_which_and_whether(path: Path, site: str) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, str(ROOT / "run_monitor.py"), "feeds", "add", f"http://{site}"]
    with subprocess.Popen(
        [*command, "--config", str(path)], stdin=theirs, stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.write(ours, b"2\ny\n")
        assert process.wait(30) == 0
    os.close(ours)
    os.close(theirs)
    assert names_in(path.read_text()) == ["Old Times", "Asleep", "Talk"]


# --- remove, pause, resume


def test_a_feed_is_taken_out_and_what_was_taken_is_shown(feeds: Feeds, path: Path) -> None:
    code, said = feeds("remove", "Asleep")
    assert code == 0
    assert 'name = "Asleep"\nurl = "https://asleep.example/feed"\nenabled = false' in said
    assert names_in(path.read_text()) == ["Old Times"]
    assert path.read_text().endswith("# --- the end\n")


def test_what_was_taken_out_is_shown_without_its_secrets(feeds: Feeds, path: Path) -> None:
    proxy = 'proxy = "http://me:canary-proxy@proxy.example:3128"\n'
    path.write_text(CONFIG.replace('tags = ["press"', f'{proxy}tags = ["press"'))
    code, said = feeds("remove", "Old Times")
    assert code == 0
    assert "proxy = " in said
    assert 'name = "Old Times"            # since 2019\nurl = "http://…@old.example/feed"' in said


def test_pausing_and_resuming_keep_every_remark(feeds: Feeds, path: Path) -> None:
    code, said = feeds("pause", "Old Times", "--reason", " too  noisy ")
    assert code == 0
    assert '"Old Times" is switched off in config.toml:9 now: too noisy.' in said
    assert "Rules that ask for it or for one of its tags: us." in said
    paused = configuration.load(path, {}).feeds[0]
    assert (paused.enabled, paused.reason) == (False, "too noisy")
    assert "is switched off already: too noisy." in feeds("pause", "Old Times")[1]
    assert feeds("resume", "Old Times") == (
        0,
        '"Old Times" is watched again. A running monitor takes it over within seconds.\n',
    )
    assert path.read_text() == CONFIG
    assert "is not switched off" in feeds("resume", "Old Times")[1]
    assert feeds("resume", "Asleep")[0] == 0
    assert "# for now" in path.read_text()


@pytest.mark.parametrize("command", ["remove", "pause", "resume", "show"])
def test_a_name_that_is_not_there_gets_a_hint(feeds: Feeds, path: Path, command: str) -> None:
    code, said = feeds(command, "Old Tines")
    assert (code, 'Did you mean "Old Times"?' in said) == (2, True)
    assert path.read_text() == CONFIG


@pytest.mark.parametrize("command", ["remove", "pause", "resume"])
def test_a_feed_of_a_list_says_where_it_comes_from(feeds: Feeds, path: Path, command: str) -> None:
    code, said = feeds(command, "Shared")
    assert code == 2
    assert '"Shared" comes from shared.opml:7, which feeds_from in config.toml names' in said
    assert path.read_text() == CONFIG


# --- show, list


def test_all_that_is_known_before_the_first_poll(feeds: Feeds) -> None:
    code, said = feeds("show", "Old Times")
    assert code == 0
    assert "Old Times  (http://…@old.example/feed)" in said
    assert "State         not polled yet" in said
    assert "From          config.toml:9" in said
    assert "Rules         us" in said
    assert "switched off: it moved" in feeds("show", "Asleep")[1]


def test_all_that_is_known_of_feeds_that_were_polled(
    stored: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert invoke(["--config", str(stored), "feeds", "show", "Dead"]) == 0
    said = capsys.readouterr().out
    assert "State         failing for " in said
    assert "Failures      4 failures in a row, since" in said
    assert "Last success  never" in said
    assert invoke(["--config", str(stored), "feeds", "show", "Example Defence"]) == 0
    said = capsys.readouterr().out
    assert "Entries       1 so far" in said
    assert "Newest " in said
    assert "\x1b" not in said
    assert invoke(["--config", str(stored), "feeds", "show", "--json", "Example Defence"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["entries"], told["failures"], told["source"]) == (1, 0, told["source"])


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([], ["Example Defence", "Dead", "Off"]),
        (["--tag", "press"], ["Example Defence"]),
        (["--state", "failing"], ["Dead"]),
        (["--state", "off", "--state", "healthy"], ["Example Defence", "Off"]),
        (["--state", "new"], []),
        (["--tag", "press", "--state", "failing"], []),
    ],
)
def test_the_list_by_tag_and_state(
    stored: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    names: list[str],
) -> None:
    assert invoke(["--config", str(stored), "feeds", "list", "--json", *arguments]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == names


# --- import, export


def test_a_list_is_imported_and_everything_in_it_is_named(feeds: Feeds, path: Path) -> None:
    outlines = [
        Outline(url="https://a.example/", name="A & B", tags=("world", "us")),
        Outline(url="https://b.example/", name="old times"),
        Outline(url="https://c.example/", name="C", enabled=False),
        Outline(url="https://asleep.example/feed/", name="known"),
        Outline(url="ftp://d.example/", name="D"),
    ]
    Path("l.opml").write_bytes(write("list", outlines))
    code, dry = feeds("import", "l.opml", "--tag", "new", "--dry-run")
    assert code == 0
    assert "3 feeds would be added, 1 watched already, 1 left out." in dry
    assert path.read_text() == CONFIG
    code, said = feeds("import", "l.opml", "--tag", "new")
    assert code == 0
    assert "new\tA & B\tworld, us, new\thttps://a.example/" in said
    assert "known\tAsleep\t" in said
    assert 'l.opml:15: warning: "D": "ftp://d.example/" does not begin with' in said
    assert "3 feeds added to config.toml, 1 watched already, 1 left out." in said
    assert remarks(path.read_text()) == remarks(CONFIG)
    added = {feed.name: feed for feed in configuration.load(path, {}).feeds[2:5]}
    assert list(added) == ["A & B", "old times (b.example)", "C"]
    assert (added["C"].enabled, added["C"].reason) == (False, "commented out in l.opml")
    again = feeds("import", "l.opml")[1]
    assert "no feeds added to config.toml, 4 watched already, 1 left out." in again


def test_a_broken_list_changes_nothing(feeds: Feeds, path: Path) -> None:
    Path("l.opml").write_text("<opml>\n<body><outline xmlUrl='x'></opml>")
    code, said = feeds("import", "l.opml")
    assert code == 2
    assert "l.opml:2: the XML is broken here (mismatched tag)" in said
    assert "correct this line, or export the list again" in said
    assert path.read_text() == CONFIG
    assert "there is no such file" in feeds("import", "none.opml")[1]


def test_what_is_exported_is_known_when_it_is_imported(feeds: Feeds, path: Path) -> None:
    code, said = feeds("export", "out.opml")
    assert code == 0
    assert "3 feeds written to out.opml." in said
    assert "Without the name and password in the address of: Old Times." in said
    text = Path("out.opml").read_text()
    assert "canary" not in text
    assert 'xmlUrl="http://old.example/feed"' in text
    assert feeds("export", "-") == (0, text)
    assert "no feeds added to config.toml, 3 watched already" in feeds("import", "out.opml")[1]
    assert feeds("export", "out.opml")[0] == 0


def test_a_slip_overwrites_nothing_else(feeds: Feeds, path: Path) -> None:
    code, said = feeds("export", "config.toml")
    assert (code, "is there and is not OPML: it was left alone" in said) == (2, True)
    assert path.read_text() == CONFIG
    assert feeds("export", "none/out.opml")[0] == 1
