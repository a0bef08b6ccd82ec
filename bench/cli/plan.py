"""``stripelab plan``: what a sweep would run, before it touches anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli import plan_face
from bench.cli.output import emit_json, prose, say
from bench.cli.plan_orders import design_words, order_json, order_text, order_words
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
    sweep_file: Annotated[
        Path | None, typer.Argument(metavar="SWEEP", help="The sweep file.", show_default=False)
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON on stdout.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="List every trial, not only the first.")] = False,
    as_table: Annotated[bool, typer.Option("--csv", help="Print every trial as a row of CSV on stdout.")] = False,
    why: Annotated[
        str | None,
        typer.Option("--explain", metavar="POINT", help="Why a point is in or out: an id, or level=raid5,disks=4,…"),
    ] = None,
    both: Annotated[
        tuple[Path, Path] | None, typer.Option("--diff", metavar="A B", help="Compare the plans of two sweep files.")
    ] = None,
    disk_size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Size of each real disk (4TiB): for room, and for the cost of initial resyncs."
        ),
    ] = None,
    guarantee: Annotated[
        float | None,
        typer.Option(metavar="P", help="Print how many days a guarantee for the share P of future days takes."),
    ] = None,
    lab: Annotated[
        bool, typer.Option("--lab", help="Check for the virtual lab: its kernel, its disks, its memory.")
    ] = False,
) -> None:
    """Show points, what was left out and why, run order, time and bytes written. Touches no disk.

    What `run` would refuse is refused here. A sweep with a [lab] table is checked for the lab, except with --disk-size.
    """
    from bench.vocabulary import vocabulary
    from permutations.design import make_plan
    from permutations.sweep import Sweep

    if both is not None:
        _compare(both, alone=sweep_file is None and why is None and not as_table, json=json, everything=everything)
        return
    if sweep_file is None:
        raise typer.BadParameter("name a sweep file", param_hint="SWEEP")
    if json + as_table + (why is not None and as_table) > 1:
        raise typer.BadParameter("cannot go with --json or --explain", param_hint="--csv")
    if lab and disk_size is not None:
        raise typer.BadParameter("is for real disks: the lab's are in the sweep file", param_hint="--disk-size")
    disk_bytes = _disk_bytes(disk_size)
    sweep = Sweep.load(sweep_file, vocabulary())
    made = make_plan(sweep, sweep.lab.disk_bytes if _for_lab(sweep, disk_bytes, lab=lab) else disk_bytes)
    if why is not None:
        _explain(made, why, json=json)
    elif as_table:
        say(plan_face.as_csv(made).rstrip("\n"))
    else:
        days = None if guarantee is None else plan_face.guarantee_days(made, guarantee)
        _show(made, disk_bytes, days, lab=lab, json=json, everything=everything)


def _for_lab(sweep: Sweep, disk_bytes: int | None, *, lab: bool) -> bool:
    """Whether a plan is for the virtual lab."""
    return lab or (sweep.lab_given and disk_bytes is None)


def _show(
    made: Plan, disk_bytes: int | None, days: plan_face.GuaranteeDays | None, *, lab: bool, json: bool, everything: bool
) -> None:
    """The plan, if nothing speaks against it."""
    from dataclasses import asdict

    from permutations.cost import plan_cost

    warnings = _warnings(made, disk_bytes, lab=lab)
    cost = plan_cost(made, disk_bytes)
    if json:
        asked = {} if days is None else {"guarantee": asdict(days)}
        emit_json({**as_json(made, cost), **order_json(made, disk_bytes), **asked, "warnings": warnings})
        return
    for line in [*as_text(made, cost, everything=everything), *order_text(made, disk_bytes)]:
        say(line)
    if days is not None:
        say(plan_face.guarantee_line(days))
    if warnings:
        say("")
    for warning in warnings:
        prose(f"warning: {warning}")


def _warnings(made: Plan, disk_bytes: int | None, *, lab: bool) -> list[str]:
    """What is known to be doubtful of a plan; raises SweepFileError for what `run` would refuse."""
    from bench import machine, preflight

    if _for_lab(made.sweep, disk_bytes, lab=lab):
        where = machine.virtual_lab(made.sweep, installed=lab)
    else:
        where = machine.unnamed(disk_bytes)
    found = [*preflight.checked(made, where)]
    if lab:
        from bench.lab import check

        found += [f"the virtual lab does not start on this machine: {problem}" for problem in check.problems()]
    return found


def _explain(made: Plan, words: str, *, json: bool) -> None:
    """``--explain``."""
    from permutations.explain import ExplainError, explain

    try:
        said = explain(made, words)
    except ExplainError as error:
        raise typer.BadParameter(str(error), param_hint="--explain") from None
    if json:
        emit_json(plan_face.explanation_json(said))
        return
    for line in plan_face.explanation_lines(said):
        say(line)


def _compare(both: tuple[Path, Path], *, alone: bool, json: bool, everything: bool) -> None:
    """``--diff``."""
    from bench.vocabulary import vocabulary
    from permutations.compare import diff
    from permutations.design import make_plan
    from permutations.sweep import Sweep

    if not alone:
        raise typer.BadParameter("takes two sweep files and nothing else but --json and --all", param_hint="--diff")
    known = vocabulary()
    first, second = (make_plan(Sweep.load(path, known)) for path in both)
    found = diff(first, second)
    if json:
        emit_json(plan_face.diff_json(found))
        return
    for line in plan_face.diff_lines(found, everything=everything):
        say(line)


def _disk_bytes(word: str | None) -> int | None:
    """Bytes of ``--disk-size``."""
    from stripelab.units import parse_size

    if word is None:
        return None
    size = parse_size(word)
    if not size:
        raise typer.BadParameter(f"{word} is no size: write for example 4TiB", param_hint="--disk-size")
    return size


def as_json(made: Plan, cost: Cost) -> dict[str, Any]:
    """The plan as ``--json`` prints it; a factor that does not apply to a point is null there."""
    sweep = made.sweep
    return {
        "sweep": sweep.name,
        "seed": sweep.seed,
        "design": sweep.design,
        "replicates": sweep.replicates,
        "protocol_id": sweep.protocol_id,
        "raw_combinations": made.raw_combinations,
        "feasible": made.report.feasible,
        "design_report": {"guarantees": list(made.report.guarantees), **made.report.figures},
        "points": [{"id": point.id, "label": point.label(), "settings": dict(point.settings)} for point in made.points],
        "left_out": [
            {"rule": entry.rule, "reason": entry.reason, "combinations": entry.count} for entry in made.left_out
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
            for trial in made.trials
        ],
        "estimated_s": round(cost.estimated_s, 1),
        "bytes_written_per_disk": cost.bytes_written_per_disk,
        "resync_counted": cost.resync_counted,
        "assumptions": dict(cost.assumptions),
    }


def as_text(made: Plan, cost: Cost, *, everything: bool) -> list[str]:
    """The plan as lines for a person."""
    return [
        *_summary_lines(made),
        "",
        *_left_out_lines(made),
        "",
        *_order_lines(made, everything=everything),
        "",
        *_cost_lines(made, cost),
    ]


def _summary_lines(made: Plan) -> list[str]:
    sweep = made.sweep
    varied = [f"{factor.name} ({len(factor.values)})" for factor in sweep.factors if factor.varies]
    return [
        f"sweep      {sweep.name}: {design_words(made)}, seed {sweep.seed}, protocol {sweep.protocol_id}",
        f"varies     {', '.join(varied) or 'nothing'}",
        f"workloads  {', '.join(f'{each.name} ({each.engine})' for each in sweep.workloads)}",
        f"points     {len(made.points)} of {made.raw_combinations} combinations; {made.report.feasible} are feasible",
        *(f"           {line}" for line in made.report.guarantees),
        order_words(made),
    ]


def _left_out_lines(made: Plan) -> list[str]:
    if not made.left_out:
        return ["left out   nothing"]
    rules = max(len(entry.rule) for entry in made.left_out)
    counts = max(len(str(entry.count)) for entry in made.left_out)
    lines = [
        f"  {entry.rule:<{rules}}  {entry.count:>{counts}}  {entry.reason}{'' if entry.count else ' (matches nothing)'}"
        for entry in made.left_out
    ]
    return [f"left out   {sum(entry.count for entry in made.left_out)} combinations", *lines]


def _order_lines(made: Plan, *, everything: bool) -> list[str]:
    shown = made.trials if everything else made.trials[:SHOWN_TRIALS]
    hidden = len(made.trials) - len(shown)
    width = max(len(trial.point.label()) for trial in shown)
    lines = [
        f"  {trial.run_order:>6}  {trial.block:>5}  {trial.point.label():<{width}}  {trial.point.id}  {trial.trial_id}"
        for trial in shown
    ]
    more = [f"  … and {hidden} more: --all lists every one"] if hidden else []
    head = f"   order  block  {'settings':<{width}}  {'point':<12}  trial"
    return ["run order", head, *lines, *more]


def _cost_lines(made: Plan, cost: Cost) -> list[str]:
    from stripelab.units import format_size

    per_disk = format_size(cost.bytes_written_per_disk)
    lines = [
        f"time       about {duration(cost.estimated_s)}",
        f"written    at most {per_disk} to each disk, of {made.sweep.max_disks} (metadata aside)",
    ]
    if not cost.resync_counted:
        lines.append("           initial resyncs are not in these figures: --disk-size says how large the disks are")
    return lines
