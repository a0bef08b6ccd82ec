"""``stripelab doctor``: what is missing on this machine, and how to get it."""

from __future__ import annotations

import typer

from bench.cli import common_options as common


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("doctor")(doctor)


def doctor(as_json: common.Json = False) -> None:
    """Check programs and kernel features that stripelab may need.

    Exit status 1: a required one is missing.
    """
    from bench.checkup import checkup
    from bench.cli.output import emit_json, print_line

    findings = checkup()
    if as_json:
        emit_json([{"what": finding.what, "ok": finding.ok, "detail": finding.detail} for finding in findings])
    else:
        for finding in findings:
            print_line(f"{'ok     ' if finding.ok else 'missing'}  {finding.what}: {finding.detail}")
    if not all(finding.ok for finding in findings if finding.needed):
        raise typer.Exit(1)
