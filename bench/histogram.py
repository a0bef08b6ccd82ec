"""Latency histograms as fio keeps them, merged and read without loss.

fio sorts every latency into 1,856 buckets (6 bits of mantissa, 29 powers of two; exact below
128 ns, within 0.8% above) and prints, with ``json+``, the midpoint and the count of each bucket
that is not empty.  The midpoints depend on nothing but the bucket, so histograms of several jobs
or hosts add up bucket by bucket, and a percentile of the sum is a true percentile.  (Source: fio
``stat.c``, ``plat_val_to_idx``, ``plat_idx_to_val`` and ``calc_clat_percentiles``.)
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate


@dataclass(frozen=True)
class Histogram:
    """Counts per bucket: ``bins_ns`` are midpoints in rising order, ``counts`` belongs to them."""

    bins_ns: tuple[int, ...]
    counts: tuple[int, ...]

    @property
    def samples(self) -> int:
        """How many latencies were sorted in."""
        return sum(self.counts)

    @cached_property
    def running(self) -> tuple[int, ...]:
        """I/Os in each bucket and those below it."""
        return tuple(accumulate(self.counts))

    def percentile_ns(self, percent: float) -> int | None:
        """Midpoint of the first bucket at which the running count reaches ``percent`` of all samples.

        This is fio's own rule; the threshold is taken exactly from the binary value of ``percent``,
        as fio's extended arithmetic does.  None for an empty histogram.
        """
        running = self.running
        if not running or running[-1] == 0:
            return None
        numerator, denominator = float(percent).as_integer_ratio()
        threshold = -(-numerator * running[-1] // (100 * denominator))  # rounded up: counts are whole
        return self.bins_ns[min(bisect_left(running, threshold), len(running) - 1)]


def merge(histograms: Iterable[Histogram]) -> Histogram:
    """The exact sum of ``histograms``, bucket by bucket."""
    every = list(histograms)
    if len(every) == 1 and 0 not in every[0].counts:
        return every[0]
    total: dict[int, int] = {}
    for each in every:
        for value, count in zip(each.bins_ns, each.counts, strict=True):
            total[value] = total.get(value, 0) + count
    bins = sorted(value for value, count in total.items() if count)
    return Histogram(tuple(bins), tuple(map(total.__getitem__, bins)))
