"""What it means when an address that is to be watched brings no feed, and what to do.  Pure."""

from __future__ import annotations

from monitor.model import FailureReason

_PASSES = "If you know that the address is right, add it all the same: --anyway."
_BROWSER = "Open the address in a browser and compare."
_LOOK = "Look on the site for a link called RSS, Feed or Atom, and add that address."

# What was seen → what it means, what to do.
_ADVICE = {
    FailureReason.DNS: (
        "no machine of this name is known",
        f"Check the address for a typing mistake, and this machine's network. {_PASSES}",
    ),
    FailureReason.CONNECT: (
        "the site is down, or this machine cannot reach it",
        f"{_BROWSER} {_PASSES}",
    ),
    FailureReason.TLS: (
        "nobody can be sure that this is the site it says it is",
        f"The site must renew its certificate. {_BROWSER}",
    ),
    FailureReason.TIMEOUT: ("the site is slow or overloaded", f"Try again later. {_PASSES}"),
    FailureReason.BLOCKED_ADDRESS: (
        "addresses inside a private network are never polled, unless you allow it",
        "If this is your own network, name it, as above in brackets, under [poll] in config.toml:"
        ' allow_private = ["10.0.0.0/8"].',
    ),
    FailureReason.BAD_URL: ("it cannot be asked for", "Write it as https://example.org/feed."),
    FailureReason.REDIRECTS: (
        "the address leads elsewhere, but not to a feed",
        "Open it in a browser and add the address where you end.",
    ),
    FailureReason.FORBIDDEN: (
        "the site wants a login, or blocks programs like this one",
        'Ask the publisher, who sees our User-Agent (set contact = "…" under [monitor]),'
        f" or take another feed for it. {_PASSES}",
    ),
    FailureReason.NOT_FOUND: (
        "there is nothing at this address",
        "Check it for a typing mistake, or add the address of the site itself: its feeds are"
        " looked for.",
    ),
    FailureReason.GONE: ("the feed has ended, and will not come back", _LOOK),
    FailureReason.THROTTLED: ("the site does not want to be asked now", f"Wait. {_PASSES}"),
    FailureReason.HTTP_SERVER: ("something is broken there", f"Try again later. {_PASSES}"),
    FailureReason.EMPTY: ("there is nothing to read yet", f"{_BROWSER} {_PASSES}"),
    FailureReason.HTML: (
        "this is a page for people, and none of its links leads to a feed",
        f"{_LOOK} Not every site has one.",
    ),
    FailureReason.NOT_A_FEED: ("feeds are RSS, Atom, RDF or JSON Feed", _LOOK),
    FailureReason.TOO_LARGE: (
        "a feed holds the newest entries only, not all",
        "Look on the site for a shorter one; the limit is 15 MiB.",
    ),
}
_OTHERWISE = ("the site does not work as it should", f"{_BROWSER} {_PASSES}")


def advice(reason: FailureReason) -> tuple[str, str]:
    """What *reason* means, and what to do: two sentences for the person who wants the feed."""
    return _ADVICE.get(reason, _OTHERWISE)
