"""What templates made becomes a message that can be sent, or a fault."""

from __future__ import annotations

import json
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts.layout import SUBJECT_LENGTH
from monitor.alerts.sample import samples
from monitor.alerts.template_output import Fault, files_for, limit, placed, unshown
from monitor.model import AlertKind, Message
from tests.builders import NOW, a_message

ID, OTHER = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"
MESSAGE = replace(a_message(), alert_ids=(ID, OTHER))
DIGEST = samples(NOW)[2].layout(ZoneInfo("UTC"), "now").told


def message(file: str, made: str, kind: str = "json") -> Message:
    found = placed(MESSAGE, file, made, kind)
    assert isinstance(found, Message)
    return found


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("mailtos", ("subject.txt", "mail.html", "mail.txt")),
        ("slack", ("subject.txt", "slack.txt")),
        ("discord", ("subject.txt", "plain.txt")),
        ("terminal", ("subject.txt", "plain.txt")),
        ("slack-bot", ("subject.txt", "slack.txt")),
        ("webhook", ()),  # its form is a promise to programs
    ],
)
def test_a_channel_asks_for_its_files(kind: str, files: tuple[str, ...]) -> None:
    assert files_for(kind) == files


@pytest.mark.parametrize(
    ("made", "text"),
    [
        pytest.param(f"{ID} {OTHER}\n", f"{ID} {OTHER}", id="all are named"),
        pytest.param(f"story {ID}", f"story {ID}\n\nAlert {OTHER}", id="one is left out"),
        pytest.param("story", f"story\n\nAlert {ID}, {OTHER}", id="all are left out"),
    ],
)
def test_a_text_names_every_alert(made: str, text: str) -> None:
    assert message("plain.txt", made).text == text


@pytest.mark.parametrize(
    ("made", "end"),
    [
        pytest.param("<p>x</p></BODY></html>", "</p>\n</BODY></html>", id="inside the body"),
        pytest.param("<p>x</p>", "</p>", id="without a body"),
        pytest.param("<p>İİİİİİİİ</p></body>", "</p>", id="letters that change their length"),
    ],
)
def test_a_page_names_every_alert(made: str, end: str) -> None:
    page = message("mail.html", made, "mailto").html
    assert f"Alert {ID}, {OTHER}" in page
    assert page.endswith(end)


@pytest.mark.parametrize(
    ("made", "subject"),
    [
        pytest.param("a\r\nBcc: b@example.org\n", "a Bcc: b@example.org", id="one line"),
        pytest.param("=?utf-8?B?PHM=?=", "= ?utf-8?B?PHM= ?=", id="no encoded word"),
        pytest.param("x" * 900, "x" * (SUBJECT_LENGTH - 1) + "…", id="short"),
    ],
)
def test_a_subject_is_one_harmless_line(made: str, subject: str) -> None:
    assert message("subject.txt", made).subject == subject


def test_what_no_channel_can_carry_is_taken_out() -> None:
    text = message("plain.txt", f"a\x00\x1b[2J\ud800b\tc\r\nd {ID} {OTHER}").text
    assert text == f"a[2Jb\tc\nd {ID} {OTHER}"


@pytest.mark.parametrize(
    ("file", "made", "kind"),
    [
        pytest.param("plain.txt", " \n\x00 ", "json", id="nothing"),
        pytest.param("plain.txt", "x" * 1_690, "discord", id="no room for the ids"),
        pytest.param("slack.txt", "&" * 7_000, "slack", id="too long once Slack's signs are set"),
    ],
)
def test_what_cannot_be_sent_is_a_fault(file: str, made: str, kind: str) -> None:
    assert isinstance(placed(MESSAGE, file, made, kind), Fault)


def test_limits_are_those_of_the_channel() -> None:
    assert limit("plain.txt", "discord") == 1_700
    assert limit("mail.html", "mailto") > limit("mail.txt", "mailto") > limit("slack.txt", "slack")


def test_marks_case_and_tags_do_not_hide_a_title() -> None:
    titles = [each.title for each in DIGEST]
    assert unshown(DIGEST, "plain.txt", "\n".join(titles).upper().replace("F-16", "»F-16«")) is None
    page = "".join(f"<p>{title}</p>" for title in titles)
    page = page.replace("&", "&amp;").replace("<for>", "&lt;for&gt;").replace("F-", "<b>F</b>-")
    assert unshown(DIGEST, "mail.html", page) is None


def test_a_story_or_notice_that_is_passed_over_is_a_fault() -> None:
    titles = {each.kind: each.title for each in DIGEST}
    stories = "\n".join(each.title for each in DIGEST if each.kind is AlertKind.STORY)
    fault = unshown(DIGEST, "plain.txt", stories)
    assert fault is not None
    assert "No news from" in fault.what
    assert "in notices" in fault.remedy
    fault = unshown(DIGEST, "plain.txt", titles[AlertKind.OPERATOR])
    assert fault is not None
    assert "in stories" in fault.remedy


def test_a_slack_bot_shows_the_text_of_a_template_and_not_our_blocks() -> None:
    message = a_message(payload='{"blocks": [{"type": "divider"}], "broadcast": true}')
    made = placed(message, "slack.txt", f"mine {message.alert_ids[0]}", "slack-bot")
    assert isinstance(made, Message)
    assert json.loads(made.payload) == {"broadcast": True}
