"""Addresses as people type and keep them: what is wrong with one, which two are one feed.  Pure."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def wrong_with(url: str) -> str:
    """Why *url* cannot be polled; "" if it can."""
    if any(char.isspace() or ord(char) < 0x20 for char in url):
        return "the address has a space in it"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f'"{url}" is not a web address'
    if parts.scheme.lower() not in ("http", "https"):
        return f'"{url}" does not begin with http:// or https://'
    return "" if host else f'"{url}" names no host'


def as_typed(text: str) -> str:
    """The address that *text* means: ``example.org`` and ``feed://…`` are what people have."""
    url = text.strip()
    for prefix in ("feed://", "rss://"):
        if url.lower().startswith(prefix):
            return f"https://{url[len(prefix) :]}"
    if url.lower().startswith("feed:"):
        return url[len("feed:") :]
    return url if "://" in url else f"https://{url}"


def place(url: str) -> str:
    """Equal for addresses that surely name one feed: scheme, case of the host, a last slash."""
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return url.strip()
    usual = port in (None, 80, 443)
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{'' if usual else f':{port}'}{parts.path.rstrip('/')}{query}"


def host_of(url: str) -> str:
    """The host as people say it, without ``www.``; "" if there is none."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def public(url: str) -> str:
    """*url* without the name and password in it, to be handed to others."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
