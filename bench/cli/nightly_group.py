"""``stripelab nightly``: its verbs under one name."""

from __future__ import annotations

import typer

from bench.cli import (
    nightly_ack,
    nightly_baseline,
    nightly_dashboard,
    nightly_install,
    nightly_run,
    nightly_show,
    nightly_trend,
)
from bench.cli.groups import DefaultVerb

group = typer.Typer(
    cls=DefaultVerb,
    help="Watch a sweep night after night, and say it where people look.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add the group and its verbs."""
    verbs = (
        nightly_run,
        nightly_show,
        nightly_trend,
        nightly_ack,
        nightly_baseline,
        nightly_install,
        nightly_dashboard,
    )
    for verb in verbs:
        verb.register(group)
    app.add_typer(group, name="nightly")
