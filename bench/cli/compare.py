"""``stripelab compare``: two sweeps side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.output import emit_json, note, prose, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from results.comparison.compare import Compared, Comparison


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("compare")(compare)


def compare(
    first: Annotated[str, typer.Argument(help="A store, or STORE@SWEEP for one of its sweeps.", metavar="A")],
    second: Annotated[str, typer.Argument(help="The same; ratios are B over A.", metavar="B")],
    workload: Annotated[str | None, typer.Option("--workload", help="Compare this workload only.")] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", help="Figure, such as iops or lat_p99_ns; the objectives'.")
    ] = None,
    margin_pct: Annotated[
        float, typer.Option("--margin-pct", help="Differences smaller than this count as none.")
    ] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Say, point by point and workload by workload, whether B is tied with A, better, worse, or whether it is unclear.

    Ratios come with intervals that hold for all of them at once; what differs between the machines is listed.
    """
    from dataclasses import asdict

    from results.comparison.compare import compare as judge
    from results.comparison.picking import pick

    found = judge(pick(first), pick(second), margin_pct=margin_pct, workload=workload, metric=metric)
    if as_json:
        for warning in found.warnings:
            note(f"warning: {warning}")
        emit_json(asdict(found))
        return
    _show(found)


def _show(found: Comparison) -> None:
    from bench.cli.slides import Slide, show
    from results.comparison.compare import BETTER, TIED, UNCLEAR, WORSE

    if found.notice:
        prose(f"!!! {found.notice}")
    say(f"A: {found.first}   B: {found.second}")
    for warning in found.warnings:
        prose(f"warning: {warning}")
    for key in dict.fromkeys((each.workload, each.metric) for each in found.compared):
        _show_workload([each for each in found.compared if (each.workload, each.metric) == key])
    counts = [(word, sum(each.verdict == word for each in found.compared)) for word in (BETTER, WORSE, TIED, UNCLEAR)]
    prose(
        f"B against A: {', '.join(f'{count} {word}' for word, count in counts if count)} "
        f"(margin {found.margin_pct:g} %, {100 * found.confidence:g} % for all {len(found.compared)} at once)"
    )
    for where, points in (("A", found.only_first), ("B", found.only_second)):
        if points:
            say(f"only in {where}: {', '.join(points)}")
    if found.differences:
        rows = tuple((each.what, each.first, each.second) for each in found.differences)
        show(Slide(("differs", "A", "B"), rows, (False, False, False), title="Beside the settings", wrapped=("A", "B")))


def _show_workload(rows: Sequence[Compared]) -> None:
    """One workload as a table, what is worse first."""
    from bench.cli.slides import Slide, show
    from results.comparison.compare import WORSE
    from stripelab.metrics import metric_name, scale_of
    from stripelab.units import number

    first = rows[0]
    scale, unit = scale_of(first.metric, max(max(each.first, each.second) for each in rows))
    ordered = sorted(rows, key=lambda each: each.ratio if each.maximise else 1 / each.ratio)
    cells = tuple(
        (
            each.label,
            number(each.first / scale),
            number(each.second / scale),
            f"{each.ratio:.3f}",
            "-" if each.low is None or each.high is None else f"{each.low:.3f} to {each.high:.3f}",
            each.verdict,
        )
        for each in ordered
    )
    better = "more is better" if first.maximise else "less is better"
    show(
        Slide(
            ("point", "A", "B", "B / A", "95 % interval", "B is"),
            cells,
            (False, True, True, True, True, False),
            marked=[place for place, each in enumerate(ordered) if each.verdict == WORSE],
            mark_style="bold red",
            title=f"{first.workload}: {metric_name(first.metric)}{', ' + unit if unit else ''} ({better})",
        )
    )
