"""D-optimal designs: the feasible points that estimate the coefficients of a model best.

Modified Fedorov exchange (Fedorov 1972, Theory of Optimal Experiments; Cook and Nachtsheim, Technometrics 22, 1980):
each chosen point in turn is exchanged for the candidate that increases the determinant of the information matrix most,
until no exchange increases it.  Exchanges end in local optima, so there are many starts, of which the best is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from permutations.designs.encode import Encoded, encode
from permutations.designs.linear import alias_lines, terms_of
from permutations.designs.report import Chosen, DesignError
from permutations.designs.spec import DesignSpec
from permutations.designs.stream import Stream
from permutations.feasible.space import Space

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

MOST_CANDIDATES = 8000
WORK = 100_000_000
"""Maximum candidates times the square of the coefficients: limits the time of one exchange."""

EXCHANGE_WORK = 20_000_000_000
"""Maximum multiplications in the exchanges of one start."""

MOST_PASSES = 100
MOST_STARTS = 120
START_WORK = 300_000_000
"""Candidates times coefficients times points of all starts: 30 and more up to 8000 candidates for 30 coefficients."""

GAIN = 1e-7
FINAL = 1e-6


def d_optimal(space: Space, spec: DesignSpec, seed: int) -> Chosen:
    """``spec.size`` distinct points; by default one for each coefficient, and a quarter or at least 4 more."""
    encoded = encode(space)
    if not encoded.names:
        raise DesignError("nothing varies")
    stream = Stream(seed, "d-optimal")
    kept = encoded.encode(spec.points)
    rows = _candidates(encoded, stream, kept)
    terms = terms_of(encoded, rows, interactions=spec.model == "interactions")
    if len(rows) * terms.count**2 > WORK:
        smaller = np.concatenate([kept, rows[len(kept) : max(WORK // terms.count**2, 2 * terms.count)]])
        rows = _distinct(smaller, encoded.model.levels)
        terms = terms_of(encoded, rows, interactions=spec.model == "interactions")
    size = _size(spec, terms.count, encoded.model.feasible(), len(rows), len(kept))
    best = search(terms.basis, size, len(kept), stream)
    chosen = rows[best.places]
    efficiency = round(float(np.exp(best.log_det / terms.count) * len(rows) / size) * 100, 1)
    guarantees = [
        f"{terms.count} coefficients ({_model_text(spec.model)}) can be estimated from {size} points",
        f"D-efficiency {efficiency} % of measuring every candidate point equally often",
        *alias_lines(encoded, terms, chosen),
    ]
    figures: dict[str, int | float | str] = {
        "model": spec.model,
        "coefficients": terms.count,
        "candidates": len(rows),
        "d_efficiency_percent": efficiency,
    }
    return Chosen(encoded.decode(chosen), tuple(guarantees), figures)


def _model_text(model: str) -> str:
    return "main effects" if model == "main" else "main effects and interactions of two factors"


def _size(spec: DesignSpec, coefficients: int, feasible: int, candidates: int, kept: int) -> int:
    """The size of the sweep or the default; raises :class:`DesignError` if it is not possible."""
    if spec.size is None:
        return min(coefficients + max(4, coefficients // 4) + kept, candidates)
    if spec.size < max(coefficients, kept):
        own = f"the file gives {kept} points"
        least = f"the model has {coefficients} coefficients" if coefficients >= kept else own
        raise DesignError(f"{spec.size} points are too few: {least}", "size")
    if spec.size > candidates:
        drawn = f"at most {candidates} are looked at"
        most = f"there are {feasible} feasible points" if candidates == feasible else drawn
        raise DesignError(f"{spec.size} points are too many: {most}", "size")
    return spec.size


def _candidates(encoded: Encoded, stream: Stream, kept: Ints) -> Ints:
    """Every feasible row, or :data:`MOST_CANDIDATES` random ones; the kept ones come first."""
    groups = encoded.model.groups
    if encoded.model.feasible() <= MOST_CANDIDATES:
        places = np.indices([len(group.rows) for group in groups]).reshape(len(groups), -1).T
    else:  # every row of every group is in some candidate
        places = np.stack(
            [np.resize(stream.shuffled(len(group.rows)), MOST_CANDIDATES)[stream.shuffled(MOST_CANDIDATES)]
             for group in groups], axis=1)  # fmt: skip
    rows = np.zeros((len(places), len(encoded.names)), dtype=np.int64)
    for number, group in enumerate(groups):
        rows[:, list(group.columns)] = group.rows[places[:, number]]
    return _distinct(np.concatenate([kept, rows]), encoded.model.levels)


def _distinct(rows: Ints, levels: tuple[int, ...]) -> Ints:
    """``rows`` without duplicates, in their order."""
    _, first = np.unique(rows.reshape(-1, len(levels)), axis=0, return_index=True)
    distinct: Ints = rows[np.sort(first)]
    return distinct


@dataclass(frozen=True, eq=False)
class Optimum:
    """The rows of a design, and the logarithm of the determinant of its information matrix."""

    places: Ints
    log_det: float
    final: bool
    """Whether the design is optimal: no variance exceeds that of D-optimal designs (Kiefer and Wolfowitz 1960)."""


def search(basis: Floats, size: int, kept: int, stream: Stream) -> Optimum:
    """The best of many starts; ``basis`` is orthonormal over the candidates, whose first ``kept`` rows stay."""
    starts = max(1, min(MOST_STARTS, START_WORK // (basis.size * size)))
    best = _Exchange(basis, size, kept, stream, 0).design()
    for start in range(1, starts):
        if best.final:
            break
        candidate = _Exchange(basis, size, kept, stream, start).design()
        if round(candidate.log_det, 6) > round(best.log_det, 6):
            best = candidate
    return best


class _Exchange:
    """One start and its exchanges."""

    def __init__(self, basis: Floats, size: int, kept: int, stream: Stream, start: int) -> None:
        self._basis, self._size, self._kept = basis, size, kept
        self._weights = np.ones(len(basis))  # the first start is greedy
        if start:  # every second one is nearly greedy, the others are nearly random
            drawn = stream.fractions(len(basis))
            self._weights = 0.5 + drawn if start % 2 else 0.05 + drawn**2

    def design(self) -> Optimum:
        places = self._start()
        if np.linalg.matrix_rank(self._basis[places]) < self._basis.shape[1]:
            raise DesignError("with the points of the file too few are left for the model: more are needed", "size")
        count, coefficients = self._basis.shape
        passes = EXCHANGE_WORK // (count * coefficients * (coefficients + self._size))
        for _ in range(max(1, min(passes, MOST_PASSES))):
            if not self._improve(places):
                break
        chosen = self._basis[places]
        information = chosen.T @ chosen
        variance = np.einsum("ij,ij->i", self._basis @ np.linalg.inv(information), self._basis)
        final = not self._kept and float(variance.max()) * self._size <= coefficients * (1 + FINAL)
        return Optimum(np.sort(places), float(np.linalg.slogdet(information)[1]), final)

    def _start(self) -> Ints:
        """The kept points, then those that add the most information."""
        chosen = list(range(self._kept))
        # a small multiple of the identity stands for unknown coefficients
        information = np.eye(self._basis.shape[1]) * 1e-6 + self._basis[chosen].T @ self._basis[chosen]
        inverse: Floats = np.linalg.inv(information).astype(np.float64)
        variance = np.einsum("ij,ij->i", self._basis @ inverse, self._basis)
        while len(chosen) < self._size:
            priority = np.round(variance * self._weights, 6)
            priority[chosen] = -1.0
            one = int(np.argmax(priority))
            chosen.append(one)
            inverse, variance = self._update(inverse, variance, one, 1)
        return np.array(chosen, dtype=np.int64)

    def _improve(self, places: Ints) -> bool:
        """Exchange each chosen point in turn, in place, if that increases the determinant; whether any was."""
        chosen = self._basis[places]
        inverse: Floats = np.linalg.inv(chosen.T @ chosen).astype(np.float64)
        variance: Floats = np.einsum("ij,ij->i", self._basis @ inverse, self._basis)
        exchanged = False
        for slot in range(self._kept, self._size):
            old = int(places[slot])
            across = self._basis @ (inverse @ self._basis[old])
            growth = variance * (1 - variance[old]) + across**2 - variance[old]
            growth[places] = -np.inf
            new = int(np.argmax(np.round(growth, 9)))  # so that ties are the same on every machine
            if growth[new] <= GAIN:
                continue
            inverse, variance = self._update(inverse, variance, new, 1)
            inverse, variance = self._update(inverse, variance, old, -1)
            places[slot] = new
            exchanged = True
        return exchanged

    def _update(self, inverse: Floats, variance: Floats, row: int, sign: int) -> tuple[Floats, Floats]:
        """Inverse and variances with one row added or removed (Sherman and Morrison 1950)."""
        direction = inverse @ self._basis[row]
        scale = sign / (1.0 + sign * float(self._basis[row] @ direction))
        return (
            inverse - scale * np.outer(direction, direction),
            variance - scale * (self._basis @ direction) ** 2,
        )
