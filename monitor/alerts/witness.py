"""What really happened on the wire while apprise sent something.  Child side only.

apprise says whether it worked, not why not.  One floor below, ``requests`` and ``smtplib`` know the
status, the Retry-After and whether the text had left when it failed; this module listens there.
Nothing secret is kept: of SMTP only the names of commands, of HTTP no address, body or header but
Retry-After.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

_COMMANDS = frozenset(("EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA"))
_ASIDE = frozenset(("RSET", "QUIT", "NOOP"))  # what smtplib says after a refusal
_SECOND_CHANCE = frozenset(("EHLO", "AUTH"))  # smtplib goes on with HELO, or another way to log in
_ERROR_WORD = re.compile(rb"[a-z][a-z_]{2,39}")  # Slack says why in one: "invalid_token"
_ANSWER_LENGTH = 120


@dataclass(slots=True, kw_only=True)
class Witness:
    """The last exchange seen.  ``outcome.judge`` reads it, as JSON."""

    protocol: str = ""  # "http" | "smtp" | "": nothing was tried
    phase: str = ""  # SMTP: "CONNECT", the last command that matters, "TEXT" once it is awaited
    status: int | None = None  # HTTP status, or the SMTP reply code that refuses
    answer: str = ""  # what the server says about it
    fault: str = ""  # "dns" | "timeout" …: the names in _FAULTS, or "failed"
    handed_over: bool = False  # the whole text had left, or may have
    retry_after: str | None = None
    aside: bool = False  # SMTP: the last command does not matter

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    # --- HTTP

    def answered(self, response: requests.Response) -> None:
        said = response.content[:200].strip() if not response.ok else b""
        self._begin("http")
        self.status = response.status_code
        self.answer = said.decode() if _ERROR_WORD.fullmatch(said) else ""
        self.retry_after = response.headers.get("Retry-After")

    def unanswered(self, error: Exception) -> None:
        self._begin("http")
        self.fault = _fault_of(error)
        self.handed_over = not _never_connected(error)

    # --- SMTP

    def command(self, line: str) -> None:
        """A line sent; those that are no command may hold a password and are not looked at."""
        verb = line[:10].partition(" ")[0].upper()
        self.aside = verb in _ASIDE
        if verb in _COMMANDS and (self.status is None or self.phase in _SECOND_CHANCE):
            self.phase, self.status, self.answer = verb, None, ""

    def replied(self, code: int, text: bytes) -> None:
        if self.aside:
            return
        refused = code >= 400 or code < 0
        self.status = code if refused else None
        self.answer = text.decode("utf-8", "replace")[:_ANSWER_LENGTH] if refused else ""
        if code == 354:
            self.phase = "TEXT"

    def failed(self, error: Exception) -> None:
        """An SMTP step raised; a reply that refused says more and is kept."""
        if self.status is None and not self.fault:
            self.fault = _fault_of(error)

    def connecting(self) -> None:
        self._begin("smtp")
        self.phase = "CONNECT"

    def _begin(self, protocol: str) -> None:
        self.protocol, self.phase, self.status, self.answer = protocol, "", None, ""
        self.fault, self.handed_over, self.retry_after = "", False, None


_current = Witness()


def fresh() -> Witness:
    """A new witness of all that happens from now on in this process."""
    global _current
    _current = Witness()
    return _current


def install() -> None:
    """Listen in ``requests`` and ``smtplib``, once a process."""
    if getattr(requests.Session.send, "witnessed", False):
        return
    _replace(requests.Session, "send", _watched_send)
    _replace(smtplib.SMTP, "connect", _watched_connect)
    _replace(smtplib.SMTP, "putcmd", _watched_command)
    _replace(smtplib.SMTP, "getreply", _watched_reply)
    _replace(smtplib.SMTP, "data", _watched_data)
    for step in ("starttls", "login", "sendmail"):
        _replace(smtplib.SMTP, step, _watched_step)


def _replace(owner: type, name: str, watch: Callable[..., Any]) -> None:
    original = getattr(owner, name)

    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        return watch(original, self, *args, **kwargs)

    watched.witnessed = True  # type: ignore[attr-defined]
    setattr(owner, name, watched)


def _watched_send(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        response = original(self, *args, **kwargs)
    except Exception as error:
        _current.unanswered(error)
        raise
    _current.answered(response)
    return response


def _watched_connect(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    _current.connecting()
    return _watched_step(original, self, *args, **kwargs)


def _watched_command(original: Callable[..., Any], self: Any, cmd: str, args: str = "") -> Any:
    _current.command(cmd)
    return original(self, cmd, args)


def _watched_reply(original: Callable[..., Any], self: Any) -> Any:
    code, text = original(self)
    _current.replied(code, text)
    return code, text


def _watched_data(original: Callable[..., Any], self: Any, msg: Any) -> Any:
    """Once the server awaits the text, and until it replied, nobody knows whether it took it."""
    try:
        return original(self, msg)
    except (OSError, smtplib.SMTPServerDisconnected) as error:
        _current.handed_over = _current.phase == "TEXT"
        _current.failed(error)
        raise


def _watched_step(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return original(self, *args, **kwargs)
    except Exception as error:
        _current.failed(error)
        raise


def _never_connected(error: BaseException) -> bool:
    never = (NewConnectionError, ConnectTimeoutError, ssl.SSLError)
    return isinstance(error, requests.exceptions.SSLError) or any(
        isinstance(each, never) for each in _causes(error)
    )


_FAULTS: tuple[tuple[str, tuple[type[BaseException], ...]], ...] = (
    ("dns", (socket.gaierror,)),
    ("tls", (ssl.SSLError, requests.exceptions.SSLError)),
    ("timeout", (TimeoutError, requests.exceptions.Timeout)),
    ("refused", (ConnectionRefusedError,)),
    ("unsupported", (smtplib.SMTPNotSupportedError,)),
    ("encoding", (UnicodeError,)),  # smtplib logs in with ASCII only
    ("reset", (ConnectionError, smtplib.SMTPServerDisconnected)),
    ("unreachable", (NewConnectionError,)),
    ("reset", (requests.exceptions.ConnectionError,)),
    ("unreachable", (OSError,)),
)


def _fault_of(error: BaseException) -> str:
    causes = list(_causes(error))
    for fault, types in _FAULTS:
        if any(isinstance(cause, types) for cause in causes):
            return fault
    return "failed"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """*error* and what it was raised from; urllib3 also wraps errors in arguments."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
