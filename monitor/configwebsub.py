"""The table [websub] → where hubs reach us; what is wrong with it, and what to write instead."""

from __future__ import annotations

from importlib.util import find_spec
from ipaddress import ip_address
from urllib.parse import urlsplit

from monitor.configfile import WebSubTable
from monitor.configsecrets import Findings
from monitor.feeds.websub import is_loopback
from monitor.settings import WebSubSettings

INSTALL = ".venv/bin/pip install -e '.[websub]'"  # in the folder of run_monitor.py


def read_websub(
    table: WebSubTable | None, findings: Findings, *, need_server: bool
) -> WebSubSettings | None:
    """What was chosen; where it cannot be used, that is a mistake only for those who listen."""
    if table is None:
        return None
    if find_spec("uvicorn") is None:
        what = "hubs cannot be listened to: uvicorn is not installed"
        remedy = f"install the extra: {INSTALL}, or delete [websub]"
        findings.add(("websub",), what, remedy, warning=not need_server)
    callback = table.callback.strip().rstrip("/")
    if not _is_public(callback):
        what = "hubs must reach us by https, at an address without log-in, query or #"
        findings.add(("websub", "callback"), what, 'such as "https://desk.example.org/websub"')
    host, port = place(table.listen) or ("", 0)
    if not host:
        what = "that is no address to listen on"
        remedy = 'write an address and a port, such as "127.0.0.1:8480" or "[::1]:8480"'
        findings.add(("websub", "listen"), what, remedy)
    elif not is_loopback(host):
        what = f"everybody who reaches {host} can talk to the monitor, unencrypted"
        remedy = 'let a web server with TLS stand before it, and listen on "127.0.0.1:8480"'
        findings.add(("websub", "listen"), what, remedy, warning=True)
    return WebSubSettings(callback=callback, host=host, port=port)


def _is_public(url: str) -> bool:
    try:
        parts = urlsplit(url)
        bare = not (parts.username or parts.query or parts.fragment) and parts.port != 0
    except ValueError:
        return False
    known = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    plain = url.isascii() and url.isprintable() and " " not in url
    return bool(parts.hostname) and bare and known and plain


def place(text: str) -> tuple[str, int] | None:
    """The address and the port of "127.0.0.1:8480" or "[::1]:8480"."""
    host, _, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        address = ip_address(host[1:-1] if bracketed else host)
        number = int(port) if port.isascii() and port.isdecimal() else 0
    except ValueError:
        return None
    if not 0 < number < 65536 or bracketed != (address.version == 6):
        return None
    return str(address), number
