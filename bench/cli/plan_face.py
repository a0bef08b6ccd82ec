"""The other faces of ``stripelab plan``: CSV, why a point is in or out, and what two plans share."""

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
    """Days with runs that a guarantee takes: for a point fixed beforehand, and for one chosen among ``points``."""

    coverage: float
    confidence: float
    days: int
    points: int
    days_if_chosen: int


def guarantee_days(made: Plan, coverage: float) -> GuaranteeDays:
    """The days for a ``coverage``; raises ResultsError unless it lies between 0 and 1, or where it takes too many."""
    from results.errors import ResultsError
    from results.guarantee.bounds import days_needed

    if not 0 < coverage < 1:
        raise ResultsError(f"--guarantee must be between 0 and 1 (got {coverage:g})", remedy="Give for example 0.9.")
    points = len(made.points)
    days, chosen = (days_needed(coverage, 1 - (1 - GUARANTEE_CONFIDENCE) / among) for among in (1, points))
    return GuaranteeDays(coverage, GUARANTEE_CONFIDENCE, days, points, chosen)


def guarantee_line(found: GuaranteeDays) -> str:
    """``--guarantee`` for a person."""
    chosen = f", {found.days_if_chosen} days for one chosen among {found.points}" if found.points > 1 else ""
    return (
        f"guarantee  for P = {found.coverage:g} of future days ({100 * found.confidence:g} % confidence): runs on "
        f"{found.days} days for a point fixed beforehand{chosen}; a night is a day"
    )


def as_csv(made: Plan) -> str:
    """Every trial in run order, a row each, with a column for each factor; empty where it does not apply."""
    from permutations.factors import FACTORS
    from results.export.csv_text import csv_cell

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run_order", "block", "trial_id", "point_id", *FACTORS])
    for trial in made.trials:
        cells = (trial.run_order, trial.block, trial.trial_id, trial.point.id, *trial.point.values)
        writer.writerow(map(csv_cell, cells))
    return text.getvalue()


def explanation_json(said: Explanation) -> dict[str, Any]:
    """``--explain`` with ``--json``."""
    return {
        "verdict": said.verdict,
        "planned": said.planned or bool(said.matching),
        "reasons": list(said.reasons),
        "point": _point(said.point) if said.point is not None else None,
        "matching": said.matching,
    }


def explanation_lines(said: Explanation) -> list[str]:
    """``--explain`` for a person."""
    head = _VERDICTS[said.verdict]
    if said.point is not None:
        within = "" if said.verdict != "merged" else f" with {'a planned' if said.planned else 'another'} point"
        head += f"{within}: {said.point.label()}  {said.point.id}"
    return [head, *(f"  {reason}" for reason in said.reasons)]


def diff_json(found: PlanDiff) -> dict[str, Any]:
    """``--diff`` with ``--json``."""
    return {
        "same_protocol": found.same_protocol,
        "changes": list(found.changes),
        "points": {
            "only_a": [_point(point) for point in found.points_only_a],
            "only_b": [_point(point) for point in found.points_only_b],
            "both": [_point(point) for point in found.points_both],
        },
        "trials": {
            "only_a": list(found.trials_only_a),
            "only_b": list(found.trials_only_b),
            "both": list(found.trials_both),
        },
    }


def diff_lines(found: PlanDiff, *, everything: bool) -> list[str]:
    """``--diff`` for a person."""
    lines = [
        "           only A   only B     both",
        f"points   {len(found.points_only_a):>8} {len(found.points_only_b):>8} {len(found.points_both):>8}",
        f"trials   {len(found.trials_only_a):>8} {len(found.trials_only_b):>8} {len(found.trials_both):>8}",
    ]
    if not found.same_protocol:
        lines.append("the workloads, the data set or the lab profile differ: no trial of one serves the other")
        lines += [f"  {change}" for change in found.changes]
    for name, points in (("A", found.points_only_a), ("B", found.points_only_b)):
        shown = points if everything else points[:SHOWN_POINTS]
        lines += ["", f"only in {name}"] if shown else []
        lines += [f"  {point.id}  {point.label()}" for point in shown]
        lines += [f"  … and {len(points) - len(shown)} more: --all lists every one"] if len(shown) < len(points) else []
    return lines


def _point(point: DesignPoint) -> dict[str, Any]:
    return {"id": point.id, "label": point.label(), "settings": dict(point.settings)}
