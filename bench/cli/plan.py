"""``stripelab plan``: what a sweep would run, without running it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli import common_options as common
from bench.cli import plan_formats
from bench.cli.output import emit_json, print_line, print_paragraph
from bench.cli.plan_orders import describe_design, describe_order, order_json, order_lines
from bench.words import duration

if TYPE_CHECKING:
    from permutations.cost import Cost
    from permutations.design import Plan
    from permutations.sweep import Sweep

SHOWN_TRIALS = 20


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("plan")(plan)


def plan(
    sweep_file: Annotated[Path | None, typer.Argument(metavar="SWEEP", help="Sweep file (TOML).")] = None,
    *,
    as_json: common.Json = False,
    list_all: Annotated[
        bool, typer.Option("--all", help=f"List every trial instead of the first {SHOWN_TRIALS}.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every trial as a row of CSV.")] = False,
    explain: Annotated[
        str | None,
        typer.Option(
            "--explain",
            metavar="POINT",
            help="Explain why a point is in the plan or not, given by id or as level=raid5,disks=4,…",
        ),
    ] = None,
    diff: Annotated[
        tuple[Path, Path] | None, typer.Option("--diff", metavar="A B", help="Compare the plans of two sweep files.")
    ] = None,
    disk_size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Size of each real disk, such as 4TiB, for capacity checks and resync times."
        ),
    ] = None,
    guarantee: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            help="Print the number of days with runs that a guarantee for the share P of future days takes.",
        ),
    ] = None,
    lab: Annotated[
        bool, typer.Option("--lab", help="Check the sweep against the virtual lab, and that it starts on this machine.")
    ] = False,
) -> None:
    """Show the points, run order, time and writes of a sweep.

    Excluded combinations are listed with the reasons. No disk is touched, and what `run` would refuse is refused here.
    A sweep with a [lab] table is checked against the virtual lab unless --disk-size is given.
    """
    from bench.vocabulary import vocabulary
    from permutations.design import make_plan
    from permutations.sweep import Sweep

    if diff is not None:
        alone = sweep_file is None and explain is None and not as_csv
        _print_diff(diff, alone=alone, as_json=as_json, list_all=list_all)
        return
    if sweep_file is None:
        raise typer.BadParameter("missing; name a sweep file", param_hint="SWEEP")
    if as_csv and (as_json or explain is not None):
        raise typer.BadParameter("cannot be combined with --json or --explain", param_hint="--csv")
    if lab and disk_size is not None:
        raise typer.BadParameter(
            "cannot be combined with --lab; the sweep file has the size of the lab's disks", param_hint="--disk-size"
        )
    disk_bytes = _disk_bytes(disk_size)
    sweep = Sweep.load(sweep_file, vocabulary())
    plan = make_plan(sweep, sweep.lab.disk_bytes if _is_for_lab(sweep, disk_bytes, lab=lab) else disk_bytes)
    if explain is not None:
        _print_explanation(plan, explain, as_json=as_json)
    elif as_csv:
        print_line(plan_formats.plan_csv(plan).rstrip("\n"))
    else:
        days = None if guarantee is None else plan_formats.guarantee_days(plan, guarantee)
        _print_plan(plan, disk_bytes, days, lab=lab, as_json=as_json, list_all=list_all)


def _is_for_lab(sweep: Sweep, disk_bytes: int | None, *, lab: bool) -> bool:
    """Whether a plan is for the virtual lab."""
    return lab or (sweep.lab_given and disk_bytes is None)


def _print_plan(
    plan: Plan,
    disk_bytes: int | None,
    days: plan_formats.GuaranteeDays | None,
    *,
    lab: bool,
    as_json: bool,
    list_all: bool,
) -> None:
    """Print the plan with its warnings; raises SweepFileError for what `run` would refuse."""
    from dataclasses import asdict

    from permutations.cost import plan_cost

    warnings = _warnings(plan, disk_bytes, lab=lab)
    cost = plan_cost(plan, disk_bytes)
    if as_json:
        guarantee = {} if days is None else {"guarantee": asdict(days)}
        emit_json({**plan_json(plan, cost), **order_json(plan, disk_bytes), **guarantee, "warnings": warnings})
        return
    for line in [*plan_lines(plan, cost, list_all=list_all), *order_lines(plan, disk_bytes)]:
        print_line(line)
    if days is not None:
        print_line(plan_formats.guarantee_line(days))
    if warnings:
        print_line("")
    for warning in warnings:
        print_paragraph(f"warning: {warning}")


def _warnings(plan: Plan, disk_bytes: int | None, *, lab: bool) -> list[str]:
    """The warnings about a plan; raises SweepFileError for what `run` would refuse."""
    from bench import machine, preflight

    if _is_for_lab(plan.sweep, disk_bytes, lab=lab):
        target = machine.virtual_lab(plan.sweep, installed=lab)
    else:
        target = machine.unnamed(disk_bytes)
    warnings = [*preflight.checked(plan, target)]
    if lab:
        from bench.lab import check

        warnings += [f"the virtual lab does not start on this machine: {problem}" for problem in check.problems()]
    return warnings


def _print_explanation(plan: Plan, point: str, *, as_json: bool) -> None:
    """``--explain``."""
    from permutations.explain import ExplainError, explain

    try:
        explanation = explain(plan, point)
    except ExplainError as error:
        raise typer.BadParameter(str(error), param_hint="--explain") from None
    if as_json:
        emit_json(plan_formats.explanation_json(explanation))
        return
    for line in plan_formats.explanation_lines(explanation):
        print_line(line)


def _print_diff(sweep_files: tuple[Path, Path], *, alone: bool, as_json: bool, list_all: bool) -> None:
    """``--diff``."""
    from bench.vocabulary import vocabulary
    from permutations.compare import diff
    from permutations.design import make_plan
    from permutations.sweep import Sweep

    if not alone:
        raise typer.BadParameter("can be combined with --json and --all alone", param_hint="--diff")
    known = vocabulary()
    first, second = (make_plan(Sweep.load(path, known)) for path in sweep_files)
    difference = diff(first, second)
    if as_json:
        emit_json(plan_formats.diff_json(difference))
        return
    for line in plan_formats.diff_lines(difference, list_all=list_all):
        print_line(line)


def _disk_bytes(text: str | None) -> int | None:
    """Bytes of ``--disk-size``."""
    from stripelab.units import parse_size

    if text is None:
        return None
    size = parse_size(text)
    if not size:
        raise typer.BadParameter(f"{text} is not a size such as 4TiB", param_hint="--disk-size")
    return size


def plan_json(plan: Plan, cost: Cost) -> dict[str, Any]:
    """The plan as ``--json`` prints it; a factor that does not apply to a point is null there."""
    sweep = plan.sweep
    return {
        "sweep": sweep.name,
        "seed": sweep.seed,
        "design": sweep.design,
        "replicates": sweep.replicates,
        "protocol_id": sweep.protocol_id,
        "raw_combinations": plan.raw_combinations,
        "feasible": plan.report.feasible,
        "design_report": {"guarantees": list(plan.report.guarantees), **plan.report.figures},
        "points": [{"id": point.id, "label": point.label(), "settings": dict(point.settings)} for point in plan.points],
        "left_out": [
            {"rule": entry.rule, "reason": entry.reason, "combinations": entry.count} for entry in plan.left_out
        ],
        "order": [
            {
                "trial_id": trial.trial_id,
                "point_id": trial.point.id,
                "block": trial.block,
                "run_order": trial.run_order,
                "whole_plot": trial.whole_plot,
                "sub_plot": trial.sub_plot,
                "phase": trial.phase,
            }
            for trial in plan.trials
        ],
        "estimated_s": round(cost.estimated_s, 1),
        "bytes_written_per_disk": cost.bytes_written_per_disk,
        "resync_counted": cost.resync_counted,
        "assumptions": dict(cost.assumptions),
    }


def plan_lines(plan: Plan, cost: Cost, *, list_all: bool) -> list[str]:
    """The plan as lines for a person."""
    return [
        *_summary_lines(plan),
        "",
        *_left_out_lines(plan),
        "",
        *_trial_lines(plan, list_all=list_all),
        "",
        *_cost_lines(plan, cost),
    ]


def _summary_lines(plan: Plan) -> list[str]:
    sweep = plan.sweep
    counts = f"{plan.raw_combinations} combinations; {plan.report.feasible} are feasible"
    varied = [f"{factor.name} ({len(factor.values)})" for factor in sweep.factors if factor.varies]
    return [
        f"sweep      {sweep.name}: {describe_design(plan)}, seed {sweep.seed}, protocol {sweep.protocol_id}",
        f"varies     {', '.join(varied) or 'nothing'}",
        f"workloads  {', '.join(f'{workload.name} ({workload.engine})' for workload in sweep.workloads)}",
        f"points     {len(plan.points)} of {counts}",
        *(f"           {line}" for line in plan.report.guarantees),
        describe_order(plan),
    ]


def _left_out_lines(plan: Plan) -> list[str]:
    if not plan.left_out:
        return ["left out   nothing"]
    rules = max(len(entry.rule) for entry in plan.left_out)
    counts = max(len(str(entry.count)) for entry in plan.left_out)
    lines = [
        f"  {entry.rule:<{rules}}  {entry.count:>{counts}}  {entry.reason}{'' if entry.count else ' (matches nothing)'}"
        for entry in plan.left_out
    ]
    return [f"left out   {sum(entry.count for entry in plan.left_out)} combinations", *lines]


def _trial_lines(plan: Plan, *, list_all: bool) -> list[str]:
    shown = plan.trials if list_all else plan.trials[:SHOWN_TRIALS]
    hidden = len(plan.trials) - len(shown)
    width = max(len(trial.point.label()) for trial in shown)
    lines = [
        f"  {trial.run_order:>6}  {trial.block:>5}  {trial.point.label():<{width}}  {trial.point.id}  {trial.trial_id}"
        for trial in shown
    ]
    more = [f"  … and {hidden} more; hint: --all lists all of them"] if hidden else []
    head = f"   order  block  {'settings':<{width}}  {'point':<12}  trial"
    return ["run order", head, *lines, *more]


def _cost_lines(plan: Plan, cost: Cost) -> list[str]:
    from stripelab.units import format_size

    per_disk = format_size(cost.bytes_written_per_disk)
    lines = [
        f"time       about {duration(cost.estimated_s)}",
        f"written    at most {per_disk} to each of {plan.sweep.max_disks} disks, without metadata",
    ]
    if not cost.resync_counted:
        lines.append("           without initial resyncs; hint: give the size of the disks with --disk-size")
    return lines
