"""``setup``: only what ``run_monitor.py`` does before any command."""

from __future__ import annotations

import sys

import click


@click.command()
def setup() -> None:
    """Install what is needed, and start nothing.

    For service units and containers: the service itself then never installs anything.
    """
    click.echo(f"Set up: {sys.executable}")
