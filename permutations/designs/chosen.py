"""The covering design of a space."""

from __future__ import annotations

from permutations.designs.covering import TooLargeError, cover
from permutations.designs.encode import encode
from permutations.designs.report import Chosen, DesignError
from permutations.designs.spec import DesignSpec
from permutations.feasible.space import Space

_WAYS = {1: "value", 2: "pair", 3: "triple"}


def covering(space: Space, spec: DesignSpec, seed: int) -> Chosen:
    """Points that have every feasible combination of the values of any 2 or 3 factors; given points come first."""
    encoded = encode(space)
    if not encoded.names:
        return Chosen(tuple(space.walk()), ("the only feasible point",), {"strength": spec.strength})
    kept = encoded.encoded(spec.points)
    try:
        found = cover(encoded.model, spec.strength, seed, kept)
    except TooLargeError as error:
        raise DesignError(f"{error}: shorten a list") from None
    way = _WAYS[found.strength]
    guarantees = [f"every one of the {found.tuples} feasible {way}s of values is in at least one point"]
    if len(spec.points):
        guarantees.append(f"points that the file gives and that are kept: {len(spec.points)}")
    figures: dict[str, int | float | str] = {
        "strength": found.strength,
        "tuples": found.tuples,
        "lower_bound": found.lower_bound,
        "start": found.start,
    }
    return Chosen(encoded.decoded(found.rows), tuple(guarantees), figures)
