"""WebSub (W3C Recommendation, 23 January 2018): how a feed stands with its hub.

Pure: callers bring the clock, what is secret, and the network.  A push is only a hint to poll now.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

from monitor import ids
from monitor.feeds.clean import one_line
from monitor.model import Fetched, HubState, Offer, ParsedFeed, Subscription

WANTED_LEASE = timedelta(days=10)
SHORTEST_LEASE, LONGEST_LEASE = timedelta(hours=1), timedelta(days=30)
VERIFIED_WITHIN = timedelta(minutes=10)  # of our asking
LEFT_WITHIN = timedelta(seconds=20)
FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=10), timedelta(days=1)
MAX_REDIRECTS = 3
MAX_PUSH = 1 << 20  # bytes that are read for the signature
METHODS = ("sha1", "sha256", "sha384", "sha512")  # §7; sha1, as most hubs know no other

_MAX_ADDRESS, _MAX_CHALLENGE, _MAX_REASON = 2_000, 4_000, 200
_MOST_LINKS = 10
_SIGNATURE = re.compile(r"(sha1|sha256|sha384|sha512)=([0-9a-fA-F]{40,128})")
_GOOD_ADDRESS = re.compile(r"[!-~]+")  # no spaces, no controls, nothing but ASCII
_MODES = {HubState.JOINING: "subscribe", HubState.LEAVING: "unsubscribe"}


# --- what a feed names (§4)


def of_interest(links: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of a document's links those to its hubs and itself."""
    found = [(rel.lower(), href) for rel, href in links if rel.lower() in ("hub", "self")]
    return [each for each in found if len(each[1]) <= _MAX_ADDRESS][:_MOST_LINKS]


def offered(fetched: Fetched, parsed: ParsedFeed) -> Offer:
    """The first hub that may be asked, and the topic: headers first, then the document.

    A feed that names a hub but not itself is known there by its address.
    """
    links = of_interest((*fetched.links, *parsed.links))
    found = [(rel, _joined(fetched.final_url, href)) for rel, href in links]
    hub = next((url for rel, url in found if rel == "hub" and is_hub(url)), "")
    topic = next((url for rel, url in found if rel == "self" and _is_web(url)), fetched.final_url)
    return Offer(hub=hub, topic=topic) if hub else Offer()


def is_hub(url: str) -> bool:
    """Whether secrets may go there: by https, or without leaving this machine."""
    return _is_web(url) and (urlsplit(url).scheme == "https" or is_loopback(urlsplit(url).hostname))


def is_loopback(host: str | None) -> bool:
    """Whether *host* is written as an address of this machine."""
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
        return (
            known and (parts.port is None or parts.port > 0) and bool(_GOOD_ADDRESS.fullmatch(url))
        )
    except ValueError:
        return False


def _joined(base: str, href: str) -> str:
    try:
        return urljoin(base, href.strip())
    except ValueError:
        return ""


# --- what to do next


class Step(Enum):
    NOTHING = auto()
    JOIN = auto()  # subscribe, or renew
    GIVE_UP = auto()  # the hub has not asked back
    LEAVE = auto()
    FORGET = auto()


def step(each: Subscription, base: str, now: datetime, *, listening: bool) -> Step:
    """What is due.  *base* is our public address, "" where hubs are not wanted (any more)."""
    waits = each.due_at > now
    if each.state is HubState.LEAVING:
        return Step.NOTHING if waits else Step.FORGET
    if not base or not each.watched:
        holds = listening and each.until is not None and each.until > now
        return (Step.LEAVE if holds else Step.FORGET) if each.callback else Step.NOTHING
    moved = each.callback and not each.callback.startswith(f"{base}/")
    if moved or (not waits and each.state is not HubState.JOINING):
        return Step.JOIN
    return Step.NOTHING if waits else Step.GIVE_UP


def joining(each: Subscription, base: str, token: str, secret: str, now: datetime) -> Subscription:
    """It as the hub is asked; *token* and *secret* are used where there are none for *base* yet."""
    if not each.callback.startswith(f"{base}/"):
        each = replace(each, callback=f"{base}/{token}", secret=secret, until=None)
    return replace(each, state=HubState.JOINING, due_at=now + VERIFIED_WITHIN)


