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
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List each disk with its identity and every reason that refuses it; nothing is written."""
    from bench import inventory, rails
    from bench.cli.output import emit_json, say
    from permutations.reading.sizes import format_size

    refused = rails.refusals(inventory.disks(), store=store)
    if as_json:
        emit_json(
            [
                {
                    "id": disk.id,
                    "path": str(disk.path),
                    "model": disk.model,
                    "size_bytes": disk.size_bytes,
                    "substrate": disk.substrate,
                    "usable": not reasons,
                    "refusals": [{"rail": each.rail, "reason": each.reason} for each in reasons],
                }
                for disk, reasons in refused.items()
            ]
        )
        return
    if not refused:
        say("no disks: the virtual lab (--lab) brings its own")
    for disk, reasons in refused.items():
        verdict = "refused" if reasons else "usable"
        say(f"{disk.id or '(no serial)'}  {disk.path}  {format_size(disk.size_bytes)}  {disk.model}  {verdict}")
        for each in reasons:
            say(f"    rail {each.rail}: {each.reason}")
