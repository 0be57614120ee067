"""Logging: JSON lines for machines, readable lines on a terminal, and never a secret in either.

Only the shell and the edges log.  What httpx, apprise and the others say goes the same way, from
WARNING on: below that httpx prints whole URLs.  Complaints that repeat are folded (``logfold``),
and a thread of its own writes (``logwriter``).
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote

import structlog

from monitor.logfold import EXCEPTION, PASSING, Folder, Repeated
from monitor.logwriter import PATIENCE, LogWriter, Write, to_stderr

REDACTED = "[secret]"
SHORTEST = 4  # a shorter "secret" would black out ordinary words
CHATTY = ("httpx", "httpcore", "apscheduler", "apprise", "urllib3", "asyncio", "requests")

_secrets: list[str] = []  # longest first, so that no part of one is left over
_stamped = structlog.processors.TimeStamper(fmt="iso", utc=True)


def set_up(
    *,
    terminal: bool,
    level: int = logging.INFO,
    write: Write = to_stderr,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Send all logging to stderr, or to *write*: lines for people if *terminal*, else JSON."""
    close()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _stamped,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    handler = _Folding(write, clock)
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
    hush(level)
    logging.captureWarnings(True)


def hush(level: int) -> None:
    """Hear the chatty from WARNING on, whatever is heard of the others: they print addresses."""
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def flush(seconds: float = PATIENCE) -> None:
    """Wait until all that was logged is written, at most *seconds*."""
    for handler in _ours():
        handler.drain(seconds)


def close(seconds: float = PATIENCE) -> None:
    """Log no more: tell what was folded and write what waits, for at most *seconds*."""
    for handler in _ours():
        logging.getLogger().removeHandler(handler)
        handler.end(seconds)


def _ours() -> list[_Folding]:
    return [each for each in logging.getLogger().handlers if isinstance(each, _Folding)]


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
            colors=sys.stderr is not None and sys.stderr.isatty(),
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


class _Folding(logging.Handler):
    """Folds complaints that repeat, and hands the lines to a thread that writes them."""

    def __init__(self, write: Write, clock: Callable[[], float]) -> None:
        super().__init__()
        self._folder = Folder(clock=clock)
        self._writer = LogWriter(write, lost=self._lost, due=self._due)

    def emit(self, record: logging.LogRecord) -> None:
        """Called with the handler's lock held."""
        try:
            if record.levelno < logging.WARNING or self._folder.admits(_said(record)):
                self._writer.put(self.format(record))
        except Exception:  # what cannot be written down must not stop whoever says it
            event = {"event": "a log line could not be made", "level": "error"}
            self._writer.put(self._line({**event, "logger": record.name}))

    def flush(self) -> None:
        self.drain(PATIENCE)

    def drain(self, seconds: float) -> None:
        self._writer.drain(seconds)

    def close(self) -> None:
        self.end(PATIENCE)

    def end(self, seconds: float) -> None:
        for each in self._folder.rest():
            self._writer.put(self._line(_summary(each)))
        self._writer.close(seconds)
        super().close()

    def _due(self) -> Iterator[str]:
        """Called in the thread that writes, for which somebody with the lock may be waiting."""
        assert self.lock is not None
        if not self.lock.acquire(blocking=False):
            return iter(())
        try:
            over = self._folder.over()
        finally:
            self.lock.release()
        return (self._line(_summary(each)) for each in over)

    def _lost(self, lines: int) -> str:
        return self._line({"event": "log lines lost", "level": "error", "lines": lines})

    def _line(self, event: structlog.typing.EventDict) -> str:
        """*event* of our own, as if it had been logged."""
        record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, event, None, None)
        record.__dict__.update(_logger=None, _name="")  # what marks events of structlog
        _stamped(None, "", event)
        return self.format(record)


def _said(record: logging.LogRecord) -> dict[str, object]:
    """What a record says, for telling one complaint from another; no frames of a traceback."""
    if not isinstance(record.msg, dict):
        said: dict[str, object] = {"event": record.getMessage(), "logger": record.name}
        said["level"] = record.levelname.lower()
        return {**said, EXCEPTION: record.exc_info[0]} if record.exc_info else said
    said = dict(record.msg)
    exception = said.pop("exc_info", None)
    return {**said, EXCEPTION: sys.exc_info()[0]} if exception else said


def _summary(each: Repeated) -> structlog.typing.EventDict:
    """The line that says how often it came again; its traceback stands above."""
    told = each.event.keys() - PASSING - {"event", EXCEPTION}
    about = {key: each.event[key] for key in sorted(told)}
    seconds = max(1, round(each.length.total_seconds()))
    counted = {"times": each.times, "within_seconds": seconds}
    return {"event": "repeated", "of": each.event["event"], **counted, **about}
