"""The HTML part of a mail.  Pure.

All of it is made here and everything from outside is escaped; it loads nothing.  Colours are set
only where they hold on light and dark grounds, type is set in line because many mail programs
throw style sheets away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from urllib.parse import quote

from monitor.alerts import plain
from monitor.alerts.company import News
from monitor.alerts.layout import Layout
from monitor.alerts.lines import ITEM, Runs
from monitor.alerts.telling import Telling
from monitor.model import AlertKind

_PAGE = """\
<!DOCTYPE html>
<html><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{title}</title></head>
<body style="margin:0;padding:16px;font:16px/1.5 -apple-system,'Segoe UI',Roboto,Arial,sans-serif">
<div style="max-width:40em;margin:0 auto">
{parts}
</div></body></html>
"""
_MARK = "background-color:#ffe08a;color:#1a1a1a;padding:0 2px;border-radius:2px"
_HEADLINE = "margin:0 0 4px;font-size:20px;line-height:1.3"
_PLACE = "margin:0 0 10px;color:#767676"
_SMALL = "margin:14px 0 0;font-size:13px;color:#767676"
_SECTION = "margin:26px 0 12px;padding-bottom:4px;border-bottom:2px solid #80808080;font-size:15px"
_LIST = "margin:0 0 10px;padding-left:20px;overflow-wrap:anywhere"
_LINE = '<hr style="border:0;border-top:1px solid #80808080;margin:22px 0">'


def page(layout: Layout, full: int, *, reply_to: str) -> str:
    """The whole HTML document: *full* tellings, then the others by headline only."""
    parts = [_paragraph(escape(line)) for line in layout.intro]
    for section in layout.sections:
        whole, short = section.told[: max(0, full)], section.told[max(0, full) :]
        full -= len(section.told)
        parts += [f'<h3 style="{_SECTION}">{escape(section.heading)}</h3>'] * bool(section.heading)
        told = [_heading(each, alone=layout.alone) + _below(each, reply_to) for each in whole]
        parts.append(f"\n{_LINE}\n".join([*told, *([_listed(short)] if short else [])]))
    return _PAGE.format(title=escape(layout.subject), parts="\n".join(parts))


def _listed(brief: Sequence[Telling]) -> str:
    items = "\n".join(
        f"<li>{escape(each.tag)} {_link(each.title, each.url)}</li>" for each in brief
    )
    ids = ", ".join(id_ for each in brief for id_ in each.ids)
    return f"<ul>\n{items}\n</ul>\n{_small('Alert ' + ids)}"


def _heading(telling: Telling, *, alone: bool) -> str:
    inner = _runs(telling.headline)
    if telling.url:
        inner = f'<a href="{escape(telling.url)}" rel="noopener noreferrer">{inner}</a>'
    tag = "" if alone else f"{escape(telling.tag)} "  # alone, the subject shows it
    return f'<h2 dir="auto" style="{_HEADLINE}">{tag}{inner}</h2>\n'


def _below(telling: Telling, reply_to: str) -> str:
    if telling.kind is not AlertKind.STORY:
        return "\n".join([*_paragraphs(telling.paragraphs), _small(plain.footer(telling))])
    place = ", ".join(filter(None, (telling.outlet, telling.when)))
    reasons = "<br>".join(escape(reason) for reason in telling.reasons)
    return "\n".join(
        [
            f'<p style="{_PLACE}">{escape(place)}</p>',
            *([_paragraph(f"<strong>{escape(telling.facts)}</strong>")] if telling.facts else []),
            *(_paragraph(_news(each)) for each in telling.news),
            *(_paragraph(_runs(sentence)) for sentence in telling.sentences),
            *([_paragraph(_link(telling.url, telling.url))] if telling.url else []),
            *(_paragraph(f"<em>{escape(label)}</em>") for label in telling.labels),
            *([_paragraph("<br>".join(map(escape, telling.also)))] if telling.also else []),
            f'<p style="{_SMALL}">{reasons}<br>Alert {", ".join(telling.ids)}'
            f"{_answers(telling, reply_to)}</p>",
        ]
    )


def _paragraphs(lines: Sequence[str]) -> Iterator[str]:
    """Paragraphs, and lists of the lines that begin as items."""
    for is_item, group in groupby(lines, key=lambda line: line.startswith(ITEM)):
        if is_item:
            items = "".join(f"<li>{escape(line.removeprefix(ITEM))}</li>" for line in group)
            yield f'<ul dir="auto" style="{_LIST}">{items}</ul>'
        else:
            yield from (_paragraph(escape(line)) for line in group)


def _news(news: News) -> str:
    return f"{_runs(news.text)}{f'<br>{_link(news.url, news.url)}' if news.url else ''}"


def _paragraph(inner: str) -> str:
    return f'<p dir="auto" style="margin:0 0 10px;overflow-wrap:anywhere">{inner}</p>'


def _small(text: str) -> str:
    return f'<p style="{_SMALL}">{escape(text)}</p>'


def _runs(runs: Runs) -> str:
    return "".join(
        f'<mark style="{_MARK}">{escape(run.text)}</mark>' if run.hit else escape(run.text)
        for run in runs
    )


def _link(text: str, url: str) -> str:
    if not url:
        return escape(text)
    return f'<a href="{escape(url)}" rel="noopener noreferrer">{escape(text)}</a>'


def _answers(telling: Telling, reply_to: str) -> str:
    """Links that begin an answer to the people who keep the rules."""
    if not reply_to:
        return ""
    links = (
        f'<a href="{escape(_answer(reply_to, verdict, telling))}">{verdict}</a>'
        for verdict in ("irrelevant", "missed something")
    )
    return f"<br>Tell the desk: {' · '.join(links)}"


def _answer(reply_to: str, verdict: str, telling: Telling) -> str:
    subject = quote(f"{verdict}: {' '.join(telling.ids[:5])}", safe="")
    body = quote(f"{telling.title}\n{telling.url}\n\n", safe="")
    return f"mailto:{quote(reply_to, safe='@')}?subject={subject}&body={body}"
