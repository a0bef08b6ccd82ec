"""One stack for all workloads on synthetic truth: do the printed bounds hold for all points and workloads at once?

``python -m tests.validate.joint --seeds 2000`` (part of ``make validate``).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from results.estimates.estimate import fit
from results.estimates.intervals import with_intervals
from results.estimates.joint import joint, shares
from results.estimates.responses import Response
from results.estimates.shape import shape
from tests.validate.race import interval

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Cell:
    """A truth: workloads, points, blocks, noise of a run, and how far points differ (sd of true log figures)."""

    workloads: int
    points: int
    blocks: int
    cv: float
    true_sd: float


CELLS: Mapping[str, Cell] = {
    "2 workloads, 5 points, 3 blocks, 2 %": Cell(2, 5, 3, 0.02, 0.1),
    "3 workloads, 12 points, 3 blocks, 5 %": Cell(3, 12, 3, 0.05, 0.1),
    "3 workloads, 20 points, 2 blocks, 5 %": Cell(3, 20, 2, 0.05, 0.03),
    "3 workloads, 12 equal points, 3 blocks": Cell(3, 12, 3, 0.05, 0.0),
    "6 workloads, 40 points, 3 blocks, 3 %": Cell(6, 40, 3, 0.03, 0.2),
}


@dataclass(frozen=True)
class Outcome:
    """Of one sweep: whether all bounds hold, whether the tied set has the best, and the best score's place in it."""

    bounds_hold: bool
    tied_has_best: bool
    tied: int


def sweep(cell: Cell, seed: int) -> Outcome:
    """One sweep with this truth, judged as recommendations are."""
    dice = np.random.default_rng([seed, cell.workloads, cell.points, cell.blocks])
    truth = dice.normal(0, cell.true_sd, (cell.workloads, cell.points))
    names = [f"p{place:03d}" for place in range(cell.points)]
    level = 1 - (1 - CONFIDENCE) / cell.workloads
    by_workload = []
    for row in truth:
        logs = row[:, None] + dice.normal(0, 0.05, cell.blocks)[None, :]
        logs = logs + dice.normal(0, cell.cv, (cell.points, cell.blocks))
        runs = [
            Response(f"{name}-{block}", name, block, block * cell.points + place, float(np.exp(logs[place, block])))
            for block in range(cell.blocks)
            for place, name in enumerate(names)
        ]
        plain = fit(runs)
        model = with_intervals(plain, shape(plain))
        by_workload.append(shares(model, range(cell.points), maximise=True, confidence=level))
    found = joint(by_workload)
    scores = 100 * np.exp((truth - truth.max(axis=1, keepdims=True)).min(axis=0))
    certain = max(each.at_least_pct for each in found)
    true = dict(zip(names, scores, strict=True))
    inside = all(each.at_least_pct - 1e-9 <= true[each.point_id] <= each.at_most_pct + 1e-9 for each in found)
    tied = {each.point_id for each in found if each.at_most_pct >= certain - 1e-9}
    return Outcome(inside, names[int(scores.argmax())] in tied, len(tied))


def report(seeds: int) -> None:
    """A line per cell."""
    for name, cell in CELLS.items():
        found = [sweep(cell, seed) for seed in range(seeds)]
        rates = []
        for hits in (sum(each.bounds_hold for each in found), sum(each.tied_has_best for each in found)):
            low, high = interval(hits, seeds)
            rates.append(f"{hits / seeds:.4f} ({low:.4f} to {high:.4f})")
        tied = np.mean([each.tied for each in found])
        print(f"{name}: all bounds hold {rates[0]}; tied set has the best {rates[1]}, {tied:.1f} points on average")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000)
    report(parser.parse_args().seeds)
