"""What is in force now: configuration and rules, swapped whole, never changed in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches

from monitor.alerts.route import channels_for, owners
from monitor.errors import Problem
from monitor.model import Rule
from monitor.rules.assemble import LoadedRule
from monitor.rules.labels import folded
from monitor.rules.load import RuleSet
from monitor.rules.match import walk
from monitor.rules.tree import Label
from monitor.settings import Config, Route


@dataclass(slots=True, kw_only=True)
class InForce:
    """The one mutable thing that the loops share; each reads it anew for every feed."""

    config: Config
    rules: RuleSet
    rules_since: Mapping[str, datetime] = field(default_factory=dict)


def joint_problems(config: Config, rules: RuleSet) -> list[Problem]:
    """What is wrong with rules and configuration together, each being right by itself."""
    problems: list[Problem] = []
    if not rules.rules and not config.allow_empty:
        problems.append(
            Problem(
                file=config.rules,
                what="there is no rule in this folder, so nothing would ever be alerted",
                remedy="write one, or set allow_empty = true under [monitor] if you mean it",
            )
        )
    for loaded in rules.rules:
        problems += _channel_problems(loaded.rule, config)
        problems += _owner_problems(loaded.rule, config)
        problems += _feed_problems(loaded, config)
    for number, route in enumerate(config.routes, start=1):
        problems += _route_problems(number, route, rules)
    return problems


def _channel_problems(rule: Rule, config: Config) -> Iterator[Problem]:
    """Channels a rule names that do not exist; a rule that reaches nobody, not by wish."""
    known = [channel.name for channel in config.channels]
    unknown = [name for name in rule.channels or () if name not in known]
    for name in unknown:
        near = get_close_matches(name, known, n=1)
        yield _problem(
            rule,
            "channels",
            f'config.toml has no channel "{name}"',
            f'did you mean "{near[0]}"?' if near else f"channels are {', '.join(known)}",
        )
    reached = rule.channels if rule.channels is not None else _reached(rule, config)
    if not reached and rule.channels is None:
        yield _problem(
            rule,
            "channels",
            "its alerts reach nobody: no route fits it and default_channels is empty",
            "add a route or a default channel, or write channels = [] if that is meant",
        )


def _owner_problems(rule: Rule, config: Config) -> Iterator[Problem]:
    known = owners(config)
    if not rule.owner or rule.owner in known:
        return
    near = get_close_matches(rule.owner, known, n=1)
    until = "until then the operators hear of its edits"
    yield _problem(
        rule,
        "owner",
        f'config.toml has no channel or recipient "{rule.owner}"',
        f'did you mean "{near[0]}"? {until.capitalize()}' if near else until,
        warning=True,
    )


def _reached(rule: Rule, config: Config) -> tuple[str, ...]:
    """Everybody who may hear of *rule*, whatever the feed."""
    tags = {tag for route in config.routes for tag in route.feed_tags}
    anyone = [channels_for(rule, frozenset(), config)]
    anyone += [channels_for(rule, frozenset({tag}), config) for tag in tags]
    return tuple(name for names in anyone for name in names)


def _feed_problems(loaded: LoadedRule, config: Config) -> Iterator[Problem]:
    """Feeds and tags a rule asks for that are not in config.toml: it would stay silent."""
    names = {"feed": [feed.name for feed in config.feeds]}
    names["tag"] = sorted({tag for feed in config.feeds for tag in feed.tags})
    for node in walk(loaded.condition):
        if not isinstance(node, Label) or node.key not in names:
            continue
        known = {folded(name) for name in names[node.key]}
        for value in node.values:
            if folded(value) not in known:
                near = get_close_matches(value, names[node.key], n=1)
                remedy = f'did you mean "{near[0]}"?' if near else "it will not fire there"
                what = f'no feed in config.toml has the {_WORDS[node.key]} "{value}"'
                yield _problem(loaded.rule, node.key, what, remedy, warning=True)


def _route_problems(number: int, route: Route, rules: RuleSet) -> Iterator[Problem]:
    """Rules and their tags a route asks for that no file has: for them it changes nothing."""
    known = {
        "rules": sorted({each.rule.name for each in rules.rules}),
        "rule_tags": sorted({tag for each in rules.rules for tag in each.rule.tags}),
    }
    for key, wanted in (("rules", route.rules), ("rule_tags", route.rule_tags)):
        for name in sorted(wanted.difference(known[key])):
            near = get_close_matches(name, known[key], n=1)
            what = (
                f'there is no rule "{name}"' if key == "rules" else f'no rule has the tag "{name}"'
            )
            remedy = f'did you mean "{near[0]}"?' if near else "it does nothing there"
            where = f"routes[{number}].{key}"
            yield _at(route.source, where, what, remedy, warning=True)


_WORDS = {"feed": "name", "tag": "tag"}


def _problem(rule: Rule, key: str, what: str, remedy: str, *, warning: bool = False) -> Problem:
    return _at(rule.source, f'rule "{rule.name}", {key}', what, remedy, warning=warning)


def _at(source: str, where: str, what: str, remedy: str, *, warning: bool) -> Problem:
    file, _, line = source.rpartition(":")
    return Problem(
        file=file or source,
        line=int(line) if line.isdecimal() else None,
        where=where,
        what=what,
        remedy=remedy,
        warning=warning,
    )
