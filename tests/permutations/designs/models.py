"""The models on which covering arrays are compared, and a check that shares nothing with what makes them."""

from __future__ import annotations

import itertools

import numpy as np

from permutations.designs.model import Group, Model

LEVELS = ("jbod", "raid0", "raid1", "raid5", "raid6", "raid10")
DISKS = (1, 2, 3, 4, 6, 8)
CHUNKS = (None, 64, 128, 256, 512)
FEASIBLE_DISKS = {
    "jbod": {1},
    "raid0": {2, 3, 4, 6, 8},
    "raid1": {2},
    "raid5": {3, 4, 6, 8},
    "raid6": {4, 6, 8},
    "raid10": {4, 6, 8},
}


def raid_rule(level: int, disks: int, chunk: int) -> bool:
    """Whether three levels of the RAID space go together."""
    name = LEVELS[level]
    return DISKS[disks] in FEASIBLE_DISKS[name] and (CHUNKS[chunk] is None) == (name in {"jbod", "raid1"})


def raid_space() -> Model:
    """The constrained RAID space: 51,840 raw and 17,856 feasible combinations."""
    whole = itertools.product(range(6), range(6), range(5))
    rows = np.array([row for row in whole if raid_rule(*row)], dtype=np.int64)
    return Model.of([6, 6, 5, 4, 3, 4, 3, 2], [Group((0, 1, 2), rows)])


def raid_feasible(row: tuple[int, ...]) -> bool:
    return raid_rule(*row[:3])


MODELS = {
    "3^4": Model.free([3] * 4),
    "3^13": Model.free([3] * 13),
    "4^15 3^17 2^29": Model.free([4] * 15 + [3] * 17 + [2] * 29),
    "4^1 3^39 2^35": Model.free([4] + [3] * 39 + [2] * 35),
    "2^100": Model.free([2] * 100),
    "10^20": Model.free([10] * 20),
}
PICT = {"3^4": 9, "3^13": 18, "4^15 3^17 2^29": 37, "4^1 3^39 2^35": 27, "2^100": 15, "10^20": 210}
"""Rows that PICT makes."""

BEST_KNOWN = {"3^4": 9, "3^13": 15, "4^15 3^17 2^29": 29, "4^1 3^39 2^35": 21, "2^100": 10, "10^20": 180}
"""The smallest that were published with these models."""


def missing(rows, columns, strength, feasible):
    """Tuples that ``rows`` lack: every tuple of every set of columns is counted by brute force.

    ``columns`` is the number of levels of each; ``feasible`` is a set of tuples for each set of columns, or None
    where every tuple is.
    """
    lacking = 0
    for chosen in itertools.combinations(range(len(columns)), strength):
        found = {tuple(row[column] for column in chosen) for row in rows}
        wanted = (
            set(itertools.product(*(range(columns[column]) for column in chosen)))
            if feasible is None
            else feasible[chosen]
        )
        assert found <= wanted
        lacking += len(wanted - found)
    return lacking


def tuples_of(rows, strength):
    """The tuples of each set of columns that are in some of ``rows``."""
    rows = [tuple(row) for row in rows]
    sets = itertools.combinations(range(len(rows[0])), strength)
    return {chosen: {tuple(row[column] for column in chosen) for row in rows} for chosen in sets}
