"""[[feeds]] of config.toml → FeedSettings: addresses, bounds, and how a feed is asked for."""

from __future__ import annotations

import re
import ssl
from base64 import b64encode
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from monitor.configfile import FeedTable, PollTable
from monitor.configpace import check_feed
from monitor.configsecrets import SecretReader, Where, shown
from monitor.feeds.address import wrong_with
from monitor.settings import BACKFILL_AUTO, BACKFILL_OFF, Access, FeedSettings

MAX_CA = 1 << 20  # bytes

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 §5.1
_SENT = re.compile(r"[\x20-\x7e]*")
_OURS = {  # headers that are not for people to set, and what to write instead
    "accept-encoding": "the monitor unpacks what it asks for itself",
    "authorization": "write user and password_file, or token_file",
    "connection": "take it out",
    "content-length": "take it out",
    "cookie": "cookies are not kept; if the site wants a token, write token_file",
    "host": "take it out; the host is that of url",
    "if-modified-since": "take it out; the monitor asks only for what is new by itself",
    "if-none-match": "take it out; the monitor asks only for what is new by itself",
    "proxy-authorization": 'write proxy = "http://user:${PASSWORD}@host:port"',
    "range": "take it out",
    "te": "take it out",
    "transfer-encoding": "take it out",
    "user-agent": "write user_agent",
}


