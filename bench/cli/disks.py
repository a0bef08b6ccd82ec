"""``stripelab disks``: every disk of this machine, each with every reason that refuses it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("disks")(disks)


def disks(
    store: Annotated[Path | None, typer.Option(help="Result store, which must not lie on a disk.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print what is checked, and what the checks cannot see.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List each disk with its identity and every reason that refuses it; nothing is written."""
    from bench import inventory
    from bench.cli.output import emit_json, say
    from bench.journal import history_of
    from bench.places import JOURNAL_FILE
    from bench.safety.checks import CHECKS, refusals
    from bench.safety.describe import Question, describe
    from bench.safety.limits import LIMITS
    from stripelab.units import format_size

    question = Question(store) if store is None else Question(store, known=history_of(store / JOURNAL_FILE).known)
    described = describe(inventory.disks(), question)
    found = {disk: refusals(each) for disk, each in described.items()}
    unseen = sorted({who for each in described.values() for who in each.unseen})
    checks = {name: " ".join((check.__doc__ or "").split()) for name, check in CHECKS.items()}
    if as_json:
        listed = [
            {
                "id": disk.id,
                "path": str(disk.path),
                "model": disk.model,
                "size_bytes": disk.size_bytes,
                "substrate": disk.substrate,
                "usable": not reasons,
                "refusals": [{"check": each.check, "reason": each.reason} for each in reasons],
            }
            for disk, reasons in found.items()
        ]
        emit_json({"disks": listed, "checks": checks, "limits": LIMITS, "unseen": unseen} if explain else listed)
        return
    if not found:
        say("no disks: the virtual lab (--lab) brings its own")
    for disk, reasons in found.items():
        verdict = "refused" if reasons else "usable"
        say(f"{disk.id or '(no serial)'}  {disk.path}  {format_size(disk.size_bytes)}  {disk.model}  {verdict}")
        for each in reasons:
            say(f"    {each.check}: {each.reason}")
    if explain:
        for line in ("", "What is checked before every act:", *(f"  {name}: {says}" for name, says in checks.items())):
            say(line)
        for line in ("", "What the checks cannot see:", *(f"  - {limit}" for limit in LIMITS)):
            say(line)
        for who in unseen:
            say(f"  not to be seen now: what is open in {who}")
