"""Alerts that go out together → one message.  Pure.

One story with several rules is one message naming all of them; several stories make a digest.
The same function makes both: a single alert is a digest of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo

from monitor.alerts import blocks, mail, plain, slack, slackbot, webhook
from monitor.alerts.addresses import TERMINAL, reply_address
from monitor.alerts.bundle import Gathered
from monitor.alerts.company import StoryNews
from monitor.alerts.layout import Layout, laid_out
from monitor.alerts.lines import local_time, shorten
from monitor.alerts.telling import Telling, tellings
from monitor.model import Alert, Delivery, DeliveryKind, Message
from monitor.settings import Channel

# Characters of text a message may have.  Slack refuses more than 40 000; the small ones are
# apprise's ``body_maxlen`` of the service less room for the subject: longer texts would be sent in
# pieces, and a piece that fails would send all of them again.
TEXT_LENGTH = 30_000
_TEXT_LENGTHS = {"mailto": 200_000, "mailtos": 200_000, "discord": 1_700, "tgram": 3_800}
_TEXT_LENGTHS |= {"pover": 800, "ntfy": 7_000, "ntfys": 7_000, "matrix": 20_000}
_TEXT_LENGTHS |= {slackbot.KIND: 12_000}

# A story in a digest by headline, link and ids takes about 250 characters.
_A_STORY = 300
_MOST_STORIES = 300

_FULL_AT_MOST = (1_000, 300, 100, 30, 10, 3, 1)


class Style(Enum):
    """What a channel's messages are made of."""

    PLAIN = "plain"
    SLACK = "slack"
    MAIL = "mail"
    TERMINAL = "terminal"
    BLOCKS = "blocks"  # a Slack bot's, with text beside them
    DOCUMENT = "document"  # a signed webhook's, with the plain text in it


_STYLES = {
    "slack": Style.SLACK,
    "mailto": Style.MAIL,
    "mailtos": Style.MAIL,
    TERMINAL: Style.TERMINAL,
    slackbot.KIND: Style.BLOCKS,
    webhook.KIND: Style.DOCUMENT,
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
    gathered: Gathered = Gathered.STORY,
    notes: Sequence[str] = (),
) -> Message:
    """The message that tells one target all of *items*; each of their alert ids is in it.

    *stories*: what is known of theirs, by id.  *gathered*, *notes*: why together, late, or here.
    """
    zone = channel.timezone or timezone
    alerts, target = [alert for _, alert in items], items[0][0].target
    told = tellings(alerts, zone, stories)
    layout, style = laid_out(told, gathered, notes, local_time(now, zone)), style_of(channel.kind)
    text, full = _fitted(layout, style, text_length(channel.kind))
    subject, html = layout.subject, ""
    if style is Style.PLAIN:
        subject, text = (plain.without_mentions(each, channel.kind) for each in (subject, text))
    if style is Style.MAIL:
        html = mail.page(layout, full, reply_to=_reply_address(channel, target))
    alert_ids = tuple(id_ for each in layout.told for id_ in each.ids)
    message = Message(
        id=message_id,
        channel=channel.name,
        target=target,
        subject=subject,
        text=text,
        html=html,
        alert_ids=alert_ids,
        delivery_ids=tuple(delivery.id for delivery, _ in items),
        headers=_headers(alerts, alert_ids),
        story_id=_story(alerts),
        created_at=now,
    )
    return replace(message, payload=_payload(message, style, items, layout, stories or {}))


def text_length(kind: str) -> int:
    """Characters of text that a channel *kind* takes in one message."""
    return _TEXT_LENGTHS.get(kind, TEXT_LENGTH)


def most_stories(kind: str) -> int:
    """Stories that one message to a channel *kind* can name, each with its ids."""
    return max(1, min(_MOST_STORIES, text_length(kind) // _A_STORY))


def _fitted(layout: Layout, style: Style, limit: int) -> tuple[str, int]:
    """The text within *limit*, and how many tellings it shows in full.

    The others, the last ones, are shown by headline and link; if that is too long still, all by
    the beginning of the headline.
    """
    escaped = style in (Style.SLACK, Style.BLOCKS)
    length: Callable[[str], int] = slack.length if escaped else len
    for full in _steps(len(layout.told)):
        text = _text(layout, style, full)
        if length(text) <= limit:
            return text, full
    return shorten("\n".join(map(plain.terse, layout.told)), limit), 0


def _steps(count: int) -> Iterator[int]:
    yield count
    yield from (step for step in _FULL_AT_MOST if step < count)
    yield 0


def _text(layout: Layout, style: Style, full: int) -> str:
    """*full* tellings whole, the others in short."""
    blocks = ["\n".join(layout.intro)] if layout.intro else []
    for section in layout.sections:
        whole, short = section.told[: max(0, full)], section.told[max(0, full) :]
        full -= len(section.told)
        parts = [_part(each, style, alone=layout.alone) for each in whole]
        parts += ["\n\n".join(map(plain.brief, short))] if short else []
        heading = f"{plain.heading(section.heading)}\n\n" if section.heading else ""
        blocks.append(heading + plain.BETWEEN.join(parts))
    return (plain.BETWEEN if not layout.intro else "\n\n\n").join(blocks)


def _part(telling: Telling, style: Style, *, alone: bool) -> str:
    if not alone or style is Style.TERMINAL:
        return plain.tagged(telling)
    titled = style in (Style.SLACK, Style.BLOCKS)
    return slack.text_of(telling) if titled else plain.text_of(telling)


def _payload(
    message: Message,
    style: Style,
    items: Sequence[tuple[Delivery, Alert]],
    layout: Layout,
    stories: Mapping[str, StoryNews],
) -> str:
    """What channels of ours are sent beside or instead of the text."""
    if style is Style.BLOCKS:
        first = any(delivery.kind is not DeliveryKind.UPDATE for delivery, _ in items)
        return blocks.payload(layout, broadcast=first)
    if style is Style.DOCUMENT:
        return webhook.document(message, items, layout.told, stories)
    return ""


def _reply_address(channel: Channel, target: str) -> str:
    return next((reply_address(each.url) for each in channel.targets if each.name == target), "")


def _headers(alerts: Sequence[Alert], alert_ids: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Mail headers: the same made-up ``References`` for all mails of a story make a thread."""
    headers = [("X-Monitor-Alert", " ".join(alert_ids[:50]))]
    story = _story(alerts)
    if story:
        headers.append(("References", f"<story.{story}@monitor.invalid>"))
    return tuple(headers)


def _story(alerts: Sequence[Alert]) -> str:
    """The one story that all *alerts* are about, or ""."""
    stories = {alert.story_id for alert in alerts}
    return stories.pop() if len(stories) == 1 else ""
