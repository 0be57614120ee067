"""Messages as plain text: mail's text part, webhooks, phones, and the terminal.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from monitor.alerts.company import StoryNews
from monitor.alerts.lines import Runs
from monitor.alerts.telling import Telling, tellings
from monitor.model import Alert, AlertKind

BETWEEN = "\n\n· · ·\n\n"


def marked(runs: Runs) -> str:
    return "".join(f"»{run.text}«" if run.hit else run.text for run in runs)


def text_of(telling: Telling) -> str:
    """What happened, where and when, the sentence, the link; then why, small."""
    if telling.kind is AlertKind.OPERATOR:
        return "\n".join((telling.title, *telling.paragraphs, "", footer(telling, "Notice")))
    return "\n".join((marked(telling.headline), *below_headline(telling)))


def below_headline(telling: Telling) -> tuple[str, ...]:
    """The lines under the headline of a story."""
    return (
        ", ".join(filter(None, (telling.outlet, telling.when))),
        *filter(None, (telling.facts,)),
        *(line for news in telling.news for line in (marked(news.text), news.url) if line),
        *map(marked, telling.sentences),
        *filter(None, (telling.url,)),
        *(f"({label})" for label in telling.labels),
        *telling.also,
        "",
        *telling.reasons,
        footer(telling, "Alert"),
    )


def brief(telling: Telling) -> str:
    """A story in a digest that is too long to show all of it."""
    return "\n".join(filter(None, (telling.title, telling.url, footer(telling, "Alert"))))


def footer(telling: Telling, word: str) -> str:
    return f"{word} {', '.join(telling.ids)}"


def terminal_lines(
    alerts: Sequence[Alert], timezone: ZoneInfo, stories: Mapping[str, StoryNews] | None = None
) -> list[str]:
    """How *alerts* look in a message, line by line: plain text, without controls or markup."""
    return BETWEEN.join(map(tagged, tellings(alerts, timezone, stories))).split("\n")


def tagged(telling: Telling) -> str:
    """With the severity first, where no subject shows it: digests, the terminal."""
    return f"{telling.tag} {text_of(telling)}"
