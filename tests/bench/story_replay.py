"""What becomes of real streams: entries, copies, stories, alerts, updates, messages.

    python -m tests.bench.story_replay [STREAM…] [--show N]

Successive documents of real feeds (``shared/corpus/snapshots``) and headlines of many outlets
(``articles``) go through the real poll and deliver loops under a fake clock, with the shipped
rules; what a feed's first document holds counts as news.  Headlines come as entries: each quarter
of an hour the last 20 of every outlet that has new ones.  ``--show N`` prints N stories of several
entries, drawn by seed from all streams, and why each entry joined, to be read by a person.
STREAM: the beginning of a name in the table.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import groupby, islice, zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from monitor.feeds.parse import Parser
from monitor.model import AlertKind, Fetched, Member, Message, ParsedFeed, ParseFailed, RawEntry
from monitor.rules.load import read_folder
from monitor.settings import FeedSettings, FirstPoll
from monitor.store import Store
from tests.bench.labelled import rows
from tests.newsroom import Newsroom
from tests.replay import SNAPSHOTS, config_of, served, snapshots

RULES = Path(__file__).parents[2] / "rules"
VISIT = timedelta(minutes=15)
LISTED = 20  # entries that a feed goes on listing
SEED = 4
ALL = 1_000_000
SHOWN = 12  # entries of a story
HEADLINES = (
    "headlines-2023-07-09_13",
    "us-outlets-2026-08",
    "politico-2023-07_10",
    "bbc-cnn-2022-02_03",
    "google-news-defence-companies",
    "state-department-releases-2021-05_2022-03",
)
COLUMNS = ("entries", "copies", "stories", "alerts", "updates", "messages")

Answer = tuple[datetime, str, bytes | ParsedFeed]  # when, of which feed, what it serves
Members = tuple[Member, ...]  # a story, as people are told of it


class Reads(Parser):
    """The real parser, but for answers that are entries already."""

    def __init__(self) -> None:
        super().__init__()
        self.next: bytes | ParsedFeed = b""

    async def parse(self, fetched: Fetched) -> ParsedFeed | ParseFailed:
        return self.next if isinstance(self.next, ParsedFeed) else await super().parse(fetched)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a stream left in the database."""

    stories: Sequence[Members]
    alerts: Set[str]  # ids of those about stories
    updates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of a stream."""

    figures: Sequence[int]  # in the order of COLUMNS
    shared: Sequence[Members]  # the stories of several entries


# --- the streams


def streams() -> dict[str, Sequence[Answer]]:
    """Answers by stream, in the order of time; series of one month are one newsroom."""
    series: dict[str, list[Answer]] = {}
    for folder in sorted(SNAPSHOTS.iterdir()):
        month = re.search(r"\d{4}(-\d\d)?$", folder.name)
        answers = [(at, folder.name, body) for at, body in snapshots(folder.name)]
        series.setdefault(f"snapshots {month[0] if month else folder.name}", []).extend(answers)
    found: dict[str, Sequence[Answer]] = {
        name: sorted(answers, key=lambda answer: answer[:2]) for name, answers in series.items()
    }
    return found | {name: list(visits(list(rows(name)))) for name in HEADLINES}


def visits(found: Sequence[Mapping[str, Any]]) -> Iterator[Answer]:
    """*found* as what each feed lists every quarter of an hour in which it has news."""
    window: dict[str, tuple[RawEntry, ...]] = {}

    def when(row: Mapping[str, Any]) -> tuple[int, str]:
        return -(-int(_seen_at(row).timestamp()) // int(VISIT.total_seconds())), _feed(row)

    for (number, feed), new in groupby(sorted(found, key=when), when):
        entries = (*(_raw(row) for row in new), *window.get(feed, ()))
        window[feed] = entries[:LISTED]
        at = datetime.fromtimestamp(number * VISIT.total_seconds(), UTC)
        yield at, feed, ParsedFeed(version="rss20", entries=entries)


def _raw(row: Mapping[str, Any]) -> RawEntry:
    return RawEntry(
        guid=row.get("guid"),
        link=row.get("link") or row.get("url"),
        title=row["title"],
        summary=row.get("description") or row.get("summary") or row.get("text"),
        language=row.get("language") or "en",
        published_at=_moment(row["published"]) if row.get("published") else None,
    )


def _seen_at(row: Mapping[str, Any]) -> datetime:
    return _moment(row.get("first_seen") or row["published"])


def _moment(written: str) -> datetime:
    """An ISO date or that of a feed."""
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except ValueError:
        return parsedate_to_datetime(written).astimezone(UTC)


def _feed(row: Mapping[str, Any]) -> str:
    return str(row.get("feed") or row.get("outlet") or row.get("query_company") or "the feed")


# --- replaying


async def replay(answers: Sequence[Answer], folder: Path) -> Replayed:
    names = sorted({feed for _, feed, _ in answers})
    feeds = tuple(
        FeedSettings(url=f"https://feed{n}.example/", name=name) for n, name in enumerate(names)
    )
    config = replace(config_of(folder, first_poll=FirstPoll.ALERT), feeds=feeds)
    reads = Reads()
    room = Newsroom(config, read_folder(str(RULES)), reads, now=answers[0][0])
    await room.start()
    try:
        for number, (at, feed, answer) in enumerate(answers):
            room.clock.now, reads.next = at, answer
            body = answer if isinstance(answer, bytes) else str(number).encode()
            await room.visit(feed, served(body))
        left = await room.store.call(_left)
    finally:
        await room.close()
        await reads.aclose()
    return _counted(left, room.messages)


def _left(store: Store) -> Left:
    stories = store.stories(limit=ALL)
    return Left(
        stories=[store.members(story.id, limit=ALL) for story in stories],
        alerts={each.id for each in store.alerts(limit=ALL) if each.kind is AlertKind.STORY},
        updates=sum(len(store.updates_of(story.id)) for story in stories),
    )


def _counted(left: Left, messages: Sequence[Message]) -> Replayed:
    members = [member for story in left.stories for member in story]
    figures = (
        len(members),
        sum(bool(member.copy_of) for member in members),
        len(left.stories),
        len(left.alerts),
        left.updates,
        sum(not left.alerts.isdisjoint(message.alert_ids) for message in messages),
    )
    return Replayed(figures=figures, shared=[story for story in left.stories if len(story) > 1])


# --- what people read


def line(name: str, figures: Sequence[object], seconds: object) -> str:
    return f"{name:44}" + "".join(f"{figure:>10}" for figure in figures) + f"{seconds:>9}"


def sample(found: Mapping[str, Sequence[Members]], most: int) -> Iterator[tuple[str, Members]]:
    """Up to *most* stories, drawn in turn from the streams."""
    chance = random.Random(SEED)
    drawn = [
        [(name, story) for story in chance.sample(stories, len(stories))]
        for name, stories in found.items()
    ]
    in_turn = (each for turn in zip_longest(*drawn) for each in turn if each)
    return islice(in_turn, most)


def shown(number: int, stream: str, story: Members) -> str:
    return "\n".join([f"\n{number}. {stream}, {len(story)} entries", *map(_member, story[:SHOWN])])


def _member(member: Member) -> str:
    outlet = urlsplit(member.url).hostname or member.outlet
    told = f"  {member.seen_at:%d %b %H:%M}  {outlet}: {member.title}"
    if member.copy_of:
        return f"{told}\n      the same text, {member.containment:.0%}"
    if member.because:
        return f"{told}\n      joined because: {', '.join(member.because)}; {member.gap} apart"
    return told


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("streams", nargs="*", metavar="STREAM")
    arguments.add_argument("--show", type=int, default=0, metavar="N")
    chosen = arguments.parse_args()
    print(line("stream", COLUMNS, "seconds"))
    found = {}
    for name, answers in streams().items():
        if chosen.streams and not name.startswith(tuple(chosen.streams)):
            continue
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            replayed = asyncio.run(replay(answers, Path(folder)))
        found[name] = replayed.shared
        print(line(name, replayed.figures, round(time.perf_counter() - start)), flush=True)
    for number, (name, story) in enumerate(sample(found, chosen.show), start=1):
        print(shown(number, name, story))


if __name__ == "__main__":
    main()
