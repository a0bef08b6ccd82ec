"""``stripelab verify``: is evidence unchanged since it was signed, and who signed it?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import common_options as common
from bench.cli.output import emit_json, print_line, print_stderr

if TYPE_CHECKING:
    from results.evidence import Verdict

NO = 1
_MAX_SHOWN = 50


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("verify")(verify)


def verify(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of `stripelab evidence`.")],
    signers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="File of allowed signers (ssh-keygen(1)).", show_default="~/.ssh/allowed_signers"
        ),
    ] = None,
    identity: Annotated[
        str | None, typer.Option(help="Identity that must have signed.", show_default="any of the allowed signers")
    ] = None,
    any_signer: Annotated[
        bool, typer.Option("--any-signer", help="Accept the signature of any key, which does not tell who signed.")
    ] = False,
    as_json: common.Json = False,
) -> None:
    """Verify an evidence folder and name what was changed.

    The signature and every file are checked. Exit status 1: the evidence is not valid. docs/evidence.md shows how to
    verify it without stripelab.
    """
    from functools import partial

    from bench import signing
    from results import evidence
    from results.paths import expanded, is_file

    if any_signer and (signers is not None or identity is not None):
        raise typer.BadParameter("cannot be combined with --signers or --identity", param_hint="--any-signer")
    chosen = None if any_signer else expanded(signers or signing.USUAL_SIGNERS)
    if chosen is not None and not is_file(chosen):
        raise typer.BadParameter(
            f"{chosen} is not a file; give a file of allowed signers (docs/evidence.md), or --any-signer",
            param_hint="--signers",
        )
    verdict = evidence.verify(folder, partial(signing.judge, signers=chosen, identity=identity))
    if as_json:
        emit_json(verdict.to_json())
    else:
        _print(folder, verdict)
    if not verdict.holds:
        raise typer.Exit(NO)


def _print(folder: Path, verdict: Verdict) -> None:
    """Print who signed what, or every reason why the evidence is not valid."""
    signature, manifest = verdict.signature, verdict.manifest
    if verdict.holds and manifest is not None:
        print_line(
            f"{folder} is valid: {len(manifest.files)} files, {sum(file.bytes for file in manifest.files)} bytes"
        )
        signer = signature.signer or "an UNKNOWN signer (the key was not checked against allowed signers)"
        print_line(f"signed by {signer} with {signature.key}")
        print_line(f"made by stripelab {manifest.stripelab_version} of {manifest.sweep}, trials up to {manifest.date}")
        print_line(f"command: {manifest.command}")
        if manifest.watermark is not None:
            print_line(manifest.watermark)
        print_line(manifest.statement or "no guarantee is stated")
        return
    print_line(f"{folder} IS NOT VALID")
    for finding in verdict.findings[:_MAX_SHOWN]:
        print_line(f"{finding.kind}: {finding.text}")
    if len(verdict.findings) > _MAX_SHOWN:
        print_stderr(f"{len(verdict.findings) - _MAX_SHOWN} more; hint: --json lists all of them")
