"""The signed webhook: the document, and what a receiver on loopback gets.  docs/webhook.md runs."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts import webhook
from monitor.alerts.company import StoryNews
from monitor.alerts.exchange import Exchange
from monitor.alerts.render import render
from monitor.alerts.send import Sender
from monitor.model import (
    Accepted,
    Alert,
    AlertKind,
    DeliveryKind,
    Excerpt,
    Member,
    Message,
    Refused,
    Scope,
    SendResult,
    Severity,
    Update,
    UpdateReason,
)
from monitor.settings import Channel, Target
from tests.builders import (
    NOW,
    a_delivery,
    a_message,
    a_rule,
    an_alert,
    an_entry,
    an_operator_alert,
    minutes,
)
from tests.hostile import HOSTILE
from tests.sinks import HttpSink, http_sink

SECRET = "c4n4ry-S3CRET-0123456789"
PAGE = (Path(__file__).parents[1] / "docs" / "webhook.md").read_text("utf-8")
EXAMPLE: dict[str, Any] = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])
SNIPPET = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
EVIL = "<!channel> <@U1> <http://x|y> *bold* \x1b[31m {{7*7}} =cmd()"

SENTENCE = "The Pentagon promised a foreign military sale within weeks."


def arms_alert(headline: str = "US commits to faster arms sales", **changes: Any) -> Alert:
    entry = an_entry(headline, url="https://politico.example/1")
    values: dict[str, Any] = {
        "outlet": "Politico",
        "severity": Severity.HIGH,
        "terms": ("foreign military sale",),
        "excerpts": (Excerpt(field="content", text=SENTENCE, marks=((24, 45),)),),
        "facts": ("Kuwait", "$425 million"),
    }
    return an_alert(entry, a_rule("fms-europe"), **(values | changes))


def story_of(alert: Alert, **changes: Any) -> dict[str, StoryNews]:
    members = tuple(
        Member(
            entry_id=entry_id,
            title=alert.title,
            url=f"https://{host}/1",
            outlet=outlet,
            seen_at=NOW + minutes(later),
        )
        for entry_id, outlet, host, later in (
            (alert.entry_id, "Politico", "politico.example", 0),
            ("e" * 16, "Reuters", "reuters.example", 12),
        )
    )
    return {alert.story_id: StoryNews(members=members, **changes)}


def an_update(alert: Alert) -> Update:
    return Update(
        number=7,
        story_id=alert.story_id,
        reason=UpdateReason.NEW_TERMS,
        entry_id="e" * 16,
        created_at=NOW,
        title="Sale now worth more",
        url="https://reuters.example/1",
        outlet="Reuters",
        rule_name="fms-europe",
        terms=("arms sale",),
        outlets=2,
    )


def place(url: str = "https://example.org/hook") -> tuple[Target, Channel]:
    target = Target(name="soc", url=url)
    return target, Channel(name="soc", targets=(target,), kind=webhook.KIND, secret=SECRET)


def message_of(
    *alerts: Alert,
    stories: dict[str, StoryNews] | None = None,
    kind: DeliveryKind = DeliveryKind.FIRST,
) -> Message:
    items = [(replace(a_delivery(alert, target="soc"), kind=kind), alert) for alert in alerts]
    return render(
        items,
        channel=place()[1],
        timezone=ZoneInfo("Europe/Brussels"),
        now=NOW,
        message_id="0123456789abcdef",
        stories=stories,
    )


def document_of(*alerts: Alert, **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(message_of(*alerts, **changes).payload)
    return document


# --- the document


def test_the_example_in_the_docs_is_what_is_sent() -> None:
    alert = arms_alert()
    assert document_of(alert, stories=story_of(alert)) == EXAMPLE


def test_every_key_is_described_in_the_docs() -> None:
    alert = arms_alert()
    story = story_of(alert, updates=(an_update(alert),), known=True)
    document = document_of(alert, stories=story, kind=DeliveryKind.UPDATE)
    keys = {key for each in _objects(document) for key in each}
    described = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert keys == described


def _objects(value: object) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [found for each in value for found in _objects(each)]
    if isinstance(value, dict):
        return [value, *_objects(list(value.values()))]
    return []


ARMS = arms_alert()
DIGEST = replace(an_operator_alert("digest:desk"), kind=AlertKind.DIGEST)


@pytest.mark.parametrize(
    ("alerts", "row", "kind"),
    [
        pytest.param([ARMS], DeliveryKind.FIRST, "alert", id="a story"),
        pytest.param([ARMS], DeliveryKind.UPDATE, "update", id="news of a story"),
        pytest.param([ARMS, arms_alert("Other")], DeliveryKind.FIRST, "digest", id="two stories"),
        pytest.param([DIGEST], DeliveryKind.NOTICE, "digest", id="an empty digest"),
        pytest.param([ARMS, DIGEST], DeliveryKind.FIRST, "digest", id="a digest of one"),
        pytest.param([an_operator_alert()], DeliveryKind.NOTICE, "notice", id="of the monitor"),
    ],
)
def test_it_says_what_kind_of_message_it_is(
    alerts: list[Alert], row: DeliveryKind, kind: str
) -> None:
    rows = [a_delivery(alert) for alert in alerts]
    assert webhook._kind([replace(each, kind=row) for each in rows], alerts) == kind


def test_an_update_names_what_is_new() -> None:
    alert = arms_alert()
    story = story_of(alert, updates=(an_update(alert),), known=True)
    document = document_of(alert, stories=story, kind=DeliveryKind.UPDATE)
    [told] = document["stories"]
    assert (document["kind"], told["known"]) == ("update", True)
    assert [(each["reason"], each["terms"]) for each in told["updates"]] == [
        ("new terms", ["arms sale"])
    ]


def test_a_notice_has_its_lines() -> None:
    document = document_of(an_operator_alert(text="It answers 404.\nLook at its address."))
    [alert] = document["alerts"]
    assert (document["kind"], alert["kind"], alert["story"]) == ("notice", "operator", "")
    assert alert["details"] == ["It answers 404.", "Look at its address."]


def test_an_alert_with_several_deliveries_is_there_once() -> None:
    assert len(document_of(ARMS, ARMS)["alerts"]) == 1


@pytest.mark.parametrize("title", [*HOSTILE.values(), EVIL], ids=[*HOSTILE, "everything"])
def test_hostile_text_is_one_clean_line(title: str) -> None:
    excerpt = Excerpt(field="content", text=f"{title} NATO", marks=((len(title) + 1,) * 2,))
    marked = replace(excerpt, marks=((len(title) + 1, len(title) + 5),))
    alert = arms_alert(title, outlet=title, terms=(title,), excerpts=(marked,), url="javascript:x")
    payload = message_of(alert, stories=story_of(alert)).payload
    document = json.loads(payload)
    [told] = document["alerts"]
    for text in (told["title"], told["outlet"], *told["terms"], document["subject"]):
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u202e\ud800-\udfff]", text)
    [sentence] = told["excerpts"]
    [[start, end]] = sentence["marks"]
    assert sentence["text"][start:end] == "NATO"
    assert told["url"] == ""
    assert payload.isascii()


# --- sending


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    made = Sender(terminal=print, patience=timedelta(seconds=0.5))
    yield made
    await made.aclose()


async def send(
    sender: Sender, sink: HttpSink, step: str = "200", message: Message | None = None
) -> SendResult:
    target, channel = place(sink.url(step, scheme="http"))
    return await sender.send(message or message_of(ARMS), target, channel)


def verifier() -> Callable[..., bool]:
    names: dict[str, Any] = {}
    exec(SNIPPET, names)
    found: Callable[..., bool] = names["verified"]
    return found


async def test_the_snippet_in_the_docs_verifies_what_is_sent(sender: Sender) -> None:
    async with http_sink() as sink:
        assert await send(sender, sink) == Accepted()
        [posted] = sink.posted
    verified = verifier()
    headers, body, now = posted.headers, posted.body, time.time()
    assert verified(headers, body, SECRET, now)
    assert not verified(headers, body + b" ", SECRET, now)
    assert not verified(headers, body, "another secret of some length", now)
    assert not verified(headers, body, SECRET, now + 3600)
    assert not verified(headers, body, SECRET, now - 3600)
    older = headers | {"x-monitor-timestamp": str(int(now) - 200)}
    assert not verified(older, body, SECRET, now)
    for name in ("x-monitor-timestamp", "x-monitor-signature"):
        for value in ("", "é", "²", "9" * 5000):
            assert not verified(headers | {name: value}, body, SECRET, now)


async def test_a_retry_sends_the_same_bytes_with_a_time_of_its_own(sender: Sender) -> None:
    message = message_of(ARMS)
    async with http_sink() as sink:
        await send(sender, sink, "503", message)
        await send(sender, sink, "200", message)
        first, second = sink.posted
    assert first.body == second.body == message.payload.encode()
    assert first.headers["x-monitor-message"] == message.id
    assert first.headers["content-type"] == "application/json"
    for n in range(2):
        post = webhook.post("https://x.org", message, SECRET, NOW + minutes(n))
        stamp = dict(post.headers)["x-monitor-timestamp"]
        assert int(stamp) == int((NOW + minutes(n)).timestamp())


@pytest.mark.parametrize("payload", ["", '{"blocks":[],"broadcast":true}'])
async def test_a_message_laid_out_for_another_channel_goes_as_text(
    sender: Sender, payload: str
) -> None:
    message = a_message(payload=payload)
    async with http_sink() as sink:
        assert await send(sender, sink, message=message) == Accepted()
        [posted] = sink.posted
    assert set(posted.json) == set(EXAMPLE)
    assert (posted.json["kind"], posted.json["text"]) == ("text", message.text)
    assert posted.json["alert_ids"] == list(message.alert_ids)


CHANNEL_LATER = (True, False, Scope.CHANNEL)
CHANNEL_STOP = (False, False, Scope.CHANNEL)
WHO_KNOWS = (True, True, Scope.CHANNEL)
MESSAGE_LATER = (True, False, Scope.MESSAGE)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("400", MESSAGE_LATER),
        ("401", CHANNEL_STOP),
        ("404", CHANNEL_STOP),
        ("410", CHANNEL_STOP),
        ("429", CHANNEL_LATER),
        ("503", CHANNEL_LATER),
        ("redirect", CHANNEL_LATER),
        ("hang", WHO_KNOWS),
        ("reset", WHO_KNOWS),
        ("ambiguous", WHO_KNOWS),
    ],
)
async def test_refusals(sender: Sender, step: str, expected: tuple[bool, bool, Scope]) -> None:
    async with http_sink(answer=SECRET.encode()) as sink:
        result = await send(sender, sink, step)
    assert isinstance(result, Refused)
    assert (result.retryable, result.ambiguous, result.scope) == expected
    assert SECRET not in result.detail


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_yes(status: int) -> None:
    assert webhook.judged(Exchange(status=status, handed_over=True), NOW) == Accepted()


def test_nothing_secret_is_shown() -> None:
    target, channel = place("https://example.org/S3CRET")
    post = webhook.post(target.url, a_message(), SECRET, NOW)
    assert "S3CRET" not in f"{target!r} {channel!r} {post!r}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://example.org/hook?x=1", None),
        ("HTTPS://example.org:8443", None),
        ("http://127.0.0.1:8080/hook", None),
        ("http://[::1]/", None),
        ("http://localhost:8080", None),
        ("http://example.org/S3CRET", "everybody on the way"),
        ("http://10.0.0.5/S3CRET", "everybody on the way"),
        ("http://localhost.example.org/S3CRET", "everybody on the way"),
        ("https://user:S3CRET@example.org/", "leave user and password out"),
        ("https://:S3CRET@example.org/", "leave user and password out"),
        ("ftp://example.org/S3CRET", "must begin with https://"),
        ("S3CRET.example.org", "must begin with https://"),
        ("https:///S3CRET", "must begin with https://"),
        ("https://example.org:99999/S3CRET", "cannot be read"),
        ("https://[example.org/S3CRET", "cannot be read"),
        ("https://example.org/S3CRET x", "has a space"),
        ("https://example.org/S3CRETé", "outside ASCII"),
    ],
)
def test_addresses(url: str, said: str | None) -> None:
    found = webhook.wrong_with(url)
    assert (found is None) == (said is None)
    assert (said or "") in (found or "")
    assert "S3CRET" not in (found or "")
