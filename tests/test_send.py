"""Handing over: real apprise in real children, real SMTP and HTTP servers on loopback."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from monitor.alerts.render import render
from monitor.alerts.send import MOST_CHILDREN, Sender
from monitor.model import Accepted, Message, Refused, Scope, SendResult
from monitor.settings import Channel, Target
from tests.builders import NOW, a_delivery, a_message, an_alert, an_entry
from tests.hostile import HOSTILE
from tests.sinks import http_sink, smtp_sink, talking
from tests.thorough import thorough

CANARY = "c4n4ry-S3CRET"
HEADERS = (("X-Monitor-Alert", "0123456789abcdef"), ("References", "<story.1@monitor.invalid>"))
MRKDWN = "<!channel> <@U123> <https://evil.example|x> <script>alert(1)</script> {{7*7}} %s"

MAIL_HEADERS = {"Content-Type", "MIME-Version", "Subject", "From", "To", "Message-ID", "Date"} | {
    "X-Application",
    "X-Monitor-Alert",
    "References",
}
DEADLINE, PATIENCE = timedelta(seconds=3), timedelta(seconds=0.5)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sender() -> AsyncIterator[Sender]:
    """One for all tests: a warm child answers in milliseconds, a new one needs a second."""
    made = Sender(terminal=print, deadline=DEADLINE, patience=PATIENCE)
    yield made
    await made.aclose()


def channel(url: str, name: str = "desk") -> tuple[Target, Channel]:
    target = Target(name=f"{name}/{url}", url=url)
    return target, Channel(name=name, targets=(target,), kind=url.partition("://")[0])


async def send(sender: Sender, url: str, message: Message | None = None) -> SendResult:
    return await sender.send(message or a_message(headers=HEADERS), *channel(url))


def summary(result: SendResult) -> tuple[bool, bool, str]:
    """(may be tried again, may have arrived, what it stops)."""
    assert isinstance(result, Refused)
    return result.retryable, result.ambiguous, result.scope


CHANNEL_LATER = (True, False, Scope.CHANNEL)
CHANNEL_STOP = (False, False, Scope.CHANNEL)
WHO_KNOWS = (True, True, Scope.CHANNEL)
TARGET_STOP = (False, False, Scope.TARGET)
TARGET_LATER = (True, False, Scope.TARGET)
MESSAGE_LATER = (True, False, Scope.MESSAGE)


# --- HTTP


async def test_a_webhook_gets_the_text_and_the_alert_ids(sender: Sender) -> None:
    async with http_sink() as sink:
        message = a_message(headers=HEADERS)
        assert await send(sender, sink.url("200"), message) == Accepted()
        [posted] = sink.posted
    assert posted.json["title"] == message.subject
    assert posted.json["message"] == message.text
    assert posted.headers["x-monitor-alert"] == "0123456789abcdef"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param("302", CHANNEL_LATER, id="302 without a place"),
        pytest.param("400", MESSAGE_LATER, id="400"),
        pytest.param("401", CHANNEL_STOP, id="401"),
        pytest.param("403", CHANNEL_STOP, id="403"),
        pytest.param("404", CHANNEL_STOP, id="404"),
        pytest.param("410", CHANNEL_STOP, id="410"),
        pytest.param("429", CHANNEL_LATER, id="429"),
        pytest.param("500", CHANNEL_LATER, id="500"),
        pytest.param("503", CHANNEL_LATER, id="503"),
        pytest.param("reset", WHO_KNOWS, id="closed before the text was read"),
        pytest.param("ambiguous", WHO_KNOWS, id="closed after the text was read"),
        pytest.param("hang", WHO_KNOWS, id="never answers"),
    ],
)
async def test_http_refusals(sender: Sender, step: str, expected: tuple[bool, bool, Scope]) -> None:
    async with http_sink() as sink:
        assert summary(await send(sender, sink.url(step))) == expected


async def test_a_slow_answer_is_waited_for(sender: Sender) -> None:
    async with http_sink() as sink:
        assert await send(sender, sink.url("slow")) == Accepted()


async def test_a_redirect_is_not_followed(sender: Sender) -> None:
    async with http_sink() as sink:
        for url in (sink.url("redirect"), sink.url("redirect") + "?redirect=yes"):
            assert summary(await send(sender, url)) == CHANNEL_LATER
        assert [posted.method for posted in sink.posted] == ["POST", "POST"]
        assert all("/hook/redirect" in path for path in sink.paths())


async def test_retry_after_is_heard(sender: Sender) -> None:
    async with http_sink(retry_after="17") as sink:
        result = await send(sender, sink.url("429"))
    assert isinstance(result, Refused)
    assert result.retry_after == timedelta(seconds=17)


@pytest.mark.parametrize(
    ("url", "expected", "why"),
    [
        ("json://127.0.0.1:1/", CHANNEL_LATER, "refuses connections"),
        ("json://no-such-host.invalid/", CHANNEL_LATER, "name of its server is unknown"),
        ("mailto://127.0.0.1:1/a@b.org?from=c@d.org", CHANNEL_LATER, "refuses connections"),
        ("slack://not-a-token/", CHANNEL_STOP, "cannot use"),
    ],
)
async def test_nobody_there(
    sender: Sender, url: str, expected: tuple[bool, bool, Scope], why: str
) -> None:
    result = await send(sender, url)
    assert summary(result) == expected
    assert isinstance(result, Refused)
    assert why in result.detail


# --- Slack


async def test_slack_feed_text_mentions_nobody_and_nothing_is_added(sender: Sender) -> None:
    message = a_message(subject=f"[HIGH] {MRKDWN}", text=f"{MRKDWN} *b* _i_ `c` @here & more")
    async with http_sink() as sink:
        assert await send(sender, sink.slack_url("200"), message) == Accepted()
        [posted] = sink.posted
    [attachment] = posted.json["attachments"]
    assert posted.json["mrkdwn"] is False
    assert set(attachment) <= {"title", "text", "color"}
    for shown in (attachment["title"], attachment["text"]):
        assert "<" not in shown
        assert ">" not in shown
        assert "&lt;!channel&gt; &lt;@U123&gt; &lt;https://evil.example|x&gt;" in shown
    assert attachment["text"].endswith("*b* _i_ `c` @here &amp; more")


async def test_slack_says_why_in_a_word(sender: Sender) -> None:
    async with http_sink(answer=b"no_service") as sink:
        result = await send(sender, sink.slack_url("404"))
    assert summary(result) == CHANNEL_STOP
    assert isinstance(result, Refused)
    assert "404 no_service" in result.detail


async def test_a_200_that_is_not_slacks_ok_is_no_success(sender: Sender) -> None:
    async with http_sink(answer=b"<html>Please log in to the hotel network</html>") as sink:
        assert summary(await send(sender, sink.slack_url("200"))) == MESSAGE_LATER


async def test_slack_is_not_sent_to_faster_than_it_allows(sender: Sender) -> None:
    async with http_sink() as sink:
        await send(sender, sink.slack_url("200"))
        began = time.monotonic()
        await send(sender, sink.slack_url("200"))
        assert time.monotonic() - began > 0.5


# --- mail


async def test_a_mail_has_our_text_our_html_and_our_headers(sender: Sender) -> None:
    message = a_message(
        subject="[HIGH] Café: »US« commits",
        text="US »commits«\nhttps://example.org/?a=1&b=2\nλόγος",
        html="<p>US <mark>commits</mark></p>",
        headers=HEADERS,
    )
    async with smtp_sink() as sink:
        assert await send(sender, sink.url(), message) == Accepted()
        [mail] = sink.mails
    parsed = mail.message
    assert (mail.sender, mail.recipients) == ("mon@corp.org", ("anna@example.org",))
    assert parsed["Subject"] == message.subject
    assert parsed["X-Monitor-Alert"] == "0123456789abcdef"
    assert parsed["References"] == "<story.1@monitor.invalid>"
    assert parsed.get_content_type() == "multipart/alternative"
    assert mail.text().splitlines() == message.text.splitlines()
    assert mail.text("html").strip() == message.html
    assert "Bcc" not in parsed


async def test_a_hostile_subject_stays_one_header(sender: Sender) -> None:
    message = a_message(subject="News\r\nBcc: everybody@example.org\r\n\r\n<p>body", text="x")
    async with smtp_sink() as sink:
        assert await send(sender, sink.url(), message) == Accepted()
        [mail] = sink.mails
    assert mail.message["Bcc"] is None
    assert mail.recipients == ("anna@example.org",)
    assert mail.text().strip() == "x"


@pytest.mark.parametrize("title", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_title_arrives_as_mere_text(sender: Sender, title: str) -> None:
    async with smtp_sink() as smtp, http_sink() as http:
        for url in (smtp.url(), http.url("200")):
            target, place = channel(url)
            alert = an_alert(an_entry(title), title=title)
            message = render(
                [(a_delivery(alert, target=target.name), alert)],
                channel=place,
                timezone=ZoneInfo("UTC"),
                now=NOW,
                message_id="m",
            )
            assert await sender.send(message, target, place) == Accepted()
        [mail], [posted] = smtp.mails, http.posted
    assert mail.recipients == ("anna@example.org",)
    assert " ".join(str(mail.message["Subject"]).split()) == message.subject
    assert set(mail.message.keys()) == MAIL_HEADERS
    assert mail.text().splitlines() == message.text.splitlines()
    assert posted.json["title"] == message.subject
    assert posted.json["message"] == message.text


@pytest.mark.parametrize(
    ("address", "path"),
    [
        pytest.param("ntfy://127.0.0.1:{port}/desk", "/", id="ntfy"),
        pytest.param("mmost://127.0.0.1:{port}/{token}", "/hooks/{token}", id="mattermost"),
        pytest.param("gotify://127.0.0.1:{port}/{token}", "/message", id="gotify"),
    ],
)
async def test_other_services_get_the_text_and_nothing_of_the_feed_acts(
    sender: Sender, address: str, path: str
) -> None:
    title = "NATO <!channel> @all <@1> https://x.example/@me a@b.org {{7*7}}"
    async with http_sink() as sink:
        words = {"port": sink.port, "token": "abcdefghijklmno"}
        target, place = channel(address.format(**words))
        alert = an_alert(an_entry(title), title=title)
        message = render(
            [(a_delivery(alert, target=target.name), alert)],
            channel=place,
            timezone=ZoneInfo("UTC"),
            now=NOW,
            message_id="m",
        )
        assert await sender.send(message, target, place) == Accepted()
        [posted] = sink.posted
    assert posted.path == path.format(**words)
    text = posted.json.get("message") or posted.json["text"]
    assert alert.id in text
    assert title.replace("@all", "@\u200ball").replace("<@1", "<@\u200b1") in text
    assert "markdown" not in json.dumps(posted.json).lower()


async def test_log_in(sender: Sender) -> None:
    awkward = "p@ss/w:rd?&#% +"
    async with smtp_sink(password=awkward) as sink:
        url = sink.url(user="me@corp.org", password=awkward)
        assert await send(sender, url) == Accepted()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"on_rcpt": "550 5.1.1 no such user"}, TARGET_STOP, id="unknown recipient"),
        pytest.param({"on_rcpt": "451 4.7.1 greylisted"}, TARGET_LATER, id="greylisted"),
        pytest.param({"on_mail": "421 4.3.2 try later"}, CHANNEL_LATER, id="closing"),
        pytest.param({"on_mail": "553 5.7.1 not your address"}, CHANNEL_STOP, id="sender refused"),
        pytest.param({"on_data": "552 5.3.4 too big"}, MESSAGE_LATER, id="too big"),
        pytest.param({"on_data": "451 4.3.0 disk full"}, CHANNEL_LATER, id="disk full"),
        pytest.param({"hang_after_data": True}, WHO_KNOWS, id="hangs after the text"),
        pytest.param({"drop_after_data": True}, WHO_KNOWS, id="closes after the text"),
    ],
)
async def test_mail_refusals(
    sender: Sender, settings: dict[str, Any], expected: tuple[bool, bool, Scope]
) -> None:
    async with smtp_sink(**settings) as sink:
        assert summary(await send(sender, sink.url())) == expected


async def test_a_wrong_password_stops_the_channel(sender: Sender) -> None:
    async with smtp_sink(password="right") as sink:
        result = await send(sender, sink.url(user="me@corp.org", password="wrong"))
    assert summary(result) == CHANNEL_STOP
    assert isinstance(result, Refused)
    assert "535" in result.detail


async def test_a_password_that_smtp_cannot_take_is_named_as_the_reason(sender: Sender) -> None:
    async with smtp_sink(password="pässword") as sink:
        result = await send(sender, sink.url(user="me@corp.org", password="pässword"))
    assert summary(result) == CHANNEL_LATER
    assert isinstance(result, Refused)
    assert "outside ASCII" in result.detail


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [
        pytest.param(b"421 too busy\r\n", CHANNEL_LATER, id="too busy"),
        pytest.param(b"554 you are on a list\r\n", CHANNEL_LATER, id="blocked"),
        pytest.param(b"", CHANNEL_LATER, id="says nothing"),
        pytest.param(b"SSH-2.0-x\r\n", CHANNEL_LATER, id="another protocol"),
    ],
)
async def test_greetings(
    sender: Sender, greeting: bytes, expected: tuple[bool, bool, Scope]
) -> None:
    async with talking(greeting) as port:
        url = f"mailto://127.0.0.1:{port}/a@b.org?from=c@d.org&smtp=127.0.0.1"
        assert summary(await send(sender, url)) == expected


# --- bulkheads, secrets, the terminal


async def test_a_hung_channel_delays_no_other() -> None:
    sender = Sender(terminal=print)
    message = a_message()
    async with http_sink() as sink:
        hung = asyncio.create_task(sender.send(message, *channel(sink.url("drip"), "hung")))
        try:
            for _ in range(5):
                assert await sender.send(message, *channel(sink.url("200"), "good")) == Accepted()
            assert not hung.done()
        finally:
            hung.cancel()
            await sender.aclose()


async def test_what_never_ends_is_killed_and_the_channel_goes_on(sender: Sender) -> None:
    async with http_sink() as sink:
        assert summary(await send(sender, sink.url("drip"))) == WHO_KNOWS
        assert await send(sender, sink.url("200")) == Accepted()


async def test_no_child_to_be_had_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = Sender(terminal=print)
    async with http_sink() as sink:
        with monkeypatch.context() as broken:
            broken.setattr(sys, "executable", "/no/such/python")
            assert summary(await send(sender, sink.url("200"))) == CHANNEL_LATER
        assert await send(sender, sink.url("200")) == Accepted()
    await sender.aclose()


async def test_secrets_stay_inside(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.CRITICAL, "mail.log")  # the sink's own
    sender = Sender(terminal=print, deadline=DEADLINE, patience=PATIENCE)
    said: list[object] = []
    async with http_sink(answer=CANARY.encode()) as http, smtp_sink(password="right") as smtp:
        smtp.on_mail = f"550 {CANARY}"
        urls = [
            http.url(f"{CANARY}/404") + f"?token={CANARY}",
            http.url("200").replace("://", f"://user:{CANARY}@"),
            f"slack://{CANARY}/A/B/",
            http.slack_url("403").replace("TIiajkdnlazkcOXrIdevi7FQ", CANARY.replace("-", "")),
            http.bot_url("403"),
            http.bot_url("ambiguous"),
            smtp.url(user="me", password=CANARY),
            smtp.url(user=CANARY, password="right"),
            f"nonsense://{CANARY}",
        ]
        for url in urls:
            target = Target(name=f"desk {len(said)}", url=url)
            place = Channel(name="desk", targets=(target,), kind=url.partition("://")[0])
            said += [target, place, await sender.send(a_message(), target, place)]
    await sender.aclose()
    out, err = capfd.readouterr()
    everything = f"{said} {out} {err} {caplog.text}"
    assert "S3CRET" not in everything


async def test_the_daemon_itself_does_not_load_apprise() -> None:
    code = "import sys, monitor.alerts.send, monitor.alerts.render; print(*sys.modules)"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=-1)
    loaded = (await child.communicate())[0].decode().split()
    assert "monitor.alerts.send" in loaded
    assert not {"apprise", "requests"} & set(loaded)


async def test_the_terminal_prints_the_text() -> None:
    printed: list[str] = []
    sender = Sender(terminal=printed.append)
    message = a_message()
    terminal = Channel(name="screen", targets=(Target(name="screen", url=""),), kind="terminal")
    assert await sender.send(message, terminal.targets[0], terminal) == Accepted()
    assert printed == [message.text]
    await sender.aclose()


@thorough
async def test_more_channels_than_children() -> None:
    sender = Sender(terminal=print)
    async with http_sink() as sink:
        for number in range(MOST_CHILDREN + 1):
            place = channel(sink.url("200"), f"channel {number}")
            assert await sender.send(a_message(), *place) == Accepted()
        assert len(sink.posted) == MOST_CHILDREN + 1
    await sender.aclose()
