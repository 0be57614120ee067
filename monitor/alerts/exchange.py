"""A POST of ours and what came of it, as values.  Pure; ``posting`` does it.

``seen`` puts an exchange into the words of the witness, so that ``outcome.judge`` decides alike
for what apprise sends and for what the monitor sends itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A request that is ready to go.  All of it may be secret."""

    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    reads: bool = True  # the answer's body matters; without it the status is enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What came back; with a ``fault`` as well where the answer broke off after its status."""

    status: int | None = None
    retry_after: str | None = None
    body: bytes = field(default=b"", repr=False)  # the beginning, at most ``posting.MOST_READ``
    fault: str = ""  # one of the names in ``outcome``
    handed_over: bool = False  # the whole text had left, or may have


def seen(
    exchange: Exchange, *, accepted: bool = False, status: int | None = None, answer: str = ""
) -> dict[str, Any]:
    """The report that ``outcome.judge`` reads; *status*: what the answer's body amounts to."""
    return {
        "accepted": accepted,
        "protocol": "http",
        "phase": "",
        "status": exchange.status if status is None else status,
        "answer": answer,
        "retry_after": exchange.retry_after,
        "fault": exchange.fault,
        "handed_over": exchange.handed_over,
    }
