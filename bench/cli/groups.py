"""A command group with a default command: ``stripelab nightly SWEEP`` runs ``stripelab nightly run SWEEP``."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

DEFAULT = "run"


class DefaultVerb(TyperGroup):
    """A group that runs its command ``run`` where the command line names no command.

    A first word that is neither a command nor a help option is an argument of ``run``. A file that has the name of a
    command is given as ``./install``.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert ``run`` where the command line names no command."""
        if DEFAULT in self.commands and args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)
