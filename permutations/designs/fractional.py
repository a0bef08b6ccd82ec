"""Regular fractional factorials, for independent factors whose numbers of levels are powers of one prime.

A run is a vector over the integers modulo the prime, and a factor of p^m levels reads m independent
linear forms of it.  Resolution R means that the forms of any R - 1 factors together are independent:
then any R - 1 factors have every combination equally often, and a main effect is mixed with no
interaction of fewer than R - 1 factors (Box, Hunter and Hunter, Statistics for Experimenters, 2nd edition,
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
    """The smallest regular fraction found of the resolution that is asked for; the seed says which of its cosets.

    Raises :class:`DesignError` where rules join factors, or the levels are not powers of one prime.
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
    return Chosen(encoded.decoded(rows), tuple(guarantees), {"resolution": spec.resolution, "runs": len(rows)})


def _regular(encoded: Encoded) -> tuple[int, list[int]]:
    """The prime, and the exponent of each factor's number of levels."""
    other = 'choose design = "d-optimal", which needs no such thing'
    for group in encoded.model.groups:
        if len(group.columns) > 1:
            joined = " and ".join(encoded.names[column] for column in group.columns)
            raise DesignError(f"a fraction needs independent factors, but rules join {joined}: {other}")
    powers = [prime_power(count) for count in encoded.model.levels]
    primes = {power[0] for power in powers if power is not None}
    if None in powers or len(primes) > 1:
        said = ", ".join(f"{name} {count}" for name, count in zip(encoded.names, encoded.model.levels, strict=True))
        raise DesignError(f"a fraction needs numbers of values that are powers of one prime, not {said}: {other}")
    if not encoded.names:
        raise DesignError("nothing varies")
    return primes.pop(), [power[1] for power in powers if power is not None]


def _forms(prime: int, exponents: Sequence[int], resolution: int) -> list[tuple[Vector, ...]]:
    """For each factor its linear forms, in the fewest dimensions found."""
    order = sorted(range(len(exponents)), key=lambda n: -exponents[n])
    for dimension in range(max(exponents), sum(exponents) + 1):
        if prime**dimension > MOST_RUNS:
            break
        found = _Assignment(prime, dimension, resolution).of([exponents[n] for n in order])
        if found is not None:
            return [found[order.index(n)] for n in range(len(exponents))]
    raise DesignError(f"a fraction of resolution {resolution} has more than {MOST_RUNS} points", "resolution")


class _Assignment:
    """A depth-first search for forms, with a bound on the tries."""

    def __init__(self, prime: int, dimension: int, resolution: int) -> None:
        self._prime, self._dimension, self._reach = prime, dimension, resolution - 2
        zero = (0,) * dimension
        vectors = [vector for vector in itertools.product(range(prime), repeat=dimension) if vector != zero]
        # the units first; then those that mix the most, which keeps low interactions apart; each up to a multiple
        leading = [vector for vector in vectors if next(part for part in vector if part) == 1]
        units = [vector for vector in leading if sum(map(bool, vector)) == 1]
        self._vectors = units[::-1] + sorted((v for v in leading if v not in units), key=lambda v: -sum(map(bool, v)))
        self._zero = zero
        self._tries = 0

    def of(self, exponents: Sequence[int]) -> list[tuple[Vector, ...]] | None:
        """Forms for factors of these exponents; None where none are found."""
        self._tries = 0
        return self._from(list(exponents), [{self._zero}] * (self._reach + 1))

    def _from(self, exponents: list[int], sums: list[set[Vector]]) -> list[tuple[Vector, ...]] | None:
        """``sums[s]`` are the vectors that up to s of the factors so far can make."""
        if not exponents:
            return []
        for forms in self._choices(exponents[0], sums[self._reach]):
            self._tries += 1
            if self._tries > MOST_TRIES:
                return None
            made = span(self._prime, forms)
            wider = [sums[0]] + [
                sums[s] | {added(self._prime, one, other) for one in sums[s - 1] for other in made}
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


def added(prime: int, one: Vector, other: Vector) -> Vector:
    """The sum of two vectors."""
    return tuple((a + b) % prime for a, b in zip(one, other, strict=True))


def span(prime: int, forms: Sequence[Vector]) -> set[Vector]:
    """All sums of multiples of ``forms``."""
    weights = itertools.product(range(prime), repeat=len(forms))
    columns = list(zip(*forms, strict=True))
    return {tuple(sum(w * part for w, part in zip(each, column, strict=True)) % prime for column in columns)
            for each in weights}  # fmt: skip


def _runs(prime: int, forms: Sequence[tuple[Vector, ...]], stream: Stream) -> Ints:
    """Every vector as a run: a level for each factor; each form is shifted by a drawn constant."""
    dimension = len(forms[0][0])
    vectors = np.array(list(itertools.product(range(prime), repeat=dimension)), dtype=np.int64)
    columns = []
    for each in forms:
        level = np.zeros(len(vectors), dtype=np.int64)
        for form in each:
            level = level * prime + (vectors @ np.array(form, dtype=np.int64) + stream.below(prime)) % prime
        columns.append(level)
    return np.stack(columns, axis=1)


def _aliasing(names: Sequence[str], prime: int, forms: Sequence[tuple[Vector, ...]]) -> list[str]:
    """Which main effects and interactions of two factors cannot be told apart, in words."""
    zero = (0,) * len(forms[0][0])
    spans = [span(prime, each) - {zero} for each in forms]
    effects: dict[Vector, list[str]] = {}
    for number, name in enumerate(names):
        for vector in _leading(spans[number]):
            effects.setdefault(vector, []).append(name)
    for one, other in itertools.combinations(range(len(names)), 2):
        mixed = {added(prime, a, b) for a in spans[one] for b in spans[other]}
        for vector in _leading(mixed):
            effects.setdefault(vector, []).append(f"{names[one]} by {names[other]}")
    sets = sorted({tuple(dict.fromkeys(each)) for each in effects.values() if len(set(each)) > 1})
    if not sets:
        return ["no main effect or interaction of two factors is aliased with another"]
    shown = [" = ".join(each) for each in sets[:ALIASES_SHOWN]]
    more = [f"and {len(sets) - len(shown)} more aliased sets"] if len(sets) > len(shown) else []
    return [f"aliased, so that only their sum is seen: {each}" for each in shown] + more


def _leading(vectors: set[Vector]) -> list[Vector]:
    """One of each vector's multiples: that which begins with 1."""
    return sorted(v for v in vectors if any(v) and next(part for part in v if part) == 1)


def _roman(resolution: int) -> str:
    return {3: "III", 4: "IV", 5: "V"}[resolution]
