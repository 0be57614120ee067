"""Blocks for a Slack bot: what is read first, literal text, and Slack's limits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts.blocks import MOST_BLOCKS, MOST_BYTES, TEXT_LENGTH, blocks
from monitor.alerts.bundle import Gathered
from monitor.alerts.company import StoryNews
from monitor.alerts.layout import laid_out
from monitor.alerts.lines import one_line
from monitor.alerts.render import render
from monitor.alerts.telling import tellings
from monitor.model import Alert, DeliveryKind, Excerpt, Label, Severity, Update, UpdateReason
from monitor.settings import Channel, Target
from tests.builders import NOW, a_delivery, a_rule, an_alert, an_entry, an_operator_alert
from tests.hostile import HOSTILE

BRUSSELS = ZoneInfo("Europe/Brussels")
TITLE = "US commits to faster arms sales to Europe"
SENTENCE = "The Pentagon promised a foreign military sale within weeks."
MARK = Excerpt(field="content", text=SENTENCE, marks=((4, 12), (24, 45)))


def arms_alert(headline: str = TITLE, **changes: Any) -> Alert:
    entry = an_entry(headline, url="https://politico.example/a?b=1&c=2")
    values: dict[str, Any] = {
        "outlet": "Politico",
        "severity": Severity.HIGH,
        "terms": ("Pentagon",),
        "excerpts": (MARK,),
    }
    return an_alert(entry, a_rule("fms-europe"), **(values | changes))


def blocks_of(
    *alerts: Alert,
    stories: dict[str, StoryNews] | None = None,
    gathered: Gathered = Gathered.STORY,
) -> list[dict[str, Any]]:
    told = tellings(alerts, BRUSSELS, stories)
    return blocks(laid_out(told, gathered, (), "07:30"))


def elements(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All of the ``rich_text`` blocks, in order."""
    rich = [block for block in found if block["type"] == "rich_text"]
    parts = [part for block in rich for part in block["elements"]]
    assert {part["type"] for part in parts} <= {
        "rich_text_section",
        "rich_text_quote",
        "rich_text_list",
    }
    return [each for part in parts for each in elements_of(part)]


def elements_of(part: dict[str, Any]) -> list[dict[str, Any]]:
    if part["type"] != "rich_text_list":
        return list(part["elements"])
    return [each for item in part["elements"] for each in item["elements"]]


def lines_of(block: dict[str, Any]) -> list[str]:
    """What people read: each section, quote and item begins a line, as in Slack."""
    if block["type"] == "divider":
        return ["---"]
    if block["type"] == "context":
        assert [(each["type"], each["emoji"]) for each in block["elements"]] == [
            ("plain_text", False)
        ]
        return [f"small: {line}" for line in block["elements"][0]["text"].split("\n")]
    parts = []
    for part in block["elements"]:
        items = part["elements"] if part["type"] == "rich_text_list" else [part]
        parts += ["".join(each["text"] for each in item["elements"]) for item in items]
    return "\n".join(parts).split("\n")


def text_of(found: list[dict[str, Any]]) -> str:
    return "\n".join(line for block in found for line in lines_of(block))


def test_a_message_starts_with_what_happened() -> None:
    alert = arms_alert()
    assert text_of(blocks_of(alert)).splitlines() == [
        f"[HIGH] {TITLE}",
        "Politico, Thu 13 Feb 2025, 10:55 CET → politico.example",
        SENTENCE,
        'small: Rule fms-europe, because of "Pentagon" in the text.',
        f"small: Alert {alert.id}",
    ]


def test_the_headline_and_the_hits_are_bold_and_nothing_else_is_set() -> None:
    found = elements(blocks_of(arms_alert()))
    bold = [each["text"] for each in found if each.get("style") == {"bold": True}]
    assert bold == ["[HIGH] ", TITLE, "Pentagon", "foreign military sale"]
    assert sum("style" in each for each in found) == len(bold)
    assert all(set(each) <= {"type", "text", "url", "style"} for each in found)


def test_hits_in_the_headline_are_in_italics_too() -> None:
    mark = Excerpt(field="title", text=TITLE, marks=((21, 31),))
    found = elements(blocks_of(arms_alert(excerpts=(mark,))))
    assert [each["text"] for each in found if "italic" in each.get("style", {})] == ["arms sales"]


def test_sentences_are_quotes() -> None:
    block, _ = blocks_of(arms_alert())
    assert [each["type"] for each in block["elements"]] == ["rich_text_section", "rich_text_quote"]


def test_the_link_says_where_it_leads() -> None:
    url = "https://politico.example@evil.example/a?b=1&c=2"
    links = [each for each in elements(blocks_of(arms_alert(url=url))) if each["type"] == "link"]
    assert links == [{"type": "link", "url": url, "text": "evil.example"}]


def test_reasons_without_end_leave_room_for_the_ids() -> None:
    alert = arms_alert(rule_note="word " * 1000)
    _, small = blocks_of(alert)
    assert small["elements"][0]["text"].endswith(f"…\nAlert {alert.id}")
    assert len(small["elements"][0]["text"]) < TEXT_LENGTH


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "https://x.org/a b", "ftp://x.org"])
def test_what_opens_no_page_is_no_link(url: str) -> None:
    assert "link" not in json.dumps(blocks_of(arms_alert(url=url)))


