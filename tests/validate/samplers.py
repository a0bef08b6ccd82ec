"""How many trials samplers need to come within 1 % of the best, on tables of made-up systems (``make validate``).

Each table has as many points as a measured system that others publish (154, 377, 385), with ordered numbers and words,
main effects that rise, saturate or peak, interactions, and noise; a part of all combinations is missing.  A point is
measured once, and again only where the sampler asks again.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
import warnings
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
from scipy import stats

from permutations.racing.race import SCREENING, Outcome
from permutations.racing.sampled import SampledRace, available
from permutations.racing.spec import RacingSpec
from stripelab.settings import Setting

Floats = npt.NDArray[np.float64]
SIZES = (154, 377, 385)
MOST = 80
"""Trials after which a search is given up."""


class Table:
    """A made-up system: the settings of its points, and the logarithms of their figures."""

    def __init__(self, number: int) -> None:
        rng = np.random.default_rng([20261129, number])
        size = SIZES[number % len(SIZES)]
        columns: list[list[Setting]] = []
        while len(columns) < 4 or math.prod(map(len, columns)) < 1.3 * size:
            count = int(rng.integers(3, 7))
            if rng.random() < 0.6:
                columns.append([int(value) for value in sorted(2 ** rng.choice(12, count, replace=False))])
            else:
                columns.append([f"word-{value}" for value in range(min(count, 4))])
        weights = rng.exponential(1, len(columns)) ** 1.5
        grid = list(itertools.product(*(range(len(column)) for column in columns)))
        kept = [grid[place] for place in sorted(rng.choice(len(grid), size, replace=False))]
        logs = np.zeros(size)
        for one, column in enumerate(columns):
            logs += weights[one] * _curve(rng, column)[[row[one] for row in kept]]
        for one, other in itertools.combinations(range(len(columns)), 2):
            if rng.random() < 0.35:
                both = np.outer(_curve(rng, columns[one]), _curve(rng, columns[other]))
                share = rng.normal(0, 0.8) * math.sqrt(weights[one] * weights[other])
                logs += share * both[[row[one] for row in kept], [row[other] for row in kept]]
        self.logs: Floats = 0.35 * logs / logs.std() + rng.normal(0, 0.01, size)
        self.points: Mapping[str, Mapping[str, Setting]] = {
            f"p{place:04d}": {f"f{one}": columns[one][value] for one, value in enumerate(row)}
            for place, row in enumerate(kept)
        }

    def good(self) -> set[str]:
        """The points within 1 % of the best."""
        return {f"p{place:04d}" for place in np.flatnonzero(self.logs >= self.logs.max() + math.log(0.99))}


def _curve(rng: np.random.Generator, column: list[Setting]) -> Floats:
    """What a factor does from its first value to its last."""
    if isinstance(column[0], str):
        return rng.normal(0, 0.6, len(column))
    x = np.linspace(0, 1, len(column))
    return (
        rng.choice([-1, 1]) * x ** rng.uniform(0.4, 2),
        -4 * (x - rng.uniform(0.2, 0.8)) ** 2,
        rng.choice([-1, 1]) / (1 + np.exp(-12 * (x - rng.uniform(0.3, 0.7)))),
    )[rng.integers(3)]


def trials(table: Table, sampler: str, seed: int, batch: int = 1) -> int:
    """Trials until the first point within 1 % of the best, through the code that real races run."""
    race = SampledRace(RacingSpec(budget_trials=MOST, sampler=sampler, batch=batch), table.points, True, 1.0, seed)
    good, history = table.good(), []
    while len(history) < MOST:
        block = len(history) // batch
        for point in race.propose(history, block):
            history.append(Outcome(SCREENING, block, point, math.exp(table.logs[int(point[1:])]), 1.0))
            if point in good:
                return len(history)
    return MOST


def median_interval(counts: list[int]) -> tuple[float, int, int]:
    """The median, and its 95 % interval by order statistics (binomial)."""
    listed = sorted(counts)
    low, high = stats.binom.ppf([0.025, 0.975], len(listed), 0.5).astype(int)
    return float(np.median(listed)), listed[max(0, low - 1)], listed[min(len(listed) - 1, high)]


def report(tables: int, seeds: int, batches: tuple[int, ...]) -> Iterator[str]:
    """A line for each table and sampler."""
    samplers = [("gaussian-process", batch) for batch in batches]
    samplers += [(name, 1) for name in ("optuna-tpe", "optuna-random") if available()]
    for number in range(tables):
        table = Table(number)
        for sampler, batch in samplers:
            started = time.process_time()
            counts = [trials(table, sampler, seed, batch) for seed in range(seeds)]
            median, low, high = median_interval(counts)
            spent = (time.process_time() - started) / sum(counts)
            yield (f"table {number}, {len(table.points)} points, {len(table.good())} of them good, {sampler}, batch "
                   f"{batch}: median {median:g} ({low} to {high}), {1000 * spent:.0f} ms a trial")  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--batch", type=int, nargs="*", default=[1, 4])
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    for line in report(chosen.tables, chosen.seeds, tuple(chosen.batch)):
        print(line, flush=True)
