"""Nights on synthetic truth: false regressions a year and power, through the code that judges real nights.

A metric is a series of nights, in units of the standard deviation of one: autocorrelated, with a weekly cycle, a
slow drift or two modes.  Where nothing of the software changed, whatever moves a night moves the baseline that is
measured beside it too, so the differences of pairs have mean 0; their standard deviation is that of a night, or
that of the difference of two such nights (:data:`NOISY_PAIR_SD`).

Beside it, on the same series: a gate of 5 %, and change points as ``ruptures`` finds them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import ruptures
from scipy import stats

from results.nightly.evidence import YEAR_NIGHTS, Z_NIGHTS, advanced, alarms, centre, flip_p_values, look, z_limit
from tests.validate.guarantee import into

Floats = npt.NDArray[np.float64]
Shape = Callable[[np.random.Generator, Floats], Floats]

BASELINE, METRICS, YEAR = Z_NIGHTS, 40, YEAR_NIGHTS
CV = 0.025
"""Of a night, where a gate or a margin in per cent is looked at."""
GATE = 0.05
PAIR_SD, NOISY_PAIR_SD = 1.0, 2**0.5
FALSE_A_YEAR = 0.02
REACHED = {(1.0, 7): 0.34, (1.0, 30): 0.92, (2.0, 7): 0.99, (3.0, 1): 0.66}
"""Power of 12 pairs at 1/256 in an independent simulation of the same screen, nights without autocorrelation."""
SHIFTS = (1.0, 1.5, 2.0, 3.0)
PHIS = (0.0, 0.3, 0.6)
WITHIN = (1, 7, 30)
ROUNDING = 0.005


def _plain(_: np.random.Generator, series: Floats) -> Floats:
    return series


def _weekly(dice: np.random.Generator, series: Floats) -> Floats:
    """A swing of one standard deviation over seven nights, each metric's beginning on its own day."""
    days = np.arange(series.shape[1]) + dice.integers(0, 7, (len(series), 1))
    return series + np.sin(2 * np.pi * days / 7)


def _drift(_: np.random.Generator, series: Floats) -> Floats:
    """Three standard deviations worse over the year after the baseline."""
    nights = np.arange(series.shape[1]) - BASELINE
    return series + 3.0 * np.maximum(0, nights) / YEAR


def _modes(dice: np.random.Generator, series: Floats) -> Floats:
    """A night in ten is five standard deviations worse."""
    return series + 5.0 * (dice.random(series.shape) < 0.1)


SHAPES: Mapping[str, Shape] = {"steady": _plain, "weekly cycle": _weekly, "slow drift": _drift, "two modes": _modes}


@dataclass(frozen=True)
class Year:
    """What came of m metrics over n nights after the baseline: counts, and the night of the first verdict or -1."""

    looks: npt.NDArray[np.int64]
    verdicts: npt.NDArray[np.int64]
    found: npt.NDArray[np.int64]


def nights(dice: np.random.Generator, metrics: int, count: int, phi: float, shape: str) -> Floats:
    """(metrics, baseline and ``count`` nights) larger is worse; an AR(1) of standard deviation 1, shaped."""
    noise = dice.normal(size=(metrics, BASELINE + count)) * np.sqrt(1 - phi**2)
    series = np.empty_like(noise)
    series[:, 0] = dice.normal(size=metrics)
    for night in range(1, series.shape[1]):
        series[:, night] = phi * series[:, night - 1] + noise[:, night]
    return SHAPES[shape](dice, series)


def judged(dice: np.random.Generator, series: Floats, begins: int, shift: float, pair_sd: float = PAIR_SD) -> Year:
    """Screen and confirm night by night; from night ``begins`` after the baseline all is worse by ``shift``."""
    metrics, count = len(series), series.shape[1] - BASELINE
    centres = np.array([centre(CV * each) for each in series[:, :BASELINE]]) / CV
    mean, spread = centres.T
    sums = np.zeros(metrics)
    looked = np.zeros((metrics, count), dtype=bool)
    verdicts, found = np.zeros(metrics, dtype=np.int64), np.full(metrics, -1)
    for night in range(count):
        moved = shift if night >= begins else 0.0
        z = (series[:, BASELINE + night] + moved - mean) / spread
        sums = advanced(sums, z)
        suspicious = np.flatnonzero(alarms(sums, z, z_limit(BASELINE)))
        if not len(suspicious):
            continue
        earlier = looked[suspicious, max(0, night - YEAR + 1) : night].sum(axis=1)
        confirmed = _confirmed(dice, earlier, moved, pair_sd)
        taken = suspicious[confirmed >= 0]
        looked[taken, night] = True
        sums[taken] = 0.0
        hit = suspicious[confirmed == 1]
        verdicts[hit] += 1
        if night >= begins:
            found[hit] = np.where(found[hit] < 0, night - begins, found[hit])
    return Year(looked.sum(axis=1), verdicts, found)


def _confirmed(
    dice: np.random.Generator, earlier: npt.NDArray[np.int64], shift: float, pair_sd: float
) -> npt.NDArray[np.int64]:
    """For each suspicious metric 1 where its pairs confirm, 0 where not, -1 where the year's looks are spent."""
    answers = np.full(len(earlier), -1)
    for count in np.unique(earlier):
        mine, taken = earlier == count, look(int(count))
        if taken is not None:
            pairs = dice.normal(shift, pair_sd, (int(mine.sum()), taken.pairs))
            answers[mine] = flip_p_values(pairs) <= taken.level
    return answers


