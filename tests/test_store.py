"""The contract of the store, on real SQLite files: what any implementation must keep."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor import ids
from monitor.errors import StoreBusy, StoreRefused
from monitor.model import (
    Accepted,
    ChannelState,
    DeliveryState,
    Feed,
    Finished,
    Hit,
    Match,
    Oddity,
    Outcome,
    Revision,
    Rhythm,
    RuleSetRecord,
    Suspicion,
)
from monitor.settings import FeedSettings
from monitor.store.feeds import _DUE, OF_A_HOST, netloc_of
from monitor.store.sqlite import SqliteStore
from tests.builders import (
    NOW,
    a_delivery,
    a_message,
    a_rule,
    an_alert,
    an_entry,
    an_operator_alert,
    an_outcome,
    feed_settings,
    minutes,
)

LEASE = minutes(10)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "data" / "monitor.db")


@pytest.fixture
def store(path: str) -> Iterator[SqliteStore]:
    opened = SqliteStore.open(path, busy_timeout=timedelta(milliseconds=50))
    opened.sync_feeds([feed_settings()], NOW)
    yield opened
    opened.close()


def claimed(store: SqliteStore, now=NOW):
    (feed,) = store.claim_due(0, 10, now, LEASE)
    return feed


def committed(store: SqliteStore, *titles: str, **changes):
    """Entries of *titles*, stored by one poll, each with one alert to one target."""
    feed = claimed(store)
    entries = [an_entry(title, feed=feed) for title in titles]
    alerts = tuple(an_alert(entry) for entry in entries)
    outcome = an_outcome(
        *entries,
        feed=replace(feed, next_poll_at=NOW + minutes(15), polled_at=NOW),
        alerts=alerts,
        deliveries=tuple(a_delivery(alert) for alert in alerts),
        **changes,
    )
    assert store.commit([outcome]) == [True]
    return outcome


def of_hosts(**counts: int) -> list[FeedSettings]:
    """So many feeds of each host."""
    return [
        feed_settings(name=f"{host} {n}", url=f"https://{host}/{n}.xml")
        for host, count in counts.items()
        for n in range(count)
    ]


def host_of(feed: Feed) -> str:
    return feed.url.split("/")[2]


class TestFeeds:
    def test_a_new_feed_is_due_at_once(self, store):
        feed = claimed(store)
        assert (feed.name, feed.added_at, feed.claim) == ("Example Defence", NOW, 1)

    def test_feeds_can_be_read_without_what_was_learnt_of_them(self, store):
        feed = replace(claimed(store), rhythm=Rhythm(listed=20, began_at=NOW))
        assert store.commit([Outcome(feed=feed, learnt=True)]) == [True]
        assert store.feeds() == store.feeds_with([feed.id]) == [feed]
        without = [replace(feed, rhythm=Rhythm())]
        assert store.feeds(rhythms=False) == without
        assert store.feeds_with([feed.id], rhythms=False) == without
        visited = replace(claimed(store, NOW + minutes(60 * 24)), rhythm=Rhythm())
        assert store.commit([Outcome(feed=visited, learnt=False)]) == [True]
        (found,) = store.feeds()
        assert found.rhythm == feed.rhythm, "what learnt nothing takes nothing away"

    def test_a_claimed_feed_is_not_claimed_again_within_its_lease(self, store):
        claimed(store)
        assert store.claim_due(0, 10, NOW + minutes(9), LEASE) == []
        assert claimed(store, NOW + minutes(10)).claim == 2

    def test_clear_claims_makes_it_due_when_it_was(self, store):
        claimed(store)
        store.clear_claims()
        assert store.next_poll_at(0) == NOW

    def test_a_feed_given_back_is_due_when_it_was_unless_claimed_again(self, store):
        first = claimed(store)
        store.give_back([first])
        assert store.next_poll_at(0) == NOW
        second = claimed(store, NOW + minutes(1))
        store.give_back([first])
        assert store.next_poll_at(0) == NOW + minutes(1) + LEASE
        store.give_back([second])
        assert store.next_poll_at(0) == NOW

    @pytest.mark.parametrize(
        ("chosen", "due"),
        [
            ({}, 600),
            ({"interval": minutes(30)}, 30),
            ({"max_interval": minutes(90)}, 90),
            ({"interval": minutes(5)}, 10),
            ({"interval": minutes(900)}, 600),
        ],
        ids=["none", "interval", "longest", "passed already: now", "a longer one waits"],
    )
    def test_a_new_bound_holds_for_the_wait_under_way(self, store, chosen, due):
        feed = replace(claimed(store), polled_at=NOW, next_poll_at=NOW + minutes(600))
        store.commit([Outcome(feed=feed)])
        store.sync_feeds([feed_settings(**chosen)], NOW + minutes(10))
        assert store.next_poll_at(0) == NOW + minutes(due)

    def test_a_new_bound_does_not_hurry_a_feed_that_fails(self, store):
        feed = claimed(store)
        failing = replace(feed, polled_at=NOW, next_poll_at=NOW + minutes(600), failures=5)
        store.commit([Outcome(feed=failing)])
        store.sync_feeds([feed_settings(interval=minutes(5))], NOW + minutes(10))
        assert store.next_poll_at(0) == NOW + minutes(600)

    def test_a_giant_host_does_not_fill_the_batch(self, store):
        store.sync_feeds(of_hosts(giant=40, small=2, other=1), NOW)
        hosts = [host_of(feed) for feed in store.claim_due(0, 6, NOW, LEASE)]
        assert sorted(hosts[:3]) == ["giant", "other", "small"]
        assert sorted(hosts[3:]) == ["giant", "giant", "small"]

    def test_a_host_has_few_feeds_claimed_at_a_time(self, store):
        store.sync_feeds(of_hosts(giant=40), NOW)
        first = store.claim_due(0, 100, NOW, LEASE)
        assert len(first) == OF_A_HOST
        assert store.claim_due(0, 100, NOW, LEASE) == []
        later = NOW + minutes(60)
        store.commit([Outcome(feed=replace(each, next_poll_at=later)) for each in first[:3]])
        assert len(store.claim_due(0, 100, NOW, LEASE)) == 3
        assert len(store.claim_due(0, 100, NOW + LEASE, LEASE)) == OF_A_HOST  # the rest died

    def test_a_host_with_long_pauses_has_fewer_feeds_claimed(self, store):
        store.sync_feeds(of_hosts(giant=9, small=2), NOW)
        found = store.claim_due(0, 100, NOW, LEASE, of_a_host=3)
        assert sorted(map(host_of, found)) == ["giant"] * 3 + ["small"] * 2
        assert store.claim_due(0, 100, NOW, LEASE, of_a_host=3) == []

    def test_feeds_of_some_hosts_only(self, store):
        store.sync_feeds(of_hosts(giant=3, small=1, other=1), NOW)
        quick = {netloc_of("https://giant/1.xml"), netloc_of("https://small")}
        found = store.claim_due(0, 9, NOW, LEASE, quick)
        assert sorted(map(host_of, found)) == ["giant", "giant", "giant", "small"]
        assert store.claim_due(0, 9, NOW, LEASE, quick) == []

    def test_the_longest_waiting_feed_of_a_host_is_first(self, store):
        store.sync_feeds(of_hosts(giant=3), NOW)
        for feed, ago in zip(store.claim_due(0, 3, NOW, LEASE), (1, 3, 2), strict=True):
            store.commit([Outcome(feed=replace(feed, next_poll_at=NOW - minutes(ago)))])
        chosen = {feed.id for feed in store.claim_due(0, 2, NOW, LEASE)}
        (left,) = (f for f in store.feeds() if f.id not in chosen and not f.paused)
        assert NOW - left.next_poll_at == minutes(1)

    def test_due_feeds_are_found_by_the_index(self, store):
        plan = store._db.execute(f"EXPLAIN QUERY PLAN {_DUE}", [0, 1, 2, 3, 4, None]).fetchall()
        found = [row["detail"] for row in plan if " feeds USING " in row["detail"]]
        assert [each.split()[4] for each in found] == ["feeds_leased", "feeds_due", "feeds_due"]
        assert all(each.startswith("SEARCH") and "next_poll_at" in each for each in found)

    def test_a_commit_under_an_old_claim_is_fenced_off(self, store):
        old = claimed(store)
        claimed(store, NOW + minutes(10))
        assert store.commit([an_outcome(an_entry(feed=old), feed=old)]) == [False]
        assert store.entries() == []

    def test_a_poll_planned_absurdly_far_ahead_is_due(self, store):
        feed = claimed(store)
        store.commit([Outcome(feed=replace(feed, next_poll_at=NOW + timedelta(days=18_000)))])
        assert claimed(store).id == feed.id

    def test_what_a_poll_leaves_comes_back(self, store):
        feed = replace(
            claimed(store), etag='W/"ä"', body_hash="ab", failures=2, next_poll_at=NOW + LEASE
        )
        store.commit([Outcome(feed=feed)])
        assert store.feeds() == [feed]

    def test_a_moved_feed_keeps_its_id_and_forgets_its_validators(self, store):
        feed = replace(claimed(store), etag='"1"', body_hash="ab")
        store.commit([Outcome(feed=feed)])
        store.sync_feeds([feed_settings(url="https://new.example.org/rss")], NOW)
        (moved,) = store.feeds()
        assert (moved.id, moved.url, moved.etag) == (feed.id, "https://new.example.org/rss", None)

    def test_a_feed_that_left_the_config_is_paused_and_may_return(self, store):
        store.sync_feeds([], NOW)
        assert store.feeds()[0].paused
        assert store.claim_due(0, 10, NOW, LEASE) == []
        store.sync_feeds([feed_settings()], NOW)
        assert claimed(store).paused is False

    def test_a_poll_does_not_undo_a_rename(self, store):
        feed = claimed(store)
        store.sync_feeds([feed_settings(name="New name", tags=frozenset({"press"}))], NOW)
        store.commit([Outcome(feed=feed)])
        (renamed,) = store.feeds()
        assert (renamed.name, renamed.tags) == ("New name", frozenset({"press"}))

    def test_two_feeds_may_swap_their_names(self, store):
        first, second = "https://a.example/1", "https://a.example/2"
        store.sync_feeds(
            [feed_settings(url=first, name="A"), feed_settings(url=second, name="B")], NOW
        )
        before = {feed.url: feed.id for feed in store.feeds()}
        store.sync_feeds(
            [feed_settings(url=first, name="B"), feed_settings(url=second, name="A")], NOW
        )
        assert {feed.url: feed.id for feed in store.feeds()} == before


class TestIngest:
    def test_entries_come_back_as_they_were(self, store):
        outcome = committed(store, "NATO")
        assert store.entries() == list(outcome.entries)
        assert store.count_entries() == store.count_entries(outcome.feed.id) == 1
        assert store.count_entries("another") == 0

    def test_known_by_any_of_its_keys(self, store):
        feed = claimed(store)
        entry = an_entry(feed=feed, keys=("g:1", "gl:1"))
        store.commit([an_outcome(entry, feed=feed)])
        known = store.known(feed.id, ["gl:1", "g:2"])
        assert {key: each.entry_id for key, each in known.items()} == {"gl:1": entry.id}

    def test_known_tells_rules_that_matched_or_alerted(self, store):
        feed = claimed(store)
        entry = an_entry(feed=feed)
        silent = Match(
            rule=a_rule("silent"),
            entry_id=entry.id,
            hits=(Hit(field="title", start=0, end=4, term="x"),),
        )
        store.commit([an_outcome(entry, feed=feed, matches=(silent,), alerts=(an_alert(entry),))])
        assert store.known(feed.id, entry.keys)[entry.keys[0]].rules == {"silent", "nato"}

    def test_ten_thousand_keys_are_looked_up(self, store):
        outcome = committed(store, "NATO")
        keys = [f"g:{n}" for n in range(10_000)] + [outcome.entries[0].keys[0]]
        assert len(store.known(outcome.feed.id, keys)) == 1

    def test_a_repeated_commit_changes_nothing(self, store):
        outcome = committed(store, "NATO")
        again = replace(outcome, feed=claimed(store, NOW + minutes(20)))
        assert store.commit([again]) == [True]
        assert len(store.entries()) == len(store.alerts()) == 1
        assert store.queue_lengths() == {"queued": 1}

    def test_a_revision_keeps_the_old_text(self, store, path):
        outcome = committed(store, "Ministers meet")
        edited = replace(outcome.entries[0], title="Ministers meet at NATO", fingerprint="new")
        feed = claimed(store, NOW + minutes(20))
        store.commit([Outcome(feed=feed, revisions=(Revision(entry=edited, changed_at=NOW),))])
        assert store.entries()[0].title == "Ministers meet at NATO"
        with closing(sqlite3.connect(path)) as other, other:
            assert other.execute("SELECT title FROM revisions").fetchall() == [("Ministers meet",)]

    def test_one_bad_outcome_takes_nothing_with_it(self, store):
        feed = claimed(store)
        bad = an_outcome(an_entry("\ud800", feed=feed), feed=feed)
        with pytest.raises(UnicodeEncodeError):
            store.commit([bad])
        assert store.entries() == []
        assert store.commit([an_outcome(an_entry("fine", feed=feed), feed=feed)]) == [True]

    @pytest.mark.parametrize("name", ["id", "beginning", "url"])
    def test_an_entry_is_found_by(self, store, name):
        (entry,) = committed(store, "NATO").entries
        asked = {"id": entry.id, "beginning": entry.id[:6], "url": entry.url}[name]
        assert store.entry(asked) == entry

    @pytest.mark.parametrize("name", ["", "*", "?", "zzzz"])
    def test_no_entry_is_found_by(self, store, name):
        committed(store, "NATO", "Kyiv")
        assert store.entry(name) is None


class TestDeliveries:
    def test_due_ones_are_claimed_once(self, store):
        outcome = committed(store, "NATO")
        (queued,) = store.claim_deliveries(NOW, 10, channel="desk")
        assert (queued.alert, queued.message) == (outcome.alerts[0], None)
        assert store.claim_deliveries(NOW, 10, channel="desk") == []

    def test_other_channels_are_left_alone(self, store):
        committed(store, "NATO")
        assert store.claim_deliveries(NOW, 10, channel="mail") == []

    def test_all_rules_of_a_story_come_together_whatever_the_limit(self, store):
        feed = claimed(store)
        entry = an_entry(feed=feed)
        alerts = tuple(an_alert(entry, a_rule(name)) for name in ("a", "b", "c"))
        rows = tuple(a_delivery(alert) for alert in alerts)
        store.commit([an_outcome(entry, feed=feed, alerts=alerts, deliveries=rows)])
        assert len(store.claim_deliveries(NOW, 1, channel="desk")) == 3

    def test_a_frozen_message_comes_back_whole_after_a_restart(self, store, path):
        committed(store, "NATO")
        (queued,) = store.claim_deliveries(NOW, 10)
        message = a_message(delivery=queued.delivery, headers=(("References", "<x@y>"),))
        store.freeze([message])
        store.close()
        again = SqliteStore.open(path)
        again.clear_claims()
        (retried,) = again.claim_deliveries(NOW, 10)
        again.close()
        assert retried.message == message

    def test_finish_records_state_and_health(self, store):
        committed(store, "NATO")
        (queued,) = store.claim_deliveries(NOW, 10)
        done = replace(queued.delivery, state=DeliveryState.ACCEPTED, attempts=1)
        state = ChannelState(channel="desk", target="desk", accepted_at=NOW)
        raised = an_operator_alert()
        finished = Finished(
            deliveries=(done,), result=Accepted(), state=state, at=NOW,
            alerts=(raised,), raised=(a_delivery(raised),),
        )  # fmt: skip
        store.finish([finished])
        store.finish([finished])  # a result recorded twice is recorded once
        assert store.channel_states() == [state]
        assert store.deliveries_of(queued.alert.id)[0].state is DeliveryState.ACCEPTED
        assert store.alert(raised.id) == raised
        assert store.queue_lengths() == {"accepted": 1, "queued": 1}

    @pytest.mark.parametrize(
        "state",
        [
            pytest.param({"stopped": True}, id="refused for good"),
            pytest.param({"not_before": NOW + minutes(1)}, id="asked us to wait"),
        ],
    )
    def test_a_target_that_must_not_be_tried_is_left_out(self, store, state):
        committed(store, "NATO")
        health = ChannelState(channel="desk", target="desk", **state)
        store.finish([Finished(deliveries=(), state=health, at=NOW)])
        assert store.claim_deliveries(NOW, 10) == []

    @pytest.mark.parametrize("targets", [None, ["desk"]])
    def test_a_resumed_target_is_tried_again(self, store, targets):
        committed(store, "NATO")
        health = ChannelState(channel="desk", target="desk", stopped=True, last_error="HTTP 404")
        store.finish([Finished(deliveries=(), state=health, at=NOW)])
        store.resume(["another"])
        assert store.claim_deliveries(NOW, 10) == []
        store.resume(targets)
        assert len(store.claim_deliveries(NOW, 10)) == 1

    def test_next_due_at_waits_for_the_target(self, store):
        committed(store, "NATO")
        assert store.next_due_at() == NOW
        later = ChannelState(channel="desk", target="desk", not_before=NOW + minutes(5))
        store.finish([Finished(deliveries=(), state=later, at=NOW)])
        assert store.next_due_at() == NOW + minutes(5)

    def test_what_has_waited_longest_counts_while_it_is_being_sent(self, store):
        assert store.oldest_waiting_at() is None
        committed(store, "NATO")
        assert store.oldest_waiting_at() == NOW
        claimed = store.claim_deliveries(NOW, 10)
        assert store.oldest_waiting_at() == NOW
        sent = tuple(replace(each.delivery, state=DeliveryState.ACCEPTED) for each in claimed)
        store.finish([Finished(deliveries=sent, at=NOW)])
        assert store.oldest_waiting_at() is None

    def test_after_fourteen_days_it_is_given_up_and_told(self, store):
        outcome = committed(store, "NATO")
        assert store.expire(NOW + timedelta(days=13)) == []
        (gone,) = store.expire(NOW + timedelta(days=14))
        assert (gone.alert_id, gone.state) == (outcome.alerts[0].id, DeliveryState.EXPIRED)
        assert store.queue_lengths() == {"expired": 1}

    def test_alerts_come_back_as_they_were(self, store):
        outcome = committed(store, "NATO")
        assert store.alerts() == list(outcome.alerts)
        assert store.alert(outcome.alerts[0].id[:8]) == outcome.alerts[0]


def test_the_last_good_rules_and_notes_survive(store, path):
    record = RuleSetRecord(version="v2", files={"a.toml": "[lists]\n# ü"}, loaded_at=NOW)
    store.save_rule_set(replace(record, version="v1"))
    store.save_rule_set(record)
    store.set_note("welcomed", "yes")
    store.set_note("gone", "x")
    store.set_note("gone", None)
    store.close()
    again = SqliteStore.read_only(path)
    assert (again.last_rule_set(), again.note("welcomed"), again.note("gone")) == (
        record,
        "yes",
        None,
    )
    again.close()


class TestRefusals:
    def test_a_folder(self, tmp_path):
        with pytest.raises(StoreRefused, match="this is a folder"):
            SqliteStore.open(str(tmp_path))

    def test_a_text_file_is_left_as_it_is(self, tmp_path):
        file = tmp_path / "notes.txt"
        file.write_text("not a database at all, but long enough")
        with pytest.raises(StoreRefused, match="not a database"):
            SqliteStore.open(str(file))
        assert file.read_text().startswith("not a database at all")

    def test_the_database_of_another_program(self, tmp_path):
        file = tmp_path / "other.db"
        with closing(sqlite3.connect(file)) as other, other:
            other.execute("CREATE TABLE theirs (x)")
        before = file.read_bytes()
        with pytest.raises(StoreRefused, match="another program"):
            SqliteStore.open(str(file))
        assert file.read_bytes() == before

    def test_one_from_the_future(self, store, path):
        store.close()
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("PRAGMA user_version = 99")
        with pytest.raises(StoreRefused, match="newer monitor"):
            SqliteStore.open(path)

    def test_a_damaged_one(self, store, path):
        committed(store, *(f"story {n}" for n in range(300)))
        store.close()
        with Path(path).open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * 40_000)
        with pytest.raises(StoreRefused, match="damaged"):
            SqliteStore.open(path)

    def test_nothing_to_read_yet(self, path):
        with pytest.raises(StoreRefused, match="no database yet"):
            SqliteStore.read_only(path)


class TestTrouble:
    """Locked, full, killed: nothing half done, and it works again afterwards."""

    @pytest.fixture
    def locked(self, store, path) -> Iterator[SqliteStore]:
        feed = claimed(store)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        store.locked_feed = feed  # type: ignore[attr-defined]
        yield store
        other.close()

    @pytest.mark.parametrize(
        "write",
        [
            pytest.param(lambda s: s.sync_feeds([], NOW), id="sync_feeds"),
            pytest.param(lambda s: s.clear_claims(), id="clear_claims"),
            pytest.param(lambda s: s.give_back([s.locked_feed]), id="give_back"),
            pytest.param(lambda s: s.set_back(minutes(60), NOW), id="set_back"),
            pytest.param(lambda s: s.claim_due(0, 1, NOW, LEASE), id="claim_due"),
            pytest.param(lambda s: s.commit([Outcome(feed=s.locked_feed)]), id="commit"),
            pytest.param(lambda s: s.raise_alerts([an_alert()], []), id="raise_alerts"),
            pytest.param(lambda s: s.claim_deliveries(NOW, 1), id="claim_deliveries"),
            pytest.param(lambda s: s.freeze([a_message()]), id="freeze"),
            pytest.param(lambda s: s.finish([Finished(deliveries=(), at=NOW)]), id="finish"),
            pytest.param(lambda s: s.expire(NOW), id="expire"),
            pytest.param(lambda s: s.set_note("a", "b"), id="set_note"),
        ],
    )
    def test_locked_by_another_process(self, locked, write):
        with pytest.raises(StoreBusy, match="locked"):
            write(locked)

    def test_reading_goes_on_while_another_writes(self, locked):
        assert len(locked.feeds()) == 1

    def test_it_knows_whether_its_file_is_in_place(self, store, path):
        assert store.is_in_place()
        Path(path).rename(f"{path}.moved")
        assert not store.is_in_place()
        Path(path).write_bytes(b"another")
        assert not store.is_in_place()
        Path(f"{path}.moved").rename(path)
        assert store.is_in_place()

    def test_a_full_disk_loses_nothing_and_passes(self, store):
        feed = claimed(store)
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages + 2}")
        many = [an_entry(f"{n} {'x' * 500}", feed=feed) for n in range(200)]
        with pytest.raises(StoreBusy, match="full"):
            store.commit([an_outcome(*many, feed=feed)])
        assert store.entries() == []
        store._db.execute("PRAGMA max_page_count = 100000")
        assert store.commit([an_outcome(*many, feed=feed)]) == [True]

    def test_killed_inside_a_commit_leaves_both_or_neither(self, path):
        script = textwrap.dedent(
            f"""
            import os, signal
            from monitor.store import outbox
            from monitor.store.sqlite import SqliteStore
            from tests.builders import NOW, a_delivery, an_alert, an_entry, an_outcome
            from tests.builders import feed_settings, minutes

            store = SqliteStore.open({path!r})
            store.sync_feeds([feed_settings()], NOW)
            (feed,) = store.claim_due(0, 1, NOW, minutes(10))
            entry = an_entry(feed=feed)
            alert = an_alert(entry)
            outbox.queue = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
            rows = (a_delivery(alert),)
            store.commit([an_outcome(entry, feed=feed, alerts=(alert,), deliveries=rows)])
            """
        )
        root = Path(__file__).parents[1]
        child = subprocess.run(
            [sys.executable, "-c", script],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            check=False,
        )
        assert child.returncode == -signal.SIGKILL
        store = SqliteStore.open(path)
        store.clear_claims()
        assert (store.entries(), store.alerts()) == ([], [])
        assert claimed(store).body_hash is None  # the feed is due and will be read again
        store.close()


class TestTrapsOfTheLibrary:
    """What sqlite-utils and SQLite do: an upgrade that changes it is noticed."""

    def test_with_conn_round_two_calls_is_not_one_transaction(self, tmp_path):
        from sqlite_utils import Database

        db = Database(tmp_path / "x.db", execute_plugins=False)

        def two_inserts() -> None:
            with db.conn:
                db.table("t").insert({"a": 1})
                raise RuntimeError

        with pytest.raises(RuntimeError):
            two_inserts()
        assert db.table("t").count == 1
        db.close()

    def test_reading_before_writing_fails_at_once_in_wal(self, store, path):
        reader = sqlite3.connect(path, isolation_level=None, timeout=30)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM notes").fetchall()
        store.set_note("a", "b")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            reader.execute("DELETE FROM notes")
        reader.close()


def test_ids_never_depend_on_what_is_stored():
    assert ids.entry_id("f", "k") == ids.entry_id("f", "k") != ids.entry_id("fk", "")


def test_what_was_told_of_a_feed_and_what_a_poll_left_do_not_overwrite_each_other(store) -> None:
    feed = claimed(store)
    odd = Suspicion(oddity=Oddity.CUT_OFF, detail="cut off", title="Defence", entries=20)
    gap = {"gap_from": NOW - minutes(60), "gap_until": NOW}
    left = replace(feed, suspicion=odd, suspected_since=NOW, **gap)
    assert store.commit([an_outcome(feed=left)]) == [True]
    (known,) = store.feeds()
    assert (known.suspicion, known.suspected_since, known.gap_told) == (odd, NOW, False)
    told = replace(known, quiet_since=NOW - minutes(90), gap_told=True, reported=True)
    store.report_feeds([told], [], [])
    assert store.feeds() == [told]
    stale = replace(known, gap_from=NOW)  # a poll that began before they were told
    store.commit([an_outcome(feed=stale)])
    (after,) = store.feeds()
    assert (after.quiet_since, after.reported) == (NOW - minutes(90), True)
    store.report_feeds([told], [], [])
    assert store.feeds()[0].gap_told is False  # of another gap
