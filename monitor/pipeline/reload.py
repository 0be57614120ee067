"""Files → rules and configuration in force.  A bad edit changes nothing and is told once.

The last good set of rule files is kept in the database and survives a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime

from monitor.errors import ConfigError, Problem
from monitor.pipeline.in_force import InForce, joint_problems
from monitor.rules.load import RuleSet, load, read_folder
from monitor.settings import Config
from monitor.store.writer import Writer

SINCE_NOTE = "rules-since"  # JSON: rule name → [fingerprint of its meaning, ISO time]
FAILED_NOTE = "rules-failed-since"  # ISO time of the first load that failed


async def rules_at_start(
    config: Config, store: Writer, now: datetime
) -> tuple[InForce, tuple[Problem, ...]]:
    """What a start runs on: the rule files, else the last good set and what is wrong with the files.

    Raises ConfigError when the files are unusable and there is no earlier set.
    """
    try:
        rules = await _read(config, store)
        problems: tuple[Problem, ...] = ()
    except ConfigError as error:
        record = await store.call(lambda each: each.last_rule_set())
        if record is None:
            raise
        rules = await _compiled({n: t.encode() for n, t in record.files.items()}, store)
        problems = error.problems
    return InForce(config=config, rules=rules), problems


async def _read(config: Config, store: Writer) -> RuleSet:
    files = await asyncio.to_thread(read_folder, config.rules)
    rules = await _compiled(files, store)
    problems = joint_problems(config, rules)
    if any(not problem.warning for problem in problems):
        raise ConfigError([problem for problem in problems if not problem.warning])
    return rules


async def _compiled(files: Mapping[str, bytes], store: Writer) -> RuleSet:
    """Parsing and compiling may take seconds: not in the event loop."""
    frequencies = await store.call(lambda each: each.document_frequencies())
    return await asyncio.to_thread(load, files, frequencies)
