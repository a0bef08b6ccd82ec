"""The tied set and the bound under thirteen kinds of noise, as the answer states them (``make validate``).

A sweep is right in its tied set where that holds a truly best point, and in its bound where the recommended
point's true figure *in these blocks* reaches it, which is what the answer says.  A cell may instead end in
refusals, or in answers that state an assumption; both are counted on their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import numpy.typing as npt

from results.estimates.diagnostics import refuse_systematic
from results.estimates.estimate import NoEvidenceError, fit
from results.estimates.intervals import with_intervals
from results.estimates.modes import modes_of_runs
from results.estimates.responses import Response
from results.estimates.shape import Shape
from results.recommendation.ranking import PointFacts, Terms, rank
from stripelab.settings import FACTOR_NAMES
from tests.validate.race import interval

Floats = npt.NDArray[np.float64]

KINDS = (
    "normal",
    "t, 3 df",
    "skew",
    "AR .8",
    "AR .95",
    "drift",
    "block shifts",
    "missing",
    "quantised",
    "one noisy point",
    "sd rising with the mean",
    "10 % bimodal",
    "rare stalls",
)
POINTS = (5, 20, 60)
BLOCKS = (2, 3, 5)
SD = 0.03
TRUE_SD = 0.03
BLOCK_SD = 0.05
DRIFT = 0.20
MISSING = 0.10
STEP = 0.02
NOISY = 5.0
MODE_SHARE, MODE_STEP = 0.10, np.log(0.7)
STALL_SHARE, STALL_STEP = 0.20, np.log(5.0)

PLAIN = Shape(
    trials=0,
    least_noise_pct=0,
    most_noise_pct=0,
    kurtosis=3,
    heavy_p=None,
    autocorrelation=0,
    autocorrelated_p=None,
)
"""Shape only chooses medians by ranks, which six trials of a point take; no cell has as many."""


@dataclass(frozen=True)
class Drawn:
    """Sweeps: log figures (seeds, blocks, places in run order), the point at each place, and the truth.

    ``truth`` (seeds, points) is the expected log figure of each point in the blocks that were run.
    """

    logs: Floats
    order: npt.NDArray[np.intp]
    present: npt.NDArray[np.bool_]
    truth: Floats
    maximise: bool


@dataclass(frozen=True)
class Tally:
    """What became of the sweeps of a cell, counts."""

    seeds: int
    refused: int
    assumed: int
    tied: int
    bound: int

    @property
    def answered(self) -> int:
        return self.seeds - self.refused

    @property
    def holds(self) -> bool:
        """Whether both rates are compatible with 0.95 and more."""
        return min(interval(self.tied, self.answered)[1], interval(self.bound, self.answered)[1]) >= 0.95


def draw(kind: str, points: int, blocks: int, seeds: int, seed: int = 20261129) -> Drawn:
    """Sweeps of a kind, all at once; every block in a fresh random order."""
    dice = np.random.default_rng([seed, KINDS.index(kind), points, blocks])
    shape = (seeds, blocks, points)
    means = dice.normal(0, TRUE_SD, (seeds, points))
    order = dice.permuted(np.broadcast_to(np.arange(points), shape), axis=2)
    noise, in_blocks = _noise(kind, dice, shape, means, order)
    logs = np.take_along_axis(np.broadcast_to(means[:, None], shape), order, axis=2) + noise
    if kind == "quantised":
        logs = np.log(np.round(np.exp(logs) / STEP) * STEP)
    present = np.ones(shape, dtype=bool)
    if kind == "missing":
        present = dice.random(shape) >= MISSING
    return Drawn(logs, order, present, means + in_blocks[:, None], maximise=kind != "rare stalls")


def _noise(
    kind: str, dice: np.random.Generator, shape: tuple[int, int, int], means: Floats, order: npt.NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Noise in run order, and what of it all points share on average over these blocks, (seeds,)."""
    seeds, blocks, points = shape
    nothing = np.zeros(seeds)
    normal = dice.normal(0, SD, shape)
    match kind:
        case "t, 3 df":
            return SD * dice.standard_t(3, shape) / np.sqrt(3), nothing
        case "skew":
            return SD * (1 - dice.exponential(1, shape)), nothing
        case "AR .8" | "AR .95":
            runs = _autoregressive(dice, float(kind[3:]), seeds, blocks * points).reshape(shape)
            return runs, runs.mean(axis=(1, 2))
        case "drift":
            slope = np.log1p(-DRIFT) * np.linspace(0, 1, blocks * points).reshape(blocks, points)
            return normal + slope, nothing + slope.mean()
        case "block shifts":
            shifts = dice.normal(0, BLOCK_SD, (seeds, blocks))
            return normal + shifts[:, :, None], shifts.mean(axis=1)
        case "one noisy point":
            return normal * np.where(order == 0, NOISY, 1.0), nothing
        case "sd rising with the mean":
            ranks = means.argsort(axis=1).argsort(axis=1) / (points - 1)
            scale = np.take_along_axis(np.broadcast_to(ranks[:, None], shape), order, axis=2)
            return normal * (0.5 + 2 * scale), nothing
        case "10 % bimodal":
            return normal + MODE_STEP * (dice.random(shape) < MODE_SHARE), nothing + MODE_SHARE * MODE_STEP
        case "rare stalls":
            return normal + STALL_STEP * (dice.random(shape) < STALL_SHARE), nothing + STALL_SHARE * STALL_STEP
    return normal, nothing


