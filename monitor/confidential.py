"""What of a configuration must appear nowhere.  Pure."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from monitor.alerts import webhook
from monitor.alerts.addresses import TERMINAL, kind_of, secrets_in
from monitor.settings import Config

_LONG = 8  # letters from which on a part of a channel's address counts as a secret of its own


def secrets_of(config: Config) -> tuple[str, ...]:
    """All strings that must appear in no log, error or status."""
    found: set[str] = set()
    for channel in config.channels:
        found |= {channel.secret} - {""}
        for target in channel.targets:
            found |= _secrets_of_url(target.url)
            if channel.kind == webhook.KIND:
                found |= _secrets_behind_host(target.url)
    if config.heartbeat is not None:
        found |= _secrets_of_url(config.heartbeat.url) | _secrets_behind_host(config.heartbeat.url)
    for feed in config.feeds:
        found.update(feed.access.secrets)
        if urlsplit(feed.url).password:
            found |= _secrets_of_url(feed.url)
    return tuple(sorted(found, key=len, reverse=True))


def _secrets_of_url(url: str) -> set[str]:
    kind = kind_of(url)
    if kind == TERMINAL:
        return set()
    password = urlsplit(url).password or ""
    found = {url, password, unquote(password)}
    if kind not in ("mailto", "mailtos", "http", "https"):
        found |= _long_pieces(url)
    return found - {""}


def _secrets_behind_host(url: str) -> set[str]:
    """Of an address whose path or query is the secret; who is asked is none."""
    parts = urlsplit(url)
    return _long_pieces(f"{parts.scheme}://{parts.path}?{parts.query}")


def _long_pieces(url: str) -> set[str]:
    return {piece for piece in secrets_in(url) if len(piece) >= _LONG}
