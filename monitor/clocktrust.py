"""Whether the clock may be believed by what destroys things for their age.  Pure.

Two witnesses: a clock that only ticks must have ticked as far as the wall clock has moved, and the
dates that publishers give must be of these days.  The first finds jumps, the second a clock that
was wrong before we started.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MOST_DRIFT = timedelta(minutes=2)  # wall clocks are corrected now and then
OF_THESE_DAYS = timedelta(days=7)  # a quiet week of all feeds is believed


class Verdict(StrEnum):
    """What the witnesses say, in words for people."""

    SURE = "the clock agrees with a second one and with the dates of the feeds"
    ALONE = "no feed gives dates that would confirm the clock"
    DOUBTED = "the newest date of the feeds is over a week away from the clock"
    JUMPED = "the clock has jumped"


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one moment."""

    wall: datetime
    ticked: timedelta  # since some fixed moment


def judge(before: Reading, now: Reading, published: datetime | None) -> tuple[Verdict, Reading]:
    """What to think of *now*, and the reading to compare the next one with.

    *published* is the newest date a publisher has given, as far as our clock did not make it.
    After a jump the new time is taken for right once publishers agree with it.
    """
    agrees = abs((now.wall - before.wall) - (now.ticked - before.ticked)) <= MOST_DRIFT
    confirmed = published is not None and abs(now.wall - published) <= OF_THESE_DAYS
    if confirmed:
        return (Verdict.SURE if agrees else Verdict.JUMPED), now
    if not agrees:
        return Verdict.JUMPED, before
    return (Verdict.ALONE if published is None else Verdict.DOUBTED), before
