"""The demo's own mail server and webhook, tried with ordinary clients."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Callable
from email.message import EmailMessage

import httpx
import pytest

from monitor.demo.sinks import MailSink, WebhookSink


def a_mail(body: str = "hello") -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Tést", "a@example.org", "b@example.org"
    mail.set_content(body)
    return mail


async def deliver(port: int, *steps: Callable[[smtplib.SMTP], object]) -> None:
    def talk() -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
            for step in steps:
                step(client)

    await asyncio.to_thread(talk)


async def test_a_mail_arrives_as_it_was_sent() -> None:
    mail = a_mail(".\n..two dots\nend")
    async with MailSink() as sink:
        await deliver(sink.port, lambda client: client.send_message(mail))
        [got] = sink.mails
    assert (got.sender, got.recipients) == ("a@example.org", ("b@example.org",))
    assert got.message["Subject"] == "Tést"
    assert got.text() == ".\n..two dots\nend\n"
    assert got.text("html") == ""


async def test_several_mails_on_one_connection() -> None:
    async with MailSink() as sink:
        await deliver(sink.port, *[lambda client: client.send_message(a_mail())] * 3)
        assert len(sink.mails) == 3


async def test_nonsense_is_answered_and_no_mail() -> None:
    replies: list[int] = []
    async with MailSink() as sink:
        await deliver(
            sink.port,
            lambda client: replies.append(client.docmd("JUMP")[0]),
            lambda client: replies.append(client.docmd("DATA")[0]),
            lambda client: replies.append(client.docmd("NOOP")[0]),
        )
        assert sink.mails == []
    assert replies == [502, 503, 250]


async def test_the_webhook_answers_ok_and_keeps_the_request() -> None:
    async with WebhookSink() as sink, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"http://127.0.0.1:{sink.port}/services/x", json={"text": "é"})
        [posted] = sink.posted
    assert (answer.status_code, answer.text) == (200, "ok")
    assert (posted.method, posted.path, posted.json) == ("POST", "/services/x", {"text": "é"})
    assert posted.headers["content-type"] == "application/json"


@pytest.mark.parametrize("kind", [MailSink, WebhookSink])
async def test_closing_does_not_wait_for_silent_clients(kind: type[MailSink | WebhookSink]) -> None:
    async with asyncio.timeout(5):
        async with kind() as sink:
            _, writer = await asyncio.open_connection("127.0.0.1", sink.port)
            await asyncio.sleep(0.01)
        writer.close()
