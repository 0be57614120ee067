"""The newest alerts as an Atom feed (RFC 4287).  Pure.

Each alert is an entry: a story by a rule, as people were told of it.  The document depends on the
alerts alone, so that the same alerts give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement
from zoneinfo import ZoneInfo

from monitor.alerts.plain import marked
from monitor.alerts.telling import Telling, tellings
from monitor.model import Alert

NEWEST = 100  # entries in the feed
TITLE = "News monitor: alerts"
_ATOM = "http://www.w3.org/2005/Atom"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # RFC 4287 wants a time also where nothing happened
# What XML 1.0 forbids, also as a character reference (its production "Char").
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(alerts: Iterable[Alert], *, name: str, timezone: ZoneInfo) -> bytes:
    """The feed of story *alerts*, newest first; *name* tells it from other monitors' feeds."""
    shown = sorted(alerts, key=lambda alert: (alert.created_at, alert.id), reverse=True)[:NEWEST]
    feed = Element("feed", xmlns=_ATOM)
    _add(feed, "id", f"urn:monitor:alerts:{name}")
    _add(feed, "title", TITLE)
    _add(feed, "updated", _time(shown[0].created_at if shown else _NEVER))
    _add(SubElement(feed, "author"), "name", "News monitor")
    for alert in shown:
        (telling,) = tellings([alert], timezone)
        _add_entry(feed, alert, telling)
    ElementTree.indent(feed)
    text: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _add_entry(feed: Element, alert: Alert, telling: Telling) -> None:
    entry = SubElement(feed, "entry")
    _add(entry, "id", f"urn:monitor:alert:{alert.id}")
    _add(entry, "title", telling.title, type="text")
    _add(entry, "updated", _time(alert.created_at))
    if alert.published_at is not None:
        _add(entry, "published", _time(alert.published_at))
    _add(SubElement(entry, "author"), "name", telling.outlet or "unknown")
    _add(entry, "category", term=alert.rule_name, scheme="urn:monitor:rule")
    _add(entry, "category", term=alert.severity.label, scheme="urn:monitor:severity")
    if telling.url:
        _add(entry, "link", rel="alternate", href=telling.url)
    # An entry without a link must have a content (RFC 4287, 4.1.2).
    _add(entry, "summary" if telling.url else "content", "\n".join(_lines(telling)), type="text")


def _lines(telling: Telling) -> Sequence[str]:
    """What happened, and why people were told."""
    return (
        *filter(None, (telling.facts,)),
        *map(marked, telling.sentences),
        *(f"({label})" for label in telling.labels),
        *telling.reasons,
    )


def _add(parent: Element, tag: str, text: str = "", **attributes: str) -> None:
    child = SubElement(parent, tag, {name: _clean(v) for name, v in attributes.items()})
    child.text = _clean(text) or None


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("", text)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
