"""``stripelab evidence``: data, report and guarantee in one folder, with a signed manifest of every byte."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli import asking
from bench.cli.output import emit_json, note, say

if TYPE_CHECKING:
    from results.handover import Prepared


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("evidence")(evidence)


def evidence(
    store: Annotated[Path, typer.Argument(help="Result store.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to make; it may not be there yet.")],
    key: Annotated[
        Path | None, typer.Option("--sign", help="SSH key to sign with, or the public half of one in the agent.")
    ] = None,
    workload: asking.Workload = None,
    point: asking.Point = None,
    metric: asking.Metric = None,
    direction: asking.Direction = None,
    share: asking.Share = 0.99,
    coverage: asking.Coverage = None,
    confidence: asking.Confidence = 0.95,
    bound: asking.Bound = None,
    chosen_beforehand: asking.ChosenBeforehand = False,
    limit_to_day: asking.LimitToDay = False,
    demonstration: asking.Demonstration = False,
    margin_pct: asking.MarginPct = 5.0,
    require: asking.Require = None,
    prefer: asking.Prefer = "",
    baseline: asking.Baseline = None,
    no_pdf: Annotated[bool, typer.Option("--no-pdf", help="Leave the PDF out (WeasyPrint is not needed).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
) -> None:
    """Make a folder that others can check: the store's files, the report, the guarantee, and a manifest of them.

    `stripelab verify FOLDER` checks it, and so do ssh-keygen and sha256sum alone: docs/evidence.md.
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
    wishes = asking.wishes(require, prefer, baseline)
    asked = handover.Asked(command, stripelab_version(), question, margin_pct, wishes, pdf=not no_pdf)
    with handover.publishing(output) as folder:
        prepared = handover.prepare(store, folder, asked)
        if key is not None:
            signing.sign(expanded(key), folder / MANIFEST)
    if as_json:
        emit_json(_made(output, prepared, signed=key is not None))
    else:
        _say(output, prepared, signed=key is not None)
    if key is None:
        note(f"not signed; to sign it: {signing.by_hand('KEY', shlex.quote(str(output / MANIFEST)))}")


def _made(output: Path, prepared: Prepared, *, signed: bool) -> dict[str, Any]:
    """What was made, for ``--json``."""
    return {
        "evidence": str(output),
        "files": len(prepared.manifest.files),
        "bytes": sum(entry.bytes for entry in prepared.manifest.files),
        "signed": signed,
        "statement": prepared.manifest.statement,
        "watermark": prepared.manifest.watermark,
        "refusals": list(_refusals(prepared)),
    }


def _say(output: Path, prepared: Prepared, *, signed: bool) -> None:
    """What was made, and what it states."""
    size = sum(entry.bytes for entry in prepared.manifest.files)
    say(f"{output}: {len(prepared.manifest.files)} files, {size / 2**20:.1f} MiB{', signed' if signed else ''}")
    if prepared.manifest.watermark is not None:
        say(prepared.manifest.watermark)
    if prepared.manifest.statement is not None:
        say(prepared.manifest.statement)
    for reason in _refusals(prepared):
        say(f"no guarantee: {reason}")
    say(f"next: stripelab verify {shlex.quote(str(output))} --signers ALLOWED_SIGNERS")


def _refusals(prepared: Prepared) -> tuple[str, ...]:
    """Why no guarantee is stated."""
    if prepared.guarantee is None:
        return ("the store has no answer to that question; the report says why",)
    return tuple(refusal.reason for refusal in prepared.guarantee.refusals)
