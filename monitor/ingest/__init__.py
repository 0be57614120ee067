"""New entries + rules + stories → Outcome.  Pure: the one place where the stages meet.

A poll's entries come here in slices; ``combine`` joins the outcomes of the slices.  What an entry
adds to a story that others have told is decided in ``joining``, which entries are new in
``identity``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from monitor.ingest.joining import add_to_story, advanced
from monitor.ingest.reading import nothing, to_read
from monitor.ingest.telling import told
from monitor.model import (
    Entry,
    Feed,
    Known,
    Label,
    Match,
    Outcome,
    Placement,
    Revision,
    Standing,
    Story,
)
from monitor.settings import Config, ContentMode, FirstPoll

Standings = Mapping[str, Standing]


class Matcher(Protocol):
    """What is asked of the rules."""

    def match(self, entry: Entry) -> list[Match]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What holds for a whole poll while its entries are decided on."""

    feed: Feed  # as it was before this poll
    matcher: Matcher
    config: Config
    now: datetime
    rules_since: Mapping[str, datetime] = field(default_factory=dict)  # since when a rule is live
    found_late: frozenset[str] = frozenset()  # ids of entries from older pages
    content: ContentMode = ContentMode.FEED  # where the text of this feed's entries comes from
    worth_reading: Callable[[Entry], bool] = nothing

    @property
    def first_poll(self) -> bool:
        return self.feed.baseline_at is None


def decide(
    new: Sequence[tuple[Entry, Placement]], standings: Standings, situation: Situation
) -> tuple[Outcome, Standings]:
    """What *new* entries change, and the stories as they stand after them."""
    standing = dict(standings)
    parts = []
    for entry, placement in new:
        story_id = placement.told.story_id
        before = standing.get(story_id) or Standing(story=_founded(entry, placement))
        part, standing[story_id] = _decide_one(entry, placement, before, situation)
        parts.append(part)
    return combine(Outcome(feed=situation.feed), parts), standing


def decide_edited(
    edited: Sequence[tuple[Revision, Known]], standings: Standings, situation: Situation
) -> Outcome:
    """What entries change whose words are not those that were stored."""
    revisions = tuple(revision for revision, _ in edited)
    return combine(
        Outcome(feed=situation.feed, revisions=revisions),
        [
            _alerted_again(revision, was, standings, situation, Label.EDITED)
            for revision, was in edited
        ],
    )


def decide_read(
    revision: Revision, was: Known, standings: Standings, situation: Situation
) -> Outcome:
    """What an entry changes that has the text of its page now."""
    outcome = _alerted_again(revision, was, standings, situation, Label.ARTICLE)
    return replace(outcome, revisions=(revision,))


def combine(first: Outcome, others: Iterable[Outcome]) -> Outcome:
    """One outcome of one feed: everything of all of them, in order."""
    parts = (first, *others)
    stories = {story.id: story for part in parts for story in part.stories}  # the latest of each
    return replace(
        first,
        entries=tuple(each for part in parts for each in part.entries),
        revisions=tuple(each for part in parts for each in part.revisions),
        stories=tuple(stories.values()),
        placements=tuple(each for part in parts for each in part.placements),
        matches=tuple(each for part in parts for each in part.matches),
        alerts=tuple(each for part in parts for each in part.alerts),
        updates=tuple(each for part in parts for each in part.updates),
        deliveries=tuple(each for part in parts for each in part.deliveries),
        articles=tuple(each for part in parts for each in part.articles),
    )


def _founded(entry: Entry, placement: Placement) -> Story:
    """The story of which *entry* is the first."""
    return Story(
        id=placement.told.story_id,
        title=entry.title,
        opened_at=entry.first_seen_at,
        last_entry_at=entry.first_seen_at,
        language=entry.language,
        entries=0,
    )


def _decide_one(
    entry: Entry, placement: Placement, before: Standing, situation: Situation
) -> tuple[Outcome, Standing]:
    matches = situation.matcher.match(entry)
    story = advanced(before.story, entry, placement)
    outcome = Outcome(
        feed=situation.feed,
        entries=(entry,),
        stories=(story,),
        placements=(placement,),
        matches=tuple(matches),
    )
    before = replace(before, story=story)
    labels = _labels_of_new(entry, situation)
    if labels is None:  # baseline: the match is remembered, nobody is told
        return outcome, before
    added = add_to_story(entry, placement, matches, before, labels, situation.config, situation.now)
    outcome = replace(
        outcome,
        alerts=added.alerts,
        updates=added.updates,
        deliveries=added.deliveries,
        articles=to_read(entry, situation.content, situation.worth_reading, situation.now),
    )
    return outcome, added.standing


def _labels_of_new(entry: Entry, situation: Situation) -> tuple[Label, ...] | None:
    """Labels of a new entry's alerts; None: it was there before the feed was watched."""
    if entry.id in situation.found_late:
        return (Label.GAP,)
    if not situation.first_poll or situation.config.poll.first_poll is FirstPoll.ALERT:
        return ()
    if entry.published_at is None or entry.published_at < situation.feed.added_at:
        return None
    return (Label.LATE,)


def _alerted_again(
    revision: Revision, was: Known, standings: Standings, situation: Situation, label: Label
) -> Outcome:
    """Rules that fit a changed entry and did not fit it before, and are older than the entry."""
    entry = revision.entry
    standing = standings.get(was.story_id)
    matches = [
        match
        for match in situation.matcher.match(entry)
        if match.rule.name not in was.rules
        and not (standing and match.rule.name in standing.alerts)
        and situation.rules_since.get(match.rule.name, entry.first_seen_at) <= entry.first_seen_at
    ]
    alerts, rows = told(
        entry,
        matches,
        situation.config,
        situation.now,
        story_id=was.story_id,
        labels=(label,),
    )
    return Outcome(feed=situation.feed, matches=tuple(matches), alerts=alerts, deliveries=rows)