def _autoregressive(dice: np.random.Generator, phi: float, seeds: int, runs: int) -> Floats:
    found = dice.normal(0, SD, (seeds, runs))
    for run in range(1, runs):
        found[:, run] = phi * found[:, run - 1] + np.sqrt(1 - phi**2) * found[:, run]
    return found


def judge(drawn: Drawn, seed: int) -> tuple[bool, bool, bool, bool]:
    """One sweep through the code of the answer: refused, assumption stated, tied set right, bound right."""
    _, blocks, points = drawn.logs.shape
    figures = np.exp(drawn.logs[seed])
    runs = [
        Response(f"{block}-{place}", _name(int(drawn.order[seed, block, place])), block, block * points + place, value)
        for block in range(blocks)
        for place, value in enumerate(figures[block].tolist())
        if drawn.present[seed, block, place]
    ]
    try:
        refuse_systematic(runs)
        plain = fit(runs)
    except NoEvidenceError:
        return True, False, False, False
    if modes_of_runs(plain) is not None:
        return True, False, False, False
    model = with_intervals(plain, PLAIN)
    terms = Terms(maximise=drawn.maximise, margin_pct=0.0, confidence=0.95)
    among = range(len(model.points))
    found = rank(model, {name: _facts(name) for name in model.points}, among, title="", terms=terms)
    truth = drawn.truth[seed] * (1 if drawn.maximise else -1)
    tied = _name(int(truth.argmax())) in found.fastest_set
    if found.published is None:
        return False, model.assumption is not None, tied, True
    true = np.exp(drawn.truth[seed][int(found.recommended[1:])])
    holds = found.published.bound <= true if drawn.maximise else found.published.bound >= true
    return False, found.published.assumption is not None, tied, bool(holds)


def _name(point: int) -> str:
    return f"p{point:03d}"


def _facts(name: str) -> PointFacts:
    settings = dict.fromkeys(FACTOR_NAMES, "default") | {"level": "raid0", "disks": 4}
    return PointFacts(name, name, settings, "disk", 0, 1 << 40, None, ())


def tally(kind: str, points: int, blocks: int, seeds: int) -> Tally:
    """All sweeps of a cell."""
    drawn = draw(kind, points, blocks, seeds)
    refused, assumed, tied, bound = np.array([judge(drawn, seed) for seed in range(seeds)]).sum(axis=0).tolist()
    return Tally(seeds, refused, assumed, tied, bound)


def report(seeds: int, kinds: Sequence[str] = KINDS) -> list[str]:
    """The table of the documentation, as Markdown; the cells are computed on all CPUs."""
    cells = list(product(kinds, POINTS, BLOCKS))
    with ProcessPoolExecutor() as pool:
        tallies = pool.map(partial(_tally_cell, seeds=seeds), cells)
        return list(_lines(dict(zip(cells, tallies, strict=True))))


def _tally_cell(cell: tuple[str, int, int], seeds: int) -> Tally:
    return tally(*cell, seeds)


def _lines(cells: dict[tuple[str, int, int], Tally]) -> Iterator[str]:
    yield (
        f"{len(cells)} cells. Promised: 0.95 each; intervals by Clopper and Pearson (95 %), over the sweeps that have "
        'an answer. "Assumed": the share of answers that state an assumption.'
    )
    yield ""
    yield "| Noise | Points | Blocks | Sweeps | Refused | Assumed | Tied set has the best | Bound holds |"
    yield "|---|---|---|---|---|---|---|---|"
    for (kind, points, blocks), found in cells.items():
        of = found.answered
        shares = [f"{found.refused / found.seeds:.3f}", f"{found.assumed / of:.3f}" if of else "no answer"]
        rates = [_rate(hits, of) for hits in (found.tied, found.bound)]
        yield f"| {kind} | {points} | {blocks} | {found.seeds} | {' | '.join(shares + rates)} |"
    yield ""
    below = [cell for cell, found in cells.items() if found.answered and not found.holds]
    stated = [cell for cell in below if cells[cell].assumed == cells[cell].answered]
    yield (
        f"Cells in which a rate is shown to be below 0.95: {len(below)}; every answer states the assumption in "
        f"{len(stated)} of these."
    )


def _rate(hits: int, of: int) -> str:
    if not of:
        return "no answer"
    low, high = interval(hits, of)
    return f"{hits / of:.3f} ({low:.3f} to {high:.3f})"
