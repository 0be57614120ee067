"""Hands one message to apprise.  Runs in a child process of ``send``; nothing else imports apprise.

apprise's sends cannot be stopped and share one thread pool: a process that can be killed, one for
each channel, keeps a hung channel from all others.
"""

from __future__ import annotations

import json
import logging
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlsplit

import apprise
from apprise.plugins.email import base as apprise_mail

from monitor.alerts import witness
from monitor.alerts.addresses import kind_of, secrets_in

MAIL = ("mailto", "mailtos")
TAKE_HEADERS = (*MAIL, "json", "jsons", "xml", "xmls", "form", "forms")

# apprise logs addresses and tokens at DEBUG; what this process has to say, it returns.
logging.disable(logging.CRITICAL)
witness.install()


def send(header: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Try once.  *header*: url, subject, headers, connect_timeout and read_timeout in seconds.

    *body*: JSON with text and html.  Returns the witness's report with ``accepted``, or
    ``unusable`` with the reason when apprise cannot make anything of the address.
    """
    url = header["url"]
    plugin = apprise.Apprise.instantiate(url, asset=_asset())
    if plugin is None or not plugin.enabled:
        return {"accepted": False, "unusable": "apprise cannot use this channel's address"}
    _settle(plugin, header)
    seen = witness.fresh()
    accepted = _notify(plugin, header["subject"], json.loads(body))
    report = seen.as_json() | {"accepted": accepted}
    for secret in secrets_in(url):  # a server may repeat what it was told
        report["answer"] = report["answer"].replace(secret, "…")
    return report


def _asset() -> apprise.AppriseAsset:
    return apprise.AppriseAsset(
        app_id="News Monitor",
        app_desc="News Monitor",
        app_url="",
        http_redirects=False,
        secure_logging=True,
        interpret_emojis=False,
        interpret_escapes=False,
    )


def _settle(plugin: Any, header: dict[str, Any]) -> None:
    """Our terms, whatever the address says: no redirects, no pictures, short waits, our headers."""
    kind = kind_of(header["url"])
    plugin.redirects = False  # a followed POST becomes an empty GET that "succeeds"
    plugin.socket_read_timeout = header["read_timeout"]
    # smtplib has one timeout for all its waits; apprise fills it with the connect timeout.
    plugin.socket_connect_timeout = header["read_timeout" if kind in MAIL else "connect_timeout"]
    for extra in ("include_image", "include_footer", "include_timestamp"):
        if hasattr(plugin, extra):
            setattr(plugin, extra, False)
    if kind in TAKE_HEADERS:
        plugin.headers.update(dict(header["headers"]))
    if kind == "slack":
        plugin.webhook_url = _slack_base(header["url"]) or plugin.webhook_url


def _slack_base(url: str) -> str | None:
    """``?base=http://127.0.0.1:…``: where the demo and the tests receive what Slack would."""
    base = parse_qs(urlsplit(url).query).get("base", [""])[0]
    try:
        return base if ip_address(urlsplit(base).hostname or "").is_loopback else None
    except ValueError:
        return None


def _notify(plugin: Any, subject: str, texts: dict[str, str]) -> bool:
    """Text as text, always: without a format apprise lets ``<!channel>`` and raw HTML through."""
    service = apprise.Apprise(asset=plugin.asset)
    service.add(plugin)
    if texts["html"] and isinstance(plugin, apprise_mail.NotifyEmail):
        with _OwnTextPart(texts["text"]):
            result = service.notify(
                title=subject, body=texts["html"], body_format=apprise.NotifyFormat.HTML
            )
    else:
        result = service.notify(
            title=subject, body=texts["text"], body_format=apprise.NotifyFormat.TEXT
        )
    return bool(result)


class _OwnTextPart:
    """Puts our text beside our HTML: the one apprise derives loses marks and addresses."""

    _mail: Any = apprise_mail

    def __init__(self, text: str) -> None:
        self._text = text

    def __enter__(self) -> None:
        self._original = self._mail.convert_between
        self._mail.convert_between = self._convert

    def __exit__(self, *exception: object) -> None:
        self._mail.convert_between = self._original

    def _convert(self, source: Any, target: Any, body: str) -> Any:
        return self._text if target == apprise.NotifyFormat.TEXT else body
