"""``bench``: what the monitor costs on this machine, in tables; the benches are in tests/bench."""

from __future__ import annotations

import subprocess
import sys

import click

from monitor.bootstrap import ROOT

PARTS = ("poll", "match", "stories", "latency", "start", "capacity", "all")


@click.command()
@click.argument("what", type=click.Choice(PARTS), default="all")
@click.option("--quick", is_flag=True, help="Less of everything: two minutes, rougher figures.")
@click.option("--memory", type=click.IntRange(1), help="Only the memory a round of so many takes.")
@click.option(
    "--write",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    metavar="PAGE",
    help="Put tables and pictures into docs/performance.md.",
)
@click.pass_context
def bench(
    ctx: click.Context, what: str, quick: bool, memory: int | None, write: str | None
) -> None:
    """Measure what a visit, a match, a story, an alert and a start cost on this machine.

    Everything happens on loopback; nothing is fetched, sent or changed elsewhere. `capacity` (ten
    thousand feeds a minute) takes half an hour and is not part of `all`. docs/performance.md
    explains the tables.
    """
    words = [what, *(["--quick"] if quick else [])]
    words += ["--memory", str(memory)] if memory else []
    words += ["--write", write] if write else []
    command = [sys.executable, "-m", "tests.bench", *words]
    ctx.exit(subprocess.run(command, cwd=ROOT, check=False).returncode)
