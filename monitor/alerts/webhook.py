"""The signed webhook: the JSON document, its signature, what answers mean.  Pure.

docs/webhook.md describes all of it for those who receive it.  Keys may be added to the document;
any other change to it is a new SCHEMA.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from monitor.alerts.company import StoryNews
from monitor.alerts.exchange import Exchange, Post, seen
from monitor.alerts.lines import one_line, runs, web
from monitor.alerts.outcome import judge
from monitor.alerts.telling import Telling
from monitor.model import (
    Alert,
    AlertKind,
    Delivery,
    DeliveryKind,
    Excerpt,
    Member,
    Message,
    SendResult,
    Update,
)

KIND = "webhook"
SCHEMA = "news-monitor/1"
MEMBERS_SHOWN = 20  # entries of a story
SHORTEST_SECRET = 16

_BEGINS = f'{{"schema":"{SCHEMA}",'


def wrong_with(url: str) -> str | None:
    """What is wrong with the address *url*, without repeating it; None: nothing."""
    if any(ord(char) < 0x21 or ord(char) > 0x7E for char in url):
        return "the address has a space, a line break or a letter outside ASCII in it"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "the server or port in the address cannot be read"
    if parts.scheme.lower() not in ("http", "https") or not host or port == 0:
        return "the address must begin with https:// and name a server"
    if parts.username is not None or parts.password is not None:
        return "leave user and password out of the address: the signature says who is calling"
    if parts.scheme.lower() == "http" and not _is_here(host):
        return (
            "with http:// everybody on the way can read the alerts; write https://"
            " (http:// is for this machine alone, such as http://127.0.0.1:8080/)"
        )
    return None


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


# --- the document


def document(
    message: Message,
    items: Sequence[tuple[Delivery, Alert]],
    told: Sequence[Telling],
    stories: Mapping[str, StoryNews],
) -> str:
    """The JSON that *message* is sent as; all texts in it are single lines but for ``text``."""
    alerts = {alert.id: alert for _, alert in items}
    because = {id_: why for each in told for id_, why in zip(each.ids, each.reasons, strict=False)}
    names = dict.fromkeys(alert.story_id for alert in alerts.values() if alert.story_id)
    return _json(
        message,
        kind=_kind([delivery for delivery, _ in items], list(alerts.values())),
        severity=max(each.severity for each in told).label,
        alerts=[_alert(alerts[id_], because.get(id_, "")) for id_ in message.alert_ids],
        stories=[_story(name, stories[name]) for name in names if name in stories],
    )


def _json(message: Message, **parts: object) -> str:
    value = {
        "schema": SCHEMA,
        "message": message.id,
        "created_at": _time(message.created_at),
        **parts,
        "alert_ids": message.alert_ids,
        "subject": message.subject,
        "text": message.text,
    }
    return json.dumps(value, separators=(",", ":"))


def _kind(rows: Sequence[Delivery], alerts: Sequence[Alert]) -> str:
    if all(alert.kind is AlertKind.OPERATOR for alert in alerts):
        return "notice"
    if len({alert.story_id for alert in alerts}) > 1:
        return "digest"
    if any(alert.kind is AlertKind.DIGEST for alert in alerts):
        return "digest"
    return "update" if all(row.kind is DeliveryKind.UPDATE for row in rows) else "alert"


def _alert(alert: Alert, because: str) -> dict[str, Any]:
    return {
        "id": alert.id,
        "kind": alert.kind.value,
        "story": alert.story_id,
        "rule": one_line(alert.rule_name),
        "because": because,
        "severity": alert.severity.label,
        "title": one_line(alert.title),
        "url": web(alert.url),
        "outlet": one_line(alert.outlet),
        "published_at": _time(alert.published_at),
        "created_at": _time(alert.created_at),
        "terms": [one_line(term) for term in alert.terms],
        "excerpts": [_excerpt(excerpt) for excerpt in alert.excerpts],
        "labels": [label.value for label in alert.labels],
        "facts": [one_line(fact) for fact in alert.facts],
        "first_alerted_at": _time(alert.first_alerted_at),
        "details": [one_line(line) for line in alert.text.splitlines() if one_line(line)],
    }


def _story(name: str, story: StoryNews) -> dict[str, Any]:
    return {
        "id": name,
        "known": story.known,
        "entries": [_member(member) for member in story.members[:MEMBERS_SHOWN]],
        "updates": [_update(update) for update in story.updates],
    }


def _member(member: Member) -> dict[str, Any]:
    return {
        "id": member.entry_id,
        "title": one_line(member.title),
        "url": web(member.url),
        "outlet": one_line(member.outlet),
        "seen_at": _time(member.seen_at),
    }


def _update(update: Update) -> dict[str, Any]:
    return {
        "reason": update.reason.value,
        "entry": update.entry_id,
        "title": one_line(update.title),
        "url": web(update.url),
        "outlet": one_line(update.outlet),
        "published_at": _time(update.published_at),
        "rule": one_line(update.rule_name),
        "terms": [one_line(term) for term in update.terms],
        "excerpts": [_excerpt(excerpt) for excerpt in update.excerpts],
        "outlets": update.outlets,
    }


def _excerpt(excerpt: Excerpt) -> dict[str, Any]:
    """Marks are counted in the text as it is sent: cleaning it may have moved them."""
    text, marks = "", []
    for run in runs(excerpt):
        if run.hit:
            marks.append([len(text), len(text) + len(run.text)])
        text += run.text
    return {"field": excerpt.field, "text": text, "marks": marks}


def _time(at: datetime | None) -> str | None:
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


# --- sending


def post(url: str, message: Message, secret: str, now: datetime) -> Post:
    """One try: the frozen document, signed for *now*."""
    body = _document_of(message).encode()
    stamp = str(int(now.timestamp()))
    return Post(
        url=url,
        headers=(
            ("content-type", "application/json"),
            ("x-monitor-message", message.id),
            ("x-monitor-timestamp", stamp),
            ("x-monitor-signature", f"v1={signature(secret, stamp, body)}"),
        ),
        body=body,
        reads=False,
    )


def signature(secret: str, stamp: str, body: bytes) -> str:
    """HMAC-SHA256 in hex (RFC 2104) over ``timestamp.body``."""
    signed = stamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _document_of(message: Message) -> str:
    """A message that was laid out for another kind of channel, or not at all, is sent as text."""
    if message.payload.startswith(_BEGINS):
        return message.payload
    return _json(message, kind="text", severity=None, alerts=[], stories=[])


def judged(exchange: Exchange, now: datetime) -> SendResult:
    """Any 2xx is yes; what stands in the answer does not matter."""
    accepted = exchange.status is not None and 200 <= exchange.status < 300
    return judge(seen(exchange, accepted=accepted), now)
