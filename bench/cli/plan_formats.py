"""Other output of ``stripelab plan``: CSV, explanations of points, differences of plans, days of a guarantee."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from permutations.compare import PlanDiff
    from permutations.design import Plan
    from permutations.explain import Explanation
    from permutations.point import DesignPoint

_VERDICTS = {
    "in": "in the plan",
    "merged": "merged",
    "out": "left out",
    "not-chosen": "feasible, but not chosen",
    "unknown": "unknown",
}
SHOWN_POINTS = 20


GUARANTEE_CONFIDENCE = 0.95


@dataclass(frozen=True)
class GuaranteeDays:
    """Days with runs that a guarantee takes, for a point fixed beforehand and for one chosen among ``points``."""

    coverage: float
    confidence: float
    days: int
    points: int
    days_if_chosen: int


def guarantee_days(plan: Plan, coverage: float) -> GuaranteeDays:
    """The days for a ``coverage``; raises ResultsError unless it is between 0 and 1, or where it takes too many."""
    from results.errors import ResultsError
    from results.guarantee.bounds import days_needed

    if not 0 < coverage < 1:
        raise ResultsError(
            f"--guarantee must be between 0 and 1 (got {coverage:g})", remedy="Give a share such as 0.9."
        )
    points = len(plan.points)
    days, chosen = (days_needed(coverage, 1 - (1 - GUARANTEE_CONFIDENCE) / among) for among in (1, points))
    return GuaranteeDays(coverage, GUARANTEE_CONFIDENCE, days, points, chosen)


def guarantee_line(needed: GuaranteeDays) -> str:
    """``--guarantee`` for a person."""
    chosen = f", {needed.days_if_chosen} days for a point chosen among {needed.points}" if needed.points > 1 else ""
    return (
        f"guarantee  for P = {needed.coverage:g} of future days ({100 * needed.confidence:g} % confidence): runs on "
        f"{needed.days} days for a point fixed beforehand{chosen}; a night counts as a day"
    )


def plan_csv(plan: Plan) -> str:
    """Every trial in run order as a row, with a column per factor that is empty where the factor does not apply."""
    from permutations.factors import FACTORS
    from results.export.csv_text import csv_cell

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run_order", "block", "trial_id", "point_id", *FACTORS])
    for trial in plan.trials:
        cells = (trial.run_order, trial.block, trial.trial_id, trial.point.id, *trial.point.values)
        writer.writerow(map(csv_cell, cells))
    return text.getvalue()


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """``--explain`` with ``--json``."""
    return {
        "verdict": explanation.verdict,
        "planned": explanation.planned or bool(explanation.matching),
        "reasons": list(explanation.reasons),
        "point": _point(explanation.point) if explanation.point is not None else None,
        "matching": explanation.matching,
    }


def explanation_lines(explanation: Explanation) -> list[str]:
    """``--explain`` for a person."""
    line = _VERDICTS[explanation.verdict]
    if explanation.point is not None:
        within = (
            ""
            if explanation.verdict != "merged"
            else f" with {'a planned' if explanation.planned else 'another'} point"
        )
        line += f"{within}: {explanation.point.label()}  {explanation.point.id}"
    return [line, *(f"  {reason}" for reason in explanation.reasons)]


def diff_json(difference: PlanDiff) -> dict[str, Any]:
    """``--diff`` with ``--json``."""
    return {
        "same_protocol": difference.same_protocol,
        "changes": list(difference.changes),
        "points": {
            "only_a": [_point(point) for point in difference.points_only_a],
            "only_b": [_point(point) for point in difference.points_only_b],
            "both": [_point(point) for point in difference.points_both],
        },
        "trials": {
            "only_a": list(difference.trials_only_a),
            "only_b": list(difference.trials_only_b),
            "both": list(difference.trials_both),
        },
    }


def diff_lines(difference: PlanDiff, *, list_all: bool) -> list[str]:
    """``--diff`` for a person."""
    points = (difference.points_only_a, difference.points_only_b, difference.points_both)
    trials = (difference.trials_only_a, difference.trials_only_b, difference.trials_both)
    lines = ["           only A   only B     both"]
    for name, parts in (("points", points), ("trials", trials)):
        lines.append(f"{name}   {' '.join(f'{len(part):>8}' for part in parts)}")
    if not difference.same_protocol:
        lines.append("the workloads, the data set or the lab profile differ: the plans cannot share trials")
        lines += [f"  {change}" for change in difference.changes]
    for side, only in (("A", difference.points_only_a), ("B", difference.points_only_b)):
        shown = only if list_all else only[:SHOWN_POINTS]
        lines += ["", f"only in {side}"] if shown else []
        lines += [f"  {point.id}  {point.label()}" for point in shown]
        hidden = len(only) - len(shown)
        lines += [f"  … and {hidden} more; hint: --all lists all of them"] if hidden else []
    return lines


def _point(point: DesignPoint) -> dict[str, Any]:
    return {"id": point.id, "label": point.label(), "settings": dict(point.settings)}
