"""Guarantees where days differ: how often the printed sentence is true (part of ``make validate``).

Days deviate by 3 % and the runs of a day by 1 %.  Every seed draws a campaign of days, the code of a guarantee writes
its sentence, and the figures in that sentence are held against 200,000 future days, or further runs of the same day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import numpy.typing as npt

from results.guarantee import bounds
from results.guarantee.answer import Bound
from results.guarantee.synthetic import Truth, day_levels, shaped
from results.guarantee.wording import statement
from results.statistics.exchange import LEVEL, trend_over_days
from results.statistics.persistence import ASSUMED
from tests.validate.race import interval

Floats = npt.NDArray[np.float64]

DAYS = (6, 10, 20, 60)
RUNS = ((1, 1), (3, 3), (20, 20), (2, 5))
"""Fewest and most runs of a day."""
SHAPES = ("normal", "lognormal")
PHIS = (0.0, 0.3, 0.6)
BETWEEN_DAYS, BETWEEN_RUNS = 0.03, 0.01
RUNS_OF_ONE_DAY = (5, 20, 59)
CONFIDENCE = 0.95
SHARE = 0.99
FUTURE = 200_000
_LEVEL_IOPS = 100_000.0
_STEP = 10_000
_SEED = 20261129


@dataclass(frozen=True)
class Cell:
    """One truth, so many days, and how many runs a day has."""

    truth: Truth
    days: int
    runs: tuple[int, int]

    @property
    def runs_words(self) -> str:
        fewest, most = self.runs
        return str(fewest) if fewest == most else f"{fewest} to {most}"

    @property
    def name(self) -> str:
        return f"{self.truth.shape}, phi {self.truth.day_phi}, {self.days} days of {self.runs_words} runs"


@dataclass(frozen=True)
class Scored:
    """Of the seeds: how many sentences were printed and how many of those are true; the median of P."""

    printed: int
    true: int
    seeds: int
    coverage: float

    @property
    def rate(self) -> float:
        return self.true / max(1, self.printed)

    def words(self) -> str:
        low, high = interval(self.true, self.printed)
        return f"{self.rate:.3f} ({low:.3f} to {high:.3f})"


def truth_of(shape: str, phi: float) -> Truth:
    return Truth(shape, between=BETWEEN_RUNS, between_days=BETWEEN_DAYS, day_phi=phi)


def cells() -> Iterator[Cell]:
    for shape, phi, days, runs in product(SHAPES, PHIS, DAYS, RUNS):
        yield Cell(truth_of(shape, phi), days, runs)


def figures(rng: np.random.Generator, truth: Truth, levels: Floats, runs: int) -> Floats:
    """The figures of ``runs`` runs of each day, in a last axis of their own."""
    noise = shaped(truth.shape, rng.standard_normal((*levels.shape, runs)))
    return np.asarray(_LEVEL_IOPS * levels[..., None] * (1 + truth.between * noise), dtype=np.float64)


@cache
def future_days(shape: str, runs: int, count: int) -> Floats:
    """The worst of so many runs on each of many days, sorted; how days are correlated changes no share."""
    rng, truth = np.random.default_rng([_SEED, SHAPES.index(shape), runs]), truth_of(shape, 0.0)
    parts = [
        figures(rng, truth, day_levels(rng, truth, 1, min(_STEP, count - start))[:, 0], runs).min(axis=-1)
        for start in range(0, count, _STEP)
    ]
    return np.sort(np.concatenate(parts))


def is_true(sentence: str, future: Floats) -> bool:
    """Whether the share in the sentence reaches the figure in it."""
    (share,) = re.findall(r"a share P = (\d\.\d+) of", sentence)
    (figure,) = re.findall(r"at least ([\d,]+) IOPS", sentence)
    kept = 1 - np.searchsorted(future, float(figure.replace(",", "")), side="left") / len(future)
    return bool(kept >= float(share))


def trending(worst: Sequence[float], means: Sequence[float]) -> bool:
    """Whether a guarantee is refused for a trend from day to day, as :func:`results.guarantee.checks.of_order` does."""
    return any(trend_over_days(each, LEVEL / 2, ASSUMED) is not None for each in (worst, means))


def by_days(cell: Cell, seeds: int, rng: np.random.Generator, future: int = FUTURE) -> Scored:
    """Campaigns of several days, and what is printed of them."""
    fewest, most = cell.runs
    known = {runs: future_days(cell.truth.shape, runs, future) for runs in range(fewest, most + 1)}
    levels = day_levels(rng, cell.truth, cell.days, seeds)
    made: list[tuple[Bound, bool]] = []
    for drawn in figures(rng, cell.truth, levels, most):
        counts = rng.integers(fewest, most + 1, cell.days)
        runs = [row[:count] for row, count in zip(drawn, counts, strict=True)]
        worst, means = ([float(each) for each in map(take, runs)] for take in (np.min, np.mean))
        if trending(worst, means):
            continue
        bound = bounds.of_days(worst, [len(row) for row in runs], at_least=True, coverage=None, confidence=CONFIDENCE)
        sentence = statement(bound, "iops", SHARE, None, None)
        made.append((bound, is_true(sentence, known[bound.runs_a_day])))
    coverage = float(np.median([bound.coverage for bound, _ in made]))
    return Scored(len(made), sum(true for _, true in made), seeds, coverage)


def one_day(shape: str, runs: int, seeds: int, rng: np.random.Generator) -> tuple[Scored, Scored]:
    """Campaigns of one day: the sentence limited to it, and the same figures taken for a promise on all days."""
    truth = truth_of(shape, 0.0)
    same = np.sort(figures(rng, truth, np.ones(FUTURE // 10), 1)[:, 0]) / _LEVEL_IOPS
    others = future_days(shape, 1, FUTURE)
    levels = day_levels(rng, truth, 1, seeds)
    limited = general = 0
    for level, drawn in zip(levels[:, 0], figures(rng, truth, levels, runs)[:, 0], strict=True):
        bound = bounds.of_runs(drawn.tolist(), at_least=True, coverage=None, confidence=CONFIDENCE)
        sentence = statement(bound, "iops", SHARE, None, "2026-03-04")
        limited += is_true(sentence, same * level * _LEVEL_IOPS)
        general += is_true(sentence, others)
    return Scored(seeds, limited, seeds, bound.coverage), Scored(seeds, general, seeds, bound.coverage)


def report(seeds: int, seed: int, said: Callable[[str], None] = print, future: int = FUTURE) -> list[str]:
    """Every cell; the lines of the documentation."""
    rows, lowest = [], 1.0
    for number, cell in enumerate(cells()):
        scored = by_days(cell, seeds, np.random.default_rng([seed, number]), future)
        said(f"{cell.name}: {scored.words()}, P {scored.coverage:.3f}, printed {scored.printed / seeds:.2f}")
        rows.append(
            f"| {cell.truth.shape} | {cell.truth.day_phi:g} | {cell.days} | {cell.runs_words} | {scored.coverage:.3f} "
            f"| {scored.words()} | {1 - scored.printed / seeds:.3f} |"
        )
        lowest = min(lowest, scored.rate)
    single = []
    for number, (shape, runs) in enumerate(product(SHAPES, RUNS_OF_ONE_DAY)):
        limited, general = one_day(shape, runs, seeds, np.random.default_rng([seed, 1000 + number]))
        said(f"{shape}, one day of {runs} runs: limited {limited.words()}, taken for all days {general.words()}")
        single.append(f"| {shape} | {runs} | {limited.coverage:.3f} | {limited.words()} | {general.words()} |")
    above = (
        f"Days that differ by 3 %, runs of a day by 1 %; {len(rows)} cells, {seeds:,} campaigns in each. Correlation "
        "is that of a day with the one before it. Scored is the printed sentence, figure and share as printed; "
        f"campaigns in which a trend is found print none. The lowest rate of any cell is {lowest:.3f}."
    )
    below = (
        "All runs on one such day: the sentence limited to that day, and what became of it if it were taken for all "
        "days, which is refused:"
    )
    return [
        "",
        above,
        "",
        "| Days are | Correlation | Days | Runs a day | P (median) | How often the sentence is true | Refused |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        below,
        "",
        "| Days are | Runs | P | Limited to the day | Taken for all days |",
        "|---|---|---|---|---|",
        *single,
    ]
