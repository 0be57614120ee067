"""Options that many commands share, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from monitor.bootstrap import ROOT

F = TypeVar("F", bound=Callable[..., Any])


def _remember(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.ensure_object(dict)["config"] = value


def config_option(command: F) -> F:
    """``--config PATH``; read it with ``config_path``.  Given twice, the later one counts."""
    return click.option(
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="PATH",
        expose_value=False,
        callback=_remember,
        help="The configuration; without this, config.toml beside run_monitor.py.",
    )(command)


def json_option(command: F) -> F:
    """``--json``, passed on as ``as_json``."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print JSON for other programs, not text."
    )(command)


def config_path() -> Path:
    """The configuration file that the command line means."""
    chosen = click.get_current_context().ensure_object(dict).get("config")
    if isinstance(chosen, Path):
        return chosen
    beside = ROOT / "config.toml"
    return beside if beside.exists() else Path("config.toml")
