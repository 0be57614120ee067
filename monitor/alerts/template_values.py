"""What people's own templates are given: tellings as plain dicts, lists and strings.  Pure.

The names are documented in docs/templates.md; a test compares the two.  Names that are ``html`` or
end in ``_html`` hold HTML made here, with the hits in ``<mark>``; all other texts are as they came
and are escaped by mail.html itself.
"""

from __future__ import annotations

from html import escape
from typing import Any

from monitor.alerts.company import News
from monitor.alerts.layout import Layout
from monitor.alerts.lines import Runs
from monitor.alerts.plain import marked
from monitor.alerts.telling import Telling
from monitor.model import AlertKind

Values = dict[str, Any]


def values_of(layout: Layout, *, now: str) -> Values:
    """The names a template may use; *now*: the message's moment, in words."""
    told = layout.told
    return {
        "subject": layout.subject,
        "now": now,
        "intro": list(layout.intro),
        "stories": [_story(each) for each in told if each.kind is AlertKind.STORY],
        "notices": [_notice(each) for each in told if each.kind is AlertKind.OPERATOR],
        "digest": next((_digest(each) for each in told if each.kind is AlertKind.DIGEST), None),
    }


def _story(telling: Telling) -> Values:
    return {
        "title": telling.title,
        "title_marked": marked(telling.headline),
        "title_html": _html(telling.headline),
        "rule": telling.rule,
        "url": telling.url,
        "outlet": telling.outlet,
        "when": telling.when,
        "facts": telling.facts,
        "sentences": [_text(sentence) for sentence in telling.sentences],
        "news": [_news(each) for each in telling.news],
        "also": list(telling.also),
        "labels": list(telling.labels),
        "reasons": list(telling.reasons),
        "ids": list(telling.ids),
        "severity": telling.severity.label,
        "tag": telling.tag,
    }


def _notice(telling: Telling) -> Values:
    return {
        "title": telling.title,
        "when": telling.when,
        "paragraphs": list(telling.paragraphs),
        "ids": list(telling.ids),
        "severity": telling.severity.label,
        "tag": telling.tag,
    }


def _digest(telling: Telling) -> Values:
    return {"title": telling.title, "paragraphs": list(telling.paragraphs), "ids": [*telling.ids]}


def _text(runs: Runs) -> Values:
    text = "".join(run.text for run in runs)
    return {"text": text, "marked": marked(runs), "html": _html(runs)}


def _news(news: News) -> Values:
    return {**_text(news.text), "url": news.url}


def _html(runs: Runs) -> str:
    return "".join(
        f"<mark>{escape(run.text)}</mark>" if run.hit else escape(run.text) for run in runs
    )
