"""``test``: the whole check of this program, as CI runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

import click

from monitor.bootstrap import ROOT

PYTEST_LIMIT = 270.0  # seconds; the suite is meant to take under 120, on a machine with time for it
FAULTS = "tests/faults"
FAULT_LIMITS = {"ci": 240.0, "scaled": 1200.0, "full": 6 * 3600.0}  # seconds, by mode
FAULTS_AT_ONCE = ("-n", "4", "--dist", "worksteal")  # they wait for processes and for clocks


@dataclass(frozen=True, slots=True)
class Step:
    """One tool; its output is shown only when it fails."""

    name: str
    arguments: tuple[str, ...]  # for Python


# Compiled once, whatever the environment says: it is started a hundred times by its own tests.
_COMPILED = {
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPYCACHEPREFIX": str(ROOT / ".pytest_cache" / "compiled"),
}
STEPS = (
    Step("lint", ("-m", "ruff", "check", ".")),
    Step("format", ("-m", "ruff", "format", "--check", ".")),
    Step("types", ("-m", "mypy")),
    Step("imports", ("-c", "from importlinter.cli import lint_imports_command as run; run()")),
)


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.option(
    "--faults",
    is_flag=False,
    flag_value="scaled",
    type=click.Choice(list(FAULT_LIMITS)),
    help="The faults instead: kill −9, full disks, jumping clocks … (`full`: for most of an hour).",
)
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def test(ctx: click.Context, faults: str | None, pytest_arguments: tuple[str, ...]) -> None:
    """Run this program's own tests and checks: lint, format, types, imports, then pytest.

    With arguments only pytest runs, and gets them: `run_monitor.py test -k feeds`.
    """
    if faults is not None:
        ctx.exit(0 if _faults(faults, pytest_arguments) else 1)
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


def _faults(mode: str, arguments: tuple[str, ...]) -> bool:
    """The fault suite; what held goes into the file that docs/reliability.md is made from."""
    environment = {"MONITOR_FAULTS": mode}
    if mode != "ci":
        environment["MONITOR_FAULTS_RESULTS"] = str(ROOT / FAULTS / "results.json")
    return _pytest((FAULTS, *FAULTS_AT_ONCE, *arguments), FAULT_LIMITS[mode], environment)


def _pytest(
    arguments: tuple[str, ...],
    limit: float = PYTEST_LIMIT,
    environment: Mapping[str, str] | None = None,
) -> bool:
    sys.stdout.flush()
    command = [sys.executable, "-m", "pytest", *arguments]
    env = {**os.environ, **_COMPILED, **(environment or {})}
    try:
        done = subprocess.run(command, cwd=ROOT, timeout=limit, env=env, check=False)
    except subprocess.TimeoutExpired:
        click.echo(f"tests    FAILED: not done after {limit:.0f} s")
        return False
    return done.returncode == 0
