"""Messages as plain text: mail's text part, webhooks, phones, and the terminal.  Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from monitor.alerts.company import StoryNews
from monitor.alerts.lines import Runs, shorten
from monitor.alerts.telling import Telling, tellings
from monitor.model import Alert, AlertKind

BETWEEN = "\n\n· · ·\n\n"
TERSE_LENGTH = 70
_MENTION = re.compile(r"(?<![\w/.+-])@(?=[\w&!*])")
_FOR_PROGRAMS = frozenset(("json", "jsons", "xml", "xmls", "form", "forms"))
_FOOTERS = {AlertKind.STORY: "Alert", AlertKind.OPERATOR: "Notice", AlertKind.DIGEST: "Digest"}


def marked(runs: Runs) -> str:
    return "".join(f"»{run.text}«" if run.hit else run.text for run in runs)


def text_of(telling: Telling) -> str:
    """What happened, where and when, the sentence, the link; then why, small."""
    if telling.kind is not AlertKind.STORY:
        return "\n".join((telling.title, *telling.paragraphs, "", footer(telling)))
    return "\n".join((marked(telling.headline), *below_headline(telling)))


def below_headline(telling: Telling) -> tuple[str, ...]:
    """The lines under the headline of a story; what is new in one that is known comes first."""
    return (
        *(line for news in telling.news for line in (marked(news.text), news.url) if line),
        ", ".join(filter(None, (telling.outlet, telling.when))),
        *filter(None, (telling.facts,)),
        *map(marked, telling.sentences),
        *filter(None, (telling.url,)),
        *(f"({label})" for label in telling.labels),
        *telling.also,
        "",
        *telling.reasons,
        footer(telling),
    )


def without_mentions(text: str, kind: str) -> str:
    """*text* for a channel *kind*, such that it calls nobody where "@everyone" would.

    Addresses with an @ stay as they are, and so does what programs read.
    """
    return text if kind in _FOR_PROGRAMS else _MENTION.sub("@\u200b", text)


def brief(telling: Telling) -> str:
    """A story in a digest that is too long to show all of it."""
    return "\n".join(filter(None, (telling.tagged, telling.url, footer(telling))))


def terse(telling: Telling) -> str:
    """A story in a digest that is too long even for that."""
    return f"{telling.tag} {shorten(telling.title, TERSE_LENGTH)} ({', '.join(telling.ids)})"


def heading(text: str) -> str:
    return f"== {text} =="


def footer(telling: Telling) -> str:
    return f"{_FOOTERS[telling.kind]} {', '.join(telling.ids)}"


def terminal_lines(
    alerts: Sequence[Alert], timezone: ZoneInfo, stories: Mapping[str, StoryNews] | None = None
) -> list[str]:
    """How *alerts* look in a message, line by line: plain text, without controls or markup."""
    return BETWEEN.join(map(tagged, tellings(alerts, timezone, stories))).split("\n")


def tagged(telling: Telling) -> str:
    """With the severity first, where no subject shows it: digests, the terminal."""
    if telling.kind is AlertKind.DIGEST:
        return text_of(telling)
    return f"{telling.tag} {text_of(telling)}"
