"""``stripelab nightly``: the group of its verbs."""

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
    help="Run a sweep every night, detect regressions and report them.",
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
