"""Ids: derived once, stored, never recomputed from what is stored.  Pure.

An id is the beginning of a SHA-256 over its parts, in hex: 16 digits where people type it
(entries, stories, alerts, messages), so that two of a billion meet with a chance of 1 in 40.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from monitor.model import Alert, AlertKind, Severity

_LENGTH = 16


def derive(kind: str, *parts: str) -> str:
    """The id of a *kind* of thing made of *parts*; order and borders of the parts count."""
    text = "\0".join((kind, *(part.replace("\0", "") for part in parts)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]


def feed_id(url: str) -> str:
    return derive("feed", url)


def entry_id(feed: str, key: str) -> str:
    return derive("entry", feed, key)


def alert_id(subject: str) -> str:
    return derive("alert", subject)


def story_subject(story: str, rule: str) -> str:
    return f"story:{story}:{rule}"


def delivery_id(alert: str, target: str, kind: str, sequence: int) -> str:
    return derive("delivery", alert, target, kind, str(sequence))


def occurrence(at: datetime) -> str:
    """One for what began, or was found, *at* a time: without the colons that part a subject."""
    return f"{at:%Y%m%dT%H%M%S.%fZ}"


def operator_alert(
    condition: str,
    occurrence: str,
    *,
    title: str,
    text: str,
    now: datetime,
    severity: Severity = Severity.HIGH,
) -> Alert:
    """What the monitor says about itself: once per (*condition*, *occurrence*).

    *condition* names the thing and its trouble ("feed-broken:<feed id>"), *occurrence* tells this
    time from the last (an ISO time, a file's hash).
    """
    subject = f"operator:{condition}:{occurrence}"
    return Alert(
        id=alert_id(subject),
        kind=AlertKind.OPERATOR,
        subject=subject,
        severity=severity,
        title=title,
        text=text,
        created_at=now,
    )
