"""The command line: which commands there are, what their exit codes mean.  Decides nothing.

Commands are imported when they are called, so that ``--help`` and ``status`` are quick.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import NoReturn

import click

from monitor.cli.groups import Guessing
from monitor.cli.options import config_option
from monitor.errors import ConfigError, MonitorError, StoreBusy

DEFAULT = "run"
INTERRUPTED = 130  # as shells count: 128 + SIGINT
_FULL_OR_HELD = (
    "The disk is full, or another program holds the database. What is stored is safe:"
    " make room, or wait, and try again."
)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# name → (module, attribute, what --help says)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "run": ("monitor.cli.run", "run", "Watch the feeds and alert until stopped."),
    "once": ("monitor.cli.run", "once", "Visit every due feed once, deliver, and exit: for cron."),
    "demo": (
        "monitor.cli.demo",
        "demo",
        "Show the whole walk on this machine, no account.",
    ),
    "check": ("monitor.cli.check", "check", "Look for mistakes in config.toml and the rules."),
    "status": ("monitor.cli.status", "status", "How old the news is, and what waits to be sent."),
    "send-test": ("monitor.cli.send_test", "send_test", "Send the newest match to a channel."),
    "feeds": ("monitor.cli.feeds", "feeds", "What is watched, and how it fares."),
    "entries": ("monitor.cli.entries", "entries", "What the feeds brought."),
    "search": ("monitor.cli.search", "search", "Find entries by their words."),
    "stories": ("monitor.cli.stories", "stories", "Entries that tell one event, and why."),
    "alerts": ("monitor.cli.alerts", "alerts", "What matched a rule, and where it was sent."),
    "deliveries": (
        "monitor.cli.deliveries",
        "deliveries",
        "What is sent, waits, was given up; try again.",
    ),
    "silence": ("monitor.cli.silences", "silence", "Mute alerts for a while, with a reason."),
    "rules": ("monitor.cli.rules", "rules", "Why a rule matches or not, and how it would do."),
    "routes": ("monitor.cli.routes", "routes", "Where a rule's alerts would go, and when."),
    "backup": ("monitor.cli.backups", "backup", "A proved copy of the database, while it runs."),
    "restore": ("monitor.cli.backups", "restore", "Put a copy back; the old one is kept."),
    "export": ("monitor.cli.exports", "export", "Entries, alerts, deliveries as CSV or JSON."),
    "setup": ("monitor.cli.setup", "setup", "Install what is needed, and start nothing."),
    "test": ("monitor.cli.selftest", "test", "Run this program's own tests and checks."),
    "bench": ("monitor.cli.bench", "bench", "Measure what it costs on this machine."),
}


class Commands(Guessing):
    """A group that imports a command when it is called; without a command, ``run`` is meant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(_imported(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, _, about) in COMMANDS.items()])


def _imported(module: str) -> ModuleType:
    """*module*, without looking for garbage meanwhile: that takes as long as all the importing, as
    thousands of classes are made, and finds nothing."""
    on = gc.isenabled()
    gc.disable()
    try:
        return import_module(module)
    finally:
        if on:
            gc.enable()


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 fine, 1 something failed that may pass by itself, 2 the configuration or "
    "the command is wrong, 3 the database refused, 4 a monitor is already running, 130 Ctrl-C. "
    "Explained in docs/operations.md.",
)
@config_option
@click.version_option(package_name="monitor", message="%(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Watches news feeds and tells people about the stories that their rules describe.

    Without a command it runs until it is stopped (the same as `run`). Every command explains
    itself: `run_monitor.py COMMAND --help`.
    """
    if ctx.invoked_subcommand is None:
        command = cli.get_command(ctx, DEFAULT)
        assert command is not None
        ctx.invoke(command)


def main() -> NoReturn:
    """The entry point; ends the process."""
    _open_missing_streams()
    sys.exit(invoke(sys.argv[1:]))


def _open_missing_streams() -> None:
    """Started with a standard stream closed (`>&-`), the next file opened would be that stream:
    what is printed would go into the database."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)


def invoke(arguments: Sequence[str]) -> int:
    """Run one command line; its exit code.  What went wrong is told as prose on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # LANG=C must not stop a headline
    try:
        code = cli.main(list(arguments), prog_name="run_monitor.py", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:  # `… | head` has read enough; click answers the same way
        _print_no_more()
        return MonitorError.exit_code
    except OSError as error:
        if error.errno not in _NO_ROOM or error.filename is not None:
            raise
        _print_no_more()
        click.echo(f"Nothing more can be written: {error.strerror}.", err=True)
        return MonitorError.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as wrong:
        wrong.show()
        return wrong.exit_code if wrong.exit_code != 1 else ConfigError.exit_code
    except MonitorError as error:
        click.echo(_prose(error), err=True)
        return error.exit_code
    return code if isinstance(code, int) else 0


def _print_no_more() -> None:
    """What is still buffered goes nowhere: the end of the program would try it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _prose(error: MonitorError) -> str:
    if isinstance(error, ConfigError):
        return (
            f"{error}\nNothing was changed; a monitor that runs goes on with what was good before."
        )
    if isinstance(error, StoreBusy):
        return f"{error}\n{_FULL_OR_HELD}"
    return str(error)
