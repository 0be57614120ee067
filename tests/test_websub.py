"""How a feed stands with its hub, decided without a network or a clock."""

from __future__ import annotations

import hmac
from datetime import timedelta

import pytest

from monitor.feeds import websub
from monitor.feeds.websub import Step
from monitor.model import Fetched, HubState, Offer, ParsedFeed
from tests.builders import NOW, a_subscription, minutes

BASE = "https://desk.example.org/websub"
URL = "https://feeds.example.org/defence.xml"
HUB = "https://hub.example.org/"
DAY = timedelta(days=1)


def joining(**changes):
    return websub.joining(a_subscription(**changes), BASE, "token", "s3cret", NOW)


def joined(**changes):
    query = {"hub.mode": "subscribe", "hub.topic": URL, "hub.challenge": "c"}
    found = websub.answered(joining(**changes), query, NOW)
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    ("header", "document", "offer"),
    [
        pytest.param((), (), Offer(), id="no hub"),
        pytest.param((), [("self", URL)], Offer(), id="itself only"),
        pytest.param(
            (),
            [("hub", HUB), ("self", "/x")],
            Offer(hub=HUB, topic=URL[:26] + "x"),
            id="in the document, relative",
        ),
        pytest.param(
            [("hub", HUB)],
            [("self", URL + "?a")],
            Offer(hub=HUB, topic=URL + "?a"),
            id="hub in a header",
        ),
        pytest.param(
            [("self", URL + "?h")],
            [("hub", HUB), ("self", URL)],
            Offer(hub=HUB, topic=URL + "?h"),
            id="the header comes first",
        ),
        pytest.param((), [("hub", HUB)], Offer(hub=HUB, topic=URL), id="without self, its address"),
        pytest.param(
            (),
            [("hub", "http://a.example/"), ("hub", HUB)],
            Offer(hub=HUB, topic=URL),
            id="the first that may be asked",
        ),
        pytest.param(
            (),
            [("hub", HUB), ("self", "javascript:1")],
            Offer(hub=HUB, topic=URL),
            id="a topic that is no address",
        ),
    ],
)
def test_what_a_feed_names(header, document, offer):
    fetched = Fetched(body=b"", final_url=URL, links=tuple(header))
    parsed = ParsedFeed(version="rss20", links=tuple(document))
    assert websub.offered(fetched, parsed) == offer


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://hub.example.org/", True),
        ("http://hub.example.org/", False),
        ("http://127.0.0.1:80/hub", True),
        ("http://[::1]/hub", True),
        ("http://localhost/hub", False),
        ("https://user@hub.example.org/", False),
        ("https://hub.example.org:99999/", False),
        ("https://[/", False),
        ("https://hub.example.org/\r\nX: y", False),
        ("ftp://hub.example.org/", False),
        ("", False),
    ],
)
def test_which_hubs_may_be_asked(url, may):
    assert websub.is_hub(url) is may


HELD = {"callback": f"{BASE}/t", "until": NOW + DAY}


@pytest.mark.parametrize(
    ("changes", "base", "listening", "due"),
    [
        pytest.param({}, BASE, True, Step.JOIN, id="a hub was named"),
        pytest.param(
            {"due_at": NOW + DAY}, BASE, True, Step.NOTHING, id="after a failure it waits"
        ),
        pytest.param({}, "", False, Step.NOTHING, id="not wanted, never asked"),
        pytest.param({"watched": False}, BASE, True, Step.NOTHING, id="a paused feed"),
        pytest.param(
            HELD | {"state": HubState.JOINED, "due_at": NOW + DAY},
            BASE,
            True,
            Step.NOTHING,
            id="subscribed",
        ),
        pytest.param(HELD | {"state": HubState.JOINED}, BASE, True, Step.JOIN, id="to be renewed"),
        pytest.param(
            HELD | {"state": HubState.JOINED, "due_at": NOW + DAY},
            "https://new.example",
            True,
            Step.JOIN,
            id="our address has changed",
        ),
        pytest.param(
            HELD | {"state": HubState.JOINED, "watched": False},
            BASE,
            True,
            Step.LEAVE,
            id="subscribed, then paused",
        ),
        pytest.param(
            HELD | {"state": HubState.JOINED}, "", True, Step.LEAVE, id="not wanted any more"
        ),
        pytest.param(
            HELD | {"state": HubState.JOINED},
            "",
            False,
            Step.FORGET,
            id="nobody would hear the hub",
        ),
        pytest.param(HELD | {"until": NOW}, "", True, Step.FORGET, id="the lease is over"),
        pytest.param(
            {"callback": f"{BASE}/t", "state": HubState.JOINING, "due_at": NOW + DAY},
            BASE,
            True,
            Step.NOTHING,
            id="the hub is to ask back",
        ),
        pytest.param(
            {"callback": f"{BASE}/t", "state": HubState.JOINING},
            BASE,
            True,
            Step.GIVE_UP,
            id="it has not",
        ),
        pytest.param(
            HELD | {"state": HubState.LEAVING, "due_at": NOW + DAY},
            BASE,
            True,
            Step.NOTHING,
            id="leaving",
        ),
        pytest.param(
            HELD | {"state": HubState.LEAVING}, BASE, True, Step.FORGET, id="left in vain"
        ),
    ],
)
def test_what_is_due(changes, base, listening, due):
    assert websub.step(a_subscription(**changes), base, NOW, listening=listening) is due


