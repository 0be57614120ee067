"""The key under which different addresses of one page are equal.  Pure.

The key is for comparing, never for requesting: it drops what outlets add for tracking, treats
http and https alike, and cuts ``www.``, ``m.``, ``amp.`` and a trailing ``/amp``.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote, urlsplit

# Parameters that say where a reader came from: collected from the documentation of the tools that
# add them (Urchin/GA, Matomo, Piwik, HubSpot, AT Internet, Mailchimp, Marketo, ad networks).
_TRACKING_PREFIXES = ("utm_", "mtm_", "pk_", "ga_", "itm_", "hsa_", "at_", "ns_")
_TRACKING = frozenset(
    [
        "mc_cid",
        "mc_eid",
        "fbclid",
        "gclid",
        "dclid",
        "yclid",
        "msclkid",
        "igshid",
        "twclid",
        "ttclid",
        "srsltid",
        "_ga",
        "_gl",
        "mkt_tok",
        "cmpid",
        "cmp",
        "smid",
        "xtor",
        "ocid",
        "ftag",
        "ref_src",
        "__twitter_impression",
        "guccounter",
        "rss",
        "partner",
        "taid",
    ]
)
# Dropped only where the value says that it is tracking: elsewhere they may name the page.
_SOMETIMES = frozenset({"ref", "source"})
_TRACKING_VALUES = frozenset({"rss", "feed", "twitter", "facebook"})

_PAGE = "c:"
_HOST_PREFIXES = frozenset({"www", "m", "amp"})
_HOST = re.compile(r"[\w.:%-]+")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PLAIN = re.compile(
    r"https?://([\w.-]+)(?::([0-9]{1,4}))?(/[\w.~%/@:!$&'()*+,;=-]*)?"
    r"(?:\?([\w.~%/@:!$&'()*+,;=?-]*))?(?:#([\w.~%/@:!$&'()*+,;=?-]*))?",
    re.ASCII,
)
_NO_ESCAPES = re.compile(r"[\w.~/:@!$&'()*+,;=-]*", re.ASCII)
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})?")
_AMPERSAND = re.compile(r"&(?:amp;)*")
_PATH_SAFE = "%/:@!$&'()*+,;=~[]|^`{}\"<>\\"


def canonical_key(url: str) -> str:
    """The key of *url*, itself a URL; "" when it names no single page (not http, a home page).

    Idempotent.  Rules: shared reference "matching", 3.1.
    """
    parts = _parts(url.strip())
    if parts is None:
        return ""
    host, port, path, query, fragment = parts
    host, path, query = _host(host), _path(path), _query(query)
    # A few sites keep the page's name behind "#!"; any other fragment is a place in the page.
    page = f"#{_escape(fragment, '?#')}" if fragment.startswith("!") else ""
    if not host or not (path or query or page):
        return ""
    shown_port = "" if port in (None, 80, 443) else f":{port}"
    return f"https://{host}{shown_port}{path or '/'}{'?' if query else ''}{query}{page}"


def outlet_of(url: str) -> str:
    """The host of *url* as outlets are told apart: without "www."; "" for no page."""
    page = canonical_key(url)
    return urlsplit(page).hostname or "" if page else ""


def page_key(url: str) -> str:
    """The key by which an entry is known that lies at *url*; "" when that names no single page."""
    page = canonical_key(url)
    return f"{_PAGE}{hashlib.sha256(page.encode()).hexdigest()[:32]}" if page else ""


def is_page(key: str) -> bool:
    """Whether *key* is one of ``page_key``."""
    return key.startswith(_PAGE)


def _parts(url: str) -> tuple[str, int | None, str, str, str] | None:
    """Host, port, path, query and fragment of *url*; None if it is not one of a web page."""
    if found := _PLAIN.fullmatch(url):  # most are: what comes of it is the same, sooner
        host, port, path, query, fragment = found.groups(default="")
        return host, int(port) if port else None, path, query, fragment
    try:
        parts = urlsplit(url)
        host, port_ = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https"):
        return None
    return host, port_, parts.path, parts.query, parts.fragment


def _host(host: str) -> str:
    labels = [label for label in host.lower().split(".") if label]
    while len(labels) > 2 and labels[0] in _HOST_PREFIXES:
        labels.pop(0)
    name = ".".join(labels)
    if not _HOST.fullmatch(name):
        return ""
    return f"[{name}]" if ":" in name else name


def _escape(text: str, more: str = "") -> str:
    """*text* with one spelling of each percent escape."""
    if _NO_ESCAPES.fullmatch(text):
        return text
    plain = _ESCAPE.sub(_one_escape, text)
    return quote(plain, safe=_PATH_SAFE + more, errors="replace")


def _one_escape(found: re.Match[str]) -> str:
    if found[1] is None:
        return "%25"
    sign = chr(int(found[1], 16))
    return sign if sign in _UNRESERVED else found[0].upper()


def _path(path: str) -> str:
    """*path* without dot segments, trailing slashes and ``/amp``; "" for the root."""
    kept: list[str] = []
    for segment in _escape(path).split("/")[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    while kept and kept[-1] in ("", "amp"):
        kept.pop()
    return "".join(f"/{segment}" for segment in kept)


def _query(query: str) -> str:
    parameters = [_escape(part, "?") for part in _AMPERSAND.split(query) if part]
    return "&".join(sorted(part for part in parameters if not _is_tracking(part)))


def _is_tracking(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    name = name.lower()
    if name in _SOMETIMES:
        return value.lower() in _TRACKING_VALUES
    return name in _TRACKING or name.startswith(_TRACKING_PREFIXES)
