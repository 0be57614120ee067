"""Logging: JSON lines for machines, readable lines on a terminal, and never a secret in either.

Only the shell and the edges log.  What httpx, apprise and the others say goes the same way, from
WARNING on: below that httpx prints whole URLs.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from typing import TextIO
from urllib.parse import quote

import structlog

REDACTED = "[secret]"
SHORTEST = 4  # a shorter "secret" would black out ordinary words
CHATTY = ("httpx", "httpcore", "apscheduler", "apprise", "urllib3", "asyncio", "requests")

_secrets: list[str] = []  # longest first, so that no part of one is left over


def set_up(*, terminal: bool, level: int = logging.INFO) -> None:
    """Send all logging to stderr: lines for people if *terminal*, else JSON."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    handler = _Stderr()
    handler.setFormatter(
        _Redacting(
            foreign_pre_chain=[*shared, _name_of_foreign],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_for_people() if terminal else _for_machines()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)


def register_secrets(secrets: Iterable[str]) -> None:
    """Never print these from now on; called again, the new ones come on top."""
    known = {form for secret in secrets for form in _forms(secret)}
    _secrets[:] = sorted(known.union(_secrets), key=len, reverse=True)


def redact(text: str) -> str:
    """*text* without the registered secrets."""
    for secret in _secrets:
        text = text.replace(secret, REDACTED)
    return text


def _forms(secret: str) -> set[str]:
    """A secret as it is, and as JSON, ``repr`` and URLs write it."""
    if len(secret) < SHORTEST:
        return set()
    return {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], quote(secret, safe="")}


def _for_machines() -> list[structlog.typing.Processor]:
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=True, default=str),
    ]


def _for_people() -> list[structlog.typing.Processor]:
    # Plain tracebacks: the pretty ones print local variables.  repr: no line can be forged.
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,
            repr_native_str=True,
        )
    ]


def _name_of_foreign(
    _: structlog.typing.WrappedLogger, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event["logger"] = record.name
    return event


class _Redacting(structlog.stdlib.ProcessorFormatter):
    """Cleans the finished line, so that tracebacks and foreign messages are covered."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _Stderr(logging.StreamHandler[TextIO]):
    """Looks up ``sys.stderr`` at each line: a progress bar replaces it for a while."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr
