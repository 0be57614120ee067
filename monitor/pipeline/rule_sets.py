"""The rule files as a set.  The last good one is kept in the database and survives a restart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime

from monitor.errors import ConfigError, Problem
from monitor.language import detector
from monitor.model import RuleSetRecord
from monitor.pipeline import unusable
from monitor.pipeline.in_force import InForce, joint_problems
from monitor.pipeline.jumps import not_later
from monitor.pipeline.words import ByStem
from monitor.rules.load import RuleSet, load, read_folder
from monitor.settings import Config
from monitor.store.writer import Writer

SINCE = "rules-since"  # note: JSON, rule name → [fingerprint of its meaning, ISO time]


async def at_start(
    config: Config, store: Writer, now: datetime
) -> tuple[InForce, tuple[Problem, ...]]:
    """What a start runs on: the rule files, else the last good set, and what is wrong with them.

    Raises ConfigError when the files are unusable and there is no earlier set.
    """
    problems: tuple[Problem, ...] = ()
    try:
        rules = await read(config, store)
    except ConfigError as error:
        record = await store.call(lambda each: each.last_rule_set())
        if record is None:
            raise
        rules = await _stored(record.files, store)
        problems = error.problems
    else:
        rules = await _before_repair(rules, store)
        await remember(rules, store, now)
    effective = await in_effect_since(rules, store, now)
    return InForce(config=config, rules=rules, rules_since=effective), problems


async def _before_repair(rules: RuleSet, store: Writer) -> RuleSet:
    """*rules*, or the set they repair: what was repaired is taken over as an edit, by ``started``.

    Else its rules would not look back to the first load that failed.
    """
    if await unusable.since("rules", store) is None:
        return rules
    record = await store.call(lambda each: each.last_rule_set())
    try:
        return await _stored(record.files, store) if record else rules
    except ConfigError:  # made by an older monitor
        return rules


def usable(config: Config, frequencies: Mapping[str, int] | None = None) -> RuleSet:
    """The rules in the files, good by themselves and together with *config*; else ConfigError."""
    rules = load(read_folder(config.rules), frequencies, detect=detector())
    problems = [problem for problem in joint_problems(config, rules) if not problem.warning]
    if problems:
        raise ConfigError(problems)
    return rules


async def read(config: Config, store: Writer) -> RuleSet:
    """Parsing and compiling may take seconds: not in the event loop."""
    frequencies = ByStem(await store.call(lambda each: each.story_words()))
    return await asyncio.to_thread(usable, config, frequencies)


async def _stored(files: Mapping[str, str], store: Writer) -> RuleSet:
    frequencies = ByStem(await store.call(lambda each: each.story_words()))
    raw = {name: text.encode() for name, text in files.items()}
    return await asyncio.to_thread(load, raw, frequencies, detect=detector())


async def remember(rules: RuleSet, store: Writer, now: datetime) -> None:
    record = RuleSetRecord(version=rules.version, files=rules.files, loaded_at=now)
    await store.call(lambda each: each.save_rule_set(record))


async def in_effect_since(rules: RuleSet, store: Writer, now: datetime) -> dict[str, datetime]:
    """Since when each rule has its present meaning: it looks only at entries that came later."""
    text = await store.call(lambda each: each.note(SINCE))
    noted = json.loads(text or "{}")
    since = {}
    for loaded in rules.rules:
        meaning, at = noted.get(loaded.rule.name, ("", ""))
        known = meaning == loaded.fingerprint
        since[loaded.rule.name] = datetime.fromisoformat(at) if known else now
    since = not_later(since, now)
    kept = {
        loaded.rule.name: (loaded.fingerprint, since[loaded.rule.name].isoformat())
        for loaded in rules.rules
    }
    await store.call(lambda each: each.set_note(SINCE, json.dumps(kept)))
    return since
