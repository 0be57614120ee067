"""``test``: the whole check of this program, as CI runs it."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass

import click

from monitor.bootstrap import ROOT

PYTEST_LIMIT = 180.0  # seconds; the suite is meant to take under 120


@dataclass(frozen=True, slots=True)
class Step:
    """One tool; its output is shown only when it fails."""

    name: str
    arguments: tuple[str, ...]  # for Python


STEPS = (
    Step("lint", ("-m", "ruff", "check", ".")),
    Step("format", ("-m", "ruff", "format", "--check", ".")),
    Step("types", ("-m", "mypy")),
    Step("imports", ("-c", "from importlinter.cli import lint_imports_command as run; run()")),
)


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def test(ctx: click.Context, pytest_arguments: tuple[str, ...]) -> None:
    """Run this program's own tests and checks: lint, format, types, imports, then pytest.

    With arguments only pytest runs, and gets them: `run_monitor.py test -k feeds`.
    """
    verdicts = [] if pytest_arguments else [run_step(step) for step in STEPS]
    verdicts.append(_pytest(pytest_arguments))
    ctx.exit(0 if all(verdicts) else 1)


def run_step(step: Step) -> bool:
    """Whether it passed; tells so in one line."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *step.arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    verdict = "ok" if done.returncode == 0 else "FAILED"
    click.echo(f"{step.name:8} {verdict} ({time.monotonic() - began:.0f} s)")
    if done.returncode:
        click.echo(done.stdout + done.stderr)
    return done.returncode == 0


def _pytest(arguments: tuple[str, ...]) -> bool:
    sys.stdout.flush()
    command = [sys.executable, "-m", "pytest", *arguments]
    try:
        done = subprocess.run(command, cwd=ROOT, timeout=PYTEST_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        click.echo(f"tests    FAILED: not done after {PYTEST_LIMIT:.0f} s")
        return False
    return done.returncode == 0
