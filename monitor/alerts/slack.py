"""Messages for Slack.  Pure.

Plain text on purpose: sent as text, apprise escapes ``&``, ``<`` and ``>`` in all of it and turns
mrkdwn off, so that feed text cannot call ``<!channel>``, mention ``<@U…>``, hide an address behind
``<url|text>``, or set type.  As Markdown, apprise 2.2 let all four through; escaped with
backslashes, these stood in the message.  Slack makes links of bare addresses by itself.
"""

from __future__ import annotations

from monitor.alerts import plain
from monitor.alerts.telling import Telling
from monitor.model import AlertKind


def text_of(telling: Telling) -> str:
    """Plain text below a message's title, which is the headline already.

    The headline is repeated where its marks are all there is to show.
    """
    if telling.kind is not AlertKind.STORY:
        return "\n".join((*telling.paragraphs, plain.footer(telling)))
    lines = plain.below_headline(telling)
    if not telling.sentences and any(run.hit for run in telling.headline):
        lines = (lines[0], plain.marked(telling.headline), *lines[1:])
    return "\n".join(lines)


def length(text: str) -> int:
    """The length of *text* as Slack counts it: escaped."""
    return len(text) + 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))
