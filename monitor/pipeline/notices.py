"""What people are told of edits to rules and configuration: live, or not live and why.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from monitor import ids
from monitor.alerts.lines import counted
from monitor.errors import Problem
from monitor.model import Alert, Severity
from monitor.rules.trial import Backtest

SHOWN = 10  # problems named in one message
APART = 3  # rules that are told one by one
LISTED = 40  # of many in one message
_NAMES = {"rules": "rules are", "config": "configuration is", "templates": "templates are"}
_LOOKS_BACK = {
    "rules": ", and stories that came since its first failed load are looked at again",
    "config": "",
}


def not_live(what: str, problems: Sequence[Problem], since: str, now: datetime) -> Alert:
    """The files cannot be used, *since* when: told once for each state of theirs."""
    shown = "\n".join(str(replace(problem, excerpt="")) for problem in problems[:SHOWN])
    more = f"\nand {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    return ids.operator_alert(
        f"{what}-not-live",
        ids.derive("problems", since, *map(str, problems)),
        title=f"The new {_NAMES[what]} NOT live: {_place(problems[0])}",
        text=f"{shown}{more}\n"
        f"What it means: what was in force before stays in force, all of it; nothing is lost.\n"
        f"What to do: correct the file. It is taken over within two seconds{_LOOKS_BACK[what]}.",
        now=now,
    )


def _place(problem: Problem) -> str:
    """Where to look: the file, and the line where it is known."""
    return f"{problem.file}:{problem.line}" if problem.line else problem.file


def templates_not_live(problems: Sequence[Problem], since: str, now: datetime) -> Alert:
    """Templates that cannot be used: told like ``not_live``."""
    shown = "\n".join(map(str, problems[:SHOWN]))
    return ids.operator_alert(
        "templates-not-live",
        ids.derive("problems", since, *map(str, problems)),
        title=f"A template is NOT live: {_place(problems[0])}",
        text=f"{shown}\n"
        "What it means: messages have its last good state, or the built-in layout; nothing is"
        " lost.\n"
        "What to do: correct the file. It is tried with sample messages and taken over within two"
        " seconds.",
        now=now,
    )


def template_failed(problem: Problem, version: str, now: datetime) -> Alert:
    """A template failed on a real message: told once for each *version* of the file."""
    return ids.operator_alert(
        f"template-failed:{problem.file}",
        version,
        title=f"A message could not be made with {problem.file}",
        text=f"{problem}\n"
        "What it means: the message was sent in the built-in layout, and so are all others on which"
        " the template fails.\n"
        "What to do: correct the file. It is taken over within two seconds.",
        now=now,
    )


def together(alerts: Sequence[Alert], now: datetime) -> Sequence[Alert]:
    """What one reload says of rules (``live``) to one owner: of many, one message."""
    if len(alerts) <= APART:
        return alerts
    shown = "\n".join(f"· {alert.title}" for alert in alerts[:LISTED])
    if len(alerts) > LISTED:
        shown += f"\n· and {len(alerts) - LISTED} more"
    return [
        ids.operator_alert(
            "rules-live",
            ids.derive("live", *(alert.id for alert in alerts)),
            title=f"{len(alerts)} rules are live",
            text=f"{shown}\nFrom now on new stories are matched by them as they stand.",
            now=now,
            severity=Severity.NORMAL,
        )
    ]


def live(rule: str, result: Backtest, since: str, now: datetime, version: str) -> Alert:
    """A rule was added or changed: what it would have brought *since*, "last 7 days"."""
    count = result.of(rule)
    change = f" (+{count.gained} −{count.lost})" if count.kept or count.lost else ""
    total = count.gained + count.kept
    return ids.operator_alert(
        f"rule-live:{rule}",
        version,
        title=f"{rule} is live: {since} {counted(total, 'match', 'matches')}{change}",
        text="From now on new stories are matched by it as it stands.",
        now=now,
        severity=Severity.NORMAL,
    )


def repaired(what: str, now: datetime, since: str) -> Alert:
    return ids.operator_alert(
        f"{what}-repaired",
        since,
        title=f"The {_NAMES[what]} live again",
        text="The files can be read again and are in force.",
        now=now,
        severity=Severity.NORMAL,
    )
