"""Rules, feeds, channels and entries that a command line names; what is misspelt gets a hint."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from monitor.cli.reading import reading, say_emptied
from monitor.errors import ConfigError, MonitorError
from monitor.model import Entry
from monitor.rules.assemble import LoadedRule
from monitor.rules.load import RuleSet
from monitor.settings import Config
from monitor.store import Store


class NoSuchName(MonitorError):
    """The command line names something that does not exist."""

    exit_code = ConfigError.exit_code


def named_rules(
    rules: RuleSet, names: Sequence[str], also: RuleSet | None = None
) -> list[LoadedRule]:
    """The rules with these *names*, all of them if none is named; those of *also* may be gone."""
    if not names:
        return list(rules.rules)
    known = {each.rule.name: each for each in rules.rules}
    gone = {each.rule.name for each in also.rules} if also is not None else set()
    for name in names:
        if name not in gone:
            _known("rule", name, list(known), "`check` shows all rules.")
    return [known[name] for name in dict.fromkeys(names) if name in known]


def named_feeds(settings: Config, names: Sequence[str]) -> Sequence[str]:
    """*names*, if config.toml has feeds of these names."""
    known = [feed.name for feed in settings.feeds]
    for name in names:
        _known("feed", name, known, "`feeds list` shows all feeds.")
    return names


def spelt_right(
    settings: Config, store: Store, *, feed: str | None = None, rule: str | None = None
) -> None:
    """NoSuchName if there neither is nor was such a *feed*, or the files have no such *rule*.

    For listings that would show nothing: a slip must not look like silence.
    """
    if feed is not None:
        known = [each.name for each in settings.feeds]
        known += [each.name for each in store.feeds(rhythms=False)]
        _known("feed", feed, known, "`feeds list` shows all feeds.")
    if rule is not None:
        from monitor.cli.rewrite import rules_in_files

        rules = rules_in_files(settings)
        if rules is not None:
            named_rules(rules, [rule])


def named_channel(settings: Config, name: str | None) -> str | None:
    """*name*, if config.toml has a channel of this name, or None was given."""
    known = [channel.name for channel in settings.channels]
    if name is not None:
        _known("channel", name, known, "`status` shows all channels.")
    return name


def _known(kind: str, name: str, known: Sequence[str], otherwise: str) -> None:
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f'Did you mean "{near[0]}"?' if near else otherwise
        raise NoSuchName(f'There is no {kind} "{name}". {hint}')


def stored_entry(settings: Config, id_or_url: str) -> Entry:
    """An entry the monitor has seen; says it if its text is gone."""
    with reading(settings) as store:
        entry = store.entry(id_or_url)
        say_emptied([entry] if entry else [], store, settings)
    if entry is None:
        raise MonitorError(
            f'No feed has brought "{id_or_url}" so far. `entries list` shows what came;'
            " with --text you can try any headline."
        )
    return entry