def gated(series: Floats) -> npt.NDArray[np.int64]:
    """Alarms of a fixed gate: nights more than 5 % worse than the baseline's mean."""
    change = CV * (series[:, BASELINE:] - series[:, :BASELINE].mean(axis=1, keepdims=True))
    found: npt.NDArray[np.int64] = (change > GATE).sum(axis=1)
    return found


def ruptured(series: Floats) -> npt.NDArray[np.int64]:
    """Changes for the worse that ``ruptures`` sees when the year is over: PELT on the mean, with the penalty of BIC."""
    counts = []
    for row in series:
        penalty = 2 * np.log(len(row)) * row[:BASELINE].var(ddof=1)
        ends = ruptures.KernelCPD(kernel="linear", min_size=7).fit(row[:, None]).predict(pen=penalty)
        parts = np.split(row, ends[:-1])
        counts.append(sum(b.mean() > a.mean() for a, b in pairwise(parts)))
    return np.asarray(counts)


def poisson(events: int, years: float) -> str:
    """A rate per metric and year with its exact 95 % interval (Garwood 1936, Biometrika 28, 437-442)."""
    low = float(stats.chi2.ppf(0.025, 2 * events)) / 2 if events else 0.0
    high = float(stats.chi2.ppf(0.975, 2 * events + 2)) / 2
    return f"{events / years:.4f} ({low / years:.4f} to {high / years:.4f})"


def quiet_table(seeds: int, seed: int = 1) -> tuple[list[str], list[str]]:
    """Years in which nothing changed, and the lines that break the bound for certain."""
    lines = [
        "| Nights | φ | looks | **false regressions** (95 %) | changes by `ruptures` | alarms of a 5 % gate |",
        "|---|---|---|---|---|---|",
    ]
    wrong = []
    for shape in SHAPES:
        for phi in PHIS:
            dice = np.random.default_rng([seed, list(SHAPES).index(shape), int(10 * phi)])
            series = nights(dice, METRICS * seeds, YEAR, phi, shape)
            year = judged(dice, series, YEAR, 0.0)
            some = series[: METRICS * min(seeds, 10)]
            false = int(year.verdicts.sum())
            lines.append(
                f"| {shape} | {phi:g} | {year.looks.mean():.1f} | {poisson(false, len(series))} | "
                f"{ruptured(some).mean():.2f} | {gated(series).mean():.1f} |"
            )
            if false > FALSE_A_YEAR * len(series):
                wrong.append(f"more than {FALSE_A_YEAR} false regressions a metric-year: {lines[-1]}")
    return lines, wrong


def power_table(
    seeds: int, *, quiet_nights: int = 0, pair_sd: float = PAIR_SD, phis: tuple[float, ...] = PHIS, seed: int = 2
) -> tuple[list[str], list[str]]:
    """Found by the first, seventh and thirtieth night, where a change stays; and what falls short."""
    lines = ["| Worse by | φ | first night | within 7 | within 30 |", "|---|---|---|---|---|"]
    short = []
    for shift in SHIFTS:
        for phi in phis:
            dice = np.random.default_rng([seed, int(10 * shift), int(10 * phi), quiet_nights])
            series = nights(dice, METRICS * seeds, quiet_nights + 30, phi, "steady")
            found = judged(dice, series, quiet_nights, shift, pair_sd).found
            shares = {within: float(((found >= 0) & (found < within)).mean()) for within in WITHIN}
            lines.append(
                f"| {shift:g} sd | {phi:g} | " + " | ".join(f"{share:.1%}" for share in shares.values()) + " |"
            )
            short += [
                f"{shift:g} sd found within {within}: {share:.3f} of {REACHED[shift, within]}"
                for within, share in shares.items()
                if phi == 0 and share < REACHED.get((shift, within), 0.0) - ROUNDING
            ]
    return lines, short


def report(seeds: int) -> tuple[list[str], list[str]]:
    """Every table, as the document has them, and what is not as it must be."""
    quiet, wrong = quiet_table(seeds)
    power, short = power_table(seeds)
    told = (
        f"{METRICS} metrics x {YEAR} nights x {seeds} seeds: {METRICS * seeds:,} metric-years in each line.  sd is the "
        f"standard deviation of a night, {CV:.1%} where the gate is in per cent; `ruptures` on the first "
        f"{METRICS * min(seeds, 10):,}.  All figures per metric and year; the practical margin is left out, which "
        "takes most of the false regressions that are here."
    )
    lines = [
        told,
        "",
        *quiet,
        "",
        "A change right after the baseline:",
        "",
        *power,
        "",
        "A change after 120 quiet nights, some of whose looks are spent:",
        "",
        *power_table(seeds, quiet_nights=120)[0],
        "",
        "A change right after the baseline, where the differences of pairs scatter by √2 sd:",
        "",
        *power_table(seeds, pair_sd=NOISY_PAIR_SD, phis=(0.0,))[0],
    ]
    return lines, wrong + short


def main() -> None:
    """Print the tables; end with status 1 where a rate or a power is not what is promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--into", type=Path, help="document to put the tables into")
    chosen = parser.parse_args()
    lines, wrong = report(chosen.seeds)
    print("\n".join(lines))
    if chosen.into is not None:
        into(chosen.into, lines)
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
