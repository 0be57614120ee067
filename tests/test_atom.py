"""The Atom feed: valid by RFC 4287, read by feedparser, and the same for the same alerts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import feedparser
import pytest

from monitor.alerts.atom import NEWEST, document
from monitor.alerts.sample import sample
from monitor.model import Alert, Severity
from tests.builders import NOW, a_rule, an_alert, an_entry, minutes
from tests.hostile import HOSTILE

BRUSSELS = ZoneInfo("Europe/Brussels")
ATOM = "{http://www.w3.org/2005/Atom}"


def made(*alerts: Alert) -> bytes:
    return document(alerts, name="here", timezone=BRUSSELS)


def parsed(*alerts: Alert) -> Any:
    found = feedparser.parse(BytesIO(made(*alerts)), sanitize_html=False)
    assert not found.bozo
    assert found.version == "atom10"
    return found


def test_an_alert_is_an_entry() -> None:
    alert = replace(sample(NOW), severity=Severity.HIGH)
    (entry,) = parsed(alert).entries
    assert entry.id == f"urn:monitor:alert:{alert.id}"
    assert (entry.title, entry.title_detail.type) == (alert.title, "text/plain")
    assert (entry.link, entry.author) == ("https://example.org/sample", "The Example Times")
    assert entry.updated == entry.published == "2025-02-13T10:00:00Z"
    assert [(tag.term, tag.scheme) for tag in entry.tags] == [
        ("sample", "urn:monitor:rule"),
        ("high", "urn:monitor:severity"),
    ]
    assert entry.summary.splitlines() == [
        "The Pentagon approved a possible »Foreign Military Sale« to a NATO ally on Thursday.",
        'Rule sample, because of "Foreign Military Sale" in the text.',
    ]


def test_the_newest_hundred_are_shown_the_newest_first() -> None:
    entries = [an_entry(f"Story {n}") for n in range(NEWEST + 5)]
    alerts = [an_alert(e, created_at=NOW + minutes(n)) for n, e in enumerate(entries)]
    feed = parsed(*alerts)
    assert [entry.title for entry in feed.entries] == [
        f"Story {n}" for n in range(NEWEST + 4, 4, -1)
    ]
    assert feed.feed.updated == feed.entries[0].updated


def test_two_rules_on_one_story_are_two_entries() -> None:
    first, second = an_alert(), an_alert(rule=a_rule("fms"))
    assert len({entry.id for entry in parsed(first, second).entries}) == 2


def test_the_same_alerts_in_any_order_give_the_same_bytes() -> None:
    alerts = [an_alert(an_entry(title)) for title in ("a", "b", "c")]
    assert made(*alerts) == made(*alerts[::-1])


def test_without_alerts_it_is_a_feed_all_the_same() -> None:
    feed = parsed()
    assert feed.entries == []
    assert feed.feed.updated == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize("title", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_title_stays_text(title: str) -> None:
    alert = an_alert(an_entry(title), a_rule("x\x0b\ufffe<y>"), outlet=title, url=title)
    (entry,) = parsed(alert).entries
    assert "<script" not in made(alert).decode()
    assert entry.tags[0].term == "x<y>"
    assert not re.search("[\x00-\x08\x0b-\x1f\ud800-\udfff]", entry.title)


@pytest.mark.parametrize(
    "alert",
    [
        pytest.param(sample(NOW), id="with all parts"),
        pytest.param(an_alert(url="", outlet="", published_at=None), id="with none"),
    ],
)
def test_what_the_standard_demands(alert: Alert) -> None:
    """RFC 4287, 4.1.1 and 4.1.2: what must be there, and how often."""
    feed = ElementTree.fromstring(made(alert))
    for element in (feed, feed.find(f"{ATOM}entry")):
        assert element is not None
        for tag in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{tag}")) == 1
            assert element.findtext(f"{ATOM}{tag}")
        assert element.findtext(f"{ATOM}author/{ATOM}name")
        assert datetime.fromisoformat(element.findtext(f"{ATOM}updated") or "").tzinfo
    entry = feed.find(f"{ATOM}entry")
    assert entry is not None
    links = entry.findall(f"{ATOM}link[@rel='alternate']")
    assert len(links) + len(entry.findall(f"{ATOM}content")) == 1
