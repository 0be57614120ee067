"""The HTML part of a mail.  Pure.

All of it is made here and everything from outside is escaped; it loads nothing.  Type is set in
line, in colours that hold on light and dark grounds, because many mail programs throw style sheets
away; the one there is only makes greys and links clearer where the ground is dark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from urllib.parse import quote

from monitor.alerts import plain
from monitor.alerts.company import News
from monitor.alerts.layout import Layout, Section
from monitor.alerts.lines import ITEM, Runs, host, shorten
from monitor.alerts.telling import Telling
from monitor.model import AlertKind, Severity

PREVIEW_LENGTH = 140  # phones show about 90 characters beside the subject

_PAGE = """\
<!DOCTYPE html>
<html><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
@media (prefers-color-scheme: dark) {{
  .quiet {{ color: #a3a3a3 !important }}
  .go {{ color: #8ab4f8 !important }}
}}
</style></head>
<body style="margin:0;padding:16px;font:16px/1.5 -apple-system,'Segoe UI',Roboto,Arial,sans-serif;\
-webkit-text-size-adjust:100%">
{preview}<div style="max-width:40em;margin:0 auto">
{parts}
</div></body></html>
"""
_HIDDEN = "display:none;max-height:0;overflow:hidden;mso-hide:all"
_MARK = "background-color:#ffe08a;color:#1a1a1a;padding:0 2px;border-radius:2px"
_HEADLINE = "margin:0 0 4px;font-size:20px;line-height:1.3"
_TITLE = "color:inherit;text-decoration:none"  # the place below has a link that looks like one
_PLACE = "margin:0 0 10px;font-size:14px;color:#767676"
_BAR = "margin:8px 0 10px;padding-left:12px;border-left:3px solid {};overflow-wrap:anywhere"
_SENTENCE = _BAR.format("#e0a800")
_NEWS = _BAR.format("#2b74c9")
_ALSO = "margin:0 0 10px;font-size:14px;overflow-wrap:anywhere"
_SMALL = "margin:12px 0 0;font-size:13px;color:#767676;overflow-wrap:anywhere"
_SECTION = "margin:28px 0 14px;padding-bottom:4px;border-bottom:2px solid #80808080;font-size:15px"
_ANSWER = "color:inherit;white-space:nowrap"
_LIST = "margin:0 0 10px;padding-left:20px;overflow-wrap:anywhere"
_LINE = '<hr style="border:0;border-top:1px solid #80808060;margin:18px 0">'
_BADGE = (
    "display:inline-block;padding:0 6px;border-radius:3px;font-size:12px;line-height:18px;"
    "vertical-align:3px;{}"
)
_BADGES = {
    Severity.CRITICAL: _BADGE.format("background-color:#a50e0e;color:#ffffff"),
    Severity.HIGH: _BADGE.format("background-color:#c2410c;color:#ffffff"),
}
_MILD = _BADGE.format("background-color:#80808030")
_LEAD = re.compile(r"(?:Why|Which|What it means|What to do):")  # begins lines of the monitor


def page(layout: Layout, full: int, *, reply_to: str) -> str:
    """The whole HTML document: *full* tellings, then the others by headline only."""
    parts = [_paragraph(escape(line)) for line in layout.intro]
    for section in layout.sections:
        whole, short = section.told[: max(0, full)], section.told[max(0, full) :]
        full -= len(section.told)
        parts += _begun(section)
        told = [_told(each, reply_to, alone=layout.alone) for each in whole]
        parts.append(f"\n{_LINE}\n".join([*told, *([_listed(short)] if short else [])]))
    preview = f'<div style="{_HIDDEN}">{escape(_preview(layout))}</div>\n'
    return _PAGE.format(title=escape(layout.subject), preview=preview, parts="\n".join(parts))


def _preview(layout: Layout) -> str:
    """What lists of mails show beside the subject, which names the first telling already."""
    first, *others = layout.told
    if not layout.alone:
        titles = [each.title for each in others] or [first.title]
        return shorten(" · ".join(titles[:3]), PREVIEW_LENGTH)
    found = (*(news.text for news in first.news), *first.sentences)
    text = "".join(run.text for run in found[0]) if found else " ".join(first.paragraphs[:1])
    return shorten(text, PREVIEW_LENGTH)


def _begun(section: Section) -> list[str]:
    if not section.heading:
        return []
    return [f'<h3 style="{_SECTION}">{escape(section.heading)}</h3>']


def _listed(brief: Sequence[Telling]) -> str:
    items = "\n".join(
        f"<li>{_badge(each)}{_link(each.url, escape(each.title))}</li>" for each in brief
    )
    ids = ", ".join(id_ for each in brief for id_ in each.ids)
    return f'<ul style="{_LIST}">\n{items}\n</ul>\n{_small(escape("Alert " + ids))}'


def _told(telling: Telling, reply_to: str, *, alone: bool) -> str:
    if telling.kind is AlertKind.STORY:
        below = _story(telling, reply_to, alone=alone)
    else:
        below = [*_paragraphs(telling.paragraphs), _small(escape(plain.footer(telling)))]
    return "\n".join([_heading(telling, alone=alone), *below])


def _heading(telling: Telling, *, alone: bool) -> str:
    inner = _runs(telling.headline)
    if telling.kind is AlertKind.DIGEST and not alone:
        return f'<h3 style="{_SECTION}">{inner}</h3>'
    if telling.url:
        inner = _anchor(telling.url, inner, f'style="{_TITLE}"')
    badge = "" if alone else _badge(telling)  # alone, the subject shows it
    return f'<h2 dir="auto" style="{_HEADLINE}">{badge}{inner}</h2>'


def _badge(telling: Telling) -> str:
    if telling.kind is not AlertKind.STORY:
        return ""
    style = _BADGES.get(telling.severity, _MILD)
    return f'<span style="{style}">{telling.severity.name}</span> '


def _story(telling: Telling, reply_to: str, *, alone: bool) -> list[str]:
    """What is new, where and when, the sentences; then why, small."""
    reasons = "".join(f"{escape(reason)}<br>" for reason in telling.reasons)
    answers = _answers(telling, reply_to, alone=alone)
    return [
        *(_styled(_NEWS, _news(each)) for each in telling.news),
        _place(telling),
        *([_paragraph(f"<strong>{escape(telling.facts)}</strong>")] if telling.facts else []),
        *(_styled(_SENTENCE, _runs(sentence)) for sentence in telling.sentences),
        *(_paragraph(f"<em>{escape(label)}</em>") for label in telling.labels),
        *([_styled(_ALSO, "<br>".join(map(escape, telling.also)))] if telling.also else []),
        _small(f"{reasons}{escape(plain.footer(telling))}{answers}"),
    ]


def _place(telling: Telling) -> str:
    """Outlet and time, and where the link leads, in a word."""
    place = escape(", ".join(filter(None, (telling.outlet, telling.when))))
    link = f" →&nbsp;{_link(telling.url)}" if telling.url else ""
    return f'<p class="quiet" style="{_PLACE}">{place}{link}</p>'


def _paragraphs(lines: Sequence[str]) -> Iterator[str]:
    """Paragraphs, and lists of the lines that begin as items."""
    for is_item, group in groupby(lines, key=lambda line: line.startswith(ITEM)):
        if is_item:
            items = "".join(f"<li>{escape(line.removeprefix(ITEM))}</li>" for line in group)
            yield f'<ul dir="auto" style="{_LIST}">{items}</ul>'
        else:
            yield from (_paragraph(_led(line)) for line in group)


def _led(line: str) -> str:
    """A line of the monitor, its leading words strong: "What to do: …"."""
    found = _LEAD.match(line)
    if not found:
        return escape(line)
    return f"<strong>{found[0]}</strong>{escape(line[found.end() :])}"


def _news(news: News) -> str:
    """What is new: who tells what since when in strong letters, then their sentence."""
    lead, rest = news.text[:1], news.text[1:]
    link = f" →&nbsp;{_link(news.url)}" if news.url else ""
    return f"<strong>{_runs(lead)}</strong>{_runs(rest)}{link}"


def _paragraph(inner: str) -> str:
    return _styled("margin:0 0 10px;overflow-wrap:anywhere", inner)


def _styled(style: str, inner: str) -> str:
    return f'<p dir="auto" style="{style}">{inner}</p>'


def _small(inner: str) -> str:
    return f'<p class="quiet" style="{_SMALL}">{inner}</p>'


def _runs(runs: Runs) -> str:
    return "".join(
        f'<mark style="{_MARK}">{escape(run.text)}</mark>' if run.hit else escape(run.text)
        for run in runs
    )


def _link(url: str, inner: str = "") -> str:
    """*inner*, or where *url* leads, as a link."""
    if not url:
        return inner
    return _anchor(url, inner or escape(host(url)), 'class="go" style="color:#2b74c9"')


def _anchor(url: str, inner: str, look: str) -> str:
    return f'<a href="{escape(url)}" rel="noopener noreferrer" {look}>{inner}</a>'


def _answers(telling: Telling, reply_to: str, *, alone: bool) -> str:
    """Links that begin an answer to the people who keep the rules."""
    if not reply_to:
        return ""
    links = (
        _anchor(_answer(reply_to, verdict, telling), verdict, f'style="{_ANSWER}"')
        for verdict in ("irrelevant", "missed something")
    )
    return f"{'<br>Tell the desk: ' if alone else ' · '}{' · '.join(links)}"


def _answer(reply_to: str, verdict: str, telling: Telling) -> str:
    subject = quote(f"{verdict}: {' '.join(telling.ids[:5])}", safe="")
    body = quote(f"{telling.title}\n{telling.url}\n\n", safe="")
    return f"mailto:{quote(reply_to, safe='@')}?subject={subject}&body={body}"
