"""``stripelab compare``: two sweeps side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import common_options as common
from bench.cli.output import emit_json, print_line, print_paragraph, print_stderr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from results.comparison.compare import Compared, Comparison


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("compare")(compare)


def compare(
    first: Annotated[str, typer.Argument(help="Reference: the newest sweep of a store, or STORE@SWEEP.", metavar="A")],
    second: Annotated[str, typer.Argument(help="Sweep to compare with A, named in the same way.", metavar="B")],
    workload: common.OnlyWorkload = None,
    metric: Annotated[
        str | None,
        typer.Option(help="Metric, such as iops or lat_p99_ns.", show_default="metrics of the sweep's objectives"),
    ] = None,
    margin_pct: common.MarginPct = 5.0,
    as_json: common.Json = False,
) -> None:
    """Compare two sweeps in each point and workload.

    B is better than A, worse, tied or unclear. Ratios are B over A, with intervals that hold for all of them at once.
    Differences between the machines are listed.
    """
    from dataclasses import asdict

    from results.comparison.compare import compare as judge
    from results.comparison.picking import pick

    comparison = judge(pick(first), pick(second), margin_pct=margin_pct, workload=workload, metric=metric)
    if as_json:
        for warning in comparison.warnings:
            print_stderr(f"warning: {warning}")
        emit_json(asdict(comparison))
        return
    _print(comparison)


def _print(comparison: Comparison) -> None:
    from bench.cli.terminal_table import TerminalTable, print_table
    from results.comparison.compare import BETTER, TIED, UNCLEAR, WORSE

    if comparison.notice:
        print_paragraph(f"!!! {comparison.notice}")
    print_line(f"A: {comparison.first}   B: {comparison.second}")
    for warning in comparison.warnings:
        print_paragraph(f"warning: {warning}")
    compared = comparison.compared
    for key in dict.fromkeys((row.workload, row.metric) for row in compared):
        _print_workload([row for row in compared if (row.workload, row.metric) == key])
    counts = [(word, sum(row.verdict == word for row in compared)) for word in (BETTER, WORSE, TIED, UNCLEAR)]
    print_paragraph(
        f"B against A: {', '.join(f'{count} {word}' for word, count in counts if count)} "
        f"(margin {comparison.margin_pct:g} %, "
        f"{100 * comparison.confidence:g} % confidence for all {len(compared)} at once)"
    )
    for side, points in (("A", comparison.only_first), ("B", comparison.only_second)):
        if points:
            print_line(f"only in {side}: {', '.join(points)}")
    if comparison.differences:
        rows = tuple((change.what, change.first, change.second) for change in comparison.differences)
        print_table(
            TerminalTable(
                ("differs", "A", "B"),
                rows,
                (False, False, False),
                title="Differences other than settings",
                wrapped=("A", "B"),
            )
        )


def _print_workload(rows: Sequence[Compared]) -> None:
    """Print one workload as a table, the worst ratios first."""
    from bench.cli.terminal_table import TerminalTable, print_table
    from results.comparison.compare import WORSE
    from stripelab.metrics import metric_name, scale_of
    from stripelab.units import number

    first = rows[0]
    scale, unit = scale_of(first.metric, max(max(row.first, row.second) for row in rows))
    ordered = sorted(rows, key=lambda row: row.ratio if row.maximise else 1 / row.ratio)
    cells = tuple(
        (
            row.label,
            number(row.first / scale),
            number(row.second / scale),
            f"{row.ratio:.3f}",
            "-" if row.low is None or row.high is None else f"{row.low:.3f} to {row.high:.3f}",
            row.verdict,
        )
        for row in ordered
    )
    better = "more is better" if first.maximise else "less is better"
    print_table(
        TerminalTable(
            ("point", "A", "B", "B / A", "95 % interval", "B is"),
            cells,
            (False, True, True, True, True, False),
            marked=[index for index, row in enumerate(ordered) if row.verdict == WORSE],
            mark_style="bold red",
            title=f"{first.workload}: {metric_name(first.metric)}{', ' + unit if unit else ''} ({better})",
        )
    )
