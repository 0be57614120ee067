"""A Slack bot: its address, what is posted, and what Slack's answers mean.  Pure.

``slack-bot://xoxb-…/C0123ABCD``: the bot's token and the channel's id.  Only a bot is told the
name of what it posted, so only a bot can answer in the thread of a story.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from monitor.alerts.exchange import Exchange, Post, seen
from monitor.alerts.lines import shorten
from monitor.alerts.outcome import judge
from monitor.model import Accepted, Message, Refused, Scope, SendResult

KIND = "slack-bot"
SLACK = "https://slack.com"
FALLBACK_LENGTH = 3_000  # of the text beside blocks: what notifications and screen readers say

_TOKEN = re.compile(r"(?:xoxe\.)?xoxb-[A-Za-z0-9-]{8,}")
_CHANNEL = re.compile(r"[CGDU][A-Z0-9]{6,}")
_WORD = re.compile(r"[a-z][a-z_]{2,60}")  # Slack says why in one: "not_in_channel"
_STAMP = re.compile(r"\d{1,20}\.\d{1,10}")
_NEW_TOKEN = "copy the bot's token anew: api.slack.com/apps, your app, OAuth & Permissions"
_STOPS = {
    "invalid_auth": _NEW_TOKEN,
    "not_authed": _NEW_TOKEN,
    "token_revoked": f"install the app in Slack again, then {_NEW_TOKEN}",
    "token_expired": f"switch off token rotation for the app, then {_NEW_TOKEN}",
    "account_inactive": "the bot was removed, or its workspace closed; install the app again",
    "channel_not_found": "look at the channel's id; into a private channel invite the bot first",
    "not_in_channel": "invite the bot to the channel: write /invite @its-name there",
    "is_archived": "unarchive the channel, or write the id of another one",
    "missing_scope": "give the app the scope chat:write, and install it again",
    "restricted_action": "a setting of the workspace keeps the bot out; ask its administrator",
}
_AGAINST_THE_TEXT = frozenset(
    ("msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format", "no_text")
)
_AGAINST_THE_BLOCKS = _AGAINST_THE_TEXT - {"msg_too_long", "no_text"}
_AGAINST_THE_THREAD = frozenset(
    (
        "cannot_reply_to_message",
        "invalid_thread_ts",
        "message_not_found",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "thread_not_found",
    )
)
# Of these Slack's documentation says that some of what was asked may have been done.
_WHO_KNOWS = frozenset(("internal_error", "fatal_error"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    token: str = field(repr=False)
    channel: str
    base: str = SLACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a message is put: what Slack does not take of it is left out at a second try."""

    thread: str = ""
    blocks: bool = True


# --- the address


def wrong_with(url: str) -> str | None:
    """What is wrong with the address *url*, without repeating it; None: nothing."""
    token, channel, query = _pieces(url)
    if not _TOKEN.fullmatch(token):
        return (
            'after "slack-bot://" stands the bot\'s token, which begins with "xoxb-"; Slack shows'
            " it at api.slack.com/apps, your app, OAuth & Permissions"
        )
    if not _CHANNEL.fullmatch(channel):
        return (
            "after the bot's token stands \"/\" and the channel's id, such as C0123ABCD; Slack"
            " shows it at the end of the channel's details"
        )
    if query and not _base(query):
        return 'after the channel\'s id nothing may follow but "?base=http://127.0.0.1:PORT"'
    return None


def read(url: str) -> Address:
    """The parts of an address with which nothing is wrong."""
    token, channel, query = _pieces(url)
    return Address(token=token, channel=channel, base=_base(query) or SLACK)


def _pieces(url: str) -> tuple[str, str, str]:
    place, _, query = url.partition("://")[2].partition("?")
    token, _, channel = place.partition("/")
    return token, channel.removesuffix("/"), query


def _base(query: str) -> str:
    """Where tests and demos receive what Slack would: on this machine only."""
    key, _, base = query.partition("=")
    try:
        parts = urlsplit(base)
        local = ip_address(parts.hostname or "").is_loopback and (parts.port or 1) > 0
    except ValueError:
        return ""
    return base.rstrip("/") if key == "base" and parts.scheme == "http" and local else ""


