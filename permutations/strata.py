"""The strata of a sweep: its factors, ranked by the cost of a change.

An array is expensive (md's initial resync takes hours), a filesystem cheaper, a mount and a directory
layout cheaper still, a queue setting almost free.  A split-plot order rarely changes the expensive ones.
The names are those of split-plot experiments: a whole plot is an array that is kept while everything
above it varies, a sub-plot is a filesystem on it (Box, Hunter and Hunter, Statistics for
Experimenters, 2nd ed., ch. 9; Jones and Nachtsheim, Split-Plot Designs: What, Why, and How, Journal
of Quality Technology 41(4), 2009).
"""

from __future__ import annotations

from dataclasses import dataclass

from permutations.point import DesignPoint
from stripelab.settings import Setting


@dataclass(frozen=True)
class Stratum:
    """Factors that are equally expensive to change."""

    name: str
    factors: tuple[str, ...]

    def settings(self, point: DesignPoint) -> tuple[Setting, ...]:
        """Settings of a point for the factors of this stratum."""
        return tuple(point[factor] for factor in self.factors)


ARRAY = Stratum("array", ("level", "disks", "chunk_kib", "raid10_layout"))
FILESYSTEM = Stratum("filesystem", ("filesystem", "mkfs_options"))
MOUNT = Stratum("mount", ("mount_options", "layout"))
QUEUE = Stratum("queue", ("stripe_cache_pages", "scheduler", "read_ahead_kib", "nr_requests"))
STRATA = (ARRAY, FILESYSTEM, MOUNT, QUEUE)
"""The most expensive first.  The workloads come below them: a trial runs all of them on one stack."""
