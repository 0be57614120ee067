"""``rules missed|promote`` and ``alerts irrelevant``: verdicts, written into rule files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from monitor.cli.named import named_rules, stored_entry
from monitor.cli.options import config_option
from monitor.cli.reading import looked_up, reading, say_emptied
from monitor.cli.why import print_why
from monitor.errors import MonitorError, NotWritten
from monitor.language import detector
from monitor.model import AlertKind, Entry
from monitor.rules.assemble import LoadedRule
from monitor.rules.examples import Wish, holds
from monitor.rules.judge import Judgement, entry_from_text, judge
from monitor.rules.load import load, read_folder
from monitor.rules.verdict import add_example, move_example
from monitor.settings import Config
from monitor.terminal import counted, plain

BINDING = {Wish.WANTED_MATCH: Wish.MUST_MATCH, Wish.UNWANTED_MATCH: Wish.MUST_NOT_MATCH}


@click.command("missed")
@config_option
@click.argument("rule")
@click.argument("entry_id", metavar="[ENTRY-ID|URL]", required=False)
@click.option("--text", help="The headline of a story that came from elsewhere.")
def missed(rule: str, entry_id: str | None, text: str | None) -> None:
    """Note in RULE's file that it should have matched a story, and show why it did not.

    The story becomes an example there: under must_match if the rule matches it by now, else under
    wanted_match, which warns until the rule does.
    """
    if (entry_id is None) == (text is None):
        raise click.UsageError("name an entry (its id or address), or give --text, one of the two")
    settings = looked_up()
    entry = entry_from_text(text) if text is not None else stored_entry(settings, entry_id or "")
    _note(settings, rule, entry, wanted=True)


@click.command("irrelevant")
@config_option
@click.argument("alert_id", metavar="ID")
def irrelevant(alert_id: str) -> None:
    """Note in the rule's file that an alert was of no use, and show what caused it.

    Its story becomes an example there: under unwanted_match as long as the rule still matches it,
    which warns until it does not.
    """
    settings = looked_up()
    with reading(settings) as store:
        alert = store.alert(alert_id)
        entry = store.entry(alert.entry_id) if alert is not None and alert.entry_id else None
        say_emptied([entry] if entry else [], store, settings)
    if alert is None:
        raise MonitorError(f'There is no alert "{alert_id}". `alerts list` shows ids.')
    if alert.kind is not AlertKind.STORY or entry is None:
        raise MonitorError("No rule made this alert: the monitor reported on itself.")
    _note(settings, alert.rule_name, entry, wanted=False)


@click.command("promote")
@config_option
@click.argument("names", metavar="[RULE]...", nargs=-1)
def promote(names: tuple[str, ...]) -> None:
    """Make examples binding that do what they should by now.

    wanted_match becomes must_match, unwanted_match becomes must_not_match: from then on a rule
    that breaks one of them does not go live.
    """
    settings = looked_up()
    rules = load(read_folder(settings.rules), detect=detector())
    chosen = named_rules(rules, names)
    moved = sum(_promote(settings, loaded) for loaded in chosen)
    click.echo(f"{counted(moved, 'example')} promoted.")


def _promote(settings: Config, loaded: LoadedRule) -> int:
    """How many examples of one rule became binding."""
    ready = [
        example
        for example in loaded.examples
        if example.wish in BINDING and holds(loaded.rule, loaded.condition, example, detector())
    ]
    for example in reversed(ready):  # the last first: the numbers of the others stay right
        edit = partial(
            move_example,
            rule=loaded.rule.name,
            number=example.number,
            from_key=example.wish,
            to_key=BINDING[example.wish],
        )
        _rewrite(settings, example.file, edit)
        told = example.story.title or example.story.summary
        click.echo(plain(f"{loaded.rule.name}, {BINDING[example.wish]}: {told}").plain)
    return len(ready)


def _note(settings: Config, name: str, entry: Entry, *, wanted: bool) -> None:
    """Write the verdict into the rule's file, and show what the rule makes of the story."""
    rules = load(read_folder(settings.rules), detect=detector())
    (loaded,) = named_rules(rules, [name])
    judgement = judge(loaded, entry, wanted=wanted, detect=detector())
    print_why(loaded.rule, entry, judgement.explanation)
    file = loaded.rule.source.rpartition(":")[0]
    edit = partial(add_example, rule=name, key=judgement.wish, story=judgement.story)
    changed = _rewrite(settings, file, edit)
    click.echo()
    click.echo(f"{'Noted' if changed else 'Noted before'} in {file} under {judgement.wish}.")
    click.echo(_what_now(judgement, wanted=wanted))


def _what_now(judgement: Judgement, *, wanted: bool) -> str:
    if judgement.passes:
        return "The rule does that already; an edit that breaks it will not go live."
    then = "`rules promote` makes it binding once the rule does."
    if wanted:
        return f"The rule does not match it yet: add what is missing. {then}"
    return f"The rule still matches it: exclude it, or narrow the words above. {then}"


def _rewrite(settings: Config, name: str, edit: Callable[[str], str]) -> bool:
    """Replace one rule file by its edited form; False if that changes nothing.

    The whole set is loaded before anything is written: a verdict never makes a file invalid.
    """
    path = (Path(settings.rules) / name).resolve()  # through a link, not in its place
    before = path.read_bytes()
    after = edit(before.decode()).encode()
    if after == before:
        return False
    load({**read_folder(settings.rules), name: after}, detect=detector())
    new = path.with_name(f".{path.name}.new")  # no *.toml: nobody reads it half-written
    try:
        new.write_bytes(after)
        shutil.copymode(path, new)
        if path.read_bytes() != before:
            raise NotWritten(
                f"{name} is being edited at this moment; nothing was written. Try again"
            )
        new.replace(path)
    except OSError as error:
        raise NotWritten(f"{name} cannot be written: {error.strerror}") from None
    finally:
        new.unlink(missing_ok=True)
    return True
