"""``stripelab evidence``: data, report and guarantee in one folder, with a manifest that can be signed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli import common_options as common
from bench.cli.output import emit_json, print_line, print_stderr

if TYPE_CHECKING:
    from results.handover import Prepared


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("evidence")(evidence)


def evidence(
    store: common.Store,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="Folder to create.")],
    key: Annotated[
        Path | None,
        typer.Option("--sign", metavar="KEY", help="SSH key to sign with, or the public half of a key in ssh-agent."),
    ] = None,
    workload: common.Workload = None,
    point: common.Point = None,
    metric: common.Metric = None,
    direction: common.Direction = None,
    share: common.Share = 0.99,
    coverage: common.Coverage = None,
    confidence: common.Confidence = 0.95,
    bound: common.Bound = None,
    chosen_beforehand: common.ChosenBeforehand = False,
    limit_to_day: common.LimitToDay = False,
    demonstration: common.Demonstration = False,
    margin_pct: common.MarginPct = 5.0,
    require: common.Require = None,
    prefer: common.Prefer = "",
    baseline: common.Baseline = None,
    no_pdf: Annotated[bool, typer.Option("--no-pdf", help="Leave out the PDF, which needs WeasyPrint.")] = False,
    as_json: common.Json = False,
) -> None:
    """Create an evidence folder that others can verify.

    It has the files of the store, the report, the guarantee and a manifest of them. `stripelab verify FOLDER` verifies
    it; docs/evidence.md shows how to do so with ssh-keygen and sha256sum alone.
    """
    from bench import signing
    from bench.version import stripelab_version
    from results import handover
    from results.evidence import MANIFEST
    from results.guarantee import Question
    from results.paths import expanded

    question = Question(
        workload=workload,
        point=point,
        metric=metric,
        direction=direction,
        share=share,
        coverage=coverage,
        confidence=confidence,
        bound=bound,
        chosen_beforehand=chosen_beforehand,
        limit_to_day=limit_to_day,
        demonstration=demonstration,
    )
    command = shlex.join(["stripelab", *sys.argv[1:]])
    criteria = common.parse_criteria(require, prefer, baseline)
    request = handover.Asked(command, stripelab_version(), question, margin_pct, criteria, pdf=not no_pdf)
    with handover.publishing(output) as folder:
        prepared = handover.prepare(store, folder, request)
        if key is not None:
            signing.sign(expanded(key), folder / MANIFEST)
    if as_json:
        emit_json(_as_json(output, prepared, signed=key is not None))
    else:
        _print(output, prepared, signed=key is not None)
    if key is None:
        print_stderr(f"not signed; hint: to sign it, run {signing.by_hand('KEY', shlex.quote(str(output / MANIFEST)))}")


def _as_json(output: Path, prepared: Prepared, *, signed: bool) -> dict[str, Any]:
    """The evidence folder, for ``--json``."""
    return {
        "evidence": str(output),
        "files": len(prepared.manifest.files),
        "bytes": sum(entry.bytes for entry in prepared.manifest.files),
        "signed": signed,
        "statement": prepared.manifest.statement,
        "watermark": prepared.manifest.watermark,
        "refusals": list(_refusals(prepared)),
    }


def _print(output: Path, prepared: Prepared, *, signed: bool) -> None:
    """Print what the folder contains and what it states."""
    size = sum(entry.bytes for entry in prepared.manifest.files)
    print_line(f"{output}: {len(prepared.manifest.files)} files, {size / 2**20:.1f} MiB{', signed' if signed else ''}")
    if prepared.manifest.watermark is not None:
        print_line(prepared.manifest.watermark)
    if prepared.manifest.statement is not None:
        print_line(prepared.manifest.statement)
    for reason in _refusals(prepared):
        print_line(f"no guarantee: {reason}")
    print_line(f"next: stripelab verify {shlex.quote(str(output))} --signers ALLOWED_SIGNERS")


def _refusals(prepared: Prepared) -> tuple[str, ...]:
    """The reasons why no guarantee is stated."""
    if prepared.guarantee is None:
        return ("the store does not answer that question; see the report for the reason",)
    return tuple(refusal.reason for refusal in prepared.guarantee.refusals)