def leaving(each: Subscription, now: datetime) -> Subscription:
    return replace(each, state=HubState.LEAVING, due_at=now + LEFT_WITHIN)


def forgotten(each: Subscription, now: datetime) -> Subscription:
    """As if the hub had never been asked."""
    return replace(
        each,
        callback="",
        secret="",
        state=HubState.APART,
        due_at=now,
        until=None,
        failures=0,
        detail="",
    )


def failed(each: Subscription, why: str, now: datetime, *, for_good: bool = False) -> Subscription:
    """It after the hub did not do what was asked; an earlier lease holds on."""
    failures = each.failures + 1
    wait = min(FIRST_RETRY * 2 ** min(failures - 1, 20), LONGEST_RETRY)
    wait = LONGEST_RETRY if for_good else wait
    wait *= 1 - 0.1 * _share(each.feed_id, str(failures))
    apart = HubState.APART
    return replace(each, state=apart, due_at=now + wait, failures=failures, detail=why)


def form(each: Subscription) -> dict[str, str]:
    """What the hub is asked with (§5.1)."""
    fields = {
        "hub.mode": _MODES[each.state],
        "hub.topic": each.topic,
        "hub.callback": each.callback,
    }
    if each.state is HubState.LEAVING:
        return fields
    lease = str(int(WANTED_LEASE.total_seconds()))
    return fields | {"hub.lease_seconds": lease, "hub.secret": each.secret}


# --- what the hub asks back (§5.2, §5.3)


def answered(
    each: Subscription, query: Mapping[str, str], now: datetime
) -> tuple[Subscription, str] | None:
    """What the hub's question changes, and the text to answer; None: we have asked no such thing.

    Each request of ours is confirmed once: a question that is repeated is none of ours.
    """
    mode, topic = query.get("hub.mode", ""), query.get("hub.topic", "")
    if topic != each.topic:
        return None
    if mode == "denied" and each.state is not HubState.LEAVING:
        return _denied(each, query.get("hub.reason", ""), now), ""
    challenge = query.get("hub.challenge", "")
    if mode != _MODES.get(each.state) or each.due_at <= now:
        return None
    if not challenge or len(challenge) > _MAX_CHALLENGE:
        return None
    if each.state is HubState.LEAVING:
        return forgotten(each, now), challenge
    return _joined_until(each, lease(query.get("hub.lease_seconds", "")), now), challenge


def lease(seconds: str) -> timedelta:
    """How long the hub remembers us: what it says, within bounds; without a number what we ask."""
    plain = seconds.isascii() and seconds.isdecimal() and len(seconds) < 10
    said = timedelta(seconds=int(seconds)) if plain else WANTED_LEASE
    return min(max(said, SHORTEST_LEASE), LONGEST_LEASE)


def _joined_until(each: Subscription, length: timedelta, now: datetime) -> Subscription:
    """Renewed after seven to eight tenths of the lease, each feed at a time of its own."""
    renewed = length * (0.8 - 0.1 * _share(each.feed_id, now.isoformat()))
    joined = replace(each, state=HubState.JOINED, failures=0, detail="")
    return replace(joined, due_at=now + renewed, until=now + length)


def _denied(each: Subscription, reason: str, now: datetime) -> Subscription:
    said = one_line(reason)[:_MAX_REASON]
    why = f"the hub refuses: {said}" if said else "the hub refuses"
    return failed(replace(each, until=None), why, now, for_good=True)


# --- what the hub pushes (§7)


@dataclass(frozen=True, slots=True)
class Signature:
    method: str  # one of METHODS
    digest: str  # hex, lower case


def signature(header: str) -> Signature | None:
    """The X-Hub-Signature of a push; None: there is none that could be good."""
    found = _SIGNATURE.fullmatch(header.strip())
    return Signature(found[1], found[2].lower()) if found else None


def summing(each: Subscription, signed: Signature) -> hmac.HMAC:
    """To be fed with the body."""
    return hmac.new(each.secret.encode(), digestmod=signed.method)


def is_good(summed: hmac.HMAC, signed: Signature) -> bool:
    """Whether the hub, or whoever knows the secret, has signed the body; in constant time."""
    return hmac.compare_digest(summed.hexdigest(), signed.digest)


def _share(*parts: str) -> float:
    return int(ids.derive("hub", *parts), 16) / 16**16
