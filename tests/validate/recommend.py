"""Recommendations on synthetic truth, through the code that judges real stores (``make validate``)."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from permutations.racing.spec import RacingSpec
from results.estimates.diagnostics import drift, refuse_systematic
from results.estimates.estimate import NoEvidenceError, fit
from results.estimates.responses import Response
from results.recommendation.ranking import PointFacts, Terms, rank
from stripelab.settings import FACTOR_NAMES
from tests.results.synthetic import Plan, factorial, values
from tests.validate import noises
from tests.validate.guarantee import into
from tests.validate.race import halving, interval, race, uniform

CV = 0.05
TRUE_SD = 0.03
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Cell:
    """A truth: points, blocks, noise of a run, and how true log figures are drawn.

    With a margin every second point survives a disk failure, and so is preferred within it.
    """

    points: int
    blocks: int
    cv: float
    draw: Callable[[np.random.Generator, int], np.ndarray]
    margin_pct: float = 0.0


def _groups(dice: np.random.Generator, points: int) -> np.ndarray:
    return np.where(np.arange(points) < points // 2, 0.0, -0.3) + dice.normal(0, 0.005, points)


CELLS: Mapping[str, Cell] = {
    "32 points, 3 blocks, 5 %": Cell(32, 3, 0.05, lambda dice, n: dice.normal(0, TRUE_SD, n)),
    "64 points, 3 blocks, 10 %": Cell(64, 3, 0.10, lambda dice, n: dice.normal(0, TRUE_SD, n)),
    "4 finalists, 8 blocks, 5 %": Cell(4, 8, 0.05, lambda dice, n: dice.normal(0, 0.01, n)),
    "32 equal points, 3 blocks": Cell(32, 3, 0.05, lambda _, n: np.zeros(n)),
    "two groups, 16 all but equal": Cell(32, 3, 0.05, _groups),
    "32 points, 3 blocks, 5 %, chosen for redundancy": Cell(
        32, 3, 0.05, lambda dice, n: dice.normal(0, TRUE_SD, n), margin_pct=5.0
    ),
}


@dataclass(frozen=True)
class Outcome:
    """Of one sweep: overclaim of the published figure and of the plain mean, tied set and bound right or not."""

    overclaim: float
    naive: float
    tied_has_best: bool
    bound_holds: bool


def facts(name: str, survived: int) -> PointFacts:
    settings = dict.fromkeys(FACTOR_NAMES, "default") | {"level": "raid0", "disks": 4}
    return PointFacts(name, name, settings, "disk", survived, 1 << 40, None, ())


def sweep(cell: Cell, seed: int) -> Outcome:
    """One sweep with this truth, judged."""
    dice = np.random.default_rng([seed, cell.points, cell.blocks])
    truth = cell.draw(dice, cell.points)
    sigma = math.sqrt(math.log1p(cell.cv**2))
    logs = truth[:, None] + dice.normal(0, sigma, (cell.points, cell.blocks)) + dice.normal(0, 0.03, cell.blocks)
    names = [f"p{number:03d}" for number in range(cell.points)]
    runs = [
        Response(f"{name}-{block}", name, block, block * cell.points + place, math.exp(logs[place, block]))
        for block in range(cell.blocks)
        for place, name in enumerate(names)
    ]
    model = fit(runs)
    terms = Terms(maximise=True, margin_pct=cell.margin_pct, confidence=CONFIDENCE)
    known = {name: facts(name, number % 2 if cell.margin_pct else 0) for number, name in enumerate(names)}
    found = rank(model, known, range(cell.points), title="", terms=terms)
    place = names.index(found.recommended)
    assert found.published is not None
    # what is true in these blocks: their common effect is no error of the choice
    here = float(truth[place]) + float((logs.mean(axis=1) - truth).mean())
    best = names[int(truth.argmax())]
    return Outcome(
        math.log(found.published.value) - here,
        math.log(found.chosen.value) - here,
        best in found.fastest_set or bool((truth == truth.max()).all()),
        math.log(found.published.bound) <= here,
    )


def drift_flags(seed: int, order: str) -> bool:
    """Whether a sweep of eight equal points under a drift of 5 % is refused or flagged."""
    points = [(each, 100.0) for each in factorial(chunk_kib=[2**k for k in range(8)])]
    plan = Plan(points, replicates=4, cv=0.02, order=order, drift=0.05, seed=seed)
    runs = [Response(f"t{p}-{b}", f"p{p}", b, place, value) for place, (p, b, value) in enumerate(values(plan))]
    try:
        refuse_systematic(runs)
    except NoEvidenceError:
        return True
    found = drift(fit(runs))
    return found is not None and found.found


def said(hits: int, of: int) -> str:
    low, high = interval(hits, of)
    return f"{hits / of:.4f} ({low:.4f} to {high:.4f})"


def report(seeds: int) -> None:
    """The figures of docs/methodology-recommendation.md."""
    for name, cell in CELLS.items():
        found = [sweep(cell, seed) for seed in range(seeds)]
        over = np.array([each.overclaim for each in found])
        naive = np.mean([each.naive for each in found])
        error = over.std(ddof=1) / math.sqrt(seeds)
        print(f"{name}: overclaim {100 * over.mean():+.2f} % (± {196 * error:.2f}; plain mean {100 * naive:+.2f} %), "
              f"tied set has the best {said(sum(each.tied_has_best for each in found), seeds)}, "
              f"bound holds {said(sum(each.bound_holds for each in found), seeds)}")  # fmt: skip
    dice = np.random.default_rng(20261122)
    truth = dice.normal(0, TRUE_SD, (seeds, 32))
    for good in (0.01, 0.02):
        spec = RacingSpec(budget_trials=128)
        raced = race(truth, spec, dice, good)
        halved = halving(truth, spec, dice, good)
        print(f"32 points, 128 trials, pick within {100 * good:.0f} % of the best: racing "
              f"{said(int(raced.good.sum()), seeds)}; halving {said(int(halved.sum()), seeds)}; "
              f"uniform with 192 trials {said(int(uniform(truth, 6, dice, good).sum()), seeds)}")  # fmt: skip
    for order in ("grouped", "blocked"):
        flagged = sum(drift_flags(seed, order) for seed in range(seeds))
        print(f"drift of 5 %, {order} order, refused or flagged {said(flagged, seeds)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--cell-seeds", type=int, default=1000, help="sweeps in each cell of the table of noises")
    parser.add_argument("--into", type=Path, help="document to put the table of noises into")
    chosen = parser.parse_args()
    made = noises.report(chosen.cell_seeds)
    print("\n".join(made))
    if chosen.into is not None:
        into(chosen.into, made)
    report(chosen.seeds)
