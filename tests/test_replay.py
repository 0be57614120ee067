"""Series of real documents as successive polls: each entry once, each match told once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import pytest_asyncio

from monitor import ids
from monitor.events import PollKind
from monitor.feeds.parse import Parser
from monitor.model import FailureReason, FetchFailed, Label
from tests.builders import NOW, minutes
from tests.replay import SNAPSHOTS, Ledger, replay, served, snapshots
from tests.thorough import thorough

RULES = """
[[rule]]
name = "everything"
any = ["the", "a", "of", "in", "to", "de", "и", "в", "이", "는"]

[[rule]]
name = "nato"
any = ["NATO", "Ukraine", "submarine"]
"""

# Entries that differ from the ids the corpus counts, and why: its ids are guid, else link.
EXPECTED_ENTRIES = {
    "bbc-top-2021-09": 147,
    "csis-2025-10": 49,
    "latimes-outage-2021-09": 106,
    "npr-2024-04": 521,
    "philstar-mojibake-2021-09": 48,
    "state-department-2022-02": 79,
    "straitstimes-2021-09": 39,
    "theinsider-ru-2025-10": 36,
    "nytimes-us-2021-09": 63,
    "nzherald-2021-09": 125,
    "smh-2021-09": 286,
    "defence-merged-2025-09": 95,
    "newneek-world-ko-2022": 31,
    "reuters-2026-07": 765,
}


# The long ones take a minute and a half together.
LONG = {
    "npr-2024-04",
    "bbc-top-2021-09",
    "defence-merged-2025-09",
    "nytimes-us-2021-09",
    "nzherald-2021-09",
    "reuters-2026-07",
    "smh-2021-09",
    "state-department-2022-02",
}
SERIES = [
    pytest.param(name, marks=thorough) if name in LONG else name
    for name in sorted(EXPECTED_ENTRIES)
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parser() -> AsyncIterator[Parser]:
    parser = Parser()
    yield parser
    await parser.aclose()


def item(n: int, title: str = "", guid: str = "") -> str:
    published = format_datetime((NOW + minutes(n)).astimezone(UTC))
    return (
        f"<item><guid>{guid or n}</guid><title>{title or f'NATO meets {n}'}</title>"
        f"<link>https://news.example/{n}</link><pubDate>{published}</pubDate></item>"
    )


def document(*items: str) -> bytes:
    return f"<rss version='2.0'><channel><title>x</title>{''.join(items)}</channel></rss>".encode()


def assert_told_once(ledger: Ledger) -> None:
    """Every alert was told, one for each story and rule; what came later were updates."""
    sent = [delivery for message in ledger.messages for delivery in message.delivery_ids]
    firsts = [ids.delivery_id(alert.id, "desk", "first", 0) for alert in ledger.alerts]
    assert len(sent) == len(set(sent))
    assert set(firsts) <= set(sent)
    alerts = {(alert.story_id, alert.rule_name) for alert in ledger.alerts}
    assert len(alerts) == len(ledger.alerts)


@pytest.mark.skipif(not SNAPSHOTS.exists(), reason="the corpus is not here")
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("series", SERIES)
async def test_a_real_series(series: str, tmp_path: Path, parser: Parser) -> None:
    polls = snapshots(series)
    ledger = await replay(polls, rules=RULES, folder=tmp_path, parser=parser)
    assert len(ledger.polls) == len(polls)
    assert len(ledger.entries) == EXPECTED_ENTRIES[series]
    assert len({entry.keys[0] for entry in ledger.entries}) == len(ledger.entries)
    assert_told_once(ledger)
    baseline = {entry.id for entry in ledger.entries[-ledger.polls[0].new :]}
    silent = [alert for alert in ledger.alerts if alert.entry_id in baseline]
    assert all(set(alert.labels) & {Label.EDITED, Label.LATE} for alert in silent)


class TestMadeSeries:
    pytestmark = pytest.mark.asyncio(loop_scope="module")

    async def run(self, documents, tmp_path, parser, rules=RULES, **poll) -> Ledger:
        at = [(NOW + minutes(15 * n), each) for n, each in enumerate(documents)]
        return await replay(at, rules=rules, folder=tmp_path, parser=parser, **poll)

    async def test_the_backlog_is_stored_silently(self, tmp_path, parser):
        ledger = await self.run([document(item(-5), item(-9))], tmp_path, parser)
        assert (len(ledger.entries), ledger.alerts, ledger.messages) == (2, [], [])
        assert ledger.polls[0].baseline

    async def test_a_new_entry_is_told_once_however_often_it_is_seen(self, tmp_path, parser):
        first, second = document(item(-5)), document(item(9), item(-5))
        ledger = await self.run([first, second, second, first, second], tmp_path, parser)
        assert [alert.rule_name for alert in ledger.alerts] == ["nato"]
        assert_told_once(ledger)

    async def test_a_title_that_churns_under_one_guid_is_told_once(self, tmp_path, parser):
        documents = [document(item(-5))]
        documents += [
            document(item(9, f"Live: NATO, update {n}", "live"), item(-5)) for n in range(6)
        ]
        ledger = await self.run(documents, tmp_path, parser)
        assert len(ledger.alerts) == len(ledger.messages) == 1

    async def test_an_edit_that_matches_only_now_is_told_as_edited(self, tmp_path, parser):
        documents = [
            document(item(-5, "Old news", "old")),
            document(item(9, "Ministers meet", "m")),
            document(item(9, "Ministers meet at NATO", "m")),
            document(item(9, "Ministers meet at NATO", "m")),
        ]
        ledger = await self.run(documents, tmp_path, parser)
        assert [alert.labels for alert in ledger.alerts] == [(Label.EDITED,)]

    async def test_one_guid_for_all_loses_nothing(self, tmp_path, parser):
        documents = [
            document(*(item(-n, f"NATO {n}", "same") for n in range(1, 4))),
            document(
                item(9, "NATO 9", "same"), *(item(-n, f"NATO {n}", "same") for n in range(1, 4))
            ),
        ]
        ledger = await self.run(documents, tmp_path, parser)
        assert len(ledger.entries) == 4
        assert len(ledger.alerts) == 1

    async def test_a_cut_off_document_saves_no_validators_and_its_rest_comes_later(
        self, tmp_path, parser
    ):
        whole = document(item(20), item(19), item(18))
        cut = whole[: whole.index(b"<title>NATO meets 18") + 12]
        ledger = await self.run([document(item(-5)), cut, whole], tmp_path, parser)
        assert [poll.new for poll in ledger.polls] == [1, 2, 1]
        assert len(ledger.alerts) == 3

    async def test_a_failed_poll_keeps_what_was_known(self, tmp_path, parser):
        down = FetchFailed(reason=FailureReason.HTTP_SERVER, detail="HTTP 500", status=500)
        page = served(b"<html><body>403 ERROR</body></html>", etag='"page"')
        good = document(item(-5))
        ledger = await self.run([good, down, page, good], tmp_path, parser)
        kinds = [poll.kind for poll in ledger.polls]
        assert kinds == [PollKind.NEWS, PollKind.FAILED, PollKind.FAILED, PollKind.UNCHANGED]
        assert ledger.feed is not None
        assert ledger.feed.etag != '"page"'
        assert ledger.alerts == []

    async def test_five_hundred_and_more_entries_are_remembered(self, tmp_path, parser):
        many = document(*(item(-n) for n in range(700)))
        ledger = await self.run([many, many + b" "], tmp_path, parser)
        assert [poll.new for poll in ledger.polls] == [700, 0]

    async def test_first_poll_late_news_is_marked(self, tmp_path, parser):
        ledger = await self.run([document(item(1), item(-60))], tmp_path, parser)
        assert [alert.labels for alert in ledger.alerts] == [(Label.LATE,)]

    async def test_two_rules_on_one_story_are_one_message(self, tmp_path, parser):
        documents = [document(item(-5)), document(item(9, "The NATO meeting"), item(-5))]
        ledger = await self.run(documents, tmp_path, parser)
        assert len(ledger.alerts) == 2
        assert [len(message.alert_ids) for message in ledger.messages] == [2]

    async def test_days_pass_without_a_repeat(self, tmp_path, parser):
        news = document(item(9), item(-5))
        at = [(NOW, document(item(-5)))]
        at += [(NOW + timedelta(days=n), news) for n in range(1, 40, 3)]
        ledger = await replay(at, rules=RULES, folder=tmp_path, parser=parser)
        assert len(ledger.messages) == 1
