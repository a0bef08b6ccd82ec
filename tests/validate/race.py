"""Races on synthetic truth, thousands side by side through the code that real races run (``make validate``).

Truths are on the log scale.  ``normal`` is what the acceptance asks for; the others are there because
a stated error rate must hold whatever the truth is.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from permutations.racing.race import Screen, width
from permutations.racing.screen import Limits
from permutations.racing.spec import RacingSpec

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


Both = Callable[[np.random.Generator, int, int], tuple[Floats, Floats]]


def _opposed(rng: np.random.Generator, races: int, points: int) -> tuple[Floats, Floats]:
    truth = rng.normal(0, 0.1, (races, points))
    return truth, rng.normal(0, TRUE_SD, (races, points)) - truth


def _levels(rng: np.random.Generator, races: int, points: int) -> tuple[Floats, Floats]:
    slack = np.where(rng.random((races, points)) < 0.5, -0.7, 0.4)
    return rng.normal(0, TRUE_SD, (races, points)) + np.where(slack < 0, 0.3, 0.0), slack


def _own(rng: np.random.Generator, races: int, points: int) -> tuple[Floats, Floats]:
    truth = rng.normal(0, 0.1, (races, points))
    return truth, truth - np.quantile(truth, 0.7, axis=1, keepdims=True)


LIMITED: Mapping[str, Both] = {
    "limit of a figure of its own": lambda rng, races, points: (
        rng.normal(0, TRUE_SD, (races, points)), rng.normal(0.05, 0.2, (races, points))),
    "the faster, the nearer to the limit": _opposed,
    "half miss by far and are 35 % faster": _levels,
    "nine in ten exactly at the limit": lambda rng, races, points: (
        rng.normal(0, TRUE_SD, (races, points)), np.where(rng.random((races, points)) < 0.9, 0.0, 0.5)),
    "limit of the objective itself": _own,
}  # fmt: skip
"""Truths of the objective, and by how much points meet a requirement (below 0 they miss it)."""


@dataclass(frozen=True)
class Tally:
    """What came of the races, one entry each."""

    best_eliminated: npt.NDArray[np.bool_]
    """By the test."""
    good: npt.NDArray[np.bool_]
    trials: npt.NDArray[np.int64]
    eliminated: npt.NDArray[np.int64]
    """How many points the test eliminated; the others dropped out for want of budget."""
    finalists: npt.NDArray[np.intp]
    missing: npt.NDArray[np.int64]
    """How many points the test of a requirement eliminated."""


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


def race(
    truth: Floats, spec: RacingSpec, rng: np.random.Generator, good: float = GOOD, slack: Floats | None = None
) -> Tally:
    """Screening, the tests and the cut after each block, confirmation; the pick is the best mean of that alone.

    With ``slack`` there is a requirement, and the best is the best of the points that meet it (slack 0 and more); the
    pick is then the best of the finalists that do.
    """
    races, points = truth.shape
    budget = spec.budget_trials or 0
    parts = 1 if slack is None else 2
    screen = Screen(np.ones((races, points), dtype=bool), spec.error_rate / parts, spec.finalists)
    limits = Limits((races, points), parts - 1, spec.error_rate / parts)
    used = np.zeros(races, dtype=np.int64)
    running = np.ones(races, dtype=bool)
    meets = truth if slack is None else np.where(slack >= 0, truth, -np.inf)
    best = (np.arange(races), meets.argmax(axis=1))
    lost = np.zeros(races, dtype=bool)
    eliminated, missing = np.zeros((2, races), dtype=np.int64)
    while True:
        if screen.blocks:
            wide = width(screen.live.sum(axis=1), spec.finalists, budget * (1 - spec.confirmation_share) - used)
            running = running & (wide > spec.finalists)
            screen.cut(wide, running)
        if not running.any():
            break
        used += np.where(running, screen.live.sum(axis=1), 0)
        taken = screen.live & running[:, None]
        screen.add(measured(truth, rng), running)
        if slack is not None:
            limits.add(measured(slack, rng)[None], taken, screen.chosen)
            out = taken & limits.failing()
            screen.remove(out)
            screen.handicap = limits.handicap()
            lost |= out[best]
            missing += out.sum(axis=1)
        if screen.blocks > 1:
            out, _ = screen.eliminate(running, None if slack is None else limits.meeting())
            lost |= out[best]
            eliminated += out.sum(axis=1)
    finalists = screen.leaders(spec.finalists)
    picked, trials = confirmed(meets, finalists, used, budget, rng)
    return Tally(lost, meets[best] - picked <= good, trials, eliminated, finalists, missing)


def confirmed(
    truth: Floats, finalists: npt.NDArray[np.intp], used: npt.NDArray[np.int64], budget: int, rng: np.random.Generator
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """The true value of whoever has the best mean of fresh blocks, and the trials of the whole."""
    count = finalists.shape[1]
    chosen = np.take_along_axis(truth, finalists, axis=1)
    blocks = (budget - used) // count
    noise = rng.normal(0, 1, chosen.shape) * np.sqrt(np.log1p(CV**2) / blocks)[:, None]
    picked: Floats = chosen[np.arange(len(truth)), (chosen + noise).argmax(axis=1)]
    return picked, used + blocks * count


def halving(truth: Floats, spec: RacingSpec, rng: np.random.Generator, good: float = GOOD) -> npt.NDArray[np.bool_]:
    """Plain halving for comparison: screening in rounds of one size, after each of which the better half goes on.

    (Karnin, Koren and Somekh, Almost optimal exploration in multi-armed bandits, ICML 2013; means are over all
    rounds.)  Then the finalists as in a race.
    """
    races, points = truth.shape
    budget = spec.budget_trials or 0
    rounds = math.ceil(math.log2(points / spec.finalists))
    each = budget * (1 - spec.confirmation_share) / rounds
    screen = Screen(np.ones((races, points), dtype=bool), spec.error_rate, spec.finalists)
    everywhere = np.ones(races, dtype=bool)
    used, live = 0, points
    for _ in range(rounds):
        for _ in range(max(1, int(each / live))):
            screen.add(measured(truth, rng), everywhere)
            used += live
        live = max(spec.finalists, math.ceil(live / 2))
        screen.cut(np.full(races, live), everywhere)
    picked, _ = confirmed(truth, screen.leaders(spec.finalists), np.full(races, used), budget, rng)
    found: npt.NDArray[np.bool_] = truth.max(axis=1) - picked <= good
    return found


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
    """The figures of races in docs/methodology-designs.md."""
    for budget in (256, 384, 512, 1024):
        rng = np.random.default_rng([seed, budget])
        truth = TRUTHS["normal"](rng, races, POINTS)
        spec = RacingSpec(budget_trials=budget)
        found = race(truth, spec, rng)
        twice = uniform(truth, 2 * budget // POINTS, rng)
        same = uniform(truth, budget // POINTS, rng)
        halved = halving(truth, spec, rng)
        print(f"budget {budget}: {said('racing', found.good)}, {said('halving', halved)}, "
              f"{said('uniform with twice the trials', twice)}, {said('uniform with as many', same)}; "
              f"{said('best eliminated', found.best_eliminated)}")  # fmt: skip
    for name, draw in TRUTHS.items():
        rng = np.random.default_rng([seed, len(name)])
        found = race(draw(rng, races, POINTS), RacingSpec(budget_trials=1024), rng)
        out = found.eliminated.mean()
        print(f"truth {name}: {said('best eliminated', found.best_eliminated)}, {out:.1f} of {POINTS} by the test")
    for budget in (256, 512, 1024):
        for name, both in LIMITED.items():
            rng = np.random.default_rng([seed, budget, len(name)])
            truth, slack = both(rng, races, POINTS)
            found = race(truth, RacingSpec(budget_trials=budget), rng, slack=slack)
            out, miss = found.missing.mean(), (slack < 0).sum(axis=1).mean()
            print(f"requirement, {budget} trials, {name}: {said('best eliminated', found.best_eliminated)}, "
                  f"{said('picked within 1 %', found.good)}, {out:.1f} of {miss:.1f} that miss eliminated")  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--races", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20261122)
    chosen = parser.parse_args()
    report(chosen.races, chosen.seed)
