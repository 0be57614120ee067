"""What the witness saw → what it means for the message, the target, the channel.  Pure.

Refused for good are wrong addresses and passwords (HTTP 401, 403, 404, 410; SMTP 5xx at log-in or
for the sender: the channel), and recipients nobody knows (SMTP 55x at RCPT: the target).  What the
channel says against the text itself is tried again and parked in the end.  All else may pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from monitor.alerts.lines import one_line, shorten
from monitor.model import Accepted, Refused, Scope, SendResult

DEFAULT_RETRY_AFTER = timedelta(seconds=60)  # of a 429 that names none
LONGEST_RETRY_AFTER = timedelta(days=1)
DETAIL_LENGTH = 200

_ADDRESS_IS_WRONG = {
    401: "the password or token is wrong",
    403: "it forbids what we ask; the password or token may be wrong",
    404: "the address is wrong",
    410: "the address is no longer in use",
}
_FAULTS = {
    "dns": "the name of its server is unknown",
    "tls": "no secure connection: its certificate or the security setting is wrong",
    "timeout": "no answer in time",
    "refused": "its server refuses connections",
    "reset": "the connection broke",
    "unreachable": "its server cannot be reached",
    "address": "its address cannot be used",
    "protocol": "its server does not speak HTTP properly",
    "unsupported": "its server offers no STARTTLS, or not this way to log in; for a server without"
    ' TLS write security = "none"',
    "encoding": "the user, password or address has letters outside ASCII, which it cannot take",
    "failed": "an error nobody foresaw",
}


def judge(seen: Mapping[str, Any], now: datetime) -> SendResult:
    """The result of one try.  *seen*: the child's report, ``Witness`` as JSON plus ``accepted``;
    or that of ``exchange.seen``.

    *now* is needed where a Retry-After names a date.
    """
    if seen["accepted"]:
        return Accepted()
    if seen.get("unusable"):
        return Refused(detail=seen["unusable"], retryable=False, scope=Scope.CHANNEL)
    result = _judged(seen, now)
    return replace(result, detail=shorten(one_line(result.detail), DETAIL_LENGTH))


def _judged(seen: Mapping[str, Any], now: datetime) -> Refused:
    if not seen["protocol"]:
        return Refused(detail="nothing was sent: the text or the address does not suit it")
    if seen["status"] is None:
        return Refused(
            detail=_FAULTS[seen["fault"] or "failed"],
            ambiguous=seen["handed_over"],
            scope=Scope.CHANNEL,
        )
    if seen["protocol"] == "smtp":
        return _smtp(seen["phase"], seen["status"], seen["answer"])
    return _http(seen, now)


def _http(seen: Mapping[str, Any], now: datetime) -> Refused:
    status: int = seen["status"]
    detail = f"it answers {status}" + (f" {seen['answer']}" if seen["answer"] else "")
    if status in _ADDRESS_IS_WRONG:
        wrong = f"{detail}: {_ADDRESS_IS_WRONG[status]}"
        return Refused(detail=wrong, retryable=False, scope=Scope.CHANNEL)
    if status in (408, 425, 429) or status >= 500:
        default = DEFAULT_RETRY_AFTER if status == 429 else None
        wait = _retry_after(seen["retry_after"], now) or default
        return Refused(detail=detail, retry_after=wait, scope=Scope.CHANNEL)
    if 300 <= status < 400:
        moved = f"{detail}: it redirects elsewhere, which is never followed"
        return Refused(detail=moved, scope=Scope.CHANNEL)
    return Refused(detail=detail)  # 200 with an error inside, or a 4xx about the text


def _smtp(phase: str, code: int, answer: str) -> Refused:
    detail = f"it answers {code} {answer}" if code > 0 else "it does not speak SMTP"
    if not 500 <= code < 600:
        scope = Scope.TARGET if phase == "RCPT" else Scope.CHANNEL
        return Refused(detail=detail, scope=scope)
    if phase == "RCPT":
        return Refused(detail=detail, retryable=False, scope=Scope.TARGET)
    if phase in ("AUTH", "MAIL"):
        return Refused(detail=detail, retryable=False, scope=Scope.CHANNEL)
    if phase in ("DATA", "TEXT"):
        return Refused(detail=detail)
    return Refused(detail=detail, scope=Scope.CHANNEL)


def _retry_after(header: str | None, now: datetime) -> timedelta | None:
    """Seconds or a date (RFC 9110, 10.2.3), between a second and a day."""
    if not header:
        return None
    if header.strip().isdecimal():
        wait = timedelta(seconds=min(int(header.strip()[:9]), 10**8))
    else:
        try:
            date = parsedate_to_datetime(header)
        except ValueError:
            return None
        wait = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    return max(timedelta(seconds=1), min(wait, LONGEST_RETRY_AFTER))
