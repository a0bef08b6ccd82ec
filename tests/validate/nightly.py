"""False alarms and power of nightly verdicts on synthetic truth (``make validate``).

A metric-year is 60 nights of a baseline and 305 nights after it.  Nights are autocorrelated (AR(1) with phi), on top of
a weekly cycle, a slow drift or two modes; one standard deviation of a night is one of a run, 2 % of the figure.  The
screen runs on all of them at once here (a test holds it to the code that real nights run); pairs are drawn fresh at
each alarm, and get that code's sign-flip test and interval.

Beside it, on the same series: a gate of 5 %, and change points as ``ruptures`` finds them.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import stats

from results.nightly import evidence
from tests.validate.guarantee import into

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

PHIS = (0.0, 0.3, 0.6)
METRICS, NIGHTS, BASELINE = 40, 365, 60
SD = 0.02
GATE = 0.05
SHIFTS = (1.0, 1.5, 2.0, 3.0)
FACTS = {(1.0, 7): 0.34, (1.0, 30): 0.92, (2.0, 7): 0.99, (3.0, 1): 0.66}
"""Power of the method in an independent simulation, iid nights: what is to be reached."""

WITHIN = (1, 7, 30)
CHUNK = 4000
RUPTURES_SERIES = 40
SIGNS: Floats = np.array(list(itertools.product((1.0, -1.0), repeat=evidence.PAIRS)))


def weekly(nights: Floats, _: np.random.Generator) -> Floats:
    """Half a standard deviation up and down over seven nights."""
    return 0.5 * np.sin(2 * np.pi * nights / 7)


def drifting(nights: Floats, _: np.random.Generator) -> Floats:
    """Down by two standard deviations in a year: 4 % of the figure, as a disk that fills up."""
    return -2.0 * nights / NIGHTS


def two_modes(nights: Floats, rng: np.random.Generator) -> Floats:
    """One night in ten, two standard deviations below."""
    return np.where(rng.random(nights.shape) < 0.1, -2.0, 0.0)


SHAPES: dict[str, Callable[[Floats, np.random.Generator], Floats]] = {
    "nothing else": lambda nights, _: np.zeros_like(nights),
    "weekly cycle": weekly,
    "slow drift": drifting,
    "two modes": two_modes,
}


def draw(count: int, phi: float, shape: str, rng: np.random.Generator) -> Floats:
    """(count, NIGHTS) values in standard deviations of a night, stationary but for the shape."""
    steps = rng.normal(0, np.sqrt(1 - phi**2), (count, NIGHTS))
    steps[:, 0] /= np.sqrt(1 - phi**2)
    values = np.empty_like(steps)
    values[:, 0] = steps[:, 0]
    for night in range(1, NIGHTS):
        values[:, night] = phi * values[:, night - 1] + steps[:, night]
    nights = np.broadcast_to(np.arange(NIGHTS, dtype=np.float64), values.shape)
    return values + SHAPES[shape](nights, rng)


@dataclass
class Found:
    """Over all metric-years: alarms of the screen on the worse side, and the first night confirmed (NIGHTS: never)."""

    screens: int
    verdicts: int
    beyond_margin: int
    first: npt.NDArray[np.int64]


def watch(values: Floats, rng: np.random.Generator, shift: float = 0.0, since: int = NIGHTS) -> Found:
    """Screen every night after the baseline, confirm each alarm; more is better, ``shift`` is downwards."""
    tonight = np.where(np.arange(NIGHTS) >= since, shift, 0.0)
    values = values - tonight
    count = len(values)
    mean, spread = baselines(values[:, :BASELINE])
    power = since < NIGHTS
    worse, better = np.zeros(count), np.zeros(count)
    found = Found(0, 0, 0, np.full(count, NIGHTS))
    for night in range(BASELINE, NIGHTS):
        z = (mean - values[:, night]) / spread
        worse = np.maximum(0, worse + z - evidence.CUSUM_SLACK)
        better = np.maximum(0, better - z - evidence.CUSUM_SLACK)
        on_worse = (z > evidence.Z_LIMIT) | (worse > evidence.CUSUM_LIMIT)
        alarm = on_worse | (z < -evidence.Z_LIMIT) | (better > evidence.CUSUM_LIMIT)
        asked = np.flatnonzero(on_worse & (found.first == NIGHTS) if power else on_worse)
        confirmed, beyond = confirmed_by_pairs(len(asked), tonight[night], rng)
        found.screens += len(asked)
        found.verdicts += int(confirmed.sum())
        found.beyond_margin += int((confirmed & beyond).sum())
        hit = asked[confirmed]
        found.first[hit] = np.minimum(found.first[hit], night)
        worse[alarm], better[alarm] = 0.0, 0.0
    return found


def baselines(nights: Floats) -> tuple[Floats, Floats]:
    """Mean and spread of each baseline, as the screen has them."""
    each = [evidence.typical(SD * series) / SD for series in nights]
    mean = np.array([series.mean() for series in each])
    return mean, np.array([series.std(ddof=1) * np.sqrt(1 + 1 / len(series)) for series in each])


def confirmed_by_pairs(count: int, shift: float, rng: np.random.Generator) -> tuple[Flags, Flags]:
    """For so many alarms: whether 12 fresh pairs confirm it, and whether their interval excludes the margin."""
    differences = rng.normal(-shift, np.sqrt(2), (count, evidence.PAIRS))
    observed = -differences.sum(axis=1)
    p_values = np.ones(count)
    fallen = np.flatnonzero(observed > 0)  # of the others at least half of the patterns are as large
    for part in (fallen[place : place + 256] for place in range(0, len(fallen), 256)):
        p_values[part] = (observed[part] - 1e-9 <= SIGNS @ -differences[part].T).mean(axis=0)
    half = differences.std(axis=1, ddof=1) / np.sqrt(evidence.PAIRS)
    high = differences.mean(axis=1) + half * stats.t.ppf((1 + evidence.CONFIDENCE) / 2, evidence.PAIRS - 1)
    return p_values <= evidence.SIGNIFICANCE, SD * high < np.log1p(-GATE)


def rate(events: int, years: float) -> str:
    """Events a metric-year with the exact 95 % interval of a Poisson count (Garwood 1936, Biometrika 28, 437)."""
    low = stats.chi2.ppf(0.025, 2 * events) / 2 if events else 0.0
    high = stats.chi2.ppf(0.975, 2 * events + 2) / 2
    return f"{events / years:.4f} ({low / years:.4f} to {high / years:.4f})"


def false_alarms(seeds: int, rng: np.random.Generator) -> Iterator[tuple[str, float]]:
    """A row of the table for each truth, with the upper end of the rate."""
    after_years = METRICS * seeds * (NIGHTS - BASELINE) / 365
    for phi, shape in itertools.product(PHIS, SHAPES):
        screens = verdicts = beyond = gate = 0
        sample: list[Floats] = []
        for count in _chunks(METRICS * seeds):
            values = draw(count, phi, shape, rng)
            found = watch(values, rng)
            screens, verdicts = screens + found.screens, verdicts + found.verdicts
            beyond += found.beyond_margin
            gate += gated(values)
            sample.append(values[: max(1, RUPTURES_SERIES * count // (METRICS * seeds))])
        split = np.concatenate(sample)
        row = (
            f"| {phi} | {shape} | {screens / after_years:.1f} | {rate(verdicts, after_years)} "
            f"| {rate(beyond, after_years)} | {gate / after_years:.1f} | {split_by_ruptures(split):.1f} |"
        )
        yield row, verdicts / after_years


def gated(values: Floats) -> int:
    """Nights more than 5 % below the mean of the baseline."""
    mean = values[:, :BASELINE].mean(axis=1, keepdims=True)
    return int((SD * (values[:, BASELINE:] - mean) < np.log1p(-GATE)).sum())


def split_by_ruptures(values: Floats) -> float:
    """Change points a metric-year that ruptures finds: exact segmentation by PELT, squared error, the penalty of the BIC (2 log n)."""
    import ruptures

    found = 0
    for series in values:
        scaled = series / series[:BASELINE].std(ddof=1)
        ends = ruptures.KernelCPD(kernel="linear", min_size=2).fit(scaled).predict(pen=2 * np.log(NIGHTS))
        found += len(ends) - 1
    return found / len(values)


def power(seeds: int, rng: np.random.Generator) -> Iterator[tuple[str, list[str]]]:
    """A row for each phi and shift, and what falls short of the facts."""
    for phi, shift in itertools.product(PHIS, SHIFTS):
        first: list[npt.NDArray[np.int64]] = []
        begin = 200
        values = draw(METRICS * seeds, phi, "nothing else", rng)
        first.append(watch(values, rng, shift, begin).first)
        nights = np.concatenate(first)
        fair = nights[nights >= begin]
        reached = {within: float((fair < begin + within).mean()) for within in WITHIN}
        cells = " | ".join(f"{reached[within]:.2f}" for within in WITHIN)
        short = [
            f"{shift} sigma by night {within}: {reached[within]:.3f} < {wanted}"
            for (wanted_shift, within), wanted in FACTS.items()
            if (phi, wanted_shift) == (0.0, shift) and reached[within] < wanted - 0.01
        ]
        yield f"| {phi} | {shift} | {cells} |", short


def _chunks(total: int) -> Sequence[int]:
    return [min(CHUNK, total - place) for place in range(0, total, CHUNK)]


_HEADERS = (
    "| phi | besides | screens | confirmed by pairs | … and beyond the 5 % margin: false regressions "
    "| nights a 5 % gate fails | change points (ruptures) |"
)
_POWER = (
    "Power: share of series in which a drop is confirmed within so many nights (sd: standard deviation of a night; the "
    "margin is left out, since whether a drop exceeds it is not chance)."
)


def report(seeds: int) -> tuple[list[str], list[str]]:
    """The lines of both tables, and everything that is not as it must be."""
    rng = np.random.default_rng(20261124)
    years = METRICS * seeds
    told = (
        f"{METRICS} metrics, {seeds:,} seeds: {years:,} series a row, each {BASELINE} nights of a baseline and "
        f"{NIGHTS - BASELINE} after it; nothing changes in any of them but what the row says. Events a metric-year, "
        "95 % intervals (Garwood 1936)."
    )
    lines = [
        told,
        "",
        _HEADERS,
        "|---|---|---|---|---|---|---|",
    ]
    wrong = []
    for row, events in false_alarms(seeds, rng):
        lines.append(row)
        if events > 0.02:
            wrong.append(f"more than 0.02 false verdicts a metric-year: {row}")
    lines += [
        "",
        _POWER,
        "",
        "| phi | drop, sd | 1 night | 7 nights | 30 nights |",
        "|---|---|---|---|---|",
    ]
    for row, short in power(max(10, seeds // 5), rng):
        lines.append(row)
        wrong += short
    return lines, wrong


def main() -> None:
    """Print the tables; end with status 1 where a rate or a power is not what is promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--into", type=Path)
    asked = parser.parse_args()
    lines, wrong = report(asked.seeds)
    print("\n".join(lines))
    if asked.into is not None:
        into(asked.into, lines)
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
