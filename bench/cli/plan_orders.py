"""``stripelab plan``: the run order in words, and a comparison of the possible orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from permutations.design import Plan
    from permutations.orders import OrderCost


def describe_design(plan: Plan) -> str:
    """The kind of design in words."""
    return "race" if plan.sweep.racing is not None else f"{plan.sweep.design} design"


def describe_order(plan: Plan) -> str:
    """The number of trials and their order in words."""
    sweep = plan.sweep
    if sweep.racing is not None:
        return _describe_race(plan)
    blocks = "1 block" if sweep.replicates == 1 else f"{sweep.replicates} blocks"
    order = "in a new random order"
    if sweep.order == "split-plot":
        order = "arrays in a new random order, and the points of each array in a random order of their own"
    return f"trials     {len(plan.trials)}, in {blocks}: each has every point once, {order}"


def _describe_race(plan: Plan) -> str:
    """The metric of a race, its budget and its error rate."""
    spec, objective = plan.sweep.racing, plan.sweep.objectives[0]
    if spec is None:
        return ""
    budget = f"{spec.budget_trials} trials" if spec.budget_trials is not None else f"{(spec.budget_s or 0) / 3600:g} h"
    best = (
        "best point that meets the requirements"
        if any(candidate.require for candidate in plan.sweep.objectives)
        else "best point"
    )
    risk = f"the test eliminates the {best} with a probability of at most {100 * spec.error_rate:g} %, "
    risk += "points dropped for lack of budget are not covered"
    if spec.sampler != "elimination":
        risk = f"{spec.sampler} chooses {spec.batch} points a block; no error rate is stated"
    return (
        f"race       by {objective.metric} of {objective.workload}, budget {budget}, "
        f"{100 * spec.confirmation_share:g} % of it for fresh runs of {spec.finalists} finalists;\n"
        f"           {risk}; the first block is below"
    )


def order_json(plan: Plan, disk_bytes: int | None) -> dict[str, Any]:
    """The comparison of orders for ``--json``; for a race, whose order is not known beforehand, its settings."""
    from dataclasses import asdict

    from permutations.orders import compare_orders

    if plan.sweep.racing is not None:
        return {"racing": asdict(plan.sweep.racing)}
    return {"run_in": plan.sweep.order, "orders": [asdict(cost) for cost in compare_orders(plan, disk_bytes)]}


def order_lines(plan: Plan, disk_bytes: int | None) -> list[str]:
    """The comparison of orders as a table, with an explanation of each order below it."""
    from permutations.orders import compare_orders

    if plan.sweep.racing is not None:
        return []
    costs = compare_orders(plan, disk_bytes)
    lines = ["", "orders     number of builds, time and bytes written of each"]
    head = f"  {'':<14}{'runs':>7}{'arrays built':>14}{'filesystems':>13}{'time':>14}{'written per disk':>18}"
    lines.append(head + ("  of rated endurance" if costs[0].endurance_pct is not None else ""))
    lines += [_row(plan, cost) for cost in costs]
    return [
        *lines,
        "  randomised: each run of a point with a workload builds its own stack",
        "  blocked: a trial builds a stack once and runs every workload on it",
        "  split-plot: an array, and a filesystem, is kept while the layers above it are varied",
    ]


def _row(plan: Plan, cost: OrderCost) -> str:
    from bench.words import duration
    from stripelab.units import format_size

    mark = "*" if cost.order == plan.sweep.order else " "
    share = f"{cost.endurance_pct:>18.3g} %" if cost.endurance_pct is not None else ""
    return (
        f"  {mark} {cost.order:<12}{cost.runs:>7}{cost.arrays:>14}{cost.filesystems:>13}"
        f"{duration(cost.estimated_s):>14}{format_size(cost.bytes_written_per_disk):>18}{share}"
    )
