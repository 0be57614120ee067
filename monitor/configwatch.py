"""[heartbeat] and [metrics] → who is told that the monitor lives, and where it can be asked."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib.util import find_spec
from ipaddress import ip_address
from urllib.parse import urlsplit

from monitor.configfile import HeartbeatTable, MetricsTable
from monitor.configsecrets import Findings, SecretReader
from monitor.configwebsub import place
from monitor.settings import HeartbeatSettings, MetricsSettings

INSTALL = ".venv/bin/pip install -e '.[metrics]'"  # in the folder of run_monitor.py
_NEEDED = {"uvicorn": "uvicorn", "prometheus_client": "prometheus-client"}
_LONGEST = timedelta(days=1)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")


def read_heartbeat(table: HeartbeatTable | None, secrets: SecretReader) -> HeartbeatSettings | None:
    """What was chosen; without its address if that is a secret that cannot be read."""
    if table is None:
        return None
    add, where = secrets.findings.add, ("heartbeat",)
    if not timedelta(0) < table.interval <= _LONGEST:
        what = "a heartbeat comes at least once a day"
        add((*where, "interval"), what, 'write an interval such as "5m"')
    if (table.url is None) == (table.url_file is None):
        add(where, "the heartbeat needs exactly one of url and url_file")
        return None
    key = "url" if table.url_file is None else "url_file"
    url = _address(table, secrets)
    if url is None:
        return HeartbeatSettings(url="", interval=table.interval)
    if not _is_web(url):
        what = "the heartbeat needs the address of a dead-man's switch"
        add((*where, key), what, "write the one it shows you; it begins with https://")
    elif urlsplit(url).scheme == "http" and not _is_loopback(urlsplit(url).hostname):
        what = "the heartbeat goes out unencrypted: who reads along can imitate it"
        add((*where, key), what, "write https://, if the service has that", warning=True)
    return HeartbeatSettings(url=url, interval=table.interval)


def _address(table: HeartbeatTable, secrets: SecretReader) -> str | None:
    who = "the heartbeat"
    if table.url_file is not None:
        return secrets.secret_file(("heartbeat", "url_file"), who, table.url_file)
    secrets.warn_of_literal(("heartbeat", "url"), who, table.url or "")
    return secrets.filled_in(("heartbeat", "url"), who, table.url or "", "use url_file")


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        good_port = parts.port != 0
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url
    return parts.scheme in ("http", "https") and bool(parts.hostname) and good_port and plain


def _is_loopback(host: str | None) -> bool:
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def read_metrics(
    table: MetricsTable | None, findings: Findings, *, need_server: bool
) -> MetricsSettings | None:
    """What was chosen; where it cannot be used, that is a mistake only for those who listen."""
    if table is None:
        return None
    missing = [name for module, name in _NEEDED.items() if find_spec(module) is None]
    if missing:
        what = f"nobody can ask for metrics: {' and '.join(missing)} not installed"
        remedy = f"install the extra: {INSTALL}, or delete [metrics]"
        findings.add(("metrics",), what, remedy, warning=not need_server)
    host, port = place(table.listen) or ("", 0)
    if not host:
        what = "that is no address to listen on"
        remedy = 'write an address and a port, such as "127.0.0.1:9464" or "[::1]:9464"'
        findings.add(("metrics", "listen"), what, remedy)
    elif not _is_loopback(host) and not table.hosts:
        what = f"everybody who reaches {host} could ask how the monitor is"
        remedy = (
            'listen on "127.0.0.1:9464"; or, if that is meant, name what it is asked by there:'
            ' hosts = ["monitor.example.org"]'
        )
        findings.add(("metrics", "listen"), what, remedy)
    for number, name in enumerate(table.hosts):
        if not _HOST.fullmatch(name):
            what = f'"{name}" is no name of a machine'
            remedy = 'write it without http:// and port, such as "monitor.example.org"'
            findings.add(("metrics", "hosts", number), what, remedy)
    return MetricsSettings(host=host, port=port, hosts=tuple(map(str.lower, table.hosts)))
