"""Races on synthetic truth, thousands side by side through the code that real races run (``make validate``).

Truths are on the log scale.  ``normal`` is what the acceptance asks for; the others are there because
a stated error rate must hold whatever the truth is.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from permutations.race_spec import RacingSpec
from permutations.racing import Screen

Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int, int], Floats]

POINTS = 64
CV = 0.05
TRUE_SD = 0.03
BLOCK_SD = 0.03
GOOD = 0.01
"""A point within 1 % of the best is as good as the best."""

TRUTHS: Mapping[str, Draw] = {
    "normal": lambda rng, races, points: rng.normal(0, TRUE_SD, (races, points)),
    "equal": lambda rng, races, points: rng.normal(0, 1e-6, (races, points)),
    "heavy tail (t, 3 df)": lambda rng, races, points: rng.standard_t(3, (races, points)) * TRUE_SD / np.sqrt(3),
    "two groups, 25 % apart": lambda rng, races, points: (
        np.where(rng.random((races, points)) < 0.5, -0.3, 0.0) + rng.normal(0, TRUE_SD, (races, points))
    ),
    "a quarter all but equal": lambda rng, races, points: (
        np.where(rng.random((races, points)) < 0.75, -0.3, 0.0) + rng.normal(0, 0.005, (races, points))
    ),
}


@dataclass(frozen=True)
class Tally:
    """What came of the races, one entry each."""

    best_eliminated: npt.NDArray[np.bool_]
    good: npt.NDArray[np.bool_]
    trials: npt.NDArray[np.int64]
    live: npt.NDArray[np.int64]
    finalists: npt.NDArray[np.intp]


def interval(successes: int, races: int) -> tuple[float, float]:
    """95 % interval of a rate: Clopper and Pearson, Biometrika 26, 1934."""
    low = float(stats.beta.ppf(0.025, successes, races - successes + 1)) if successes else 0.0
    high = float(stats.beta.ppf(0.975, successes + 1, races - successes)) if successes < races else 1.0
    return low, high


def measured(truth: Floats, rng: np.random.Generator) -> Floats:
    """One block: log figures of every point, with noise and a block effect."""
    noise = rng.normal(0, np.sqrt(np.log1p(CV**2)), truth.shape)
    found: Floats = truth + noise + rng.normal(0, BLOCK_SD, (len(truth), 1))
    return found


def race(truth: Floats, spec: RacingSpec, rng: np.random.Generator, good: float = GOOD) -> Tally:
    """Screening, the cut, confirmation; the pick is the best mean of confirmation alone."""
    races, points = truth.shape
    budget = spec.budget_trials or 0
    screen = Screen(np.ones((races, points), dtype=bool), spec.error_rate, spec.finalists)
    used = np.zeros(races, dtype=np.int64)
    running = np.ones(races, dtype=bool)
    best = truth.argmax(axis=1)
    lost = np.zeros(races, dtype=bool)
    while True:
        live = screen.live.sum(axis=1)
        running = running & (live > spec.finalists) & (used + live <= budget * (1 - spec.confirmation_share))
        if not running.any():
            break
        used += np.where(running, live, 0)
        screen.add(measured(truth, rng), running)
        if screen.blocks > 1:
            out, _ = screen.eliminate(running)
            lost |= out[np.arange(races), best]
    finalists = screen.leaders(spec.finalists)
    chosen = np.take_along_axis(truth, finalists, axis=1)
    blocks = (budget - used) // spec.finalists
    noise = rng.normal(0, 1, chosen.shape) * np.sqrt(np.log1p(CV**2) / blocks)[:, None]
    picked = chosen[np.arange(races), (chosen + noise).argmax(axis=1)]
    trials = used + blocks * spec.finalists
    return Tally(lost, truth.max(axis=1) - picked <= good, trials, screen.live.sum(axis=1), finalists)


def uniform(truth: Floats, replicates: int, rng: np.random.Generator, good: float = GOOD) -> npt.NDArray[np.bool_]:
    """Every point equally often; the pick is the best mean."""
    means = truth + rng.normal(0, np.sqrt(np.log1p(CV**2) / replicates), truth.shape)
    picked = truth[np.arange(len(truth)), means.argmax(axis=1)]
    found: npt.NDArray[np.bool_] = truth.max(axis=1) - picked <= good
    return found


def said(name: str, flags: npt.NDArray[np.bool_]) -> str:
    """A rate with its interval."""
    low, high = interval(int(flags.sum()), len(flags))
    return f"{name} {flags.mean():.3f} ({low:.3f} to {high:.3f})"


def report(races: int, seed: int) -> None:
    """The figures of METHODOLOGY.md."""
    for budget in (256, 384, 512, 1024):
        rng = np.random.default_rng([seed, budget])
        truth = TRUTHS["normal"](rng, races, POINTS)
        spec = RacingSpec(budget_trials=budget)
        found = race(truth, spec, rng)
        twice = uniform(truth, 2 * budget // POINTS, rng)
        same = uniform(truth, budget // POINTS, rng)
        print(f"budget {budget}: {said('racing', found.good)}, {said('uniform with twice the trials', twice)}, "
              f"{said('uniform with as many', same)}; {said('best eliminated', found.best_eliminated)}")  # fmt: skip
    for name, draw in TRUTHS.items():
        rng = np.random.default_rng([seed, len(name)])
        found = race(draw(rng, races, POINTS), RacingSpec(budget_trials=1024), rng)
        live = found.live.mean()
        print(f"truth {name}: {said('best eliminated', found.best_eliminated)}, {live:.1f} of {POINTS} live at the cut")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--races", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20261122)
    chosen = parser.parse_args()
    report(chosen.races, chosen.seed)
