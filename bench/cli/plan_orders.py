"""``stripelab plan``: the order in words, and the orders compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from permutations.design import Plan
    from permutations.orders import OrderCost


def design_words(made: Plan) -> str:
    """The design as one says it."""
    return "race" if made.sweep.racing is not None else f"{made.sweep.design} design"


def order_words(made: Plan) -> str:
    """How many trials there are, and in which order."""
    sweep = made.sweep
    if sweep.racing is not None:
        return race_words(made)
    blocks = "1 block" if sweep.replicates == 1 else f"{sweep.replicates} blocks"
    how = "in a fresh random order"
    if sweep.order == "split-plot":
        how = "arrays in a fresh random order, and what is built on each in one of its own"
    return f"trials     {len(made.trials)}, in {blocks}: each has every point once, {how}"


def race_words(made: Plan) -> str:
    """The budget of a race, what it is judged by, and what its test may do."""
    spec, objective = made.sweep.racing, made.sweep.objectives[0]
    if spec is None:
        return ""
    budget = f"{spec.budget_trials} trials" if spec.budget_trials is not None else f"{(spec.budget_s or 0) / 3600:g} h"
    best = (
        "best point that meets the requirements"
        if any(each.require for each in made.sweep.objectives)
        else "best point"
    )
    lost = f"the test eliminates the {best} with a probability of at most {100 * spec.error_rate:g} %, "
    lost += "what drops out for want of budget is not covered"
    if spec.sampler != "elimination":
        lost = f"{spec.sampler} chooses {spec.batch} points a block; no error rate is stated"
    return (
        f"race       by {objective.metric} of {objective.workload}, budget {budget}, "
        f"{100 * spec.confirmation_share:g} % of it for fresh runs of {spec.finalists} finalists;\n"
        f"           {lost}; below is the first block"
    )


def order_json(made: Plan, disk_bytes: int | None) -> dict[str, Any]:
    """The orders compared, for ``--json``; of a race, whose order is not known beforehand, how it is run."""
    from dataclasses import asdict

    from permutations.orders import compare_orders

    if made.sweep.racing is not None:
        return {"racing": asdict(made.sweep.racing)}
    return {"run_in": made.sweep.order, "orders": [asdict(each) for each in compare_orders(made, disk_bytes)]}


def order_text(made: Plan, disk_bytes: int | None) -> list[str]:
    """The orders compared, as lines; what each word means below them."""
    from permutations.orders import compare_orders

    if made.sweep.racing is not None:
        return []
    compared = compare_orders(made, disk_bytes)
    lines = ["", "orders     what each would build, take and write"]
    head = f"  {'':<14}{'runs':>7}{'arrays built':>14}{'filesystems':>13}{'time':>14}{'written per disk':>18}"
    lines.append(head + ("  of rated endurance" if compared[0].endurance_pct is not None else ""))
    lines += [_row(made, each) for each in compared]
    return [
        *lines,
        "  randomised: every point with every workload is a run of its own, which builds its stack",
        "  blocked: a trial builds a stack once and runs every workload over it",
        "  split-plot: an array stands while what is above it is varied, and so does a filesystem",
    ]


def _row(made: Plan, cost: OrderCost) -> str:
    from bench.words import duration
    from stripelab.units import format_size

    mark = "*" if cost.order == made.sweep.order else " "
    share = f"{cost.endurance_pct:>18.3g} %" if cost.endurance_pct is not None else ""
    return (
        f"  {mark} {cost.order:<12}{cost.runs:>7}{cost.arrays:>14}{cost.filesystems:>13}"
        f"{duration(cost.estimated_s):>14}{format_size(cost.bytes_written_per_disk):>18}{share}"
    )
