"""Messages: what a reader sees first, the limits, and what hostile feed text cannot do."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from monitor.alerts import slack
from monitor.alerts.addresses import mail_url
from monitor.alerts.bundle import Gathered
from monitor.alerts.company import StoryNews
from monitor.alerts.lines import HOST_LENGTH, host, local_time, one_line, shorten
from monitor.alerts.plain import terminal_lines
from monitor.alerts.render import render
from monitor.model import Alert, AlertKind, Excerpt, Label, Message, Severity
from monitor.settings import Channel, Target
from tests.builders import (
    NOW,
    a_delivery,
    a_rule,
    an_alert,
    an_entry,
    an_operator_alert,
    an_update,
)
from tests.hostile import HOSTILE
from tests.thorough import thorough

BRUSSELS = ZoneInfo("Europe/Brussels")
TITLE = "US commits to faster arms sales to Europe"
SENTENCE = "The Pentagon promised a foreign military sale within weeks."
MAIL_ADDRESS = mail_url(server="mx.example.org", to="anna@example.org", from_="mon@corp.org")
ADDRESSES = {"mailtos": MAIL_ADDRESS, "slack": "slack://T/B/C", "json": "json://h/", "terminal": ""}


def marked(text: str, *words: str, field: str = "content") -> Excerpt:
    marks = tuple((text.index(word), text.index(word) + len(word)) for word in words)
    return Excerpt(field=field, text=text, marks=marks)


def arms_alert(rule: str = "fms-europe", **changes: Any) -> Alert:
    entry = an_entry(TITLE, feed_name="Politico", url="https://politico.example/a?b=1&c=2")
    values: dict[str, Any] = {
        "outlet": "Politico",
        "severity": Severity.HIGH,
        "terms": ("foreign military sale", "Pentagon"),
        "excerpts": (marked(SENTENCE, "Pentagon", "foreign military sale"),),
    }
    return an_alert(entry, a_rule(rule), **(values | changes))


def rendered(*alerts: Alert, kind: str = "json", **more: Any) -> Message:
    target = Target(name="desk", url=ADDRESSES.get(kind, "json://h/"))
    channel = Channel(name="desk", targets=(target,), kind=kind)
    items = [(a_delivery(alert), alert) for alert in alerts]
    return render(items, channel=channel, timezone=BRUSSELS, now=NOW, message_id="m" * 16, **more)


# --- one story


def test_a_message_starts_with_what_happened() -> None:
    assert rendered(arms_alert()).text.splitlines() == [
        TITLE,
        "Politico, Thu 13 Feb 2025, 10:55 CET",
        "The »Pentagon« promised a »foreign military sale« within weeks.",
        "https://politico.example/a?b=1&c=2",
        "",
        'Rule fms-europe, because of "foreign military sale" and "Pentagon" in the text.',
        f"Alert {arms_alert().id}",
    ]


def test_the_subject_names_severity_outlet_and_headline() -> None:
    assert rendered(arms_alert()).subject == f"[HIGH] Politico: {TITLE}"


def test_the_headline_shows_its_hits() -> None:
    title = marked(TITLE, "arms sales", "Europe", field="title")
    message = rendered(arms_alert(excerpts=(title,)))
    assert message.text.startswith("US commits to faster »arms sales« to »Europe«\nPolitico")
    assert message.text.count("US commits") == 1
    assert "in the title." in message.text
    assert "»" not in message.subject


def test_two_rules_on_one_story_make_one_message_that_names_both() -> None:
    first = arms_alert(terms=("Pentagon",), excerpts=(marked(SENTENCE, "Pentagon"),))
    second = arms_alert(
        "pentagon-watch",
        severity=Severity.CRITICAL,
        terms=("weeks",),
        excerpts=(marked(SENTENCE, "weeks"),),
        rule_note="Ask Anna.",
    )
    message = rendered(first, second)
    assert message.text.count(TITLE) == 1
    assert "The »Pentagon« promised a foreign military sale within »weeks«." in message.text
    assert 'Rule fms-europe, because of "Pentagon" in the text.' in message.text
    assert 'Rule pentagon-watch, because of "weeks" in the text. Ask Anna.' in message.text
    assert f"Alert {first.id}, {second.id}" in message.text
    assert message.alert_ids == (first.id, second.id)
    assert message.subject.startswith("[CRITICAL] ")


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        (Label.LATE, "(late: published before this feed was watched)"),
        (Label.EDITED, "(edited: it matches only since its publisher changed it)"),
        (Label.ARTICLE, "(found in the article's full text)"),
        (Label.BACKFILL, "(looked back: found by a rule that is newer than the story)"),
    ],
)
def test_an_unusual_moment_is_explained(label: Label, shown: str) -> None:
    assert shown in rendered(arms_alert(labels=(label,))).text.splitlines()


def test_without_a_date_it_says_when_it_was_found() -> None:
    assert "found Thu 13 Feb 2025, 11:00 CET" in rendered(arms_alert(published_at=None)).text


@pytest.mark.parametrize(
    ("terms", "fields", "reason"),
    [
        pytest.param((), (), "Rule fms-europe.", id="nothing to say"),
        pytest.param(("Example Defence",), (), 'because of "Example Defence".', id="a label"),
        pytest.param(
            ("a", "b"), ("title", "summary", "content"), "in the title and the text.", id="fields"
        ),
        pytest.param(tuple("abcdefg"), (), '"d", "e" and 2 more.', id="many terms"),
    ],
)
def test_the_reason(terms: tuple[str, ...], fields: tuple[str, ...], reason: str) -> None:
    found = tuple(marked(f"a {field}", "a", field=field) for field in fields)
    message = rendered(arms_alert(terms=terms, excerpts=found))
    assert reason in message.text


def test_a_mail_thread_holds_a_story_together() -> None:
    one, other = rendered(arms_alert("a")), rendered(arms_alert("b"))
    assert dict(one.headers)["References"] == dict(other.headers)["References"]
    assert dict(one.headers)["X-Monitor-Alert"] == arms_alert("a").id


# --- several


def story(number: int, **changes: Any) -> Alert:
    entry = an_entry(f"Story {number}", url=f"https://example.org/{number}")
    return an_alert(entry, **changes)


def test_a_digest_puts_the_most_severe_first_and_the_monitor_last() -> None:
    message = rendered(
        an_operator_alert(), story(1, severity=Severity.LOW), story(2, severity=Severity.HIGH)
    )
    places = [message.text.index(word) for word in ("Story 2", "Story 1", "No news from")]
    assert places == sorted(places)
    assert message.subject == "[HIGH] 3 stories: Example Defence: Story 2"
    for tagged in ("[HIGH] Story 2", "[LOW] Story 1", "[MONITOR] No news from"):
        assert tagged in message.text.splitlines() or f"{tagged} Example Defence" in message.text
    assert len(message.alert_ids) == 3
    assert "References" not in dict(message.headers)


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        ("slack", 35_000),
        ("json", 35_000),
        ("discord", 2_000),
        ("tgram", 4_096),
        ("mailtos", 250_000),
    ],
)
@pytest.mark.parametrize("count", [40, 900, pytest.param(6_000, marks=thorough)])
def test_a_long_digest_fits_its_channel_and_keeps_the_severe_in_full(
    kind: str, limit: int, count: int
) -> None:
    alerts = [story(n, outlet="A & B <x>") for n in range(count)]
    alerts.append(replace(story(10**6), severity=Severity.CRITICAL))
    message = rendered(*alerts, kind=kind)
    length = slack.length(message.text) if kind == "slack" else len(message.text)
    assert 0 < length <= limit
    assert "Story 1000000" in message.text
    assert len(message.alert_ids) == count + 1
    assert len(message.html) < 12 * limit


def test_the_monitor_speaks_plainly() -> None:
    alert = an_operator_alert(text="It answers 404.\nWhat to do: find its new address.")
    message = rendered(alert)
    assert message.subject == "[MONITOR] No news from Example Defence"
    assert message.text.splitlines() == [
        "No news from Example Defence",
        "It answers 404.",
        "What to do: find its new address.",
        "",
        f"Notice {alert.id}",
    ]


# --- media


def test_slack_has_the_headline_in_its_title_and_then_the_same_lines() -> None:
    assert rendered(arms_alert(), kind="slack").text.splitlines()[:3] == [
        "Politico, Thu 13 Feb 2025, 10:55 CET",
        "The »Pentagon« promised a »foreign military sale« within weeks.",
        "https://politico.example/a?b=1&c=2",
    ]


def test_slack_repeats_a_headline_that_alone_has_the_hits() -> None:
    alert = arms_alert(excerpts=(marked(TITLE, "arms sales", field="title"),))
    assert rendered(alert, kind="slack").text.splitlines()[1] == TITLE.replace(
        "arms sales", "»arms sales«"
    )


def test_only_mail_has_html() -> None:
    assert [bool(rendered(arms_alert(), kind=kind).html) for kind in ADDRESSES] == [
        True,
        False,
        False,
        False,
    ]


def test_the_html_part() -> None:
    page = HTMLParser(rendered(arms_alert(), kind="mailtos").html)
    assert page.css_first("h2 a").attributes["href"] == "https://politico.example/a?b=1&c=2"
    assert page.css_first("h2").text() == TITLE
    assert [mark.text() for mark in page.css("mark")] == ["Pentagon", "foreign military sale"]
    assert page.css_first('meta[name="color-scheme"]') is not None
    assert page.css("img, script, link, iframe") == []
    assert "url(" not in page.html


def test_what_a_dark_ground_needs_is_the_only_style_sheet() -> None:
    (style,) = HTMLParser(rendered(arms_alert(), kind="mailtos").html).css("style")
    assert "@media (prefers-color-scheme: dark)" in style.text()
    assert "@import" not in style.text()


def test_a_mail_says_where_its_link_leads() -> None:
    url = "https://www.politico.example@evil.example/" + "a" * 200
    page = HTMLParser(rendered(arms_alert(url=url), kind="mailtos").html)
    (link,) = page.css("a.go")
    assert (link.text(), link.attributes["href"]) == ("evil.example", url)


def preview(message: Message) -> str:
    return HTMLParser(message.html).css_first("body > div").text()


def test_what_a_list_of_mails_shows_beside_the_subject() -> None:
    assert preview(rendered(arms_alert(), kind="mailtos")) == SENTENCE
    assert preview(rendered(an_operator_alert(), kind="mailtos")) == "It answers 404."
    severe = story(1, severity=Severity.HIGH)
    assert preview(rendered(story(3), severe, story(2), kind="mailtos")) == "Story 3 · Story 2"
    assert preview(rendered(arms_alert(excerpts=()), kind="mailtos")) == ""


def test_the_severity_is_shown_where_no_subject_shows_it() -> None:
    alone = HTMLParser(rendered(arms_alert(), kind="mailtos").html)
    assert alone.css("h2 span") == []
    both = HTMLParser(rendered(arms_alert(), story(1), kind="mailtos").html)
    assert [each.text() for each in both.css("h2 span")] == ["HIGH", "NORMAL"]


def test_the_monitor_marks_why_and_what_to_do() -> None:
    alert = an_operator_alert(text="Why: it answers 404.\nWhat to do: <look>.\nWhy not")
    page = HTMLParser(rendered(alert, kind="mailtos").html)
    assert [each.text() for each in page.css("p strong")] == ["Why:", "What to do:"]
    assert [each.text() for each in page.css("p")][1] == "What to do: <look>."


def test_news_of_a_known_story_come_before_what_is_known() -> None:
    alert = arms_alert()
    news = an_update(story_id=alert.story_id)
    known = {alert.story_id: StoryNews(updates=(news,), known=True)}
    message = rendered(alert, kind="mailtos", stories=known)
    assert message.text.splitlines()[1:4] == [
        "Now from Ministry 11:00: Statement of the ministry",
        "https://ministry.example/1",
        "Politico, Thu 13 Feb 2025, 10:55 CET",
    ]
    new, place = HTMLParser(message.html).css("p")[:2]
    assert new.text() == "Now from Ministry 11:00: Statement of the ministry →\xa0ministry.example"
    assert place.text().startswith("Politico, ")
    assert preview(message) == "Now from Ministry 11:00: Statement of the ministry"


def test_what_a_digest_says_last_has_a_heading_and_no_tag() -> None:
    frame = replace(
        an_operator_alert(), kind=AlertKind.DIGEST, title="41 of 42 feeds healthy", text="· NATO"
    )
    message = rendered(story(1), frame, kind="mailtos", gathered=Gathered.DIGEST)
    assert "41 of 42 feeds healthy" in message.text.splitlines()
    page = HTMLParser(message.html)
    assert [each.text() for each in page.css("h3")] == ["nato (1)", "41 of 42 feeds healthy"]
    assert [each.text() for each in page.css("li")] == ["NATO"]


def test_answers_go_to_the_sender_with_the_verdict_and_the_alert() -> None:
    page = HTMLParser(rendered(arms_alert(), kind="mailtos").html)
    hrefs = {a.text(): a.attributes["href"] or "" for a in page.css('a[href^="mailto:"]')}
    assert set(hrefs) == {"irrelevant", "missed something"}
    assert hrefs["irrelevant"].startswith("mailto:mon@corp.org?subject=irrelevant")
    assert arms_alert().id in unquote(hrefs["irrelevant"])


def test_no_answer_links_without_a_sender() -> None:
    target = Target(name="desk", url="mailto://127.0.0.1/anna@example.org")
    channel = Channel(name="desk", targets=(target,), kind="mailto")
    items = [(a_delivery(arms_alert()), arms_alert())]
    html = render(items, channel=channel, timezone=BRUSSELS, now=NOW, message_id="m").html
    assert "mailto:" not in html


def test_the_terminal_shows_the_severity_and_the_same_text() -> None:
    lines = terminal_lines([arms_alert()], BRUSSELS)
    assert lines == rendered(arms_alert(), kind="terminal").text.split("\n")
    assert lines[0] == f"[HIGH] {TITLE}"
    assert lines[1:] == rendered(arms_alert()).text.split("\n")[1:]


# --- hostile text

hostile = pytest.mark.parametrize("title", HOSTILE.values(), ids=HOSTILE.keys())


def hostile_alert(text: str) -> Alert:
    return arms_alert(
        title=text,
        outlet=text,
        rule_note=text,
        terms=(text,),
        url=f"https://example.org/{text}",
        excerpts=(
            Excerpt(field="title", text=text, marks=((0, len(text)),)),
            Excerpt(field="content", text=f"{text} x", marks=((0, 2),)),
        ),
    )


@hostile
@pytest.mark.parametrize("kind", ADDRESSES)
def test_hostile_text_is_only_text(title: str, kind: str) -> None:
    message = rendered(hostile_alert(title), kind=kind)
    assert message.subject
    assert message.subject.isprintable()
    assert "=?" not in message.subject
    assert len(message.subject) < 200
    assert all(part.strip() for part in message.text.split("\n")[:2])
    assert all(line.isprintable() for line in message.text.split("\n"))
    (message.subject + message.text + message.html).encode()  # no lone surrogates
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069]", message.text)


@hostile
def test_hostile_text_makes_no_html(title: str) -> None:
    html = rendered(hostile_alert(title), kind="mailtos").html
    allowed = {"html", "head", "meta", "title", "style"}
    allowed |= {"body", "div", "h2", "a", "mark", "p", "br"}
    page = HTMLParser(html)
    assert {node.tag for node in page.root.traverse()} <= allowed
    assert {a.attributes["href"].partition(":")[0] for a in page.css("a")} <= {"https", "mailto"}
    for node in page.css("*"):
        assert not any(name.startswith("on") for name in node.attributes)


def test_a_template_in_a_title_stays_as_it_is() -> None:
    message = rendered(arms_alert(title=HOSTILE["template"]), kind="mailtos")
    assert message.text.startswith(HOSTILE["template"])
    assert HOSTILE["template"] in message.subject


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "https://a b/", ""]
)
def test_only_web_addresses_become_links(url: str) -> None:
    message = rendered(arms_alert(url=url), kind="mailtos")
    hrefs = [a.attributes["href"] or "" for a in HTMLParser(message.html).css("a")]
    assert all(href.startswith("mailto:") for href in hrefs)
    assert not url or url not in message.text


@given(title=st.text(max_size=400), sentence=st.text(max_size=400), data=st.data())
def test_any_text_gives_a_sound_message(title: str, sentence: str, data: st.DataObject) -> None:
    place = st.integers(0, len(sentence))
    marks = data.draw(st.lists(st.tuples(place, place).map(lambda s: tuple(sorted(s))), max_size=4))
    excerpt = Excerpt(field="content", text=sentence, marks=tuple(marks))  # type: ignore[arg-type]
    for kind in ADDRESSES:
        message = rendered(arms_alert(title=title, excerpts=(excerpt,)), kind=kind)
        assert 0 < len(message.subject) < 200
        assert len(message.subject.splitlines()) == 1
        (message.subject + message.text + message.html).encode()


# --- small parts


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 10, "short"),
        ("exactly ten", 11, "exactly ten"),
        ("the quick brown fox", 16, "the quick brown…"),
        ("abcdefghijkl", 6, "abcde…"),
        ("abcde\u0301fgh", 6, "abcd…"),  # not between a letter and its accent
        ("ab👨\u200d👩\u200d👧 x", 5, "ab…"),  # not inside a family
        ("abc🇺🇦🇺🇦🇺🇦", 5, "abc…"),
    ],
)
def test_shorten(text: str, limit: int, expected: str) -> None:
    assert shorten(text, limit) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.politico.eu/article/1", "politico.eu"),
        ("HTTP://Defence.Example:8080/", "defence.example"),
        ("https://bank.example:x@evil.example/", "evil.example"),
        ("https://[::1]/", "::1"),
        ("http://[", "http://["),
        ("https://", "https://"),
        (
            f"https://{'bank.example.' * 9}evil.example/",
            f"…{('bank.example.' * 9)[-47:]}evil.example",
        ),
    ],
)
def test_where_a_link_leads(url: str, expected: str) -> None:
    assert host(url) == expected
    assert len(host(url)) <= HOST_LENGTH


@given(text=st.text(max_size=300), limit=st.integers(1, 100))
def test_shortened_text_fits(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit


@given(text=st.text(st.characters(), max_size=200))
def test_one_line_is_one_line(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    line.encode()


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Brussels", "Thu 13 Feb 2025, 11:00 CET"),
        ("America/New_York", "Thu 13 Feb 2025, 05:00 EST"),
        ("Asia/Seoul", "Thu 13 Feb 2025, 19:00 KST"),
        ("America/Sao_Paulo", "Thu 13 Feb 2025, 07:00 UTC-03"),
        ("UTC", "Thu 13 Feb 2025, 10:00 UTC"),
    ],
)
def test_times_are_the_readers(zone: str, expected: str) -> None:
    assert local_time(NOW, ZoneInfo(zone)) == expected


def test_summer_time() -> None:
    assert local_time(datetime(2025, 7, 1, 22, 30, tzinfo=UTC), BRUSSELS).endswith("00:30 CEST")