# --- what is posted


def post(url: str, message: Message, form: Form) -> Post:
    address = read(url)
    return Post(
        url=f"{address.base}/api/chat.postMessage",
        headers=(
            ("authorization", f"Bearer {address.token}"),
            ("content-type", "application/json; charset=utf-8"),
        ),
        body=json.dumps(_body(message, address.channel, form)).encode(),
    )


def _body(message: Message, channel: str, form: Form) -> dict[str, Any]:
    frozen = _frozen(message.payload)
    text = f"{message.subject}\n{message.text}"
    body: dict[str, Any] = {
        "channel": channel,
        "mrkdwn": False,
        "parse": "none",
        "unfurl_links": False,
        "unfurl_media": False,
    }
    if form.blocks and frozen.get("blocks"):
        text = shorten(text, FALLBACK_LENGTH)
        body["blocks"] = frozen["blocks"]
    body["text"] = _escaped(text)
    if form.thread:
        body["thread_ts"] = form.thread
        body["reply_broadcast"] = bool(frozen.get("broadcast"))
    return body


def _frozen(payload: str) -> Mapping[str, Any]:
    """The blocks; none where the message was laid out for another kind of channel."""
    frozen = json.loads(payload) if payload else {}
    return frozen if isinstance(frozen, dict) else {}


def without_blocks(payload: str) -> str:
    """*payload* for a message whose text people laid out themselves: the text is shown."""
    frozen = _frozen(payload)
    if "blocks" not in frozen:
        return payload
    return json.dumps({key: value for key, value in frozen.items() if key != "blocks"})


def _escaped(text: str) -> str:
    """Slack reads mentions and links in the text even where blocks are shown in its place."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# --- what came back


def simpler(exchange: Exchange, form: Form) -> Form | None:
    """What to try at once where Slack has refused only the form; None: there is no more to gain."""
    error = _error(exchange)
    if form.thread and error in _AGAINST_THE_THREAD:
        return replace(form, thread="")
    if form.blocks and error in _AGAINST_THE_BLOCKS:
        return replace(form, blocks=False)
    return None


def judged(exchange: Exchange, form: Form, now: datetime) -> SendResult:
    """The result of a try.  Slack says no with HTTP 200 and a word in the body."""
    if exchange.status != 200:
        return judge(seen(exchange), now)
    if exchange.fault:  # "200", and then the connection broke
        return judge(seen(replace(exchange, status=None)), now)
    answer = _answer(exchange)
    if answer.get("ok") is True:
        # A reply belongs to the message that began the thread, not to itself.
        return Accepted(thread=form.thread or _stamp(answer.get("ts")))
    if "ok" not in answer:
        return Refused(detail="it answers 200, but not as Slack does", scope=Scope.CHANNEL)
    return _refused(_error(exchange), exchange, now)


def _refused(error: str, exchange: Exchange, now: datetime) -> SendResult:
    remedy = _STOPS.get("restricted_action" if error.startswith("restricted_action") else error)
    if remedy:
        detail = f"Slack answers {error}: {remedy}"
        return Refused(detail=detail, retryable=False, scope=Scope.CHANNEL)
    if error in ("ratelimited", "rate_limited"):
        return judge(seen(exchange, status=429, answer=error), now)
    detail = f"Slack answers {error or 'no, without a reason'}"
    if error in _AGAINST_THE_TEXT:
        return Refused(detail=detail)
    return Refused(detail=detail, ambiguous=error in _WHO_KNOWS, scope=Scope.CHANNEL)


def _answer(exchange: Exchange) -> Mapping[str, Any]:
    try:
        answer = json.loads(exchange.body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _error(exchange: Exchange) -> str:
    error = _answer(exchange).get("error")
    return error if isinstance(error, str) and _WORD.fullmatch(error) else ""


def _stamp(value: object) -> str:
    return value if isinstance(value, str) and _STAMP.fullmatch(value) else ""
