"""A Slack bot: addresses, what a loopback Slack receives, and what its answers mean."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts import send as sending
from monitor.alerts import slackbot
from monitor.alerts.addresses import kind_of, redact, secrets_in, validate_url
from monitor.alerts.exchange import Exchange
from monitor.alerts.render import render
from monitor.alerts.send import Sender
from monitor.alerts.slackbot import Form, judged
from monitor.model import Accepted, Message, Refused, Scope, SendResult
from monitor.settings import Channel, Target
from tests.builders import NOW, a_delivery, a_message, an_alert, an_entry
from tests.hostile import HOSTILE
from tests.sinks import BOT_TOKEN, HttpSink, http_sink

ADDRESS = f"slack-bot://{BOT_TOKEN}/C0123ABCD"
TAKEN = b'{"ok":true,"channel":"C0123ABCD","ts":"1739440800.000100"}'
BLOCKS = [{"type": "rich_text", "elements": []}]
PAYLOAD = json.dumps({"blocks": BLOCKS, "broadcast": True})
EVIL = "<!channel> <@U123> <https://evil.example|x> *bold* `c` @here & \x1b[31m {{7*7}} =cmd()"


# --- the address


@pytest.mark.parametrize(
    "url",
    [
        ADDRESS,
        f"{ADDRESS}/",
        f"SLACK-BOT://{BOT_TOKEN}/G0123ABCD",
        "slack-bot://xoxe.xoxb-1-abcdefgh/D0123ABCD",
        f"{ADDRESS}?base=http://127.0.0.1:8080",
        f"{ADDRESS}/?base=http://[::1]:8080/some/where/",
    ],
)
def test_a_good_address(url: str) -> None:
    assert validate_url(url) is None
    assert kind_of(url) == slackbot.KIND


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("slack-bot://", '"xoxb-"', id="nothing"),
        pytest.param("slack-bot://xoxp-12345678-S3CRET/C0123ABCD", '"xoxb-"', id="a user's token"),
        pytest.param("slack-bot://C0123ABCD/xoxb-12345678-S3CRET", '"xoxb-"', id="swapped"),
        pytest.param("slack-bot://xoxb-12345678-S3CRET", "channel's id", id="no channel"),
        pytest.param("slack-bot://xoxb-12345678-S3CRET/#desk", "C0123ABCD", id="a name"),
        pytest.param("slack-bot://xoxb-12345678-S3CRET/desk", "C0123ABCD", id="a bare name"),
        pytest.param(f"{ADDRESS}?x=1", "nothing may follow", id="a key without effect"),
        pytest.param(f"{ADDRESS}?base=http://10.0.0.1:80", "127.0.0.1", id="elsewhere"),
        pytest.param(f"{ADDRESS}?base=http://localhost.evil.org", "127.0.0.1", id="looks local"),
        pytest.param(f"{ADDRESS}?base=file://127.0.0.1/", "127.0.0.1", id="no web address"),
        pytest.param(f"{ADDRESS}?base=http://127.0.0.1:99999", "127.0.0.1", id="no port"),
    ],
)
def test_a_bad_address(url: str, said: str) -> None:
    found = validate_url(url)
    assert found is not None
    assert said in found
    assert "S3CRET" not in found


def test_nothing_of_the_token_is_shown() -> None:
    assert redact(ADDRESS) == "slack-bot://…"
    assert BOT_TOKEN in secrets_in(ADDRESS)
    assert BOT_TOKEN not in repr(slackbot.read(ADDRESS))
    assert BOT_TOKEN not in repr(slackbot.post(ADDRESS, a_message(), Form()))


def test_without_a_base_it_is_slack_that_is_asked() -> None:
    assert slackbot.post(ADDRESS, a_message(), Form()).url == (
        "https://slack.com/api/chat.postMessage"
    )


# --- what arrives


@pytest.fixture
async def sender(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sender]:
    monkeypatch.setitem(sending.GAPS, slackbot.KIND, timedelta(0))
    made = Sender(terminal=print, patience=timedelta(seconds=0.5))
    yield made
    await made.aclose()


async def send(
    sender: Sender, sink: HttpSink, message: Message, *, step: str = "200", thread: str = ""
) -> SendResult:
    target = Target(name="desk", url=sink.bot_url(step))
    channel = Channel(name="desk", targets=(target,), kind=slackbot.KIND)
    return await sender.send(message, target, channel, thread=thread)


async def test_a_message_is_posted_with_its_blocks(sender: Sender) -> None:
    message = a_message(payload=PAYLOAD)
    async with http_sink(answer=TAKEN) as sink:
        assert await send(sender, sink, message) == Accepted(thread="1739440800.000100")
        [posted] = sink.posted
    assert posted.path == "/200/api/chat.postMessage"
    assert posted.headers["authorization"] == f"Bearer {BOT_TOKEN}"
    assert posted.json == {
        "channel": "C0123ABCD",
        "text": f"{message.subject}\n{message.text}",
        "blocks": BLOCKS,
        "mrkdwn": False,
        "parse": "none",
        "unfurl_links": False,
        "unfurl_media": False,
    }


async def test_an_answer_in_a_thread_belongs_to_the_thread(sender: Sender) -> None:
    async with http_sink(answer=TAKEN) as sink:
        for broadcast in (True, False):
            payload = json.dumps({"blocks": BLOCKS, "broadcast": broadcast})
            result = await send(sender, sink, a_message(payload=payload), thread="1.5")
            assert result == Accepted(thread="1.5")
    assert [each.json["thread_ts"] for each in sink.posted] == ["1.5", "1.5"]
    assert [each.json["reply_broadcast"] for each in sink.posted] == [True, False]


@pytest.mark.parametrize("title", [*HOSTILE.values(), EVIL], ids=[*HOSTILE, "everything"])
async def test_a_hostile_title_is_mere_text(sender: Sender, title: str) -> None:
    target = Target(name="desk", url=ADDRESS)
    channel = Channel(name="desk", targets=(target,), kind=slackbot.KIND)
    alert = an_alert(an_entry(title), title=title, outlet=title)
    items = [(a_delivery(alert), alert)]
    message = render(items, channel=channel, timezone=ZoneInfo("UTC"), now=NOW, message_id="m")
    async with http_sink(answer=TAKEN) as sink:
        assert isinstance(await send(sender, sink, message), Accepted)
        [posted] = sink.posted
    text = posted.json["text"]
    assert "<" not in text.replace("&lt;", "")
    assert ">" not in text.replace("&gt;", "")
    [block, small] = posted.json["blocks"]
    assert [each["type"] for each in small["elements"]] == ["plain_text"]
    shown = block["elements"][0]["elements"]
    assert {each["type"] for each in shown} == {"text", "link"}
    assert [each["url"] for each in shown if each["type"] == "link"] == [alert.url]
    assert "\x1b" not in json.loads(json.dumps(posted.json), parse_constant=str)["text"]


async def test_a_message_laid_out_for_another_channel_goes_as_text(sender: Sender) -> None:
    async with http_sink(answer=TAKEN) as sink:
        for payload in ("", '{"schema":"news-monitor/1","alerts":[]}'):
            message = a_message(text="a<b " * 1000, payload=payload)
            assert isinstance(await send(sender, sink, message), Accepted)
    assert all("blocks" not in posted.json for posted in sink.posted)
    assert all(posted.json["text"].count("a&lt;b") == 1000 for posted in sink.posted)


async def test_beside_blocks_the_text_is_short(sender: Sender) -> None:
    async with http_sink(answer=TAKEN) as sink:
        await send(sender, sink, a_message(text="word " * 4000, payload=PAYLOAD))
        [posted] = sink.posted
    assert len(posted.json["text"]) <= slackbot.FALLBACK_LENGTH


@pytest.mark.parametrize(
    ("error", "left_out"),
    [
        ("invalid_blocks", "blocks"),
        ("msg_blocks_too_long", "blocks"),
        ("thread_not_found", "thread_ts"),
        ("restricted_action_thread_locked", "thread_ts"),
    ],
)
async def test_what_slack_does_not_take_is_left_out_rather_than_all_lost(
    sender: Sender, error: str, left_out: str
) -> None:
    no = json.dumps({"ok": False, "error": error}).encode()
    async with http_sink(answers=[no, TAKEN]) as sink:
        result = await send(sender, sink, a_message(payload=PAYLOAD), thread="1.5")
        first, second = (posted.json for posted in sink.posted)
    assert isinstance(result, Accepted)
    assert result.thread == ("1739440800.000100" if left_out == "thread_ts" else "1.5")
    assert left_out in first
    assert left_out not in second


async def test_what_slack_will_not_take_at_all_is_asked_three_times(sender: Sender) -> None:
    answers = [b'{"ok":false,"error":"thread_not_found"}', b'{"ok":false,"error":"invalid_blocks"}']
    last = b'{"ok":false,"error":"invalid_blocks"}'
    async with http_sink(answers=answers, answer=last) as sink:
        result = await send(sender, sink, a_message(payload=PAYLOAD), thread="1.5")
        assert len(sink.posted) == 3
    assert summary(result) == MESSAGE_LATER


# --- what it means


def summary(result: SendResult) -> tuple[bool, bool, str]:
    """(may be tried again, may have arrived, what it stops)."""
    assert isinstance(result, Refused)
    return result.retryable, result.ambiguous, result.scope


CHANNEL_LATER = (True, False, Scope.CHANNEL)
CHANNEL_STOP = (False, False, Scope.CHANNEL)
WHO_KNOWS = (True, True, Scope.CHANNEL)
MESSAGE_LATER = (True, False, Scope.MESSAGE)


def says(error: str, **changes: object) -> Exchange:
    body = json.dumps({"ok": False, "error": error}).encode()
    return replace(Exchange(status=200, body=body, handed_over=True), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("exchange", "expected", "why"),
    [
        (says("invalid_auth"), CHANNEL_STOP, "copy the bot's token anew"),
        (says("not_authed"), CHANNEL_STOP, "copy the bot's token anew"),
        (says("token_revoked"), CHANNEL_STOP, "install the app"),
        (says("token_expired"), CHANNEL_STOP, "token rotation"),
        (says("account_inactive"), CHANNEL_STOP, "install the app again"),
        (says("channel_not_found"), CHANNEL_STOP, "channel's id"),
        (says("not_in_channel"), CHANNEL_STOP, "invite the bot to the channel"),
        (says("is_archived"), CHANNEL_STOP, "unarchive"),
        (says("missing_scope"), CHANNEL_STOP, "chat:write"),
        (says("restricted_action"), CHANNEL_STOP, "administrator"),
        (says("restricted_action_read_only_channel"), CHANNEL_STOP, "administrator"),
        (says("ratelimited"), CHANNEL_LATER, "ratelimited"),
        (says("msg_too_long"), MESSAGE_LATER, "msg_too_long"),
        (says("invalid_blocks"), MESSAGE_LATER, "invalid_blocks"),
        (says("internal_error"), WHO_KNOWS, "internal_error"),
        (says("service_unavailable"), CHANNEL_LATER, "service_unavailable"),
        (says("<b>S3CRET</b>"), CHANNEL_LATER, "without a reason"),
        (says("", body=b'{"ok":false}'), CHANNEL_LATER, "without a reason"),
        (says("", body=b"<html>hotel</html>"), CHANNEL_LATER, "not as Slack does"),
        (says("", body=b"[" * 60_000), CHANNEL_LATER, "not as Slack does"),
        (says("", body=b"\xff[1]"), CHANNEL_LATER, "not as Slack does"),
        (says("", body=b"[1]"), CHANNEL_LATER, "not as Slack does"),
        (says("x", fault="timeout"), WHO_KNOWS, "no answer in time"),
        (says("x", status=429), CHANNEL_LATER, "429"),
        (says("x", status=503), CHANNEL_LATER, "503"),
        (says("x", status=401), CHANNEL_STOP, "401"),
        (Exchange(fault="reset", handed_over=True), WHO_KNOWS, "broke"),
        (Exchange(fault="refused"), CHANNEL_LATER, "refuses connections"),
    ],
)
def test_refusals(exchange: Exchange, expected: tuple[bool, bool, Scope], why: str) -> None:
    result = judged(exchange, Form(), NOW)
    assert summary(result) == expected
    assert isinstance(result, Refused)
    assert why in result.detail
    assert "S3CRET" not in result.detail
    assert len(result.detail) <= 200


@pytest.mark.parametrize("status", [200, 429])
def test_slack_says_when_to_come_again(status: int) -> None:
    result = judged(says("ratelimited", status=status, retry_after="17"), Form(), NOW)
    assert isinstance(result, Refused)
    assert result.retry_after == timedelta(seconds=17)


@pytest.mark.parametrize("ts", ["null", "17", '"x"', '"1.5; drop"'])
def test_an_odd_name_of_a_message_is_no_thread(ts: str) -> None:
    exchange = Exchange(status=200, body=f'{{"ok":true,"ts":{ts}}}'.encode())
    assert judged(exchange, Form(), NOW) == Accepted()


@pytest.mark.parametrize(
    ("step", "expected"),
    [("429", CHANNEL_LATER), ("hang", WHO_KNOWS), ("ambiguous", WHO_KNOWS), ("401", CHANNEL_STOP)],
)
async def test_refusals_over_the_wire(
    sender: Sender, step: str, expected: tuple[bool, bool, Scope]
) -> None:
    async with http_sink() as sink:
        assert summary(await send(sender, sink, a_message(), step=step)) == expected