class FeedReader(SecretReader):
    """Reads feeds of a configuration; what is wrong goes to *findings*."""

    def feed(self, number: int, table: FeedTable, poll: PollTable) -> FeedSettings:
        where: Where = ("feeds", number)
        who = f'feed "{table.name}"'
        url = table.url.strip()
        self._check_address(where, who, url, table, poll)
        check_feed(where, table, poll, self.findings)
        return FeedSettings(
            url=url,
            name=table.name,
            tags=frozenset(table.tags),
            enabled=table.enabled,
            reason=table.reason,
            interval=table.interval,
            min_interval=table.min_interval,
            max_interval=table.max_interval,
            access=self._access(where, who, table),
            content=table.content,
            backfill=self._backfill(where, who, table),
            source=self.findings.place(where),
        )

    def _backfill(self, where: Where, who: str, table: FeedTable) -> str:
        """Where older entries are looked for."""
        chosen = table.backfill.strip()
        if chosen not in (BACKFILL_AUTO, BACKFILL_OFF) and wrong_with(chosen):
            what = f'{who}: backfill is neither "auto" nor "off" nor a web address'
            remedy = 'write "auto", "off", or the address of the site\'s news sitemap'
            self.findings.add((*where, "backfill"), what, remedy)
        return chosen

    def _check_address(
        self, where: Where, who: str, url: str, table: FeedTable, poll: PollTable
    ) -> None:
        wrong = wrong_with(url)
        if wrong:
            self.findings.add((*where, "url"), f"{who}: {wrong}")
        elif table.proxy is None and _is_refused(url, table, poll):
            self.findings.add(
                (*where, "url"),
                f"{who}: a private address, which is not polled",
                "allow its network: allow_private, here or in [poll]",
                warning=True,
            )

    # --- how it is asked for

    def _access(self, where: Where, who: str, table: FeedTable) -> Access:
        secrets: set[str] = set()
        headers = self._headers(where, who, table, secrets)
        login = self._login(where, who, table, secrets)
        if login:
            headers["authorization"] = login
        return Access(
            headers=tuple(headers.items()),
            user_agent=table.user_agent,
            proxy=self._proxy((*where, "proxy"), who, table.proxy, secrets),
            allow_private=tuple(table.allow_private),
            ca=self._authorities((*where, "ca_file"), who, table.ca_file),
            encoding=table.encoding,
            secrets=tuple(sorted(secrets)),
        )

    def _headers(
        self, where: Where, who: str, table: FeedTable, secrets: set[str]
    ) -> dict[str, str]:
        """By their names in lower case; their variables are *secrets*."""
        headers: dict[str, str] = {}
        for name, written in table.headers.items():
            place = (*where, "headers", name)
            if not _HEADER.fullmatch(name):
                self.findings.add(place, f'{who}: "{name}" is no name of a header')
            elif name.lower() in _OURS:
                what = f"{who}: the header {name} is set by the monitor"
                self.findings.add(place, what, _OURS[name.lower()])
            elif name.lower() in headers:
                self.findings.add(place, f"{who}: the header {name} is there twice", "keep one")
            else:
                value = self._header(place, f"{who}: the header {name}", written, secrets)
                if value is not None:
                    headers[name.lower()] = value
        return headers

    def _header(self, where: Where, who: str, written: str, secrets: set[str]) -> str | None:
        value = self.filled_in(where, who, written, "take the header out")
        variables = self.variables_in(written)
        if value and variables:
            secrets.update((value, *variables))
        if value and not _SENT.fullmatch(value):
            self.findings.add(where, f"{who} holds more than plain ASCII in one line")
        return value

    def _login(self, where: Where, who: str, table: FeedTable, secrets: set[str]) -> str:
        """The Authorization header; "" for none, or when something is wrong."""
        keys = ("password", "password_file", "token", "token_file")
        given = [key for key in keys if getattr(table, key) is not None]
        if len(given) > 1:
            what = f"{who}: has both {given[0]} and {given[1]}"
            self.findings.add((*where, given[1]), what, "keep one")
            return ""
        wants_user = bool(given) and given[0].startswith("password")
        if bool(table.user) != wants_user:
            key = "user" if table.user else given[0]
            what = "a user, but no password" if table.user else "a password, but no user"
            self.findings.add((*where, key), f"{who}: {what}", "add user and password_file")
            return ""
        if not given:
            return ""
        if urlsplit(table.url).username is not None:
            what = f"{who}: its address has a user in it as well"
            self.findings.add((*where, "url"), what, "take it out of url")
            return ""
        secret = self._secret(where, who, table, given[0])
        if not wants_user:
            secret = self._checked((*where, given[0]), who, secret)
        return _authorization(table.user, secret, secrets) if secret else ""

    def _secret(self, where: Where, who: str, table: FeedTable, key: str) -> str | None:
        where, written = (*where, key), str(getattr(table, key))
        if key.endswith("_file"):
            return self.secret_file(where, who, written)
        self.warn_of_literal(where, who, written)
        secret = self.filled_in(where, who, written, f"use {key}_file")
        if secret == "":
            self.findings.add(where, f"{who}: the {key} is empty", f"use {key}_file")
        return secret

    def _checked(self, where: Where, who: str, token: str | None) -> str | None:
        if token and not _SENT.fullmatch(token):
            self.findings.add(where, f"{who}: the token holds more than plain ASCII in one line")
            return None
        return token

    def _proxy(self, where: Where, who: str, written: str | None, secrets: set[str]) -> str:
        if written is None:
            return ""
        url = self.filled_in(where, who, written, "write the address itself")
        if url is None:
            return ""
        secrets.update(self.variables_in(written))
        wrong = _wrong_with_proxy(url)
        if wrong:
            remedy = 'write it as "http://proxy.example.org:3128"'
            self.findings.add(where, f"{who}: {wrong}", remedy)
            return ""
        password = urlsplit(url).password
        if password:
            secrets.update((url, password, unquote(password), quote(unquote(password), safe="")))
            self.warn_of_literal(where, who, written)
        return url

    def _authorities(self, where: Where, who: str, name: str | None) -> str:
        """The certificates in the file *name*, checked: a bad one would fail every poll."""
        if name is None:
            return ""
        path = self.path.resolve().parent / Path(name).expanduser()
        try:
            with path.open(encoding="ascii", errors="replace") as file:
                pem = file.read(MAX_CA)
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
        except ssl.SSLError:
            what = f"{who}: {shown(path)} holds no certificate"
            self.findings.add(where, what, "it must be PEM: -----BEGIN CERTIFICATE-----")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is empty"
            self.findings.add(where, f"{who}: cannot read {shown(path)}: {why}")
        else:
            return pem
        return ""


def _authorization(user: str, secret: str, secrets: set[str]) -> str:
    """Basic with a *user*, else Bearer (RFC 7617, RFC 6750)."""
    sent = b64encode(f"{user}:{secret}".encode()).decode() if user else secret
    secrets.update((secret, sent))
    return f"{'Basic' if user else 'Bearer'} {sent}"


def _wrong_with_proxy(url: str) -> str:
    """As ``wrong_with``, but never showing *url*: it may hold a password."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "proxy is not an address"
    if parts.scheme.lower().startswith("socks"):
        return "a SOCKS proxy cannot be used, only an HTTP proxy"
    if parts.scheme.lower() not in ("http", "https") or not host:
        return "proxy is not the address of an HTTP proxy"
    return "proxy has a path" if parts.path not in ("", "/") or parts.query else ""


def _is_refused(url: str, table: FeedTable, poll: PollTable) -> bool:
    """Whether *url* names a private address outright that no network in the file allows."""
    try:
        address = ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    allowed = (*poll.allow_private, *table.allow_private)
    return not address.is_global and not any(address in net for net in allowed)
