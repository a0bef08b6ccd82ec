"""``stripelab disks``: every disk of this machine, and every reason why it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli import common_options as common


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("disks")(disks)


def disks(
    store: Annotated[
        Path | None, typer.Option(metavar="STORE", help="Result store of the run that the disks are checked for.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print every safety check and what the checks cannot see.")
    ] = False,
    as_json: common.Json = False,
) -> None:
    """List the disks, and every reason why one is refused.

    Nothing is written to any disk.
    """
    from bench import inventory
    from bench.cli.output import emit_json, print_line
    from bench.journal import history_of
    from bench.places import JOURNAL_FILE
    from bench.safety.checks import CHECKS, refusals
    from bench.safety.describe import Question, describe
    from bench.safety.limits import LIMITS
    from stripelab.units import format_size

    question = Question(store) if store is None else Question(store, known=history_of(store / JOURNAL_FILE).known)
    descriptions = describe(inventory.disks(), question)
    refused = {disk: refusals(description) for disk, description in descriptions.items()}
    unseen = sorted({process for description in descriptions.values() for process in description.unseen})
    checks = {name: " ".join((check.__doc__ or "").split()) for name, check in CHECKS.items()}
    if as_json:
        rows = [
            {
                "id": disk.id,
                "path": str(disk.path),
                "model": disk.model,
                "size_bytes": disk.size_bytes,
                "substrate": disk.substrate,
                "usable": not reasons,
                "refusals": [{"check": refusal.check, "reason": refusal.reason} for refusal in reasons],
            }
            for disk, reasons in refused.items()
        ]
        emit_json({"disks": rows, "checks": checks, "limits": LIMITS, "unseen": unseen} if explain else rows)
        return
    if not refused:
        print_line("no disks; hint: the virtual lab (--lab) has disks of its own")
    for disk, reasons in refused.items():
        verdict = "refused" if reasons else "usable"
        print_line(f"{disk.id or '(no serial)'}  {disk.path}  {format_size(disk.size_bytes)}  {disk.model}  {verdict}")
        for refusal in reasons:
            print_line(f"    {refusal.check}: {refusal.reason}")
    if explain:
        for line in ("", "Checks before every write:", *(f"  {name}: {text}" for name, text in checks.items())):
            print_line(line)
        for line in ("", "What the checks cannot see:", *(f"  - {limit}" for limit in LIMITS)):
            print_line(line)
        for process in unseen:
            print_line(f"  not visible now: files that are open in {process}")
