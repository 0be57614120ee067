"""What commands say of articles: read, waiting, not to be had, not asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.cli import invoke
from monitor.cli.check import _unread
from monitor.config import load
from monitor.model import Article, ArticleState, Outcome, Revision
from monitor.store.sqlite import SqliteStore
from tests.builders import NOW, a_feed, an_entry, an_outcome, feed_settings, minutes

CONFIG = """
[monitor]
database = "monitor.db"
timezone = "Europe/Brussels"
[[feeds]]
name = "Example Defence"
url = "https://feeds.example.org/defence.xml"
content = "article"
"""
ENTRY = an_entry(summary="A teaser.")
QUEUED = Article(entry_id=ENTRY.id, host="www.example.org", due_at=NOW)
READ = Revision(entry=replace(ENTRY, content="All of it."), changed_at=NOW)

Says = Callable[..., str]


@pytest.fixture
def says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Says:
    """What a command prints once the article of ENTRY has come to a state."""
    (tmp_path / "config.toml").write_text(CONFIG)

    store = SqliteStore.open(str(tmp_path / "monitor.db"))
    store.sync_feeds([feed_settings()], NOW)
    (feed,) = store.claim_due(0, 1, NOW, minutes(10))
    store.commit([an_outcome(ENTRY, feed=feed, articles=(QUEUED,))])
    store.close()

    def said(article: Article, *command: str) -> str:
        store = SqliteStore.open(str(tmp_path / "monitor.db"))
        done = article.state is ArticleState.DONE
        changes = Outcome(feed=a_feed(), revisions=(READ,)) if done else None
        store.settle_article(article, changes)
        store.close()
        assert invoke([*command, "--config", str(tmp_path / "config.toml")]) == 0
        return capsys.readouterr().out

    return said


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        pytest.param(
            {"state": ArticleState.DONE},
            ["Full text, read from the page 2025-02-13 11:00", "All of it."],
            id="read",
        ),
        pytest.param(
            {"state": ArticleState.FAILED, "detail": "the page is not open to us"},
            ["Only the text of the feed: the page is not open to us", "A teaser."],
            id="not to be had",
        ),
        pytest.param(
            {"due_at": NOW + minutes(5), "detail": "no answer in time"},
            ["The page is still to be read, 2025-02-13 11:05 at the earliest: no answer in time"],
            id="waiting",
        ),
    ],
)
def test_an_entry_says_whose_text_it_shows(
    says: Says, changes: dict[str, object], lines: list[str]
) -> None:
    article = replace(QUEUED, **changes)  # type: ignore[arg-type]
    assert set(lines) <= set(says(article, "entries", "show", ENTRY.id).splitlines())


def test_the_teaser_is_not_taken_for_an_earlier_version(says: Says) -> None:
    text = says(replace(QUEUED, state=ArticleState.DONE), "entries", "show", ENTRY.id)
    assert "Until 2025-02-13 11:00, when its full text was read, it said:" in text


def test_status_counts_articles(says: Says) -> None:
    assert "Articles: 0 read, 1 waiting, 0 not to be had." in says(QUEUED, "status")
    value = json.loads(says(QUEUED, "status", "--json"))
    assert value["articles"] == {"installed": True, "queued": 1, "done": 0, "failed": 0}


def test_check_says_once_that_articles_cannot_be_read(tmp_path: Path) -> None:
    second = '[[feeds]]\nname = "b"\nurl = "https://b.example/"\ncontent = "article"\n'
    (tmp_path / "config.toml").write_text(CONFIG + second)
    (problem,) = _unread(load(tmp_path / "config.toml", {}))
    assert str(problem).endswith(
        'config.toml:5: warning: feed "Example Defence": articles cannot be read, only what the'
        " feed gives; install the extra: .venv/bin/pip install -e '.[article]'"
    )
