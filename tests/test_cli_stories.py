"""``stories list|show|split|join`` as people type them."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.cli import invoke
from monitor.model import Entry, Hit, Match, Outcome, Story
from monitor.settings import FeedSettings
from monitor.store.sqlite import SqliteStore
from tests.builders import NOW, a_delivery, a_placement, a_rule, an_alert, an_entry

CONFIG = """
[monitor]
database = "monitor.db"
timezone = "Europe/Brussels"

[[feeds]]
name = "Reuters"
url = "https://reuters.example/feed"

[[channels]]
name = "desk"
url = "terminal://"
"""
RULES = """
[[rule]]
name = "ukraine"
any = ["Ukraine"]
"""
TITLES = ("Ukraine gets Patriots", "Patriots for Ukraine approved", "Ukraine ships grain")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A story of three entries, the last of which does not belong; it was alerted once."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.toml").write_text(RULES)
    store = SqliteStore.open(str(tmp_path / "monitor.db"))
    store.sync_feeds([FeedSettings(name="Reuters", url="https://reuters.example/feed")], NOW)
    (feed,) = store.claim_due(0, 1, NOW, timedelta(minutes=10))
    entries = [
        an_entry(
            title,
            feed=feed,
            key=f"g:{n}",
            url=f"https://reuters.example/{n}",
            first_seen_at=NOW + timedelta(hours=n),
        )
        for n, title in enumerate(TITLES)
    ]
    first = entries[0]
    story = Story(
        id=first.id,
        title=first.title,
        opened_at=NOW,
        last_entry_at=NOW + timedelta(hours=2),
        entries=3,
        outlets=("reuters.example",),
    )
    placements = [a_placement(first)]
    placements.append(a_placement(entries[1], first.id, copy_of=first.id, containment=0.87))
    because = ("ukraine", "patriot")
    placements.append(a_placement(entries[2], first.id, because=because, gap=timedelta(hours=1)))
    alert = an_alert(first, a_rule("ukraine"))
    outcome = Outcome(
        feed=replace(feed, baseline_at=NOW),
        entries=tuple(entries),
        stories=(story,),
        placements=tuple(placements),
        matches=tuple(a_match(entry) for entry in entries),
        alerts=(alert,),
        deliveries=(a_delivery(alert),),
    )
    assert store.commit([outcome]) == [True]
    store.close()
    return path


def a_match(entry: Entry) -> Match:
    hit = Hit(field="title", start=0, end=7, term="Ukraine")
    return Match(rule=a_rule("ukraine"), entry_id=entry.id, hits=(hit,))


def run(config: Path, *arguments: str) -> int:
    return invoke(["--config", str(config), "stories", *arguments])


def listed(config: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    assert run(config, "list", "--json") == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_stories_are_listed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "list", "--alerted") == 0
    text = capsys.readouterr().out
    assert "2025-02-13 13:00" in text
    assert TITLES[0] in text


def test_a_story_is_shown_with_its_reasons(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (story,) = listed(config, capsys)
    assert run(config, "show", str(story["id"])[:8]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == TITLES[0]
    assert lines[3].endswith(f"Reuters: {TITLES[0]}")
    assert lines[4].endswith(f"Reuters: {TITLES[1]}  (same text, 87 %)")
    assert lines[5].endswith(f"Reuters: {TITLES[2]}  (joined: ukraine, patriot; 1 h apart)")
    assert "rule ukraine" in lines[7]


def test_an_alert_is_shown_with_the_other_outlets(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(SqliteStore.read_only(str(config.parent / "monitor.db"))) as store:
        (alert,) = store.alerts()
    assert invoke(["--config", str(config), "alerts", "show", alert.id]) == 0
    text = capsys.readouterr().out
    assert "Same text: Reuters 12:00, 87 %" in text
    assert "Also: Reuters 13:00: Ukraine ships grain (joined:" in text


def test_a_split_parts_entries_and_tells_what_was_hidden(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (story,) = listed(config, capsys)
    with closing(SqliteStore.read_only(str(config.parent / "monitor.db"))) as store:
        third = store.members(str(story["id"]))[2]
    assert run(config, "split", str(story["id"]), third.entry_id) == 0
    text = capsys.readouterr().out
    assert f"2 entries, {TITLES[0]}" in text
    assert f"1 entry, {TITLES[2]}" in text
    assert f"is raised, it had been hidden: rule ukraine, {TITLES[2]}" in text
    assert [each["entries"] for each in listed(config, capsys)] == [1, 2]
    assert run(config, "show", str(story["id"])) == 0  # the old id still leads to it
    assert TITLES[0] in capsys.readouterr().out


def test_the_entry_that_founded_a_story_opens_its_own_when_it_was_taken_out(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (story,) = listed(config, capsys)
    founder = str(story["id"])
    assert run(config, "split", founder, founder) == 0
    capsys.readouterr()
    for name in (founder, founder[:-1]):
        assert run(config, "show", name) == 0
        text = capsys.readouterr().out
        assert TITLES[0] in text
        assert TITLES[1] not in text
        assert invoke(["--config", str(config), "entries", "show", name]) == 0
        capsys.readouterr()


def test_what_was_split_can_be_joined_again(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (story,) = listed(config, capsys)
    with closing(SqliteStore.read_only(str(config.parent / "monitor.db"))) as store:
        third = store.members(str(story["id"]))[2]
    assert run(config, "split", str(story["id"]), third.entry_id) == 0
    assert run(config, "join", str(story["id"]), third.entry_id) == 0
    assert f"3 entries, {TITLES[0]}" in capsys.readouterr().out
    (joined,) = listed(config, capsys)
    with closing(SqliteStore.read_only(str(config.parent / "monitor.db"))) as store:
        standing = store.standings([str(joined["id"])])[str(joined["id"])]
        assert list(standing.alerts) == ["ukraine"]
        states = [d.state.value for a in store.alerts() for d in store.deliveries_of(a.id)]
    assert sorted(states) == ["discarded", "queued"]


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        pytest.param(("show", "ffff"), 'There is no story "ffff"', id="no such story"),
        pytest.param(("split", "STORY", "ffff"), '"ffff" is no entry of this story', id="entry"),
        pytest.param(("split", "STORY", "ALL"), "These are all 3 entries", id="all of it"),
        pytest.param(("join", "STORY", "STORY"), "these are one and the same", id="with itself"),
    ],
)
def test_what_cannot_be_is_said(
    config: Path,
    arguments: tuple[str, ...],
    answer: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (story,) = listed(config, capsys)
    with closing(SqliteStore.read_only(str(config.parent / "monitor.db"))) as store:
        everything = [member.entry_id for member in store.members(str(story["id"]))]
    meant = {"STORY": [str(story["id"])], "ALL": everything}
    words = [word for each in arguments for word in meant.get(each, [each])]
    assert run(config, *words) == 1
    assert answer in capsys.readouterr().err
    assert [each["entries"] for each in listed(config, capsys)] == [3]
