"""Regular fractional factorials, for independent factors whose numbers of levels are powers of one prime.

A run is a vector over the integers modulo the prime, and a factor of p^m levels is given by m independent
linear forms of it.  Resolution R means that the forms of any R - 1 factors together are independent:
then any R - 1 factors have every combination equally often, and a main effect is not aliased with
any interaction of fewer than R - 1 factors (Box, Hunter and Hunter, Statistics for Experimenters, 2nd edition,
chapter 6; for more than two levels Wu and Hamada, Experiments, 2nd edition, chapters 6 and 7).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from permutations.designs.encode import Encoded, encode
from permutations.designs.fields import prime_power
from permutations.designs.report import Chosen, DesignError
from permutations.designs.spec import DesignSpec
from permutations.designs.stream import Stream
from permutations.feasible.space import Space

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

Vector = tuple[int, ...]
MOST_RUNS = 4096
MOST_TRIES = 5_000
ALIASES_SHOWN = 12


def fractional(space: Space, spec: DesignSpec, seed: int) -> Chosen:
    """The smallest regular fraction found with the given resolution; the seed selects one of its cosets.

    Raises :class:`DesignError` if rules connect factors, or the numbers of levels are not powers of one prime.
    """
    encoded = encode(space)
    prime, exponents = _regular(encoded)
    forms = _forms(prime, exponents, spec.resolution)
    rows = _runs(prime, forms, Stream(seed, "fractional"))
    feasible = encoded.model.feasible()
    share = "the full factorial" if len(rows) == feasible else f"1/{feasible // len(rows)} of the full factorial"
    strength = min(spec.resolution - 1, len(encoded.names))
    guarantees = [
        f"{share}: any {strength} factors have every combination equally often (resolution {_roman(spec.resolution)})",
        *_aliasing(encoded.names, prime, forms),
    ]
    return Chosen(encoded.decode(rows), tuple(guarantees), {"resolution": spec.resolution, "runs": len(rows)})


def _regular(encoded: Encoded) -> tuple[int, list[int]]:
    """The prime, and the exponent of the number of levels of each factor."""
    other = 'choose design = "d-optimal", which needs no such thing'
    for group in encoded.model.groups:
        if len(group.columns) > 1:
            joined = " and ".join(encoded.names[column] for column in group.columns)
            raise DesignError(f"a fraction needs independent factors, but rules join {joined}: {other}")
    powers = [prime_power(count) for count in encoded.model.levels]
    primes = {power[0] for power in powers if power is not None}
    if None in powers or len(primes) > 1:
        counts = ", ".join(f"{name} {count}" for name, count in zip(encoded.names, encoded.model.levels, strict=True))
        raise DesignError(f"a fraction needs numbers of values that are powers of one prime, not {counts}: {other}")
    if not encoded.names:
        raise DesignError("nothing varies")
    return primes.pop(), [power[1] for power in powers if power is not None]


def _forms(prime: int, exponents: Sequence[int], resolution: int) -> list[tuple[Vector, ...]]:
    """The linear forms of each factor, in the fewest dimensions found."""
    order = sorted(range(len(exponents)), key=lambda n: -exponents[n])
    for dimension in range(max(exponents), sum(exponents) + 1):
        if prime**dimension > MOST_RUNS:
            break
        assignment = _Assignment(prime, dimension, resolution).of([exponents[n] for n in order])
        if assignment is not None:
            return [assignment[order.index(n)] for n in range(len(exponents))]
    raise DesignError(f"a fraction of resolution {resolution} has more than {MOST_RUNS} points", "resolution")


class _Assignment:
    """A depth-first search for forms, with a limit on the tries."""

    def __init__(self, prime: int, dimension: int, resolution: int) -> None:
        self._prime, self._dimension, self._reach = prime, dimension, resolution - 2
        zero = (0,) * dimension
        vectors = [vector for vector in itertools.product(range(prime), repeat=dimension) if vector != zero]
        # one of each set of multiples: units, then vectors with the most nonzero parts, which separate interactions
        leading = [vector for vector in vectors if next(part for part in vector if part) == 1]
        units = [vector for vector in leading if sum(map(bool, vector)) == 1]
        self._vectors = units[::-1] + sorted((v for v in leading if v not in units), key=lambda v: -sum(map(bool, v)))
        self._zero = zero
        self._tries = 0

    def of(self, exponents: Sequence[int]) -> list[tuple[Vector, ...]] | None:
        """Forms for factors with these exponents; None if the search fails."""
        self._tries = 0
        return self._from(list(exponents), [{self._zero}] * (self._reach + 1))

    def _from(self, exponents: list[int], sums: list[set[Vector]]) -> list[tuple[Vector, ...]] | None:
        """Forms for ``exponents``; ``sums[s]`` are the sums of vectors of up to s of the factors so far."""
        if not exponents:
            return []
        for forms in self._choices(exponents[0], sums[self._reach]):
            self._tries += 1
            if self._tries > MOST_TRIES:
                return None
            made = span(self._prime, forms)
            wider = [sums[0]] + [
                sums[s] | {add(self._prime, one, other) for one in sums[s - 1] for other in made}
                for s in range(1, self._reach + 1)
            ]
            rest = self._from(exponents[1:], wider)
            if rest is not None:
                return [forms, *rest]
        return None

    def _choices(self, exponent: int, taken: set[Vector]) -> Iterator[tuple[Vector, ...]]:
        """Sets of independent forms whose multiples and sums are not taken."""
        free = [vector for vector in self._vectors if vector not in taken]
        for forms in itertools.combinations(free, exponent):
            made = span(self._prime, forms)
            if len(made) == self._prime**exponent and not (made - {self._zero}) & taken:
                yield forms


def add(prime: int, one: Vector, other: Vector) -> Vector:
    """The sum of two vectors."""
    return tuple((a + b) % prime for a, b in zip(one, other, strict=True))


def span(prime: int, forms: Sequence[Vector]) -> set[Vector]:
    """All sums of multiples of ``forms``."""
    weights = itertools.product(range(prime), repeat=len(forms))
    columns = list(zip(*forms, strict=True))
    return {tuple(sum(w * part for w, part in zip(multipliers, column, strict=True)) % prime for column in columns)
            for multipliers in weights}  # fmt: skip


def _runs(prime: int, forms: Sequence[tuple[Vector, ...]], stream: Stream) -> Ints:
    """Every vector as a run: a level for each factor; a random constant shifts each form."""
    dimension = len(forms[0][0])
    vectors = np.array(list(itertools.product(range(prime), repeat=dimension)), dtype=np.int64)
    columns = []
    for factor_forms in forms:
        level = np.zeros(len(vectors), dtype=np.int64)
        for form in factor_forms:
            level = level * prime + (vectors @ np.array(form, dtype=np.int64) + stream.below(prime)) % prime
        columns.append(level)
    return np.stack(columns, axis=1)


def _aliasing(names: Sequence[str], prime: int, forms: Sequence[tuple[Vector, ...]]) -> list[str]:
    """Text on the main effects and interactions of two factors that are aliased."""
    zero = (0,) * len(forms[0][0])
    spans = [span(prime, factor_forms) - {zero} for factor_forms in forms]
    effects: dict[Vector, list[str]] = {}
    for number, name in enumerate(names):
        for vector in _leading(spans[number]):
            effects.setdefault(vector, []).append(name)
    for one, other in itertools.combinations(range(len(names)), 2):
        mixed = {add(prime, a, b) for a in spans[one] for b in spans[other]}
        for vector in _leading(mixed):
            effects.setdefault(vector, []).append(f"{names[one]} by {names[other]}")
    sets = sorted({tuple(dict.fromkeys(aliased)) for aliased in effects.values() if len(set(aliased)) > 1})
    if not sets:
        return ["no main effect or interaction of two factors is aliased with another"]
    shown = [" = ".join(aliased) for aliased in sets[:ALIASES_SHOWN]]
    more = [f"and {len(sets) - len(shown)} more aliased sets"] if len(sets) > len(shown) else []
    return [f"aliased, so that only their sum is seen: {aliased}" for aliased in shown] + more


def _leading(vectors: set[Vector]) -> list[Vector]:
    """One of the multiples of each vector: the one whose first nonzero part is 1."""
    return sorted(v for v in vectors if any(v) and next(part for part in v if part) == 1)


def _roman(resolution: int) -> str:
    return {3: "III", 4: "IV", 5: "V"}[resolution]
