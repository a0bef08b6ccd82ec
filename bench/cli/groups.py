"""A verb that does something itself and has verbs below it: ``stripelab nightly SWEEP``, ``stripelab nightly show``."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

DEFAULT = "run"


class DefaultVerb(TyperGroup):
    """A group whose command ``run`` is meant where none is named.

    A first word that names no command and does not ask for help belongs to ``run``, so that the common case is short.
    A file that has the name of a command is given as ``./install``.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``run`` in front where the command line names no command."""
        if DEFAULT in self.commands and args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)
