"""Alerts that go out together → one message.  Pure.

One story with several rules is one message naming all of them; several stories make a digest.
The same function makes both: a single alert is a digest of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo

from monitor.alerts import mail, plain, slack
from monitor.alerts.addresses import TERMINAL, reply_address
from monitor.alerts.company import StoryNews
from monitor.alerts.lines import one_line, shorten
from monitor.alerts.telling import Telling, tellings
from monitor.model import Alert, AlertKind, Delivery, Message
from monitor.settings import Channel

SUBJECT_LENGTH = 190

# Characters of text a message may have.  Slack refuses more than 40 000; the small ones are
# apprise's ``body_maxlen`` of the service less room for the subject: longer texts would be sent in
# pieces, and a piece that fails would send all of them again.
TEXT_LENGTH = 30_000
_TEXT_LENGTHS = {"mailto": 200_000, "mailtos": 200_000, "discord": 1_700, "tgram": 3_800}
_TEXT_LENGTHS |= {"pover": 800, "ntfy": 7_000, "ntfys": 7_000, "matrix": 20_000}

_FULL_AT_MOST = (1_000, 300, 100, 30, 10, 3, 1)


class Style(Enum):
    """What a channel's messages are made of."""

    PLAIN = "plain"
    SLACK = "slack"
    MAIL = "mail"
    TERMINAL = "terminal"


_STYLES = {
    "slack": Style.SLACK,
    "mailto": Style.MAIL,
    "mailtos": Style.MAIL,
    TERMINAL: Style.TERMINAL,
}


def style_of(kind: str) -> Style:
    """The style of a channel *kind* (``settings.Channel.kind``)."""
    return _STYLES.get(kind, Style.PLAIN)


def render(
    items: Sequence[tuple[Delivery, Alert]],
    *,
    channel: Channel,
    timezone: ZoneInfo,
    now: datetime,
    message_id: str,
    stories: Mapping[str, StoryNews] | None = None,
) -> Message:
    """The message that tells one target all of *items*; each of their alert ids is in it.

    *stories*: what else is known of their stories, by story id.
    """
    told = tellings((alert for _, alert in items), timezone, stories)
    target = items[0][0].target
    style = style_of(channel.kind)
    text, full = _fitted(told, style, _TEXT_LENGTHS.get(channel.kind, TEXT_LENGTH))
    subject = subject_of(told)
    html = ""
    if style is Style.MAIL:
        reply_to = _reply_address(channel, target)
        html = mail.page(told[:full], told[full:], title=subject, reply_to=reply_to)
    alert_ids = tuple(id_ for each in told for id_ in each.ids)
    return Message(
        id=message_id,
        channel=channel.name,
        target=target,
        subject=subject,
        text=text,
        html=html,
        alert_ids=alert_ids,
        delivery_ids=tuple(delivery.id for delivery, _ in items),
        headers=_headers([alert for _, alert in items], alert_ids),
        created_at=now,
    )


def subject_of(told: Sequence[Telling]) -> str:
    """ "[HIGH] Politico: US commits to …": one line, under 200 characters, stable for a story."""
    first = told[0]
    prefix = f"{first.tag} "
    if len(told) > 1:
        prefix += f"{len(told)} {'notices' if first.kind is AlertKind.OPERATOR else 'stories'}: "
    outlet = f"{shorten(first.outlet, 60)}: " if first.outlet else ""
    # "=?" begins an encoded word: a title that holds one would be decoded by mail programs.
    line = one_line(prefix + outlet + first.title).replace("=?", "= ?")
    return shorten(line, SUBJECT_LENGTH)


def _fitted(told: Sequence[Telling], style: Style, limit: int) -> tuple[str, int]:
    """The text within *limit*, and how many tellings it shows in full.

    The others, the mildest, are shown by headline; if that is too long still, all by id alone.
    """
    length: Callable[[str], int] = slack.length if style is Style.SLACK else len
    for full in _steps(len(told)):
        text = _text(told, style, full)
        if length(text) <= limit:
            return text, full
    ids = ", ".join(id_ for each in told for id_ in each.ids)
    return shorten(f"{one_line(told[0].title)}\nAlert {ids}", limit), 0


def _steps(count: int) -> Iterator[int]:
    yield count
    yield from (step for step in _FULL_AT_MOST if step < count)
    yield 0


def _text(told: Sequence[Telling], style: Style, full: int) -> str:
    parts = [_part(each, style, alone=len(told) == 1) for each in told[:full]]
    if told[full:]:
        parts.append("\n\n".join(plain.brief(each) for each in told[full:]))
    return plain.BETWEEN.join(parts)


def _part(telling: Telling, style: Style, *, alone: bool) -> str:
    if not alone or style is Style.TERMINAL:
        return plain.tagged(telling)
    return slack.text_of(telling) if style is Style.SLACK else plain.text_of(telling)


def _reply_address(channel: Channel, target: str) -> str:
    return next((reply_address(each.url) for each in channel.targets if each.name == target), "")


def _headers(alerts: Sequence[Alert], alert_ids: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Mail headers: the same made-up ``References`` for all mails of a story make a thread."""
    headers = [("X-Monitor-Alert", " ".join(alert_ids[:50]))]
    stories = {alert.story_id for alert in alerts}
    if len(stories) == 1 and "" not in stories:
        headers.append(("References", f"<story.{stories.pop()}@monitor.invalid>"))
    return tuple(headers)
