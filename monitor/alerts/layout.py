"""Tellings in the order of a message: an introduction, then sections by rule.  Pure.

A message about one story has neither; what several are gathered for is said first, and its subject
says so too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from monitor.alerts.bundle import Bundle, Gathered
from monitor.alerts.lines import counted, joined, local_time, one_line, shorten
from monitor.alerts.telling import Telling
from monitor.model import AlertKind, Severity

SUBJECT_LENGTH = 190
OUTLET_LENGTH = 60
THE_MONITOR = "The monitor itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Stories of one rule; without a heading where the message needs none."""

    heading: str
    told: tuple[Telling, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a message shows, top to bottom."""

    subject: str  # one line, under 200 characters, stable for a story
    intro: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()

    @property
    def told(self) -> tuple[Telling, ...]:
        return tuple(each for section in self.sections for each in section.told)

    @property
    def alone(self) -> bool:
        """Whether the subject says already how severe what is told is."""
        return len(self.told) == 1 and not self.intro


def laid_out(told: Sequence[Telling], gathered: Gathered, why: Sequence[str], when: str) -> Layout:
    """*told* as one message.  *why* it comes late or here; *when*: the moment, in words."""
    if gathered is Gathered.STORY:
        labelled = tuple(replace(each, labels=(*each.labels, *why)) for each in told)
        return Layout(subject=_subject(told), sections=(Section(heading="", told=labelled),))
    stories = [each for each in told if each.kind is AlertKind.STORY]
    return Layout(
        subject=_gathered_subject(told, stories, gathered),
        intro=(_intro(told, stories, gathered, when), *map(_sentence, why)),
        sections=_sections(told),
    )


def _sections(told: Sequence[Telling]) -> tuple[Section, ...]:
    """The severest section first; what the monitor says of itself, and of the digest, last."""
    by_rule: dict[str, list[Telling]] = {}
    for each in told:
        heading = {AlertKind.OPERATOR: THE_MONITOR, AlertKind.DIGEST: ""}.get(each.kind, each.rule)
        by_rule.setdefault(heading, []).append(each)
    framing, notices = by_rule.pop("", []), by_rule.pop(THE_MONITOR, [])
    ordered = sorted(by_rule.items(), key=lambda item: (-max(e.severity for e in item[1]), item[0]))
    sections = [
        Section(heading=f"{one_line(rule)} ({len(group)})", told=tuple(group))
        for rule, group in ordered
    ]
    if notices:
        sections.append(Section(heading=THE_MONITOR, told=tuple(notices)))
    if framing:
        sections.append(Section(heading="", told=tuple(framing)))
    return tuple(sections)


# --- in words


def notes(bundle: Bundle, zone: ZoneInfo) -> tuple[str, ...]:
    """Why a message comes late, or here: sentences for its beginning or its labels."""
    found = []
    if bundle.outage is not None:
        begin, end = (local_time(at, zone) for at in bundle.outage)
        found.append(f"late: {bundle.target} took no messages from {begin} to {end}")
    if bundle.instead_of:
        found.append(f"sent here because {joined(bundle.instead_of)} takes no messages")
    return tuple(found)


def _subject(told: Sequence[Telling]) -> str:
    """ "[HIGH] Politico: US commits to …"."""
    first = told[0]
    several = ""
    if len(told) > 1:
        several = f"{len(told)} {'notices' if first.kind is AlertKind.OPERATOR else 'stories'}: "
    return subject_line(f"{first.tag} {several}{_named(first)}")


def _gathered_subject(
    told: Sequence[Telling], stories: Sequence[Telling], gathered: Gathered
) -> str:
    if not stories and gathered is Gathered.DIGEST:
        return subject_line(f"[DIGEST] Nothing matched; {told[0].title}")
    severe = max(stories or told, key=lambda each: each.severity)
    count = _count(told, stories)
    what = {
        Gathered.DIGEST: f"Digest, {count}",
        Gathered.QUIET: f"{count} from quiet hours",
        Gathered.FLOOD: f"{count} at once",
        Gathered.LATE: f"{count}, late",
        Gathered.GAP: f"{count} found late",
    }[gathered]
    return subject_line(f"{severe.tag} {what}: {_named(severe)}")


def _count(told: Sequence[Telling], stories: Sequence[Telling]) -> str:
    """ "3 stories"; of what the monitor says of itself alone "2 notices"."""
    return counted(len(stories), "story", "stories") if stories else counted(len(told), "notice")


def _intro(
    told: Sequence[Telling], stories: Sequence[Telling], gathered: Gathered, when: str
) -> str:
    count = _count(told, stories)
    severe = sum(each.severity >= Severity.HIGH for each in stories)
    grave = f", {severe} of them high or critical" if severe and len(stories) > 1 else ""
    if gathered is Gathered.DIGEST:
        return f"Digest, {when}: {f'{count}{grave}' if stories else 'nothing matched'}."
    if gathered is Gathered.FLOOD:
        return f"Many at once: {count}{grave} in one message instead of one each."
    if gathered is Gathered.QUIET:
        return f"Held during quiet hours, sent {when}: {count}{grave}."
    if gathered is Gathered.GAP:
        return f"Found late, when gaps in feeds were filled from their older pages: {count}{grave}."
    return f"{count[0].upper()}{count[1:]}{grave}, late."


def _sentence(note: str) -> str:
    return f"{note[0].upper()}{note[1:]}."


def _named(telling: Telling) -> str:
    outlet = f"{shorten(telling.outlet, OUTLET_LENGTH)}: " if telling.outlet else ""
    return f"{outlet}{telling.title}"


def subject_line(text: str) -> str:
    # "=?" begins an encoded word: a title that holds one would be decoded by mail programs.
    return shorten(one_line(text).replace("=?", "= ?"), SUBJECT_LENGTH)
