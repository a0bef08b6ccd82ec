"""In which order to run: randomised complete blocks.

A replicate is a block; each block visits each point once, in a fresh random order, so that a drift
of the machine falls on all points alike and can be told from their differences (Box, Hunter and
Hunter, Statistics for Experimenters, 2nd edition, chapter 4).

The order is by the SHA-256 of seed, block and point id.  It needs no random generator, so it is the
same on every version of Python and on every machine; and a point that is added to a sweep, or a
block, leaves the order of the others as it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from permutations.point import DesignPoint, PlannedTrial, trial_id


def blocked(points: Iterable[DesignPoint], *, seed: int, replicates: int, protocol_id: str) -> tuple[PlannedTrial, ...]:
    """Every trial in run order: block after block, each complete."""
    distinct = tuple(points)
    ordered = ((block, point) for block in range(replicates) for point in shuffled(distinct, seed, block))
    return tuple(
        PlannedTrial(trial_id(point.id, protocol_id, block), point, block, run_order)
        for run_order, (block, point) in enumerate(ordered)
    )


def shuffled(points: Iterable[DesignPoint], seed: int, block: int) -> list[DesignPoint]:
    """``points`` in the random order of one block."""
    return sorted(points, key=lambda point: hashlib.sha256(f"{seed}/{block}/{point.id}".encode("ascii")).digest())
