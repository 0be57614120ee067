"""How many messages a recipient gets in a row before the rest becomes one digest.  Pure.

A token bucket (as in RFC 2697: a size, a rate at which it fills) for each target.  When more
stories wait than there are tokens, it is a flood: from then on what waits is gathered, and sent as
one digest each time the bucket is full, until few enough wait.  Nothing is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.settings import Rate

NEARLY = 1e-3  # tokens: times are whole microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """The tokens a target had *at* a time; ``flooded``: more came than it takes one by one."""

    tokens: float
    at: datetime
    flooded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What may go to a target now: *singly* that many, the rest as *one*, or nothing until then."""

    bucket: Bucket
    singly: int = 0
    rest: bool = False  # what is left over goes as one digest
    until: datetime | None = None  # when what may not go now is looked at again


def full(rate: Rate, now: datetime) -> Bucket:
    return Bucket(tokens=rate.burst, at=now)


def allow(waiting: int, bucket: Bucket, rate: Rate, now: datetime, most: int) -> Allowance:
    """What may go of *waiting* messages; *most*: stories that one digest holds."""
    bucket = _filled(bucket, rate, now)
    if bucket.flooded:
        return _flooded(waiting, bucket, rate, most)
    if waiting <= bucket.tokens:
        return Allowance(bucket=_spent(bucket, waiting), singly=waiting)
    flooded = replace(bucket, flooded=True)
    if bucket.tokens < 1:
        return Allowance(bucket=flooded, until=_when(flooded, rate, rate.burst))
    singly = int(bucket.tokens) - 1
    return Allowance(bucket=_spent(flooded, singly + 1), singly=singly, rest=True)


def _flooded(waiting: int, bucket: Bucket, rate: Rate, most: int) -> Allowance:
    if bucket.tokens >= rate.burst - NEARLY and waiting <= max(1, rate.burst // 2):
        return Allowance(bucket=_spent(replace(bucket, flooded=False), waiting), singly=waiting)
    # More than a digest holds waits already: there is nothing to gather, only to keep the pace.
    needed = 1 if waiting >= most else rate.burst
    if bucket.tokens >= needed - NEARLY:
        return Allowance(bucket=_spent(bucket, needed), rest=True)
    return Allowance(bucket=bucket, until=_when(bucket, rate, needed))


def _filled(bucket: Bucket, rate: Rate, now: datetime) -> Bucket:
    passed = max(timedelta(0), now - bucket.at).total_seconds()
    return replace(
        bucket, tokens=min(float(rate.burst), bucket.tokens + passed * rate.a_second), at=now
    )


def _spent(bucket: Bucket, tokens: int) -> Bucket:
    return replace(bucket, tokens=max(0.0, bucket.tokens - tokens))


def _when(bucket: Bucket, rate: Rate, tokens: int) -> datetime:
    missing = (tokens - bucket.tokens) / rate.a_second
    return bucket.at + timedelta(seconds=max(0.001, missing))
