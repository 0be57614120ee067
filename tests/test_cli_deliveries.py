"""``deliveries list|show|retry|discard`` as people type them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import invoke
from monitor.model import ChannelState, Delivery, DeliveryState, Finished
from monitor.store.sqlite import SqliteStore
from tests.builders import a_delivery, a_message, a_rule, a_silence, an_alert, an_entry

CONFIG = """
[monitor]
database = "monitor.db"
timezone = "Europe/Brussels"
[[channels]]
name = "desk"
url = "terminal://"
[[channels]]
name = "mail"
url = "terminal://"
"""
S = DeliveryState
STOPPED = ChannelState(
    channel="desk", target="desk", failures=1, last_error="it answers 404", stopped=True
)


@contextmanager
def opened(config: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore.open(str(config.parent / "monitor.db"))) as store:
        yield store


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    opened(path).__enter__().close()
    return path


def put(config: Path, title: str, state: DeliveryState, **changes: Any) -> Delivery:
    """A delivery of an alert called *title* that has come to *state*."""
    now = datetime.now(UTC)
    rule = a_rule(changes.pop("rule", "nato"))
    alert = an_alert(an_entry(title), rule, title=title)
    health = changes.pop("health", None)
    values = {"created_at": now, "due_at": now, "attempts": 5, "last_error": "no answer"}
    row = a_delivery(alert, state=state, **(values | changes))
    with opened(config) as store:
        store.raise_alerts([alert], [row])
        store.finish([Finished(deliveries=(row,), at=now, state=health)])
    return row


def run(config: Path, *arguments: str) -> int:
    return invoke(["--config", str(config), "deliveries", *arguments])


def state_of(config: Path, row: Delivery) -> Delivery:
    with opened(config) as store:
        found = store.delivery(row.id)
    assert found is not None
    return found.delivery


# --- looking


def test_they_are_listed_with_what_became_of_them(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(config, "Sent", S.ACCEPTED)
    put(config, "Parked", S.PARKED, rule="fms")
    put(config, "Held", S.QUEUED, attempts=0, due_at=datetime.now(UTC) + timedelta(days=20))
    assert run(config, "list") == 0
    cells = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    fates = {title: fate for _, _, _, fate, title, _ in cells}
    assert fates["Sent"].startswith("sent ")
    assert fates["Parked"].startswith("given up ")
    assert fates["Parked"].endswith(": parked after five tries: no answer")
    assert fates["Held"].startswith("waiting until ")


@pytest.mark.parametrize(
    ("arguments", "titles"),
    [
        pytest.param([], {"Sent", "Parked", "Muted"}, id="all"),
        pytest.param(["--state", "parked"], {"Parked"}, id="state"),
        pytest.param(["--state", "parked", "--state", "accepted"], {"Parked", "Sent"}, id="states"),
        pytest.param(["--channel", "mail"], {"Parked"}, id="channel"),
        pytest.param(["--rule", "fms"], {"Sent"}, id="rule"),
        pytest.param(["--silence", "5171"], {"Muted"}, id="silence"),
        pytest.param(["--since", "1h"], {"Sent", "Parked"}, id="since"),
        pytest.param(["--limit", "1"], {"Sent"}, id="limit"),
    ],
)
def test_which_are_listed(
    config: Path, arguments: list[str], titles: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    with opened(config) as store:
        store.add_silence(a_silence())
    old = now - timedelta(days=2)
    put(config, "Muted", S.SILENCED, silence_id="5171e0ce00000001", created_at=old)
    put(config, "Parked", S.PARKED, target="mail", created_at=now - timedelta(minutes=5))
    put(config, "Sent", S.ACCEPTED, rule="fms")
    assert run(config, "list", "--json", *arguments) == 0
    assert {each["title"] for each in json.loads(capsys.readouterr().out)} == titles


def test_one_is_shown_with_its_message(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = put(config, "Parked", S.PARKED)
    assert run(config, "show", row.id[:8]) == 0
    assert "Its message is written when it is sent." in capsys.readouterr().out
    with opened(config) as store:
        store.freeze([a_message(delivery=row, subject="[HIGH] Parked", text="All of it")])
    assert run(config, "show", row.id) == 0
    told = capsys.readouterr().out
    assert f"Delivery {row.id} (first) to desk: given up" in told
    assert "[HIGH] Parked\n\nAll of it" in told
    assert run(config, "show", row.id, "--json") == 0
    assert json.loads(capsys.readouterr().out)["message"]["text"] == "All of it"


@pytest.mark.parametrize(
    ("arguments", "code", "answer"),
    [
        pytest.param(["show", "ffff"], 1, 'no delivery "ffff"', id="show"),
        pytest.param(["list", "--channel", "dsk"], 2, 'Did you mean "desk"?', id="channel"),
        pytest.param(["list", "--silence", "ffff"], 1, 'no silence "ffff"', id="silence"),
        pytest.param(["list", "--state", "lost"], 2, "'parked'", id="state"),
        pytest.param(["retry"], 2, "name deliveries by their ids", id="nothing named"),
        pytest.param(["retry", "ffff", "--channel", "desk"], 2, "one of the two", id="both"),
        pytest.param(["retry", "ffff", "--state", "parked"], 2, "with --channel", id="state, id"),
        pytest.param(["retry", "--channel", "dsk"], 2, 'Did you mean "desk"?', id="retry channel"),
        pytest.param(["retry", "--channel", "desk", "--state", "queued"], 2, "queued", id="waits"),
        pytest.param(["discard", "--channel", "desk"], 2, "--state queued", id="discard what"),
        pytest.param(["discard", "ffff", "--yes"], 1, "", id="discard"),
        pytest.param(["retry", "ffff"], 1, "", id="retry"),
    ],
)
def test_what_cannot_be_is_said(
    config: Path,
    arguments: list[str],
    code: int,
    answer: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(config, *arguments) == code
    assert answer in " ".join(capsys.readouterr().err.split())


# --- trying again


@pytest.mark.parametrize("state", [S.REFUSED, S.PARKED, S.EXPIRED, S.SILENCED, S.DISCARDED])
def test_what_was_given_up_is_tried_again(
    config: Path, state: DeliveryState, capsys: pytest.CaptureFixture[str]
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=15)
    row = put(config, "NATO", state, ambiguous=5, created_at=long_ago, due_at=long_ago)
    assert run(config, "retry", row.id[:8]) == 0
    told = capsys.readouterr().out
    assert "1 delivery is queued anew." in told
    assert "within 5 seconds" in told
    after = state_of(config, row)
    assert (after.state, after.attempts, after.ambiguous) == (S.QUEUED, 0, 0)
    assert after.settled_at is None
    with opened(config) as store:
        assert store.expire(datetime.now(UTC)) == []
        (claimed,) = store.claim_deliveries(datetime.now(UTC), 10)
    assert claimed.delivery.id == row.id


def test_a_stopped_target_is_freed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = put(config, "NATO", S.REFUSED, health=STOPPED)
    assert run(config, "retry", row.id) == 0
    assert "desk was stopped (it answers 404); it is tried again." in capsys.readouterr().out
    with opened(config) as store:
        assert len(store.claim_deliveries(datetime.now(UTC), 10)) == 1


def test_a_stopped_channel_is_freed_also_when_everything_still_waits(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(config, "NATO", S.QUEUED, health=STOPPED)
    assert run(config, "retry", "--channel", "desk") == 0
    told = capsys.readouterr().out
    assert "desk was stopped" in told
    assert "What waits for it goes out now" in told
    with opened(config) as store:
        assert len(store.claim_deliveries(datetime.now(UTC), 10)) == 1


def test_all_that_a_channel_gave_up(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [put(config, state.value, state) for state in S]
    other = put(config, "other", S.PARKED, target="mail")
    assert run(config, "retry", "--channel", "desk") == 0
    assert "3 deliveries are queued anew." in capsys.readouterr().out
    assert {row.state for row in rows if state_of(config, row).state is S.QUEUED} == {
        S.QUEUED,
        S.REFUSED,
        S.PARKED,
        S.EXPIRED,
    }
    assert state_of(config, other).state is S.PARKED


def test_a_frozen_message_comes_again_whole_and_unchanged(config: Path) -> None:
    rows = [put(config, title, S.PARKED) for title in ("one", "two")]
    freeze(config, rows)
    assert run(config, "retry", rows[0].id) == 0
    with opened(config) as store:
        claimed = store.claim_deliveries(datetime.now(UTC), 10)
    assert {each.delivery.id for each in claimed} == {row.id for row in rows}
    assert {each.message.text for each in claimed if each.message} == {"both"}


def freeze(config: Path, rows: list[Delivery]) -> None:
    ids = tuple(row.id for row in rows)
    with opened(config) as store:
        store.freeze([a_message(delivery=rows[0], delivery_ids=ids, text="both")])


def test_what_was_discarded_from_a_message_that_was_sent_gets_one_of_its_own(config: Path) -> None:
    sent, discarded = put(config, "one", S.ACCEPTED), put(config, "two", S.DISCARDED)
    freeze(config, [sent, discarded])
    assert run(config, "retry", discarded.id) == 0
    after = state_of(config, discarded)
    assert (after.state, after.message_id) == (S.QUEUED, None)
    assert state_of(config, sent).state is S.ACCEPTED


def test_what_is_still_muted_is_left_and_said(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    with opened(config) as store:
        store.add_silence(a_silence(created_at=now, ends_at=now + timedelta(hours=1)))
    row = put(config, "NATO", S.SILENCED, silence_id="5171e0ce00000001")
    assert run(config, "retry", row.id) == 1
    assert "end that first with: silence end 5171e0ce00000001" in capsys.readouterr().out
    assert state_of(config, row).state is S.SILENCED
    assert invoke(["--config", str(config), "silence", "end", "5171"]) == 0
    assert run(config, "retry", row.id) == 0
    assert state_of(config, row).silence_id == "5171e0ce00000001"  # it stays in the count


@pytest.mark.parametrize(
    ("command", "state", "answer"),
    [
        pytest.param("retry", S.ACCEPTED, "not queued anew: sent", id="retry what was sent"),
        pytest.param("retry", S.CLAIMED, "it is being sent right now", id="retry what is sent"),
        pytest.param("discard", S.ACCEPTED, "not discarded: sent", id="discard what was sent"),
        pytest.param("discard", S.CLAIMED, "it is being sent right now", id="discard what is sent"),
    ],
)
def test_what_is_left_as_it_is(
    config: Path,
    command: str,
    state: DeliveryState,
    answer: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = put(config, "NATO", state)
    arguments = ["--yes"] if command == "discard" else []
    assert run(config, command, row.id, "ffff", *arguments) == 1
    told = capsys.readouterr().out
    assert answer in told
    assert 'There is no delivery "ffff"' in told
    assert state_of(config, row).state is state


# --- discarding


def test_what_waits_is_discarded_and_can_be_taken_back(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "ben")
    rows = [put(config, title, S.QUEUED) for title in ("one", "two")]
    parked = put(config, "three", S.PARKED)
    assert run(config, "discard", "--channel", "desk", "--state", "queued", "--yes") == 0
    assert "2 deliveries are discarded." in capsys.readouterr().out
    assert [state_of(config, row).state for row in (*rows, parked)] == [
        S.DISCARDED,
        S.DISCARDED,
        S.PARKED,
    ]
    assert run(config, "show", rows[0].id) == 0
    assert ": by ben" in capsys.readouterr().out
    assert run(config, "retry", rows[0].id) == 0
    assert state_of(config, rows[0]).state is S.QUEUED


def test_what_stands_in_one_message_is_discarded_together(config: Path) -> None:
    rows = [put(config, title, S.QUEUED) for title in ("one", "two")]
    freeze(config, rows)
    assert run(config, "discard", rows[0].id, "--yes") == 0
    assert {state_of(config, row).state for row in rows} == {S.DISCARDED}


@pytest.mark.parametrize(
    ("typed", "code", "state"),
    [
        pytest.param("y\n", 0, S.DISCARDED, id="yes"),
        pytest.param("n\n", 1, S.QUEUED, id="no"),
        pytest.param("", 1, S.QUEUED, id="nobody is there"),
    ],
)
def test_it_is_asked_first(
    config: Path,
    typed: str,
    code: int,
    state: DeliveryState,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = put(config, "NATO\x1b[2J", S.QUEUED)
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert run(config, "discard", row.id) == code
    captured = capsys.readouterr()
    assert "  desk: NATO�[2J" in captured.out
    assert "Discard 1 delivery?" in captured.out
    assert ("Nothing was changed" in captured.err) is (code == 1)
    assert state_of(config, row).state is state


def test_status_says_how_to_see_what_was_given_up(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(config, "one", S.PARKED)
    put(config, "two", S.REFUSED)
    assert invoke(["--config", str(config), "status"]) == 0
    told = capsys.readouterr().out
    assert "given up: 2." in told
    assert "deliveries list --state parked --state refused" in told


def test_a_retry_keeps_what_the_loop_took_meanwhile(config: Path) -> None:
    row = put(config, "NATO", S.PARKED)
    with opened(config) as store:
        claimed = replace(row, state=S.CLAIMED)
        store.finish([Finished(deliveries=(claimed,), at=datetime.now(UTC))])
        assert store.retry_deliveries([row.id], [], datetime.now(UTC)) == set()
        assert store.discard_deliveries([row.id], "by anna", datetime.now(UTC)) == set()
