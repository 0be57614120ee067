"""``rules explain|backtest|lint|missed|promote``: what rules do, and what an edit would change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.progress import track

from monitor.cli.backtest import print_backtest, to_json
from monitor.cli.groups import Guessing
from monitor.cli.named import named_rules, stored_entry
from monitor.cli.options import config_option, json_option
from monitor.cli.reading import NothingYet, looked_up, reading, say_emptied, since
from monitor.cli.verdicts import missed, promote
from monitor.cli.why import as_json as why_as_json
from monitor.cli.why import print_why, why_not
from monitor.errors import ConfigError, MonitorError, Problem
from monitor.language import detector
from monitor.model import Entry
from monitor.pipeline.in_force import joint_problems
from monitor.rules.assemble import LoadedRule
from monitor.rules.explain import Explanation, explain
from monitor.rules.judge import entry_from_text
from monitor.rules.lint import MAX_PER_DAY, Known, lint
from monitor.rules.load import RuleSet, load, read_folder
from monitor.rules.trial import Backtest, backtest
from monitor.settings import Config
from monitor.terminal import console, counted, plain, print_json

FEW_RULES = 300  # up to here each rule that does not match says why
LAST_GOOD = "last-good"


@click.group(cls=Guessing)
@config_option
def rules() -> None:
    """Why a rule matches or not, and what an edit would change.

    All of these read the files in the rules folder as they are now, and the stored entries. They
    work while the monitor runs, and send nothing.
    """


rules.add_command(missed)
rules.add_command(promote)


# --- explain


@rules.command("explain")
@config_option
@json_option
@click.argument("entry_id", metavar="[ENTRY-ID|URL]", required=False)
@click.option("--text", help="A headline (and, after a line break, more) instead of an entry.")
@click.option("--rule", "names", multiple=True, help="Only this rule; may be repeated.")
def explain_entry(
    as_json: bool, entry_id: str | None, text: str | None, names: tuple[str, ...]
) -> None:
    """Say of each rule why it matches an entry, or which of its parts are missing."""
    if (entry_id is None) == (text is None):
        raise click.UsageError("name an entry (its id or address), or give --text, one of the two")
    settings = looked_up()
    loaded = load(read_folder(settings.rules), detect=detector())
    entry = entry_from_text(text) if text is not None else stored_entry(settings, entry_id or "")
    asked = named_rules(loaded, names)
    answers = list(_answers(loaded, asked, entry, all_of_them=bool(names)))
    if as_json:
        told = [why_as_json(each.rule, entry, why) for each, why in answers]
        print_json({"entry": entry.id, "title": entry.title, "rules": told})
        return
    _print_answers(entry, answers, len(asked), detailed=bool(names))


def _answers(
    loaded: RuleSet, asked: Sequence[LoadedRule], entry: Entry, *, all_of_them: bool
) -> Iterator[tuple[LoadedRule, Explanation]]:
    """Rules and their answers; of a great many rules only those that match."""
    matching = {match.rule.name for match in loaded.matcher.match(entry)}
    detect = detector()
    for each in asked:
        if all_of_them or len(asked) <= FEW_RULES or each.rule.name in matching:
            yield each, explain(each.rule, each.condition, entry, detect)


def _print_answers(
    entry: Entry,
    answers: Sequence[tuple[LoadedRule, Explanation]],
    asked: int,
    *,
    detailed: bool,
) -> None:
    shown = console()
    shown.print(plain(entry.title))
    for each, why in answers:
        if why.matched or detailed:
            shown.print()
            print_why(each.rule, entry, why)
            if not each.enabled:
                shown.print("  It is switched off (enabled = false).")
    silent = [] if detailed else [(each, why) for each, why in answers if not why.matched]
    if silent:
        shown.print(f"\n{counted(len(silent), 'rule does', 'rules do')} not match:")
    for each, why in silent:
        shown.print(plain(f"  {each.rule.name}: {why_not(why)}"))
    if len(answers) < asked:
        shown.print(f"\n{asked - len(answers)} more do not match; ask for one with --rule NAME.")


# --- backtest


@rules.command("backtest")
@config_option
@json_option
@click.argument("names", metavar="[RULE]...", nargs=-1)
@click.option("--days", default=30, show_default=True, type=click.IntRange(1), help="How far back.")
@click.option(
    "--against",
    metavar="last-good|PATH",
    help="What to compare with: the set the monitor took over last, or an earlier rule file or"
    " folder.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if a match was gained or lost.")
@click.pass_context
def backtest_rules(
    ctx: click.Context,
    as_json: bool,
    names: tuple[str, ...],
    days: int,
    against: str | None,
    exit_code: bool,
) -> None:
    """Try the rules on the stored entries: what they match, and what an edit gains or loses.

    Without --against each match counts as gained.
    """
    settings = looked_up()
    files = read_folder(settings.rules)
    detect = detector()
    new = load(files, detect=detect)
    old = None
    if against is not None:
        old = load(_earlier(settings, files, against), detect=detect)
    named_rules(new, names, old)
    result = tried(settings, new, old, names, timedelta(days=days))
    if as_json:
        print_json(to_json(result, days))
    else:
        print_backtest(result, days, compared=old is not None)
    ctx.exit(1 if exit_code and result.changed else 0)


def _earlier(settings: Config, files: dict[str, bytes], against: str) -> dict[str, bytes]:
    """The rule files to compare with."""
    if against == LAST_GOOD:
        with reading(settings) as store:
            record = store.last_rule_set()
        if record is None:
            raise MonitorError("The monitor has not taken over any rules yet.")
        return {name: text.encode() for name, text in record.files.items()}
    path = Path(against)
    if path.is_dir():
        return read_folder(against)
    if path.name not in files:
        known = ", ".join(files) or "none"
        raise ConfigError(
            [
                Problem(
                    file=against,
                    what=f'no file in {settings.rules} has the name "{path.name}"',
                    remedy=f"give the earlier one the name of the present one: {known}",
                )
            ]
        )
    try:
        return {**files, path.name: path.read_bytes()}
    except OSError as error:
        raise ConfigError(
            [Problem(file=against, what=f"cannot be read: {error.strerror}")]
        ) from None


def tried(
    settings: Config,
    new: RuleSet,
    old: RuleSet | None,
    names: Sequence[str],
    span: timedelta,
) -> Backtest:
    """The rules on the entries of the last *span*, with a progress bar on a terminal."""
    with reading(settings) as store:
        entries = store.entries(since=since(span), limit=max(store.count_entries(), 1))
        say_emptied(entries, store, settings)
    bar = console(stderr=True)
    progress = track(entries, "trying", console=bar, transient=True, disable=not bar.is_terminal)
    return backtest(new, old, progress, names)


# --- lint


@rules.command("lint")
@config_option
@json_option
@click.option(
    "--days",
    default=91,
    show_default=True,
    type=click.IntRange(1),
    help="How many days of stored entries to try the rules on.",
)
@click.option(
    "--max-per-day",
    default=MAX_PER_DAY,
    show_default=True,
    type=click.FloatRange(0),
    help="More matches a day than this are reported.",
)
@click.pass_context
def lint_rules(ctx: click.Context, as_json: bool, days: int, max_per_day: float) -> None:
    """Point at what is allowed in a rule but seldom meant.

    Exit code 1 if there is anything to look at, 2 if the rules cannot be used at all.
    """
    settings = looked_up()
    loaded = load(read_folder(settings.rules), detect=detector())
    history = _history(settings, loaded, timedelta(days=days))
    known = Known(history=history, max_per_day=max_per_day)
    problems = [*loaded.warnings, *lint(loaded, datetime.now(UTC).date(), known)]
    problems += joint_problems(settings, loaded)
    problems.sort(key=lambda problem: (problem.file, problem.line or 0))
    if as_json:
        print_json([_problem_json(problem) for problem in problems])
    else:
        for problem in problems:
            click.echo(plain(str(problem)).plain)
        click.echo(f"{counted(len(loaded.rules), 'rule')}, {counted(len(problems), 'remark')}.")
    errors = any(not problem.warning for problem in problems)
    ctx.exit(ConfigError.exit_code if errors else 1 if problems else 0)


def _history(settings: Config, loaded: RuleSet, span: timedelta) -> Backtest | None:
    try:
        return tried(settings, loaded, None, (), span)
    except NothingYet:
        return None


def _problem_json(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.file,
        "line": problem.line,
        "where": problem.where,
        "what": problem.what,
        "remedy": problem.remedy,
        "warning": problem.warning,
    }
