"""``check``: everything that is wrong with config.toml and the rules, at once."""

from __future__ import annotations

import asyncio
import pyexpat
import tomllib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from monitor import config, expat
from monitor.alerts.route import channels_for
from monitor.alerts.templates import Renderer
from monitor.alerts.times import times_of
from monitor.cli.options import config_option, config_path
from monitor.errors import ConfigError, Problem
from monitor.feeds.article_extra import INSTALL, can_read_pages
from monitor.language import detector
from monitor.model import Rule
from monitor.pipeline.in_force import joint_problems
from monitor.rules.lint import lint
from monitor.rules.load import RuleSet, load, read_folder
from monitor.rules.match import Detect, walk
from monitor.rules.tree import Label
from monitor.settings import Config, ContentMode
from monitor.terminal import counted, plain, print_table


@click.command()
@config_option
@click.option("--online", is_flag=True, help="Also fetch every feed once; offer what can be fixed.")
@click.pass_context
def check(ctx: click.Context, online: bool) -> None:
    """Look for mistakes in config.toml and the rules, and show where each rule's alerts go.

    Nothing is changed and nothing is sent. Exit code 2 if something is wrong; with --online
    exit code 1 if a feed that is switched on does not answer.
    """
    settings, rules, problems = examine(config_path(), detector())
    for problem in problems:
        click.echo(plain(str(problem)).plain)
    errors = sum(not problem.warning for problem in problems)
    if settings is not None and rules is not None and not errors:
        _print_destinations(settings, rules)
    warnings = len(problems) - errors
    click.echo(f"{counted(errors, 'problem')}, {counted(warnings, 'warning')}.")
    if old := expat.warning(pyexpat.EXPAT_VERSION):
        click.echo(f"Besides: {old}.")
    if errors or settings is None:
        ctx.exit(ConfigError.exit_code)
    if online:
        from monitor.cli.online import check_feeds

        ctx.exit(asyncio.run(check_feeds(settings)))


def examine(
    path: Path, detect: Detect | None = None
) -> tuple[Config | None, RuleSet | None, list[Problem]]:
    """What could be read, and all problems by file and line."""
    settings, rules = None, None
    problems: list[Problem] = []
    folder = _rules_written_in(path)
    try:
        settings, warnings = config.read(path)
        problems += warnings
        folder = settings.rules
    except ConfigError as error:
        problems += error.problems
    try:
        rules = load(read_folder(folder), detect=detect)
        problems += [*rules.warnings, *lint(rules, datetime.now(UTC).date())]
        problems += _undetected(rules) if detect is None else ()
    except ConfigError as error:
        problems += error.problems
    if settings is not None and rules is not None:
        problems += joint_problems(settings, rules)
    if settings is not None and not can_read_pages():
        problems += _unread(settings)
    if settings is not None:
        problems += asyncio.run(_template_problems(settings))
    problems.sort(key=lambda problem: (problem.file, problem.line or 0))
    return settings, rules, problems


async def _template_problems(settings: Config) -> tuple[Problem, ...]:
    """What is wrong with people's own layouts, tried with sample messages."""
    renderer = Renderer()
    try:
        found = await renderer.tried(settings.templates, settings.timezone, datetime.now(UTC))
    finally:
        await renderer.aclose()
    return found.problems


def _rules_written_in(path: Path) -> str:
    """The folder of rules that the file at *path* names, whatever else is wrong with it."""
    try:
        table = tomllib.loads(path.read_text("utf-8-sig"))
        name = table["monitor"]["rules"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        name = "rules"
    return str(path.resolve().parent / Path(str(name)).expanduser())


def _undetected(rules: RuleSet) -> Iterator[Problem]:
    """Language conditions, where nothing can tell the language of an entry."""
    for each in rules.rules:
        if any(isinstance(node, Label) and node.key == "language" for node in walk(each.condition)):
            file, _, line = each.rule.source.rpartition(":")
            yield Problem(
                file=file,
                line=int(line),
                where=f'rule "{each.rule.name}", language',
                what="it sees only entries of feeds that name their language",
                remedy="to detect the others, install the extra: pip install 'monitor[language]'",
                warning=True,
            )


def _unread(settings: Config) -> Iterator[Problem]:
    """That articles are asked for and cannot be read, said once."""
    for feed in settings.feeds:
        if feed.enabled and feed.content is ContentMode.ARTICLE:
            file, _, line = feed.source.rpartition(":")
            yield Problem(
                file=file,
                line=int(line),
                what=f'feed "{feed.name}": articles cannot be read, only what the feed gives',
                remedy=f"install the extra: {INSTALL}",
                warning=True,
            )
            return


def _print_destinations(settings: Config, rules: RuleSet) -> None:
    print_table(("channel", "told"), [(each.name, times_of(each)) for each in settings.channels])
    click.echo()
    print_table(
        ("rule", "severity", "goes to"),
        [
            (rule.name, rule.severity.label, destinations(rule, settings))
            for rule in _rules_of(rules)
        ],
    )


def _rules_of(rules: RuleSet) -> Iterable[Rule]:
    return (each.rule for each in rules.rules if each.enabled)


def destinations(rule: Rule, settings: Config) -> str:
    """Where alerts of *rule* go, also where that depends on the feed."""
    usual = channels_for(rule, frozenset(), settings)
    said = [", ".join(usual) or "nobody, on purpose"]
    tags = {tag for route in settings.routes for tag in route.feed_tags}
    for tag in sorted(tags):
        other = channels_for(rule, frozenset({tag}), settings)
        if other != usual:
            said.append(f"from feeds tagged {tag}: {', '.join(other) or 'nobody'}")
    return "; ".join(said)
