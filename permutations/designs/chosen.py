"""The covering design of a space."""

from __future__ import annotations

from permutations.designs.covering import TooLargeError, cover
from permutations.designs.encode import encode
from permutations.designs.report import Chosen, DesignError
from permutations.designs.spec import DesignSpec
from permutations.feasible.space import Space

_WORDS = {1: "value", 2: "pair", 3: "triple"}


def covering(space: Space, spec: DesignSpec, seed: int) -> Chosen:
    """Points with every feasible combination of values of any 2 or 3 factors; the points of the file come first."""
    encoded = encode(space)
    if not encoded.names:
        return Chosen(tuple(space.walk()), ("the only feasible point",), {"strength": spec.strength})
    kept = encoded.encode(spec.points)
    try:
        array = cover(encoded.model, spec.strength, seed, kept)
    except TooLargeError as error:
        raise DesignError(f"{error}: shorten a list") from None
    word = _WORDS[array.strength]
    guarantees = [f"every one of the {array.tuples} feasible {word}s of values is in at least one point"]
    if len(spec.points):
        guarantees.append(f"points that the file gives and that are kept: {len(spec.points)}")
    figures: dict[str, int | float | str] = {
        "strength": array.strength,
        "tuples": array.tuples,
        "lower_bound": array.lower_bound,
        "start": array.start,
    }
    return Chosen(encoded.decode(array.rows), tuple(guarantees), figures)
