"""The linear model of a design: its terms, those that rules confound, and the aliases of omitted interactions."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from permutations.designs.encode import Encoded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

TOLERANCE = 1e-7
SHOWN = 8
WORTH_SAYING = 0.1
"""Minimum alias coefficient that is reported."""


@dataclass(frozen=True, eq=False)
class Terms:
    """The coefficients that the candidates can distinguish.

    ``basis`` (candidates by coefficients) has orthonormal columns; ``kept`` names the term of each, by the
    numbers of its factors; ``dropped`` are terms that lack at least one coefficient because rules confound them
    with others; ``interactions`` is whether the model has interactions.
    """

    basis: Floats
    kept: tuple[tuple[int, ...], ...]
    dropped: tuple[tuple[int, ...], ...]
    interactions: bool

    @property
    def count(self) -> int:
        """Number of coefficients, including the mean."""
        return len(self.kept)


def contrasts(rows: Ints, levels: int) -> Floats:
    """A column of levels as ``levels`` - 1 columns: one for each level but the first, which is -1 in all."""
    coded: Floats = (rows[:, None] == np.arange(1, levels)[None, :]).astype(np.float64)
    coded[rows == 0] = -1.0
    return coded


def term_columns(encoded: Encoded, rows: Ints, term: tuple[int, ...]) -> Floats:
    """The columns of the mean, a main effect or an interaction of two."""
    if not term:
        return np.ones((len(rows), 1))
    coded = [contrasts(rows[:, column], encoded.model.levels[column]) for column in term]
    if len(coded) == 1:
        return coded[0]
    return (coded[0][:, :, None] * coded[1][:, None, :]).reshape(len(rows), -1)


def terms_of(encoded: Encoded, rows: Ints, *, interactions: bool) -> Terms:
    """The model over the candidates ``rows``: each term without its projection on the terms before it."""
    count = len(encoded.names)
    listed: list[tuple[int, ...]] = [(), *((one,) for one in range(count))]
    if interactions:
        listed += list(itertools.combinations(range(count), 2))
    basis = np.zeros((len(rows), 0))
    kept: list[tuple[int, ...]] = []
    dropped: list[tuple[int, ...]] = []
    for term in listed:
        for column in term_columns(encoded, rows, term).T:
            rest = column - basis @ (basis.T @ column)
            rest -= basis @ (basis.T @ rest)  # again, against rounding (Gram and Schmidt, twice)
            length = float(np.linalg.norm(rest))
            if length <= TOLERANCE * max(1.0, float(np.linalg.norm(column))):
                dropped += [term] if term not in dropped else []
                continue
            basis = np.concatenate([basis, (rest / length)[:, None]], axis=1)
            kept.append(term)
    return Terms(basis, tuple(kept), tuple(dropped), interactions)


def alias_lines(encoded: Encoded, terms: Terms, chosen: Ints) -> list[str]:
    """Text on the terms that the model cannot distinguish, because of the rules or of the choice of points."""
    lines = []
    if terms.dropped:
        named = ", ".join(_named(encoded, term) for term in terms.dropped[:SHOWN])
        more = f" and {len(terms.dropped) - SHOWN} more" if len(terms.dropped) > SHOWN else ""
        lines.append(f"cannot be told apart from other terms, in part or whole, because of the rules: {named}{more}")
    if terms.interactions:
        return lines
    worst = _worst_aliases(encoded, terms, chosen)
    shown = [f"{_named(encoded, main)} with {_named(encoded, pair)} ({size:.2f})" for size, main, pair in worst[:SHOWN]]
    if shown:
        lines.append("main effects that an interaction would bias, and by how much of it at most: " + ", ".join(shown))
    return lines


def _worst_aliases(
    encoded: Encoded, terms: Terms, chosen: Ints
) -> list[tuple[float, tuple[int, ...], tuple[int, ...]]]:
    """Box and Wilson's alias matrix (X1'X1)^-1 X1'X2: the largest entry of each main effect and interaction.

    X1 is the model and X2 the interactions of two factors that it omits.
    """
    listed = list(dict.fromkeys(terms.kept))
    parts = [term_columns(encoded, chosen, term) for term in listed]
    owner = [term for term, part in zip(listed, parts, strict=True) for _ in range(part.shape[1])]
    model = np.concatenate(parts, axis=1)
    inverse = np.linalg.pinv(model)
    aliases = []
    for pair in itertools.combinations(range(len(encoded.names)), 2):
        bias = np.abs(inverse @ term_columns(encoded, chosen, pair)).max(axis=1)
        for column in sorted({term[0] for term in owner if term} - set(pair)):
            size = max(float(bias[n]) for n, term in enumerate(owner) if term == (column,))
            aliases.append((round(size, 4), (column,), pair))
    reported = [entry for entry in aliases if entry[0] >= WORTH_SAYING]
    return sorted(reported, key=lambda entry: (-entry[0], entry[1], entry[2]))


def _named(encoded: Encoded, term: tuple[int, ...]) -> str:
    return " by ".join(encoded.names[column] for column in term) or "the mean"