def test_an_address_longer_than_slack_takes_is_text() -> None:
    found = elements(blocks_of(arms_alert(url="https://x.org/" + "a" * 2000)))
    assert [each for each in found if each["type"] == "link"] == []
    assert any(each["text"].startswith("https://x.org/aaa") for each in found)


@pytest.mark.parametrize("title", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_title_stands_in_one_text_element(title: str) -> None:
    found = elements(blocks_of(arms_alert(title, outlet=title, excerpts=())))
    assert {each["type"] for each in found} == {"text", "link"}
    assert found[1]["text"] == (one_line(title) or "(no title)")
    assert all(each.get("text", "x") for each in found)


def test_what_is_unusual_and_who_else_tells_it_is_said() -> None:
    text = text_of(blocks_of(arms_alert(labels=(Label.LATE,), facts=("Kuwait", "$425 million"))))
    assert "(late: published before this feed was watched)" in text.splitlines()
    assert "Kuwait · $425 million" in text.splitlines()


def test_an_update_says_what_is_new() -> None:
    alert = arms_alert()
    update = Update(
        number=1,
        story_id=alert.story_id,
        reason=UpdateReason.OFFICIAL,
        entry_id="e2",
        created_at=NOW,
        title="DoD statement",
        url="https://war.example/1",
        outlet="Pentagon",
    )
    story = StoryNews(updates=(update,), known=True)
    lines = text_of(blocks_of(alert, stories={alert.story_id: story})).splitlines()
    assert lines[1] == "Now from Pentagon 11:00: DoD statement → war.example"
    assert lines[2].startswith("Politico, ")


def test_a_notice_has_its_lines() -> None:
    alert = an_operator_alert(text="It answers 404.\nWhat to do: look at its address.")
    assert text_of(blocks_of(alert)).splitlines() == [
        "[MONITOR] No news from Example Defence",
        "It answers 404.",
        "What to do: look at its address.",
        f"small: Notice {alert.id}",
    ]


def test_items_are_a_list() -> None:
    block, _ = blocks_of(an_operator_alert(text="Sent:\n· one\n· two\nMuted: 3."))
    parts = [(part["type"], len(part["elements"])) for part in block["elements"]]
    assert parts == [("rich_text_section", 3), ("rich_text_list", 2), ("rich_text_section", 1)]
    assert lines_of(block)[1:] == ["Sent:", "one", "two", "Muted: 3."]


def test_a_digest_has_its_introduction_and_headings() -> None:
    other = an_alert(an_entry("Other"), a_rule("nato"), title="Other")
    lines = text_of(blocks_of(arms_alert(), other, gathered=Gathered.DIGEST)).splitlines()
    assert lines[:4] == [
        "Digest, 07:30: 2 stories, 1 of them high or critical.",
        "",
        "fms-europe (1)",
        f"[HIGH] {TITLE}",
    ]
    assert sum(line.startswith("Digest, ") for line in lines) == 1
    assert lines[lines.index("[NORMAL] Other") - 1] == "nato (1)"


@pytest.mark.parametrize("count", [1, 2, 8, 24, 25, 40])
@pytest.mark.parametrize("title", ["US arms sales", "Збройні сили України"], ids=["en", "uk"])
def test_many_stories_keep_within_the_limits(count: int, title: str) -> None:
    alerts = [arms_alert(f"{title} {number}") for number in range(count)]
    found = blocks_of(*alerts)
    assert 0 < len(found) <= MOST_BLOCKS
    compact = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    assert len(compact.encode()) <= MOST_BYTES
    assert all(len(each.get("text", "")) <= TEXT_LENGTH for each in elements(found))
    assert all(alert.id in text_of(found) for alert in alerts)
    assert found[-1]["type"] != "divider"
    assert all(block.get("elements", True) for block in found)


def test_what_does_not_fit_even_by_headline_has_no_blocks() -> None:
    assert blocks_of(*(arms_alert(f"US arms sales {number}") for number in range(500))) == []


def test_one_notice_that_is_too_long_has_no_blocks_rather_than_its_title_alone() -> None:
    assert blocks_of(an_operator_alert(text="\n".join(["word " * 500] * 9))) == []


def test_the_message_of_a_bot_has_blocks_a_text_and_its_story() -> None:
    alert = arms_alert()
    target = Target(name="desk", url="slack-bot://xoxb-12345678/C0123ABCD")
    channel = Channel(name="desk", targets=(target,), kind="slack-bot")
    row = a_delivery(alert)
    for kind, broadcast in ((DeliveryKind.FIRST, True), (DeliveryKind.UPDATE, False)):
        items = [(replace(row, kind=kind), alert)]
        message = render(items, channel=channel, timezone=BRUSSELS, now=NOW, message_id="m")
        frozen = json.loads(message.payload)
        assert text_of(frozen["blocks"]).startswith(f"[HIGH] {TITLE}")
        assert frozen["broadcast"] is broadcast
        assert message.text.startswith("Politico, Thu 13 Feb 2025")
        assert message.story_id == alert.story_id
