"""What people's own templates made → the message, if it can be sent.  Pure.

Whatever a template leaves out, the message still names every alert.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape, unescape

from monitor.alerts import plain, slack, slackbot
from monitor.alerts.layout import subject_line
from monitor.alerts.render import Style, style_of, text_length
from monitor.alerts.telling import Telling
from monitor.model import AlertKind, Message

SUBJECT, MAIL_HTML, MAIL_TEXT = "subject.txt", "mail.html", "mail.txt"
SLACK, PLAIN = "slack.txt", "plain.txt"
FILES = (SUBJECT, MAIL_HTML, MAIL_TEXT, SLACK, PLAIN)

SUBJECT_LENGTH = 1_000  # of what a template makes; it is cut afterwards
HTML_LENGTH = 400_000
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_TAG = re.compile(r"<[^>]*>")
_MARKS = str.maketrans("", "", "»«")
_SMALL = "margin:14px 0 0;font-size:13px;color:#767676"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a template, or what it made, cannot be used."""

    file: str  # one of FILES
    line: int | None = None
    what: str
    remedy: str = ""
    late: bool = False  # it took too much time or memory


def files_for(kind: str) -> tuple[str, ...]:
    """The templates that a channel *kind* asks for, the subject first."""
    match style_of(kind):
        case Style.MAIL:
            return (SUBJECT, MAIL_HTML, MAIL_TEXT)
        case Style.SLACK | Style.BLOCKS:
            return (SUBJECT, SLACK)
        case Style.DOCUMENT:  # its form is a promise to programs
            return ()
        case _:
            return (SUBJECT, PLAIN)


def limit(file: str, kind: str) -> int:
    """Characters that *file* may make for a channel *kind*."""
    if file == SUBJECT:
        return SUBJECT_LENGTH
    return HTML_LENGTH if file == MAIL_HTML else text_length(kind)


def placed(message: Message, file: str, made: str, kind: str) -> Message | Fault:
    """*message* with what *file* *made* in its place."""
    text = _FORBIDDEN.sub("", made.replace("\r\n", "\n")).strip()
    if not text:
        return empty(file)
    if style_of(kind) is Style.PLAIN:
        text = plain.without_mentions(text, kind)
    if file == SUBJECT:
        return replace(message, subject=subject_line(text))
    missing = [id_ for id_ in message.alert_ids if id_ not in text]
    if file == MAIL_HTML:
        return replace(message, html=_with_ids_in_html(text, missing))
    text = f"{text}\n\nAlert {', '.join(missing)}" if missing else text
    most = text_length(kind)
    length = slack.length(text) if file == SLACK else len(text)
    if length > most:
        return too_long(file, most)
    return replace(message, text=text, payload=slackbot.without_blocks(message.payload))


def empty(file: str) -> Fault:
    return Fault(file=file, what="it makes an empty text")


def too_long(file: str, most: int) -> Fault:
    what = f"it makes more than {most:,} characters"
    return Fault(file=file, what=what, remedy="show less of each story where there are many")


def unshown(told: Sequence[Telling], file: str, made: str) -> Fault | None:
    """The fault of a template that passes over what it was to tell."""
    shown = _bare(unescape(_TAG.sub("", made)) if file == MAIL_HTML else made)
    for each in told:
        if each.kind is not AlertKind.DIGEST and _bare(each.title) not in shown:
            loop = _LOOPS["notices" if each.kind is AlertKind.OPERATOR else "stories"]
            return Fault(
                file=file, what=f'it does not show the title "{each.title}"', remedy=f"add {loop}"
            )
    return None


def _bare(text: str) -> str:
    """What counts of a title: not case, spaces and marks."""
    return " ".join(text.translate(_MARKS).casefold().split())


_LOOPS = {
    "notices": "{% for notice in notices %}{{ notice.title }} …{% endfor %}",
    "stories": "{% for story in stories %}{{ story.title }} …{% endfor %}",
}


def _with_ids_in_html(page: str, missing: Sequence[str]) -> str:
    if not missing:
        return page
    line = f'<p style="{_SMALL}">Alert {escape(", ".join(missing))}</p>'
    end = page.lower().rfind("</body>")
    # Lowering may change the length of a text (İ); then the line goes to the end, which works too.
    if end < 0 or page[end : end + 7].lower() != "</body>":
        return f"{page}\n{line}"
    return f"{page[:end]}{line}\n{page[end:]}"
