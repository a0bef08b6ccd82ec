"""``stripelab doctor``: what is missing on this machine, and how to get it."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("doctor")(doctor)


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Check every program and kernel part that stripelab may need; exit status 1 where one is missing."""
    from bench.checkup import checkup
    from bench.cli.output import emit_json, say

    findings = checkup()
    if as_json:
        emit_json([{"what": each.what, "ok": each.ok, "detail": each.detail} for each in findings])
    else:
        for each in findings:
            say(f"{'ok     ' if each.ok else 'missing'}  {each.what}: {each.detail}")
    if not all(each.ok for each in findings if each.needed):
        raise typer.Exit(1)
