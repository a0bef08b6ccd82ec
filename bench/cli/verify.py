"""``stripelab verify``: is evidence as it was signed, and by whom?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.output import emit_json, note, say

if TYPE_CHECKING:
    from results.evidence import Verdict

NO = 1
_MOST_SHOWN = 50


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("verify")(verify)


def verify(
    folder: Annotated[Path, typer.Argument(help="Folder that `stripelab evidence` made.")],
    signers: Annotated[
        Path | None, typer.Option("--signers", help="File of allowed signers (ssh-keygen(1)); ~/.ssh/allowed_signers.")
    ] = None,
    identity: Annotated[
        str | None, typer.Option("--identity", help="Who must have signed; anyone in the file of signers.")
    ] = None,
    any_signer: Annotated[
        bool, typer.Option("--any-signer", help="Check the bytes alone: whoever signed, it says nothing about who.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Check the signature of evidence and every byte that it stands for, and name what was changed.

    Exit status 1 means that it does not hold.  Without stripelab: docs/evidence.md.
    """
    from functools import partial

    from bench import signing
    from results import evidence
    from results.paths import expanded, is_file

    if any_signer and (signers is not None or identity is not None):
        raise typer.BadParameter("--any-signer goes without --signers and --identity", param_hint="--any-signer")
    chosen = None if any_signer else expanded(signers or signing.USUAL_SIGNERS)
    if chosen is not None and not is_file(chosen):
        raise typer.BadParameter(
            f"{chosen} is no file: name the file of those who may sign (docs/evidence.md), or --any-signer",
            param_hint="--signers",
        )
    verdict = evidence.verify(folder, partial(signing.judge, signers=chosen, identity=identity))
    if as_json:
        emit_json(verdict.to_json())
    else:
        _say(folder, verdict)
    if not verdict.holds:
        raise typer.Exit(NO)


def _say(folder: Path, verdict: Verdict) -> None:
    """Who signed what, or everything that does not hold."""
    signature, manifest = verdict.signature, verdict.manifest
    if verdict.holds and manifest is not None:
        say(f"{folder} holds: {len(manifest.files)} files, {sum(each.bytes for each in manifest.files)} bytes")
        by = signature.signer or "SOMEONE: nobody was asked to vouch for the key"
        say(f"signed by {by} with {signature.key}")
        say(f"made by stripelab {manifest.stripelab_version} of {manifest.sweep}, trials up to {manifest.date}")
        say(f"command: {manifest.command}")
        if manifest.watermark is not None:
            say(manifest.watermark)
        say(manifest.statement or "states no guarantee")
        return
    say(f"{folder} DOES NOT HOLD")
    for finding in verdict.findings[:_MOST_SHOWN]:
        say(f"{finding.kind}: {finding.text}")
    if len(verdict.findings) > _MOST_SHOWN:
        note(f"{len(verdict.findings) - _MOST_SHOWN} more; --json lists all")
