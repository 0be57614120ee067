"""When a channel is told, in words: for ``check``.  Pure."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.model import Severity
from monitor.settings import Channel, Updates


def times_of(channel: Channel) -> str:
    """ "digest 07:30; at once: high, critical; quiet 22:00-07:00; else desk-mail"."""
    return "; ".join(_times(channel))


def _times(channel: Channel) -> Iterator[str]:
    severe = ", ".join(Severity(each).label for each in sorted(channel.at_once))
    if channel.digest is not None:
        yield f"digest {channel.digest}"
        if severe:
            yield f"at once: {severe}"
    else:
        yield "at once"
    if channel.quiet_hours:
        passes = " (critical passes)" if Severity.CRITICAL in channel.at_once else ""
        yield f"quiet {', '.join(map(str, channel.quiet_hours))}{passes}"
    if channel.timezone is not None and (channel.digest or channel.quiet_hours):
        yield str(channel.timezone)
    if channel.updates is not Updates.THREAD:
        yield {Updates.DIGEST: "updates with the digest", Updates.OFF: "no updates"}[
            channel.updates
        ]
    if channel.fallback:
        yield f"if it fails: {channel.fallback}"