class TestAsking:
    def test_the_form_has_all_a_hub_wants(self):
        assert websub.form(joining()) == {
            "hub.mode": "subscribe",
            "hub.topic": URL,
            "hub.callback": f"{BASE}/token",
            "hub.lease_seconds": "864000",
            "hub.secret": "s3cret",
        }

    def test_leaving_tells_no_secret(self):
        form = websub.form(websub.leaving(joined(), NOW))
        assert form["hub.mode"] == "unsubscribe"
        assert "hub.secret" not in form

    def test_a_renewal_has_the_same_callback_and_secret(self):
        again = websub.joining(joined(), BASE, "other", "other", NOW + DAY)
        assert (again.callback, again.secret) == (f"{BASE}/token", "s3cret")
        assert again.until == joined().until

    def test_another_public_address_makes_all_new(self):
        again = websub.joining(joined(), "https://new.example", "other", "else", NOW + DAY)
        assert (again.callback, again.secret) == ("https://new.example/other", "else")
        assert again.until is None

    def test_failures_wait_ever_longer_up_to_a_day_and_are_forgiven(self):
        each, waits = joining(), []
        for _ in range(12):
            each = websub.failed(each, "no connection", NOW)
            waits.append(each.due_at - NOW)
        assert minutes(9) < waits[0] <= minutes(10)
        assert minutes(18) < waits[1] <= minutes(20)
        assert DAY * 0.9 < waits[-1] <= DAY
        assert (joined().failures, joined().detail) == (0, "")

    def test_a_refusal_waits_for_a_day_at_once(self):
        each = websub.failed(joining(), "the hub answers HTTP 403", NOW, for_good=True)
        assert each.due_at - NOW > DAY * 0.9

    def test_a_failed_renewal_leaves_the_lease(self):
        each = websub.failed(joined(), "no connection", NOW)
        assert each.until == joined().until
        assert each.callback == joined().callback


QUERY = {
    "hub.mode": "subscribe",
    "hub.topic": URL,
    "hub.challenge": "c",
    "hub.lease_seconds": "86400",
}


class TestQuestions:
    def test_the_challenge_is_echoed_and_the_lease_kept(self):
        found = websub.answered(joining(), QUERY, NOW)
        assert found is not None
        each, text = found
        assert text == "c"
        assert (each.state, each.until) == (HubState.JOINED, NOW + DAY)
        assert DAY * 0.7 <= each.due_at - NOW <= DAY * 0.8

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"hub.topic": URL + "/"}, id="another topic"),
            pytest.param({"hub.topic": URL.upper()}, id="a topic that is nearly ours"),
            pytest.param({"hub.mode": "unsubscribe"}, id="a leave nobody wants"),
            pytest.param({"hub.mode": ""}, id="no mode"),
            pytest.param({"hub.challenge": ""}, id="no challenge"),
            pytest.param({"hub.challenge": "c" * 4_001}, id="a giant challenge"),
        ],
    )
    def test_is_not_answered(self, changes):
        assert websub.answered(joining(), QUERY | changes, NOW) is None

    def test_a_repeated_question_is_not_answered(self):
        assert websub.answered(joined(), QUERY, NOW) is None

    def test_a_late_question_is_not_answered(self):
        assert websub.answered(joining(), QUERY, NOW + minutes(10)) is None

    def test_a_hub_that_denies_is_asked_again_a_day_later(self):
        query = {"hub.mode": "denied", "hub.topic": URL, "hub.reason": "no\nmoney " + "x" * 500}
        found = websub.answered(joined(), query, NOW)
        assert found is not None
        each, text = found
        assert (each.state, each.until, text) == (HubState.APART, None, "")
        assert each.detail.startswith("the hub refuses: no money xxx")
        assert len(each.detail) < 250

    def test_leaving_is_confirmed_once(self):
        query = QUERY | {"hub.mode": "unsubscribe"}
        found = websub.answered(websub.leaving(joined(), NOW), query, NOW)
        assert found is not None
        each, text = found
        assert (each.callback, each.secret, each.until, text) == ("", "", None, "c")
        assert websub.answered(each, query, NOW) is None

    @pytest.mark.parametrize(
        ("said", "kept"),
        [
            ("86400", DAY),
            ("1", timedelta(hours=1)),
            ("0", timedelta(hours=1)),
            ("999999999", timedelta(days=30)),
            ("9" * 5_000, timedelta(days=10)),
            ("-5", timedelta(days=10)),
            ("soon", timedelta(days=10)),
            ("", timedelta(days=10)),
            ("²", timedelta(days=10)),
        ],
    )
    def test_leases_are_bounded(self, said, kept):
        assert websub.lease(said) == kept


class TestSignatures:
    @pytest.mark.parametrize("method", websub.METHODS)
    def test_a_good_one(self, method):
        digest = hmac.new(b"s3cret", b"body", method).hexdigest()
        signed = websub.signature(f"{method}={digest.upper()}")
        assert signed is not None
        summed = websub.summing(joining(), signed)
        summed.update(b"bo")
        summed.update(b"dy")
        assert websub.is_good(summed, signed)

    def test_a_bad_one(self):
        digest = hmac.new(b"guessed", b"body", "sha256").hexdigest()
        signed = websub.signature(f"sha256={digest}")
        assert signed is not None
        summed = websub.summing(joining(), signed)
        summed.update(b"body")
        assert not websub.is_good(summed, signed)

    @pytest.mark.parametrize(
        "header", ["", "sha256=", "md5=" + "a" * 32, "sha256=" + "g" * 64, "=" + "a" * 64, "ä"]
    )
    def test_none_that_could_be_good(self, header):
        assert websub.signature(header) is None
