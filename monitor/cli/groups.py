"""Groups of commands: who mistypes one is told which was meant."""

from __future__ import annotations

from difflib import get_close_matches

import click


class Guessing(click.Group):
    """Its commands are those of ``list_commands``."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            near = get_close_matches(args[0], known, n=1)
            hint = f' Did you mean "{near[0]}"?' if near else f" There are {', '.join(known)}."
            ctx.fail(f'There is no command "{args[0]}".{hint}')
        return super().resolve_command(ctx, args)
