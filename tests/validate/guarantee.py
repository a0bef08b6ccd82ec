"""Guarantees on synthetic truth: how often a statement is true, cell by cell (``make validate``).

Every seed draws the runs of a campaign, the code of a guarantee makes its bound, and the truth is known
from so many further runs of the same kind that chance hardly matters.  Beside it stand what is done
without the run as the unit: all seconds pooled, and a bootstrap of whole runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from results.guarantee.synthetic import SHAPES, Truth, draw
from results.statistics import kfactor, tolerance, two_groups
from results.statistics.exchange import LEVEL, drift_over_runs
from tests.validate import guarantee_days
from tests.validate.race import interval

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

PHIS = (0.0, 0.6, 0.9)
BETWEEN = (0.0, 0.02, 0.05)
SIZES = (5, 10, 20)
SECONDS = 60
SHARE = 0.99
CONFIDENCE = 0.95
APPROXIMATE_SHARE = 0.95
FUTURE = 40_000
"""Runs from which the truth is known."""

RESAMPLES = 200
NAIVE = (0.9, 0.02)
"""Autocorrelation and spread between runs of the comparison."""

START, END = "<!-- made by make validate: begin -->", "<!-- made by make validate: end -->"


@dataclass(frozen=True)
class Cell:
    """One truth and one number of runs."""

    truth: Truth
    runs: int

    @property
    def name(self) -> str:
        return f"{self.truth.shape}, phi {self.truth.phi}, between runs {self.truth.between:.0%}, {self.runs} runs"


@dataclass(frozen=True)
class Found:
    """Of each seed: whether what was said is true; for the approximate bound and the checks, whether it was said."""

    exact: Flags
    approximate: Flags
    approximate_given: Flags
    drift_flagged: Flags
    modes_flagged: Flags


def cells(sizes: tuple[int, ...] = SIZES) -> Iterator[Cell]:
    for shape, phi, between, runs in product(SHAPES, PHIS, BETWEEN, sizes):
        yield Cell(Truth(shape, phi, between), runs)


@dataclass(frozen=True)
class Known:
    """What future runs do: their figures in order, and the 1 % quantile of all their seconds."""

    figures: Floats
    second: float

    @classmethod
    def of(cls, truth: Truth, rng: np.random.Generator, future: int) -> Known:
        values = draw(rng, truth, future, SECONDS)
        return cls(np.sort(tolerance.run_bound(values, SHARE)), float(np.quantile(values, 1 - SHARE)))

    def share(self, bounds: Floats) -> Floats:
        """The share of future runs that deliver at least each bound."""
        return 1 - np.searchsorted(self.figures, bounds, side="left") / len(self.figures)


def campaigns(cell: Cell, seeds: int, rng: np.random.Generator) -> Floats:
    """Seeds by runs by seconds."""
    return draw(rng, cell.truth, seeds * cell.runs, SECONDS).reshape(seeds, cell.runs, SECONDS)


def tried(cell: Cell, known: Known, values: Floats) -> Found:
    """The bound and its checks on the campaigns of a cell."""
    figures = tolerance.run_bound(values, SHARE)
    given, held = approximate(values, figures, known)
    return Found(
        exact=known.share(tolerance.smallest(figures)) >= tolerance.coverage(cell.runs, CONFIDENCE),
        approximate=held,
        approximate_given=given,
        drift_flagged=np.array([_drifting(each, own) for each, own in zip(values, figures, strict=True)]),
        modes_flagged=np.array([two_groups.of_runs(each.mean(axis=1)) is not None for each in values]),
    )


def _drifting(runs: Floats, figures: Floats) -> bool:
    """As a guarantee checks the order of its runs."""
    return any(drift_over_runs(each.tolist(), LEVEL / 2) is not None for each in (figures, runs.mean(axis=1)))


def approximate(values: Floats, figures: Floats, known: Known) -> tuple[Flags, Flags]:
    """Where the gate lets the normal bound through, and whether it is true there."""
    given = np.array([kfactor.gate(own, list(each)) is None for each, own in zip(values, figures, strict=True)])
    logs = np.log(figures)
    factor = kfactor.k_factor(figures.shape[1], APPROXIMATE_SHARE, CONFIDENCE)
    bounds = np.exp(logs.mean(axis=1) - factor * logs.std(axis=1, ddof=1))
    return given, known.share(bounds) >= APPROXIMATE_SHARE


def pooled(values: Floats) -> Floats:
    """The naive bound: the order statistic that bounds 99 % of seconds, all of them taken for independent.

    Where they are too few for any rank, their minimum.
    """
    seconds = values.reshape(len(values), -1)
    rank = max(1, tolerance.usable_rank(seconds.shape[1], SHARE, CONFIDENCE))
    return tolerance.smallest(seconds, rank)


def bootstrap(values: Floats, rng: np.random.Generator) -> Floats:
    """Whole runs resampled, the 1 % quantile of their pooled seconds each time: the 5 % percentile of those."""
    seeds, runs, _ = values.shape
    quantiles = np.empty((RESAMPLES, seeds))
    rows = np.arange(seeds)[:, None]
    position = int(runs * SECONDS * (1 - SHARE))
    for turn in range(RESAMPLES):
        chosen = values[rows, rng.integers(0, runs, (seeds, runs))].reshape(seeds, -1)
        quantiles[turn] = np.partition(chosen, position, axis=1)[:, position]
    return np.asarray(np.quantile(quantiles, 1 - CONFIDENCE, axis=0), dtype=np.float64)


def naive(cell: Cell, known: Known, values: Floats, exact: Flags, rng: np.random.Generator) -> str:
    """A row of the comparison: the same campaigns judged without the run as the unit."""
    shares = (rate(known.second >= bounds) for bounds in (pooled(values), bootstrap(values, rng)))
    return f"| {cell.truth.shape} | {cell.runs} | {rate(exact)} | {' | '.join(shares)} |"


def rate(flags: Flags) -> str:
    """A rate with its 95 % interval by Clopper and Pearson."""
    if not len(flags):
        return "never given"
    low, high = interval(int(flags.sum()), len(flags))
    return f"{flags.mean():.3f} ({low:.3f} to {high:.3f})"


@dataclass
class Tables:
    """The rows of the documentation, collected cell by cell."""

    worst: dict[tuple[str, int], tuple[float, str, str]]
    totals: dict[str, list[Flags]]
    naive: list[str]
    approximate: dict[tuple[str, float], list[Flags]]

    def add(self, cell: Cell, found: Found) -> None:
        key = (cell.truth.shape, cell.runs)
        mean = float(found.exact.mean())
        if key not in self.worst or mean < self.worst[key][0]:
            self.worst[key] = (mean, rate(found.exact), f"phi {cell.truth.phi}, {cell.truth.between:.0%}")
        self.totals.setdefault("drift_flagged", []).append(found.drift_flagged)
        kind = "two modes: two groups found" if cell.truth.shape == "two modes" else "one mode: two groups found"
        self.totals.setdefault(kind, []).append(found.modes_flagged)
        if cell.runs < kfactor.MIN_RUNS:
            return
        held = found.approximate[found.approximate_given]
        self.approximate.setdefault((cell.truth.shape, cell.truth.between), []).append(held)

    def lines(self, seeds: int, count: int, lowest: float) -> Iterator[str]:
        """The tables as Markdown."""
        yield (
            "Runs of one day, for a statement limited to it: "
            f"{count} cells, {seeds:,} campaigns in each; intervals by Clopper and Pearson (95 %). Promised: 0.95. The "
            f"lowest rate of any cell is {lowest:.3f}."
        )
        yield ""
        yield "The exact bound, the worst of nine cells (autocorrelation by spread between runs) in each row:"
        yield ""
        yield "| Shape of the noise | Runs | How often the statement is true | in the cell |"
        yield "|---|---|---|---|"
        for (shape, runs), (_, text, where) in self.worst.items():
            yield f"| {shape} | {runs} | {text} | {where} between runs |"
        yield ""
        yield "Beside it, what is often done instead (autocorrelation 0.9, runs differ by 2 %, seconds by 5 %):"
        yield ""
        yield "| Shape | Runs | Exact, by runs | All seconds pooled | Bootstrap of runs |"
        yield "|---|---|---|---|---|"
        yield from self.naive
        yield ""
        yield "The approximate bound for a share of 0.95, where its gate lets it through (10 and 20 runs, all phi):"
        yield ""
        yield "| Shape | Between runs | Given | True where given |"
        yield "|---|---|---|---|"
        for (shape, between), parts in self.approximate.items():
            held = np.concatenate(parts)
            yield f"| {shape} | {between:.0%} | {len(held) / (len(parts) * seeds):.2f} | {rate(held)} |"
        yield ""
        for name, words in (
            ("drift_flagged", "Runs without any drift refused as drifting"),
            ("one mode: two groups found", "Runs of one mode in which two groups were found"),
            ("two modes: two groups found", "Runs of two modes (90/10) in which two groups were found"),
        ):
            yield f"- {words}: {rate(np.concatenate(self.totals[name]))}"


def report(
    seeds: int,
    seed: int,
    sizes: tuple[int, ...] = SIZES,
    said: Callable[[str], None] = print,
    future: int = FUTURE,
) -> list[str]:
    """Every cell; the lines of the documentation."""
    tables = Tables({}, {}, [], {})
    lowest, count = 1.0, 0
    for shape, phi, between in product(SHAPES, PHIS, BETWEEN):
        truth = Truth(shape, phi, between)
        rng = np.random.default_rng([seed, SHAPES.index(shape), round(10 * phi), round(100 * between)])
        known = Known.of(truth, rng, future)
        for runs in sizes:
            cell = Cell(truth, runs)
            values = campaigns(cell, seeds, rng)
            found = tried(cell, known, values)
            tables.add(cell, found)
            lowest, count = min(lowest, float(found.exact.mean())), count + 1
            given = found.approximate_given
            said(f"{cell.name}: exact {rate(found.exact)}, approximate {rate(found.approximate[given])}")
            if (phi, between) == NAIVE:
                tables.naive.append(naive(cell, known, values, found.exact, rng))
    return list(tables.lines(seeds, count, lowest))


def into(path: Path, lines: list[str]) -> None:
    """Put the lines between the two marks of a document."""
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(START)
    after = rest.split(END)[1]
    path.write_text(f"{before}{START}\n\n" + "\n".join(lines) + f"\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for argument, value in (("--seeds", 2000), ("--seed", 20261122)):
        parser.add_argument(argument, type=int, default=value)
    parser.add_argument("--into", type=Path, help="document to put the tables into")
    chosen = parser.parse_args()
    made = report(chosen.seeds, chosen.seed) + guarantee_days.report(chosen.seeds, chosen.seed)
    print("\n".join(made))
    if chosen.into is not None:
        into(chosen.into, made)
