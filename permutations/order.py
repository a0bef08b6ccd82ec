"""Run orders: randomised complete blocks, or split plots within each block.

A replicate is a block; each block visits each point once, in a new random order, so that drift of
the machine affects all points alike and can be separated from their differences (Box, Hunter and
Hunter, Statistics for Experimenters, 2nd edition, chapter 4).

The order is by the SHA-256 of seed, block and point id.  It does not need a random generator, so it
is the same on every version of Python and on every machine; and adding a point or a block to a sweep
does not change the order of the others.

In a split-plot order each block still visits every point once.  Within it the arrays (whole plots)
come in a random order, within each array its filesystems (sub-plots), within those the mounts and
layouts, and within those the queue settings.  Every block has new random orders.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from permutations.identity import canonical_json
from permutations.point import DesignPoint, PlannedTrial, trial_id
from permutations.strata import ARRAY, FILESYSTEM, STRATA


def blocked(points: Iterable[DesignPoint], *, seed: int, replicates: int, protocol_id: str) -> tuple[PlannedTrial, ...]:
    """Every trial in run order, one complete block after another."""
    distinct = tuple(points)
    ordered = ((block, point) for block in range(replicates) for point in shuffled(distinct, seed, block))
    return tuple(
        PlannedTrial(trial_id(point.id, protocol_id, block), point, block, run_order)
        for run_order, (block, point) in enumerate(ordered)
    )


def split_plot(
    points: Iterable[DesignPoint], *, seed: int, replicates: int, protocol_id: str
) -> tuple[PlannedTrial, ...]:
    """Every trial in run order, with its plots: numbers from 0 that no two blocks share."""
    distinct = tuple(points)
    whole_plots: dict[tuple[object, ...], int] = {}
    sub_plots: dict[tuple[object, ...], int] = {}
    trials: list[PlannedTrial] = []
    for block in range(replicates):
        for point in nested(distinct, seed, block):
            array = (block, *ARRAY.settings(point))
            made = (*array, *FILESYSTEM.settings(point))
            planned = PlannedTrial(trial_id(point.id, protocol_id, block), point, block, len(trials))
            whole_plot = whole_plots.setdefault(array, len(whole_plots))
            sub_plot = sub_plots.setdefault(made, len(sub_plots))
            trials.append(replace(planned, whole_plot=whole_plot, sub_plot=sub_plot))
    return tuple(trials)


def nested(points: Iterable[DesignPoint], seed: int, block: int) -> list[DesignPoint]:
    """``points`` in the split-plot order of one block: a separate random order at each stratum."""

    def place(point: DesignPoint) -> tuple[bytes, ...]:
        above: list[object] = []
        drawn = []
        for stratum in STRATA:
            above += stratum.settings(point)
            drawn.append(_draw(f"{seed}/{block}/{stratum.name}/{canonical_json(above)}"))
        return tuple(drawn)

    return sorted(points, key=place)


def _draw(words: str) -> bytes:
    return hashlib.sha256(words.encode("ascii")).digest()


def shuffled(points: Iterable[DesignPoint], seed: int, block: int) -> list[DesignPoint]:
    """``points`` in the random order of one block."""
    return sorted(points, key=lambda point: _draw(f"{seed}/{block}/{point.id}"))
